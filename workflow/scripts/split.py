from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.patches import split

    split.run(
        inventory_tif=snakemake.input.inventory,
        settings=snakemake.params.settings,
        split_tif=snakemake.output.split,
        blocks_gpkg=snakemake.output.blocks,
    )
