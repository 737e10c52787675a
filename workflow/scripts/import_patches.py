from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.patches.importing import driver

    driver.run(
        settings=snakemake.params.settings,
        store=snakemake.output.store,
        name=snakemake.wildcards.dataset,
        threads=snakemake.threads,
    )
