from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.training import tables

    tables.run_files(
        Path(snakemake.input.definition),
        snakemake.params.experiments,
        snakemake.params.metrics,
        Path(snakemake.output.table),
        Path(snakemake.output.about),
    )
