from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.event import EventMapSettings
    from slipmap.config.motion import DESCRIBED_BY
    from slipmap.event import landslides
    from slipmap.io.grid import Grid

    given = dict(snakemake.input.items())
    tracks = {"own": "track", "opposite": "opposite_track"}
    records = {"own": "images", "opposite": "opposite_images"}
    landslides.run(
        tracks={name: given[role] for name, role in tracks.items() if role in given},
        records={name: given[role] for name, role in records.items() if role in given},
        grid=Grid.load(snakemake.input.grid),
        settings=EventMapSettings(**snakemake.params.settings),
        outputs={name: snakemake.output[name] for name in ("significance", "landslides", "style", "record")},
        factors={name: given[name] for name in ("ndvi_change", *DESCRIBED_BY) if name in given},
        inventory=snakemake.input.inventory or None,
        nearby={name: (given[name], layer) for name, layer in snakemake.params.layers.items()},
        tags={"SIMULATED": "yes"} if snakemake.params.simulated else {},
    )
