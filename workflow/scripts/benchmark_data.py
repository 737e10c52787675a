from slipmap.job import job

with job(snakemake):
    from slipmap.acquisition import benchmarks, run
    from slipmap.acquisition.web import Web

    web, name = Web(), snakemake.wildcards.benchmark
    benchmarks.deliver(benchmarks.search(name, web), run.STORE / name, web, snakemake.output.data)
