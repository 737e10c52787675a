from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.susceptibility import areas, compare

    compare.run(
        areas=areas.area_files(
            names=snakemake.params.names,
            factors=snakemake.input.factors,
            inventories=snakemake.input.inventories,
            splits=snakemake.input.splits,
        ),
        settings=snakemake.params.settings,
        folder=Path(snakemake.output.sample).parent,
        selected=areas.read_selection(snakemake.input.selection),
        jobs=snakemake.threads,
        screening=snakemake.params.screening,
    )
