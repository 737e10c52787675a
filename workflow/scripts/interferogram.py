from slipmap.job import job

with job(snakemake):
    from slipmap.config.deformation import DeformationSettings
    from slipmap.deformation import interferogram
    from slipmap.deformation.stack import find_pair, load_network

    interferogram.run(
        find_pair(load_network(snakemake.input.network), snakemake.wildcards.pair),
        DeformationSettings(**snakemake.params.settings),
        snakemake.output.interferogram,
    )
