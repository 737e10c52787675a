from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.prediction import conformal

    conformal.run(
        probability_tif=snakemake.input.probability,
        inventory_tif=snakemake.input.inventory,
        split_tif=snakemake.input.split,
        coverage=snakemake.params.coverage,
        sets_tif=snakemake.output.sets,
        record_json=snakemake.output.record,
    )
