from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.inputs import PointSettings
    from slipmap.inputs import inventory
    from slipmap.io.grid import Grid

    inventory.run(
        path=snakemake.input.inventory,
        grid=Grid.load(snakemake.input.grid),
        output=snakemake.output.inventory,
        key=f"areas.{snakemake.wildcards.area}.inputs.inventory",
        layer=snakemake.params.layer,
        points=PointSettings(**snakemake.params.points) if snakemake.params.points else None,
    )
