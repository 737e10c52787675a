from slipmap.job import job

with job(snakemake):
    from slipmap.config.factors import OpticalSettings
    from slipmap.config.inputs import Sentinel2Settings
    from slipmap.factors import optical
    from slipmap.grid import Grid

    wildcards = dict(snakemake.wildcards.items())
    optical.run(
        Sentinel2Settings(**snakemake.params.source),
        grid=Grid.load(snakemake.input.grid),
        outputs={wildcards["factor"]: snakemake.output[0]} if "factor" in wildcards else dict(snakemake.output.items()),
        settings=OpticalSettings(**snakemake.params.settings),
        key=f"areas.{snakemake.wildcards.area}.inputs.sentinel2",
        threads=snakemake.threads,
    )
