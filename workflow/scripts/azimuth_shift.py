from slipmap.jobs.job import checked, job

with job(snakemake):
    from slipmap.io.grid import Grid
    from slipmap.sentinel1 import shifts

    rows, columns = snakemake.params.looks
    shifts.run(
        products=snakemake.params.products,
        earlier=list(snakemake.params.earlier.values()),
        shifts=list(snakemake.input.get("earlier", [])),
        dem=snakemake.input.dem,
        settings=checked(snakemake.params.settings),
        grid=Grid.load(snakemake.input.grid).nested(columns, rows),
        output=snakemake.output.shift,
        orbits=snakemake.params.orbits,
    )
