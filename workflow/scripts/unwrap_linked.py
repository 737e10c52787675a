from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.deformation import UnwrappingSettings
    from slipmap.deformation.phase_linking import pairs
    from slipmap.deformation.stack import Pair

    pairs.run(
        snakemake.input.linked,
        Pair.from_record(snakemake.params.pair),
        UnwrappingSettings(**snakemake.params.settings),
        snakemake.output.unwrapped,
        threads=snakemake.threads,
    )
