from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.deformation import geometry

    geometry.run(
        velocity=snakemake.input.velocity,
        velocity_std=snakemake.input.velocity_std,
        stack_json=snakemake.input.stack,
        dem=snakemake.input.dem,
        folder=Path(snakemake.output.sensitivity).parent,
    )
