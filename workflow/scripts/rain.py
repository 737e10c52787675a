from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.factors import ClimateSettings
    from slipmap.factors import climate
    from slipmap.io.grid import Grid

    climate.run_rain(
        path=snakemake.input.rainfall,
        grid=Grid.load(snakemake.input.grid),
        outputs={snakemake.wildcards.factor: snakemake.output.raster},
        settings=ClimateSettings(**snakemake.params.settings),
        key=f"areas.{snakemake.wildcards.area}.inputs.rainfall",
    )
