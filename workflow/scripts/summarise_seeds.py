from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.training import summary

    summary.run(metrics=snakemake.input.metrics, out_csv=snakemake.output.metrics)
