from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.factors import ready
    from slipmap.io.grid import Grid

    ready.run(
        path=snakemake.input.factors,
        grid=Grid.load(snakemake.input.grid),
        outputs={snakemake.wildcards.factor: snakemake.output.raster},
        key=f"areas.{snakemake.wildcards.area}.inputs.ready_factors.path",
    )
