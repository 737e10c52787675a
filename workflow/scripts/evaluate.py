from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.training import evaluate

    evaluate.run(
        [Path(snakemake.input.store)],
        Path(snakemake.input.weights).parent,
        Path(snakemake.output.metrics),
        learnt=[Path(store) for store in snakemake.input.learnt],
    )
