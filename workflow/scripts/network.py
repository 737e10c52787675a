from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.deformation import NetworkSettings
    from slipmap.config.inputs import Sentinel1Settings
    from slipmap.deformation import network

    network.run(
        sentinel1=Sentinel1Settings(**snakemake.params.sentinel1),
        settings=NetworkSettings(**snakemake.params.settings),
        network_csv=snakemake.output.network,
        network_png=snakemake.output.plot,
        stack_json=snakemake.output.stack,
        files=snakemake.input.get("slcs"),
        views=snakemake.output.views,
    )
