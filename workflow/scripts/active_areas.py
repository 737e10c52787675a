from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.motion import DESCRIBED_BY, ActiveAreaSettings, KinematicsSettings
    from slipmap.io.grid import Grid
    from slipmap.motion import active_areas

    given = dict(snakemake.input.items())
    radar = ("velocity", "velocity_std", "averaging_std", "mask", "timeseries")
    slopes = ("sensitivity", "downslope", "visibility")
    active_areas.run(
        deformation={name: given[name] for name in (*radar, *slopes) if name in given},
        grid=Grid.load(snakemake.input.grid),
        settings=ActiveAreaSettings(**snakemake.params.settings),
        outputs={name: snakemake.output[name] for name in ("significance", "areas", "style")},
        factors={name: given[name] for name in DESCRIBED_BY if name in given},
        inventory=snakemake.input.inventory or None,
        nearby={name: (given[name], layer) for name, layer in snakemake.params.layers.items()},
        kinematics=KinematicsSettings(**snakemake.params.kinematics),
        tags={"SIMULATED": "yes"} if snakemake.params.simulated else {},
    )
