from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.deformation import InterferogramSettings
    from slipmap.deformation import interferogram
    from slipmap.deformation.stack import Pair

    interferogram.run(
        Pair.from_record(snakemake.params.pair),
        InterferogramSettings(**snakemake.params.settings),
        snakemake.output.interferogram,
    )
