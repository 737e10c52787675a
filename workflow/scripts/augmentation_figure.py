from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.patches import figure

    figure.run(store=snakemake.input.store, settings=snakemake.params.settings, path=snakemake.output.figure)
