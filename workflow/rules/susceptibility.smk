# Beside the networks: classical models on the same factors, and the Landslide Risk Index.


def susceptibility_settings(wildcards):
    """Params function: the area's susceptibility settings, as plain data."""
    return AREAS[wildcards.area].susceptibility.model_dump(mode="json")


def risk_index_settings(wildcards):
    return AREAS[wildcards.area].susceptibility.risk_index.model_dump(mode="json")


def pooled_areas(area):
    """The area, then those whose pixels its models also learn from."""
    return [area, *AREAS[area].susceptibility.with_areas]


def susceptibility_files(area):
    """Everything that the stage makes for an area: nothing without settings, the index alone without inventory."""
    settings = AREAS[area].susceptibility
    if settings is None:
        return []
    folder = f"results/{area}/susceptibility"
    files = []
    if settings.risk_index is not None:
        files += [f"{folder}/lsi.tif", f"{folder}/lsi_class.tif"]
    if has_inventory(area):
        files += [f"{folder}/cross_validation_summary.csv", *(f"{folder}/{model}.tif" for model in settings.maps)]
    return files


def pooled_inputs(wildcards):
    """Input function: the rasters of every pooled area, named for the script."""
    areas = pooled_areas(wildcards.area)
    return {
        "factors": [path for area in areas for path in factor_files(area).values()],
        "inventories": [f"results/{area}/inventory.tif" for area in areas],
        "splits": [f"results/{area}/patches/split.tif" for area in areas],
        "selection": f"results/{wildcards.area}/screening/selection.json",
    }


def pooled_names(wildcards):
    """Params function: the factors of every pooled area, in the order of the inputs."""
    return {area: factor_names(AREAS[area]) for area in pooled_areas(wildcards.area)}


rule compare_models:
    message: "Cross-validate the susceptibility models of {wildcards.area}."
    input:
        unpack(pooled_inputs),
    output:
        tables=expand(
            "results/{{area}}/susceptibility/{table}.csv",
            table=["cross_validation", "cross_validation_summary", "test_scores", "calibration"],
        ),
        figures=expand("results/{{area}}/susceptibility/{figure}.png", figure=["roc", "calibration"]),
        sample="results/{area}/susceptibility/sample.json",
    params:
        settings=susceptibility_settings,
        names=pooled_names,
        code=code_digest("susceptibility", "screening", "config/susceptibility.py"),
    log:
        "results/{area}/logs/compare_models.log",
    benchmark:
        "results/{area}/benchmarks/compare_models.tsv"
    threads: 2
    resources:
        mem_mb=3000,
        runtime=120,
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/compare_models.py"


rule map_susceptibility:
    message: "Map the susceptibility of {wildcards.area} with {wildcards.model}."
    input:
        unpack(pooled_inputs),
    output:
        map="results/{area}/susceptibility/{model}.tif",
    wildcard_constraints:
        model="svm|random_forest|xgboost|gam|gamm|logistic|frequency_ratio",
    params:
        settings=susceptibility_settings,
        names=pooled_names,
        code=code_digest("susceptibility", "screening", "config/susceptibility.py"),
    log:
        "results/{area}/logs/map_susceptibility_{model}.log",
    benchmark:
        "results/{area}/benchmarks/map_susceptibility_{model}.tsv"
    threads: 2
    resources:
        mem_mb=3000,
        runtime=240,
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/map_susceptibility.py"


rule risk_index:
    message: "Map the Landslide Risk Index of {wildcards.area}."
    input:
        factors=lambda wildcards: list(factor_files(wildcards.area).values()),
        inventory=lambda wildcards: f"results/{wildcards.area}/inventory.tif" if has_inventory(wildcards.area) else [],
        split=lambda wildcards: (
            f"results/{wildcards.area}/patches/split.tif" if has_inventory(wildcards.area) else []
        ),
    output:
        index="results/{area}/susceptibility/lsi.tif",
        classes="results/{area}/susceptibility/lsi_class.tif",
    params:
        settings=risk_index_settings,
        names=lambda wildcards: factor_names(AREAS[wildcards.area]),
        code=code_digest("susceptibility", "screening", "config/susceptibility.py"),
    log:
        "results/{area}/logs/risk_index.log",
    benchmark:
        "results/{area}/benchmarks/risk_index.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/risk_index.py"
