from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.factors import coverage
    from slipmap.io.grid import Grid

    coverage.run(
        factors=dict(zip(snakemake.params.names, snakemake.input.factors, strict=True)),
        grid=Grid.load(snakemake.input.grid),
        out=snakemake.output.coverage,
    )
