from slipmap.job import job

with job(snakemake):
    from slipmap.config.sentinel1 import Sentinel1Processing
    from slipmap.grid import Grid
    from slipmap.sentinel1 import geocode

    rows, columns = snakemake.params.looks
    geocode.run(
        snakemake.input.products,
        snakemake.input.dem,
        Sentinel1Processing(**snakemake.params.settings),
        Grid.load(snakemake.input.grid).nested(columns, rows),
        snakemake.output.slc,
        orbits=snakemake.params.orbits,
        shift=snakemake.input.get("shift"),
    )
