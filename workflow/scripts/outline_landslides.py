from slipmap.job import job

with job(snakemake):
    from slipmap.config.prediction import PredictionSettings
    from slipmap.prediction import polygons

    layers = snakemake.params.factors | {
        "probability": snakemake.input.probability,
        "uncertainty": snakemake.input.uncertainty,
    }
    polygons.run(
        classes=snakemake.input.classes,
        layers=layers,
        inventory=snakemake.input.inventory or None,
        settings=PredictionSettings(**snakemake.params.settings),
        output=snakemake.output.landslides,
    )
