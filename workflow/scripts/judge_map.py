from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.prediction import usable

    usable.run(
        probability_tif=snakemake.input.probability,
        class_tif=snakemake.input.classes,
        factors=snakemake.params.factors,
        record_json=snakemake.input.record,
        tests=snakemake.input.get("tests", []),
        method=snakemake.params.method,
        out_json=snakemake.output.usable,
    )
