from slipmap.job import job

with job(snakemake):
    from slipmap.config.deformation import DeformationSettings
    from slipmap.deformation import unwrapping
    from slipmap.deformation.stack import find_pair, load_network

    unwrapping.run(
        snakemake.input.interferogram,
        snakemake.input.get("coherence"),
        find_pair(load_network(snakemake.input.network), snakemake.wildcards.pair),
        DeformationSettings(**snakemake.params.settings),
        snakemake.output.unwrapped,
        looks=snakemake.params.sentinel1["looks"],
        threads=snakemake.threads,
    )
