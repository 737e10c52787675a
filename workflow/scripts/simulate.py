from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.inputs import SimulateSettings
    from slipmap.io.grid import Grid
    from slipmap.simulator import area as simulate

    simulate.run(
        settings=SimulateSettings(**snakemake.params.settings),
        grid=Grid.load(snakemake.input.grid),
        folder=snakemake.params.folder,
        threads=snakemake.threads,
    )
