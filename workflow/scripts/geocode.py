from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.geocoding import GeocodingSettings
    from slipmap.io.grid import Grid
    from slipmap.sentinel1 import geocode

    rows, columns = snakemake.params.looks
    geocode.run(
        products=snakemake.input.products,
        dem=snakemake.input.dem,
        settings=GeocodingSettings(**snakemake.params.settings),
        grid=Grid.load(snakemake.input.grid).nested(columns, rows),
        output=snakemake.output.slc,
        orbits=snakemake.params.orbits,
        shift=snakemake.input.get("shift"),
    )
