from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.deformation import NetworkSettings
    from slipmap.config.inputs import Sentinel1Settings
    from slipmap.deformation import network

    network.run(
        Sentinel1Settings(**snakemake.params.sentinel1),
        NetworkSettings(**snakemake.params.settings),
        snakemake.output.network,
        snakemake.output.plot,
        snakemake.output.stack,
        files=snakemake.input.get("slcs"),
        views=snakemake.output.views,
    )
