from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.factors import TerrainSettings
    from slipmap.factors import terrain
    from slipmap.io.grid import Grid

    wildcards = dict(snakemake.wildcards.items())
    terrain.run(
        dem=snakemake.input.dem,
        grid=Grid.load(snakemake.input.grid),
        outputs={wildcards["factor"]: snakemake.output[0]} if "factor" in wildcards else dict(snakemake.output.items()),
        settings=TerrainSettings(**snakemake.params.settings),
        key=f"areas.{snakemake.wildcards.area}.inputs.dem",
        threads=snakemake.threads,
    )
