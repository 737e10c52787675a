from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.training import summary

    summary.run(snakemake.input.metrics, snakemake.output.metrics)
