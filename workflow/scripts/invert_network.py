from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.config.deformation import InversionSettings
    from slipmap.deformation import invert_network

    invert_network.run(
        snakemake.input.network,
        snakemake.input.stack,
        snakemake.input.unwrapped,
        InversionSettings(**snakemake.params.settings),
        Path(snakemake.output.velocity).parent,
        dem=snakemake.input.dem or None,
        looks=snakemake.params.looks,
        least_fit=snakemake.params.least_fit,
    )
