from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.report.imported import build

    build(snakemake.wildcards.dataset, snakemake.params.run, snakemake.output.page, snakemake.output.tables)
