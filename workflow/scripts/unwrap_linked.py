from slipmap.jobs.job import checked, job

with job(snakemake):
    from slipmap.deformation.phase_linking import pairs
    from slipmap.deformation.stack import Pair

    pairs.run(
        linked=snakemake.input.linked,
        pair=Pair.from_record(snakemake.params.pair),
        settings=checked(snakemake.params.settings),
        output=snakemake.output.unwrapped,
        threads=snakemake.threads,
    )
