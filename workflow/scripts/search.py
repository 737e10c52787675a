from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.acquire import AcquireSettings
    from slipmap.config.factors import FactorSettings
    from slipmap.fetch import run
    from slipmap.io.grid import Grid

    run.search(
        snakemake.wildcards.kind,
        snakemake.wildcards.area,
        AcquireSettings(**snakemake.params.settings),
        FactorSettings(**snakemake.params.factors),
        Grid.load(snakemake.input.grid),
        snakemake.output.found,
        sentinel1=snakemake.input.get("sentinel1"),
    )
