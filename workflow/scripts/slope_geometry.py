from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.deformation import geometry

    geometry.run(
        snakemake.input.velocity,
        snakemake.input.velocity_std,
        snakemake.input.stack,
        snakemake.input.dem,
        Path(snakemake.output.sensitivity).parent,
    )
