from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.motion import export

    given = dict(snakemake.input.items())
    export.points(given, snakemake.output.csv, snakemake.output.parquet)
    export.kmz(given["velocity"], given["areas"], snakemake.output.kmz)
