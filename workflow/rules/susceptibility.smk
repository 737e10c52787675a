# Beside the networks: classical models on the same factors, and the Landslide Risk Index.
include: "common/susceptibility.smk"


rule compare_models:
    message: "Cross-validate the susceptibility models of {wildcards.area}."
    input: unpack(of_area(files.pooled_files))
    output:
        tables=map(HERE.susceptibility_table, layout.SUSCEPTIBILITY_TABLES),
        figures=map(HERE.susceptibility_figure, ("roc", "calibration")),
        sample=HERE.sample,
    params:
        settings=part_of("susceptibility", classical.ComparisonSettings),
        screening=settings_of("screening"),
        names=pooled_names,
    threads: 2
    resources: mem_mb=memory(3000), runtime=minutes(120)
    script: "../scripts/compare_models.py"


rule map_susceptibility:
    message: "Map the susceptibility of {wildcards.area} with {wildcards.model}."
    input: unpack(of_area(files.pooled_files))
    output:
        map=HERE.susceptibility("{model}"),
        **{
            role: HERE.susceptibility_applicability("{model}", kind)
            for role, kind in layout.APPLICABILITY.items()
        },
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
        factors=lambda wildcards: list(files.index_files(RUN, wildcards.area).values()),
        inventory=where_inventory(HERE.inventory),
        split=where_inventory(HERE.split),
    output:
        index=HERE.risk_index,
        classes=HERE.risk_index_classes,
    params:
        settings=settings_of("susceptibility.risk_index"),
        names=lambda wildcards: list(files.index_files(RUN, wildcards.area)),
    resources: mem_mb=memory(1500), runtime=minutes(60)
    script: "../scripts/risk_index.py"


rule risk_index_factor:
    message: "Give the Landslide Risk Index of {wildcards.area} to the networks as a channel."
    input: index=HERE.risk_index
    output: factor=HERE.factor(catalogue.RISK_INDEX.name)
    resources: mem_mb=memory(500), runtime=minutes(10)
    script: "../scripts/risk_index_factor.py"
