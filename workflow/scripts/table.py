from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.training import tables

    tables.run_files(
        definition=Path(snakemake.input.definition),
        experiments=snakemake.params.experiments,
        results=snakemake.params.metrics,
        out_csv=Path(snakemake.output.table),
        out_json=Path(snakemake.output.about),
    )
