from slipmap.jobs.job import checked, job

with job(snakemake):
    from slipmap.motion import kinematics

    kinematics.run(
        timeseries=snakemake.input.timeseries,
        mask=snakemake.input.mask,
        settings=checked(snakemake.params.settings),
        kinematics=snakemake.output.kinematics,
        trend=snakemake.output.trend,
        tags={"SIMULATED": "yes"} if snakemake.params.simulated else {},
    )
