from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.deformation import UnwrappingSettings
    from slipmap.deformation import unwrapping
    from slipmap.deformation.stack import Pair

    unwrapping.run(
        snakemake.input.interferogram,
        snakemake.input.get("coherence"),
        Pair.from_record(snakemake.params.pair),
        UnwrappingSettings(**snakemake.params.settings),
        snakemake.output.unwrapped,
        looks=snakemake.params.looks,
        threads=snakemake.threads,
    )
