from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.susceptibility import compare, maps

    maps.map_susceptibility(
        areas=compare.area_files(
            names=snakemake.params.names,
            factors=snakemake.input.factors,
            inventories=snakemake.input.inventories,
            splits=snakemake.input.splits,
        ),
        settings=snakemake.params.settings,
        model=snakemake.wildcards.model,
        output=snakemake.output.map,
        selected=compare.read_selection(snakemake.input.selection),
        jobs=snakemake.threads,
    )
