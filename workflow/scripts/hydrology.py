from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.factors import HydrologySettings
    from slipmap.factors import hydrology
    from slipmap.io.grid import Grid

    hydrology.run(
        dem=snakemake.input.dem,
        grid=Grid.load(snakemake.input.grid),
        outputs=dict(snakemake.output.items()),
        settings=HydrologySettings(**snakemake.params.settings),
        resampling=snakemake.params.resampling,
        key=f"areas.{snakemake.wildcards.area}.inputs.dem",
        threads=snakemake.threads,
    )
