from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.geocoding import GeocodingSettings
    from slipmap.io.grid import Grid
    from slipmap.sentinel1 import shifts

    rows, columns = snakemake.params.looks
    shifts.run(
        snakemake.params.products,
        list(snakemake.params.earlier.values()),
        list(snakemake.input.get("earlier", [])),
        snakemake.input.dem,
        GeocodingSettings(**snakemake.params.settings),
        Grid.load(snakemake.input.grid).nested(columns, rows),
        snakemake.output.shift,
        orbits=snakemake.params.orbits,
    )
