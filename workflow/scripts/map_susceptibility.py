from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.susceptibility import areas, maps

    maps.map_susceptibility(
        areas=areas.area_files(
            names=snakemake.params.names,
            factors=snakemake.input.factors,
            inventories=snakemake.input.inventories,
            splits=snakemake.input.splits,
        ),
        settings=snakemake.params.settings,
        model=snakemake.wildcards.model,
        output=snakemake.output.map,
        applicability={role: path for role, path in snakemake.output.items() if role != "map"},
        selected=areas.read_selection(snakemake.input.selection),
        jobs=snakemake.threads,
    )
