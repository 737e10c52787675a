from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.deformation import UnwrappingSettings
    from slipmap.deformation import unwrapping
    from slipmap.deformation.stack import Pair

    unwrapping.run(
        interferogram=snakemake.input.interferogram,
        coherence=snakemake.input.get("coherence"),
        pair=Pair.from_record(snakemake.params.pair),
        settings=UnwrappingSettings(**snakemake.params.settings),
        output=snakemake.output.unwrapped,
        looks=snakemake.params.looks,
        threads=snakemake.threads,
    )
