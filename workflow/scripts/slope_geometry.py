from slipmap.job import job

with job(snakemake):
    from slipmap.deformation import geometry

    geometry.run(
        snakemake.input.velocity,
        snakemake.input.stack,
        snakemake.input.dem,
        snakemake.params.folder,
    )
