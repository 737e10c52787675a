# Stage 7, prediction: region-wide maps with the weights of an experiment, and landslide polygons.


include: "common/prediction.smk"


MAP = {
    name: f"results/{{area}}/maps/{{experiment}}/{file}.tif"
    for name, file in {
        "probability": "probability",
        "uncertainty": "uncertainty",
        "classes": "class",
        "probability_class": "probability_class",
    }.items()
}


# One number of parts for all experiments whose area is divided: the largest that one of them asks for.
scattergather:
    map_part=max([chosen.prediction.parts for chosen in EXPERIMENTS.values()] or [1]),


rule map_landslides:
    message: "Map {wildcards.area} with {wildcards.experiment}."
    input:
        grid="results/{area}/grid.json",
        factors=lambda wildcards: list(factor_files(wildcards.area).values()),
        weights=weight_files,
    output: **MAP
    wildcard_constraints: experiment="|".join(name for name in EXPERIMENTS if not divided(name)) or "none"
    params:
        settings=prediction_part(MapSettings),
        factors=lambda wildcards: factor_files(wildcards.area),
        weights=lambda wildcards: weights_of(wildcards.experiment),
    threads: 2
    resources: gpu=1, mem_mb=memory(4000), runtime=minutes(30, per_megapixel=2)
    script: "../scripts/map_landslides.py"


# As many threads as map_landslides has: with another number torch may round the last bit otherwise.
rule map_part:
    message: "Map part {wildcards.scatteritem} of {wildcards.area} with {wildcards.experiment}."
    input:
        grid="results/{area}/grid.json",
        factors=lambda wildcards: list(factor_files(wildcards.area).values()),
        weights=weight_files,
    output: part=temp("results/{area}/maps/{experiment}/parts/{scatteritem}.tif")
    params:
        settings=prediction_part(MapSettings),
        factors=lambda wildcards: factor_files(wildcards.area),
        weights=lambda wildcards: weights_of(wildcards.experiment),
    threads: 2
    resources: gpu=1, mem_mb=memory(4000), runtime=minutes(30, per_megapixel=2)
    script: "../scripts/map_part.py"


rule gather_parts:
    message: "Put the parts of the map of {wildcards.area} by {wildcards.experiment} together."
    input:
        grid="results/{area}/grid.json",
        parts=gather.map_part("results/{{area}}/maps/{{experiment}}/parts/{scatteritem}.tif"),
    output: **MAP
    wildcard_constraints: experiment="|".join(filter(divided, EXPERIMENTS)) or "none"
    params: settings=prediction_part(MapSettings)
    resources: mem_mb=memory(1500), runtime=minutes(60)
    script: "../scripts/gather_parts.py"


rule outline_landslides:
    message: "Outline the landslides of {wildcards.area} found by {wildcards.experiment}."
    input:
        unpack(deformation_files),
        classes=MAP["classes"],
        probability=MAP["probability"],
        uncertainty=MAP["uncertainty"],
        factors=lambda wildcards: list(factor_files(wildcards.area).values()),
        inventory=lambda wildcards: f"results/{wildcards.area}/inventory.tif" if has_inventory(wildcards.area) else [],
    output:
        landslides=report(
            "results/{area}/maps/{experiment}/landslides.gpkg",
            caption="../report/landslides.rst",
            category="Landslides",
            labels={"area": "{area}", "experiment": "{experiment}"},
        ),
    params:
        simulated=lambda wildcards: AREAS[wildcards.area].simulate is not None,  # for the caption
        settings=prediction_part(OutlineSettings),
        factors=lambda wildcards: factor_files(wildcards.area),
    resources: mem_mb=memory(2000), runtime=minutes(30, per_megapixel=2)
    script: "../scripts/outline_landslides.py"


STYLES = ("probability", "uncertainty", "class", "probability_class", "landslides")


rule publish_map:
    message: "Style the map of {wildcards.area} by {wildcards.experiment} for QGIS and describe it as a STAC item."
    input:
        **MAP,
        landslides="results/{area}/maps/{experiment}/landslides.gpkg",
    output:
        **{name: f"results/{{area}}/maps/{{experiment}}/{name}.qml" for name in STYLES},
        item="results/{area}/maps/{experiment}/item.json",
    params:
        styles=STYLES,
        description=lambda wildcards: AREAS[wildcards.area].description,
        simulated=lambda wildcards: AREAS[wildcards.area].simulate is not None,
    resources: mem_mb=memory(1000), runtime=minutes(10)
    script: "../scripts/publish_map.py"
