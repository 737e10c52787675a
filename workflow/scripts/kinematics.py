from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.motion import KinematicsSettings
    from slipmap.motion import kinematics

    kinematics.run(
        snakemake.input.timeseries,
        snakemake.input.mask,
        KinematicsSettings(**snakemake.params.settings),
        snakemake.output.kinematics,
        snakemake.output.trend,
        {"SIMULATED": "yes"} if snakemake.params.simulated else {},
    )
