from slipmap.jobs.job import job

with job(snakemake):
    from pathlib import Path

    from slipmap.screening import driver

    driver.run(
        factors=dict(zip(snakemake.params.names, snakemake.input.factors, strict=True)),
        inventory=snakemake.input.inventory,
        split=snakemake.input.split,
        settings=snakemake.params.settings,
        folder=Path(snakemake.output.selection).parent,
        jobs=snakemake.threads,
        named=snakemake.params.named,
    )
