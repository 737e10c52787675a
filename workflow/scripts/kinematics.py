from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.motion import KinematicsSettings
    from slipmap.motion import kinematics

    kinematics.run(
        timeseries=snakemake.input.timeseries,
        mask=snakemake.input.mask,
        settings=KinematicsSettings(**snakemake.params.settings),
        kinematics=snakemake.output.kinematics,
        trend=snakemake.output.trend,
        tags={"SIMULATED": "yes"} if snakemake.params.simulated else {},
    )
