from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.config.run import ExperimentSettings
    from slipmap.training import train

    train.run(
        stores=[Path(store) for store in snakemake.input.stores],
        selection=snakemake.input.get("selection"),
        experiment=ExperimentSettings(**snakemake.params.experiment),
        seed=int(snakemake.wildcards.seed),
        folder=Path(snakemake.output.weights).parent,
    )
