from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.fetch import published as benchmarks
    from slipmap.fetch import run
    from slipmap.fetch.web import Web

    web, name = Web(), snakemake.wildcards.benchmark
    benchmarks.deliver(benchmarks.search(name, web), run.STORE / name, web, snakemake.output.data)
