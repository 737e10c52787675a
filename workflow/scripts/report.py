from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.report.build import build

    build(
        area=snakemake.wildcards.area,
        run=snakemake.params.run,
        files=snakemake.input.files,
        page=snakemake.output.page,
        tables=snakemake.output.tables,
        project=snakemake.output.project,
    )
