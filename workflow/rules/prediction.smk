# Stage 7, prediction: region-wide maps with the weights of an experiment, and landslide polygons.


include: "common/prediction.smk"


MAP = {("classes" if kind == "class" else kind): HERE.map("{experiment}", kind) for kind in layout.MAPS}


# One number of parts for all experiments whose area is divided: the largest that one of them asks for.
scattergather:
    map_part=max([chosen.prediction.parts for chosen in EXPERIMENTS.values()] or [1]),


rule map_landslides:
    message: "Map {wildcards.area} with {wildcards.experiment}."
    input:
        grid=HERE.grid,
        factors=factor_files,
        weights=lambda wildcards: files.weight_files(RUN, wildcards.experiment),
    output: **MAP
    wildcard_constraints: experiment=wildcard(name for name in EXPERIMENTS if not divided(name))
    params:
        settings=prediction_part(MapSettings),
        factors=of_area(files.factor_files),
        weights=lambda wildcards: weights_of(wildcards.experiment),
    threads: 2
    resources: gpu=1, mem_mb=memory(4000), runtime=minutes(30, per_megapixel=2)
    script: "../scripts/map_landslides.py"


# As many threads as map_landslides has: with another number torch may round the last bit otherwise.
rule map_part:
    message: "Map part {wildcards.scatteritem} of {wildcards.area} with {wildcards.experiment}."
    input:
        grid=HERE.grid,
        factors=factor_files,
        weights=lambda wildcards: files.weight_files(RUN, wildcards.experiment),
    output: part=temp(HERE.map_part("{experiment}", "{scatteritem}"))
    params:
        settings=prediction_part(MapSettings),
        factors=of_area(files.factor_files),
        weights=lambda wildcards: weights_of(wildcards.experiment),
    threads: 2
    resources: gpu=1, mem_mb=memory(4000), runtime=minutes(30, per_megapixel=2)
    script: "../scripts/map_part.py"


rule gather_parts:
    message: "Put the parts of the map of {wildcards.area} by {wildcards.experiment} together."
    input:
        grid=HERE.grid,
        parts=gather.map_part(Results("{{area}}").map_part("{{experiment}}", "{scatteritem}")),
    output: **MAP
    wildcard_constraints: experiment=wildcard(filter(divided, EXPERIMENTS))
    params: settings=prediction_part(MapSettings)
    resources: mem_mb=memory(1500), runtime=minutes(60)
    script: "../scripts/gather_parts.py"


rule outline_landslides:
    message: "Outline the landslides of {wildcards.area} found by {wildcards.experiment}."
    input:
        unpack(of_area(files.motion_files)),
        classes=MAP["classes"],
        probability=MAP["probability"],
        uncertainty=MAP["uncertainty"],
        factors=factor_files,
        inventory=where_inventory(HERE.inventory),
    output:
        landslides=report(
            HERE.landslides("{experiment}"),
            caption="../report/landslides.rst",
            category="2 Landslides",
            labels={"place": "{area}", "what": "outlines by {experiment}"},
        ),
    params:
        simulated=lambda wildcards: AREAS[wildcards.area].simulate is not None,  # for the caption
        settings=prediction_part(OutlineSettings),
        factors=of_area(files.factor_files),
    resources: mem_mb=memory(2000), runtime=minutes(30, per_megapixel=2)
    script: "../scripts/outline_landslides.py"


rule judge_applicability:
    message: "Look where the map of {wildcards.area} by {wildcards.experiment} rests on ground like what it learnt from."
    input:
        probability=MAP["probability"],
        factors=factor_files,
        ground=lambda wildcards: f"{weights_of(wildcards.experiment)[0]}/{layout.SEED_FILES['ground']}",
        record=lambda wildcards: f"{weights_of(wildcards.experiment)[0]}/{layout.SEED_FILES['record']}",
    output:
        **{role: HERE.applicability("{experiment}", kind) for role, kind in layout.APPLICABILITY.items()},
    params:
        factors=of_area(files.factor_files),
        weights=lambda wildcards: weights_of(wildcards.experiment)[0],
    resources: mem_mb=memory(2000), runtime=minutes(10, per_megapixel=2)
    script: "../scripts/judge_applicability.py"


rule predict_sets:
    message: "Map where the map of {wildcards.area} by {wildcards.experiment} is sure, at the stated coverage."
    input:
        probability=MAP["probability"],
        inventory=HERE.inventory,
        split=HERE.split,
    output:
        sets=HERE.sets("{experiment}", "tif"),
        record=HERE.sets("{experiment}", "json"),
    params:
        coverage=lambda wildcards: EXPERIMENTS[wildcards.experiment].prediction.coverage,
    resources: mem_mb=memory(1000), runtime=minutes(10, per_megapixel=1)
    script: "../scripts/predict_sets.py"


rule judge_map:
    message: "Look whether the map of {wildcards.area} by {wildcards.experiment} is of use as probabilities."
    input:
        probability=MAP["probability"],
        classes=MAP["classes"],
        factors=factor_files,
        record=lambda wildcards: f"{weights_of(wildcards.experiment)[0]}/{layout.SEED_FILES['record']}",
        tests=lambda wildcards: files.tests_of_map(RUN, wildcards.area, wildcards.experiment),
    output: usable=HERE.usable("{experiment}")
    params:
        method=lambda wildcards: EXPERIMENTS[wildcards.experiment].prediction.calibration,
        factors=of_area(files.factor_files),
    resources: mem_mb=memory(1000), runtime=minutes(10, per_megapixel=1)
    script: "../scripts/judge_map.py"


STYLES = ("probability", "uncertainty", "class", "probability_class", "landslides")


rule publish_map:
    message: "Style the map of {wildcards.area} by {wildcards.experiment} for QGIS and describe it as a STAC item."
    input:
        **MAP,
        landslides=HERE.landslides("{experiment}"),
    output:
        **{name: HERE.style("{experiment}", name) for name in STYLES},
        item=HERE.stac_item("{experiment}"),
    params:
        styles=STYLES,
        description=lambda wildcards: AREAS[wildcards.area].description,
        simulated=lambda wildcards: AREAS[wildcards.area].simulate is not None,
    resources: mem_mb=memory(1000), runtime=minutes(10)
    script: "../scripts/publish_map.py"


rule hazard_maps:
    message: "Draw the hazard maps of all models of {wildcards.area}."
    input:
        maps=lambda wildcards: list(files.hazard_maps(RUN, wildcards.area).values()),
        hillshade=lambda wildcards: Results(wildcards.area).hillshade if AREAS[wildcards.area].inputs.dem else [],
    output: figure=HERE.comparison("maps.png")
    params: names=lambda wildcards: list(files.hazard_maps(RUN, wildcards.area))
    resources: mem_mb=memory(1500), runtime=minutes(20)
    script: "../scripts/hazard_maps.py"
