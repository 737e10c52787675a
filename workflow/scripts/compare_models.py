from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.susceptibility import compare

    compare.run(
        areas=compare.area_files(
            names=snakemake.params.names,
            factors=snakemake.input.factors,
            inventories=snakemake.input.inventories,
            splits=snakemake.input.splits,
        ),
        settings=snakemake.params.settings,
        folder=Path(snakemake.output.sample).parent,
        selected=compare.read_selection(snakemake.input.selection),
        jobs=snakemake.threads,
    )
