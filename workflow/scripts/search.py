from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.acquire import AcquireSettings
    from slipmap.config.factors import FactorSettings
    from slipmap.fetch import run
    from slipmap.io.grid import Grid

    run.search(
        kind=snakemake.wildcards.kind,
        area=snakemake.wildcards.area,
        settings=AcquireSettings(**snakemake.params.settings),
        factors=FactorSettings(**snakemake.params.factors),
        grid=Grid.load(snakemake.input.grid),
        output=snakemake.output.found,
        sentinel1=snakemake.input.get("sentinel1"),
    )
