from slipmap.job import job

with job(snakemake):
    from slipmap.config.inputs import SimulateSettings
    from slipmap.grid import Grid
    from slipmap.inputs import simulate

    simulate.run(
        settings=SimulateSettings(**snakemake.params.settings),
        grid=Grid.load(snakemake.input.grid),
        folder=snakemake.params.folder,
    )
