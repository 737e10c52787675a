from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.factors.align import align
    from slipmap.io.grid import Grid

    align(
        snakemake.input.velocity,
        grid=Grid.load(snakemake.input.grid),
        out=snakemake.output.velocity,
        name="velocity",
        units="mm/yr",
        long_name="line-of-sight deformation rate, positive towards the satellite",
    )
