# Stage 8, report: one self-contained HTML file of whatever stages an area has.
from slipmap.report.sources import has_factors


def reported_files(wildcards):
    """Input function: everything that the report of an area shows."""
    area = wildcards.area
    base = f"results/{area}"
    files = [f"{base}/grid.json"]
    if has_factors(AREAS[area]):
        files += [*factor_files(area).values(), f"{base}/factors/coverage.csv"]
    if AREAS[area].inputs.dem:
        files.append(f"{base}/hillshade.tif")
    if has_deformation(area):
        files += [f"{base}/deformation/velocity.tif"]
    if has_inventory(area):
        files += [f"{base}/inventory.tif", f"{base}/patches/split.tif", f"{base}/screening/decision.csv"]
    for experiment in EXPERIMENTS:
        if area in mapped_areas(experiment):
            files += [f"{base}/maps/{experiment}/{name}" for name in ("probability.tif", "landslides.gpkg", "item.json")]
        if area in EXPERIMENTS[experiment].test_areas and trains(experiment):
            files.append(f"{base}/experiments/{experiment}/metrics.csv")
    return files + susceptibility_files(area)


rule report:
    message: "Write the report of {wildcards.area}."
    input:
        reported_files,
    output:
        page=report("results/{area}/report/index.html", caption="../report/report.rst", category="Report"),
        tables=directory("results/{area}/report/tables"),
    params:
        run=RUN.model_dump(mode="json"),
        code=code_digest("report", "config/report.py", "colours.py"),
    log:
        "results/{area}/logs/report.log",
    benchmark:
        "results/{area}/benchmarks/report.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/report.py"
