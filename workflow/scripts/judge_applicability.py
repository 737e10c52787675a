from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.prediction import applicability

    applicability.run(
        factors=snakemake.params.factors,
        weights=snakemake.params.weights,
        probability_tif=snakemake.input.probability,
        outputs=applicability.Outputs(**dict(snakemake.output.items())),
    )
