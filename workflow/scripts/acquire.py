from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.acquire import AcquireSettings
    from slipmap.config.factors import FactorSettings
    from slipmap.fetch import run
    from slipmap.fetch.products import Found
    from slipmap.io.grid import Grid

    run.acquire(
        snakemake.params.kind,
        snakemake.wildcards.area,
        AcquireSettings(**snakemake.params.settings),
        FactorSettings(**snakemake.params.factors),
        Grid.load(snakemake.input.grid),
        Found.load(snakemake.input.found),
        snakemake.output.data,
    )
