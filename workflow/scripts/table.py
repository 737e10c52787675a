from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.training import table_results

    table_results.run_files(
        definition=Path(snakemake.input.definition),
        run_file=Path(snakemake.input.run),
        experiments=snakemake.params.experiments,
        results=snakemake.params.metrics,
        out_csv=Path(snakemake.output.table),
        out_json=Path(snakemake.output.about),
    )
