from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.susceptibility.areas import AreaFiles
    from slipmap.training import factor_tables

    factor_tables.run(
        definition=Path(snakemake.input.definition),
        run_file=Path(snakemake.input.run),
        area=snakemake.wildcards.area,
        files=AreaFiles(
            factors=dict(zip(snakemake.params.names, snakemake.input.factors, strict=True)),
            inventory=snakemake.input.inventory,
            split=snakemake.input.split,
        ),
        screening=snakemake.params.screening,
        susceptibility=snakemake.params.susceptibility,
        out_csv=Path(snakemake.output.table),
        out_json=Path(snakemake.output.about),
        jobs=snakemake.threads,
    )
