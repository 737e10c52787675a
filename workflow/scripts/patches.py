from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.patches import store

    store.build(
        factors=snakemake.input.factors,
        inventory_tif=snakemake.input.inventory,
        split_tif=snakemake.input.split,
        settings=snakemake.params.settings,
        store=snakemake.output.store,
        area=snakemake.wildcards.area,
        threads=snakemake.threads,
    )
