from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.geocoding import AcquisitionSettings
    from slipmap.config.inputs import Sentinel1Settings
    from slipmap.sentinel1 import acquisitions

    acquisitions.run(
        sentinel1=Sentinel1Settings(**snakemake.params.sentinel1),
        settings=AcquisitionSettings(**snakemake.params.settings),
        output=snakemake.output.acquisitions,
    )
