from slipmap.jobs.job import checked, job

with job(snakemake):
    from slipmap.deformation import interferogram
    from slipmap.deformation.stack import Pair

    interferogram.run(
        pair=Pair.from_record(snakemake.params.pair),
        settings=checked(snakemake.params.settings),
        output=snakemake.output.interferogram,
    )
