from slipmap.job import job

with job(snakemake):
    from slipmap.config.inputs import PointSettings
    from slipmap.grid import Grid
    from slipmap.inputs import inventory

    inventory.run(
        path=snakemake.input.inventory,
        grid=Grid.load(snakemake.input.grid),
        output=snakemake.output.inventory,
        key=f"areas.{snakemake.wildcards.area}.inputs.inventory",
        points=PointSettings(**snakemake.params.points) if snakemake.params.points else None,
    )
