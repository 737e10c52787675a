from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.geocoding import GeocodingSettings
    from slipmap.io.grid import Grid
    from slipmap.sentinel1 import geocode

    rows, columns = snakemake.params.looks
    geocode.run(
        snakemake.input.products,
        snakemake.input.dem,
        GeocodingSettings(**snakemake.params.settings),
        Grid.load(snakemake.input.grid).nested(columns, rows),
        snakemake.output.slc,
        orbits=snakemake.params.orbits,
        shift=snakemake.input.get("shift"),
    )
