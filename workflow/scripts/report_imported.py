from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.report.imported import build

    build(
        dataset=snakemake.wildcards.dataset,
        run=snakemake.params.run,
        store=snakemake.input.store,
        files=snakemake.input.shown,
        page=snakemake.output.page,
        tables=snakemake.output.tables,
    )
