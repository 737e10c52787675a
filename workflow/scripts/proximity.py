from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.factors import catalogue, proximity
    from slipmap.io.grid import Grid

    proximity.run(
        path=snakemake.input.features,
        grid=Grid.load(snakemake.input.grid),
        out=snakemake.output.raster,
        layer=snakemake.params.layer,
        name=snakemake.wildcards.factor,
        key=f"areas.{snakemake.wildcards.area}.{catalogue.get(snakemake.wildcards.factor).needs[0]}",
    )
