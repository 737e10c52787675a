from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.io.atomic import copy

    copy(source=snakemake.input.index, path=snakemake.output.factor)
