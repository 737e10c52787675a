from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.factors import ClimateSettings
    from slipmap.factors import climate
    from slipmap.io.grid import Grid

    climate.run_soil(
        path=snakemake.input.soil_moisture,
        grid=Grid.load(snakemake.input.grid),
        outputs={snakemake.wildcards.factor: snakemake.output.raster},
        settings=ClimateSettings(**snakemake.params.settings),
        key=f"areas.{snakemake.wildcards.area}.inputs.soil_moisture",
    )
