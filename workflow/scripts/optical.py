from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.factors import OpticalSettings
    from slipmap.config.inputs import Sentinel2Settings
    from slipmap.factors import optical
    from slipmap.io.grid import Grid

    optical.run(
        source=Sentinel2Settings(**snakemake.params.source),
        grid=Grid.load(snakemake.input.grid),
        outputs=dict(snakemake.output.items()),
        settings=OpticalSettings(**snakemake.params.settings),
        key=snakemake.params.key,
        threads=snakemake.threads,
    )
