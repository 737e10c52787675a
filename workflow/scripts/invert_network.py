from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.config.deformation import InversionSettings
    from slipmap.deformation import invert_network

    invert_network.run(
        network_csv=snakemake.input.network,
        stack_json=snakemake.input.stack,
        unwrapped=snakemake.input.unwrapped,
        settings=InversionSettings(**snakemake.params.settings),
        folder=Path(snakemake.output.velocity).parent,
        dem=snakemake.input.dem or None,
        delays=snakemake.input.delays or None,
        looks=snakemake.params.looks,
        linked_phases=snakemake.input.linked,
        least_fit=snakemake.params.least_fit,
        linked=snakemake.params.linked,
    )
