from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.deformation import UnwrappingSettings
    from slipmap.deformation.phase_linking import pairs
    from slipmap.deformation.stack import Pair

    pairs.run(
        linked=snakemake.input.linked,
        pair=Pair.from_record(snakemake.params.pair),
        settings=UnwrappingSettings(**snakemake.params.settings),
        output=snakemake.output.unwrapped,
        threads=snakemake.threads,
    )
