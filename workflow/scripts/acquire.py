from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.acquire import AcquireSettings
    from slipmap.config.factors import FactorSettings
    from slipmap.fetch import run
    from slipmap.fetch.products import Found
    from slipmap.io.grid import Grid

    run.acquire(
        kind=snakemake.params.kind,
        area=snakemake.wildcards.area,
        settings=AcquireSettings(**snakemake.params.settings),
        factors=FactorSettings(**snakemake.params.factors),
        grid=Grid.load(snakemake.input.grid),
        found=Found.load(snakemake.input.found),
        output=snakemake.output.data,
    )
