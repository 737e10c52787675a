from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.motion import export

    given = dict(snakemake.input.items())
    export.points(files=given, csv=snakemake.output.csv, parquet=snakemake.output.parquet, units=snakemake.output.units)
    export.kmz(files=given, areas=given["areas"], output=snakemake.output.kmz)
