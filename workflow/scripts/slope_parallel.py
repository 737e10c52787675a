from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.deformation.decomposition import Track, zeros
    from slipmap.io.grid import Grid
    from slipmap.motion import slope_parallel

    grid = Grid.load(snakemake.input.grid)
    own = Track(snakemake.wildcards.area, Path(snakemake.input.velocity).parent)
    opposite = Track(snakemake.params.opposite, Path(snakemake.input.opposite_velocity).parent)
    slope_parallel.run(
        own,
        opposite,
        grid,
        snakemake.input.dem,
        zeros(own, opposite, grid),
        [Path(snakemake.output.velocity), Path(snakemake.output.tracks)],
    )
