from slipmap.jobs.job import checked, job

with job(snakemake):
    from slipmap.deformation import unwrapping
    from slipmap.deformation.stack import Pair

    unwrapping.run(
        pair=Pair.from_record(snakemake.params.pair),
        settings=checked(snakemake.params.settings),
        output=snakemake.output.unwrapped,
        interferogram=snakemake.input.get("interferogram"),
        coherence=snakemake.input.get("coherence"),
        looks=snakemake.params.looks,
        threads=snakemake.threads,
    )
