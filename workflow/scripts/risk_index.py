from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.susceptibility import risk_map

    risk_map.map_risk_index(
        factors=dict(zip(snakemake.params.names, snakemake.input.factors, strict=True)),
        settings=snakemake.params.settings,
        index=snakemake.output.index,
        classes=snakemake.output.classes,
        inventory=snakemake.input.inventory or None,
        split=snakemake.input.split or None,
    )
