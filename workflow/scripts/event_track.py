from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.event import EventImageSettings
    from slipmap.config.inputs import Sentinel1Settings
    from slipmap.event import track

    track.run(
        sentinel1=Sentinel1Settings(**snakemake.params.sentinel1),
        settings=EventImageSettings(**snakemake.params.settings),
        looks=tuple(snakemake.params.looks),
        output=snakemake.output.track,
        record=snakemake.output.record,
        files=snakemake.input.get("slcs"),
        tags={"SIMULATED": "yes"} if snakemake.params.simulated else {},
    )
