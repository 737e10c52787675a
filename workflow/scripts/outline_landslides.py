from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.prediction import OutlineSettings
    from slipmap.prediction import polygons

    given = dict(snakemake.input.items())
    maps = {name: given[name] for name in ("probability", "uncertainty")}
    radar = ("velocity", "velocity_std", "mask", "timeseries", "stack", "active_areas")
    polygons.run(
        classes=given["classes"],
        layers=snakemake.params.factors | maps,
        inventory=snakemake.input.inventory or None,
        settings=OutlineSettings(**snakemake.params.settings),
        output=snakemake.output.landslides,
        deformation={name: given[name] for name in radar if name in given} or None,
    )
