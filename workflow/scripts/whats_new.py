from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.motion import ChangeSettings
    from slipmap.io.grid import Grid
    from slipmap.motion import whats_new
    from slipmap.motion.earlier import open_earlier

    given, settings = snakemake.input, ChangeSettings(**snakemake.params.settings)
    grid = Grid.load(given.grid)
    whats_new.run(
        earlier=open_earlier(settings.earlier, grid, given.velocity, given.reference),
        files={name: given[name] for name in ("timeseries", "mask", "active_areas")},
        settings=settings,
        outputs={name: snakemake.output[name] for name in ("areas", "table", "change", "record")},
        maps={name.removeprefix("map_"): given[name] for name in snakemake.params.maps},
        tags={"SIMULATED": "yes"} if snakemake.params.simulated else {},
    )
