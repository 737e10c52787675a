from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.io.atomic import copy

    copy(snakemake.input.index, snakemake.output.factor)
