from slipmap.jobs.job import checked, job

with job(snakemake):
    from slipmap.io.grid import Grid
    from slipmap.sentinel1 import geocode

    rows, columns = snakemake.params.looks
    geocode.run(
        products=snakemake.input.products,
        dem=snakemake.input.dem,
        settings=checked(snakemake.params.settings),
        grid=Grid.load(snakemake.input.grid).nested(columns, rows),
        output=snakemake.output.slc,
        orbits=snakemake.params.orbits,
        shift=snakemake.input.get("shift"),
    )
