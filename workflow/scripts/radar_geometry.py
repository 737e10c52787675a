from slipmap.jobs.job import checked, job

with job(snakemake):
    from slipmap.io.grid import Grid
    from slipmap.sentinel1 import radar_geometry

    radar_geometry.run(
        products=snakemake.input.products,
        dem=snakemake.input.dem,
        settings=checked(snakemake.params.settings),
        grid=Grid.load(snakemake.input.grid),
        output=snakemake.output.geometry,
        orbits=snakemake.params.orbits,
    )
