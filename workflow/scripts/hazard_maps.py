from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.prediction import hazard_figure

    hazard_figure.run(
        maps=dict(zip(snakemake.params.names, snakemake.input.maps, strict=True)),
        path=snakemake.output.figure,
        hillshade=snakemake.input.get("hillshade"),
    )
