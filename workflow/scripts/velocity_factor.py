from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.factors import catalogue
    from slipmap.factors.align import align
    from slipmap.io.grid import Grid

    factor = catalogue.get(Path(snakemake.output.velocity).stem)
    align(
        source=snakemake.input.velocity,
        grid=Grid.load(snakemake.input.grid),
        out=snakemake.output.velocity,
        name=factor.name,
        units=factor.units,
        long_name=factor.long_name,
    )
