# Stage 8, report: one self-contained HTML file of whatever stages an area has.


def reported_files(wildcards):
    """Input function: everything that the report of an area shows."""
    area = wildcards.area
    base = f"results/{area}"
    files = [f"{base}/grid.json"]
    if AREAS[area].inputs.dem or AREAS[area].inputs.sentinel2:
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
    return files


rule report:
    message: "Write the report of {wildcards.area}."
    input:
        reported_files,
    output:
        page="results/{area}/report/index.html",
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
