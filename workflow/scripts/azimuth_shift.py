from slipmap.job import job

with job(snakemake):
    from slipmap.config.sentinel1 import Sentinel1Processing
    from slipmap.grid import Grid
    from slipmap.sentinel1 import shifts

    rows, columns = snakemake.params.looks
    shifts.run(
        snakemake.params.products,
        list(snakemake.params.earlier.values()),
        list(snakemake.input.get("earlier", [])),
        snakemake.input.dem,
        Sentinel1Processing(**snakemake.params.settings),
        Grid.load(snakemake.input.grid).nested(columns, rows),
        snakemake.output.shift,
        orbits=snakemake.params.orbits,
    )
