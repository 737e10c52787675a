from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.fetch import published, run

    name = snakemake.wildcards.published
    published.fetch(name=name, store=run.STORE / name, folder=snakemake.output.data)
