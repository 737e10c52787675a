from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.training import evaluate

    evaluate.run(
        stores=[Path(snakemake.input.store)],
        weights_folder=Path(snakemake.input.weights).parent,
        out_json=Path(snakemake.output.metrics),
        learnt=[Path(store) for store in snakemake.input.learnt],
    )
