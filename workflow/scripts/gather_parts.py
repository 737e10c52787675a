from slipmap.jobs.job import checked, job

with job(snakemake):
    from slipmap.io.grid import Grid
    from slipmap.prediction import map_files

    map_files.gather(
        parts=snakemake.input.parts,
        grid=Grid.load(snakemake.input.grid),
        settings=checked(snakemake.params.settings),
        outputs=map_files.Outputs(**dict(snakemake.output.items())),
    )
