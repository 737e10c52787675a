from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.inputs import Sentinel1Settings
    from slipmap.deformation import ready_velocity

    ready_velocity.convert(settings=Sentinel1Settings(**snakemake.params.sentinel1), output=snakemake.output.velocity)
