from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.factors import catalogue
    from slipmap.factors.align import align
    from slipmap.io.grid import Grid
    from slipmap.io.raster import band_index

    factor = catalogue.get(snakemake.wildcards.factor)
    align(
        source=snakemake.input.motion,
        grid=Grid.load(snakemake.input.grid),
        out=snakemake.output.factor,
        name=factor.name,
        units=factor.units,
        long_name=factor.long_name,
        band=band_index(snakemake.input.motion, factor.name),
    )
