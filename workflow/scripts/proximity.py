from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.factors import proximity
    from slipmap.io.grid import Grid

    proximity.run(
        snakemake.input.features,
        grid=Grid.load(snakemake.input.grid),
        out=snakemake.output[0],
        name=f"distance_to_{snakemake.wildcards.feature}",
        key=f"areas.{snakemake.wildcards.area}.inputs.{snakemake.wildcards.feature}",
    )
