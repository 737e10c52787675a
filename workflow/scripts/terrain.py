from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.factors import TerrainSettings
    from slipmap.factors import terrain
    from slipmap.io.grid import Grid

    wildcards, inputs = dict(snakemake.wildcards.items()), dict(snakemake.input.items())
    terrain.run(
        dem=inputs.pop("dem", None),
        others={name: path for name, path in inputs.items() if name != "grid"},
        grid=Grid.load(snakemake.input.grid),
        outputs={wildcards["factor"]: snakemake.output.raster}
        if "factor" in wildcards
        else dict(snakemake.output.items()),
        settings=TerrainSettings(**snakemake.params.settings),
        key=f"areas.{snakemake.wildcards.area}.inputs.dem",
        threads=snakemake.threads,
    )
