# Beside the networks: classical models on the same factors, and the Landslide Risk Index.
include: "common/susceptibility.smk"


rule compare_models:
    message: "Cross-validate the susceptibility models of {wildcards.area}."
    input: unpack(pooled_inputs)
    output:
        tables=expand(
            "results/{{area}}/susceptibility/{table}.csv",
            table=["cross_validation", "cross_validation_summary", "test_scores", "calibration"],
        ),
        figures=expand("results/{{area}}/susceptibility/{figure}.png", figure=["roc", "calibration"]),
        sample="results/{area}/susceptibility/sample.json",
    params:
        settings=part_of("susceptibility", classical.ComparisonSettings),
        names=pooled_names,
    threads: 2
    resources: mem_mb=memory(3000), runtime=minutes(120)
    script: "../scripts/compare_models.py"


rule map_susceptibility:
    message: "Map the susceptibility of {wildcards.area} with {wildcards.model}."
    input: unpack(pooled_inputs)
    output: map="results/{area}/susceptibility/{model}.tif"
    wildcard_constraints: model="|".join(classical.MODELS)
    params:
        settings=one_model_settings,
        names=pooled_names,
    threads: 2
    resources: mem_mb=memory(3000), runtime=minutes(240)
    script: "../scripts/map_susceptibility.py"


rule risk_index:
    message: "Map the Landslide Risk Index of {wildcards.area}."
    input:
        factors=lambda wildcards: list(index_files(wildcards.area).values()),
        inventory=lambda wildcards: f"results/{wildcards.area}/inventory.tif" if has_inventory(wildcards.area) else [],
        split=lambda wildcards: (
            f"results/{wildcards.area}/patches/split.tif" if has_inventory(wildcards.area) else []
        ),
    output:
        index="results/{area}/susceptibility/lsi.tif",
        classes="results/{area}/susceptibility/lsi_class.tif",
    params:
        settings=settings_of("susceptibility.risk_index"),
        names=lambda wildcards: list(index_files(wildcards.area)),
    resources: mem_mb=memory(1500), runtime=minutes(60)
    script: "../scripts/risk_index.py"


rule risk_index_factor:
    message: "Give the Landslide Risk Index of {wildcards.area} to the networks as a channel."
    input: index="results/{area}/susceptibility/lsi.tif"
    output: factor="results/{area}/factors/lsi.tif"
    resources: mem_mb=memory(500), runtime=minutes(10)
    script: "../scripts/risk_index_factor.py"
