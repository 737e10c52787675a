from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.factors import LithologySettings
    from slipmap.config.inputs import VectorSettings
    from slipmap.factors import lithology
    from slipmap.io.grid import Grid

    lithology.run(
        source=VectorSettings(**snakemake.params.source),
        grid=Grid.load(snakemake.input.grid),
        out=snakemake.output.lithology,
        settings=LithologySettings(**snakemake.params.settings),
        key=f"areas.{snakemake.wildcards.area}.inputs.lithology",
    )
