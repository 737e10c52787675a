from slipmap.job import job

with job(snakemake):
    from slipmap.config.inputs import Sentinel1Settings
    from slipmap.config.sentinel1 import AcquisitionSettings
    from slipmap.sentinel1 import acquisitions

    acquisitions.run(
        Sentinel1Settings(**snakemake.params.sentinel1),
        AcquisitionSettings(**snakemake.params.settings),
        snakemake.output.acquisitions,
    )
