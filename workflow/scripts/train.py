from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.config.run import ExperimentSettings
    from slipmap.training import train

    train.run(
        [Path(store) for store in snakemake.input.stores],
        snakemake.input.get("selection"),
        ExperimentSettings(**snakemake.params.experiment),
        int(snakemake.wildcards.seed),
        Path(snakemake.output.weights).parent,
    )
