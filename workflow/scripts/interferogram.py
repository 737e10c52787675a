from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.deformation import InterferogramSettings
    from slipmap.deformation import interferogram
    from slipmap.deformation.stack import Pair

    interferogram.run(
        pair=Pair.from_record(snakemake.params.pair),
        settings=InterferogramSettings(**snakemake.params.settings),
        output=snakemake.output.interferogram,
    )
