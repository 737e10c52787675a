from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.inputs import GridSettings
    from slipmap.inputs import area_grid

    area_grid.run(
        settings=GridSettings(**snakemake.params.settings),
        path=snakemake.output.grid,
        key=f"areas.{snakemake.wildcards.area}.grid",
    )
