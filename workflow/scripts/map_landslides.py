from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.prediction import MapSettings
    from slipmap.io.grid import Grid
    from slipmap.prediction import map_files, mosaic

    mosaic.run(
        factors=snakemake.params.factors,
        weights=snakemake.params.weights,
        grid=Grid.load(snakemake.input.grid),
        settings=MapSettings(**snakemake.params.settings),
        outputs=map_files.Outputs(**dict(snakemake.output.items())),
    )
