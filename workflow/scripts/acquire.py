from slipmap.job import job

with job(snakemake):
    from slipmap.acquisition import run
    from slipmap.acquisition.products import Found
    from slipmap.config.acquisition import AcquireSettings
    from slipmap.config.factors import FactorSettings
    from slipmap.grid import Grid

    run.acquire(
        snakemake.params.kind,
        snakemake.wildcards.area,
        AcquireSettings(**snakemake.params.settings),
        FactorSettings(**snakemake.params.factors),
        Grid.load(snakemake.input.grid),
        Found.load(snakemake.input.found),
        snakemake.output.data,
    )
