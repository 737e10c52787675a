from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.prediction import MapSettings
    from slipmap.io.grid import Grid
    from slipmap.prediction import mosaic

    part, parts = map(int, snakemake.wildcards.scatteritem.split("-of-"))
    mosaic.run_part(
        factors=snakemake.params.factors,
        weights=snakemake.params.weights,
        grid=Grid.load(snakemake.input.grid),
        settings=MapSettings(**snakemake.params.settings),
        output=snakemake.output.part,
        part=part - 1,
        parts=parts,
    )
