from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.report.build import build

    build(snakemake.wildcards.area, snakemake.params.run, snakemake.output.page, snakemake.output.tables)
