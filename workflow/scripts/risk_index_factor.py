from slipmap.job import job

with job(snakemake):
    from slipmap.atomic import copy

    copy(snakemake.input.index, snakemake.output.factor)
