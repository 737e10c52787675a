from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.training import comparison

    comparison.run(
        store=snakemake.input.store,
        weights=snakemake.params.weights,
        histories=snakemake.params.histories,
        folder=Path(snakemake.output[0]).parent,
        classical=snakemake.input.get("classical"),
    )
