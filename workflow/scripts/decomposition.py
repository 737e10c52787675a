from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.deformation.decomposition import Track, run
    from slipmap.io.grid import Grid

    run(
        own=Track(snakemake.wildcards.area, Path(snakemake.input.velocity).parent),
        opposite=Track(snakemake.params.opposite, Path(snakemake.input.opposite_velocity).parent),
        grid=Grid.load(snakemake.input.grid),
    )
