# Stage 1, inputs: the area's grid, the simulator, the landslide inventory on the grid.
include: "common/inputs.smk"


rule grid:
    message: "Decide the grid of {wildcards.area}."
    input: like=lambda wildcards: AREAS[wildcards.area].grid.like or []
    output: grid=HERE.grid
    params: settings=settings_of("grid")
    resources: mem_mb=memory(500), runtime=minutes(5)
    script: "../scripts/grid.py"


rule simulate:
    message: "Simulate the inputs of {wildcards.area} (simulated data, not observations)."
    input: grid=HERE.grid
    output:
        inventory="resources/{area}/inventory.gpkg",
        **SIMULATED_FILES,
    wildcard_constraints: area=wildcard(area for area in SIMULATED if has_inventory(area) and area not in WITH_EVENT)
    params:
        settings=settings_of("simulate"),
        folder="resources/{area}",
    threads: 2
    resources: mem_mb=memory(4000), runtime=minutes(20, per_megapixel=4)
    script: "../scripts/simulate.py"


use rule simulate as simulate_without_inventory with:
    output: **SIMULATED_FILES
    wildcard_constraints: area=wildcard(a for a in SIMULATED if not has_inventory(a) and a not in WITH_EVENT)


# With an event there are more files: images of VH beside SLCs, scenes before and after. So a rule for each such area.
for area in WITH_EVENT:
    plain = re.sub("[^A-Za-z0-9]", "_", area)

    rule:
        name: f"simulate_{plain}_with_event"
        message: f"Simulate the inputs of {area} and an event (simulated data, not observations)."
        input: grid=HERE.grid
        output: **event_outputs(area)
        wildcard_constraints: area=wildcard([area])
        params:
            settings=settings_of("simulate"),
            folder="resources/{area}",
        threads: 2
        resources: mem_mb=memory(4000), runtime=minutes(20, per_megapixel=8)
        script: "../scripts/simulate.py"


rule inventory:
    message: "Put the landslide inventory of {wildcards.area} on its grid."
    input:
        grid=HERE.grid,
        inventory=input_of("inventory"),
    output: inventory=HERE.inventory
    params:
        layer=lambda wildcards: AREAS[wildcards.area].inputs.inventory_layer,
        points=lambda wildcards: (
            points.model_dump(mode="json") if (points := AREAS[wildcards.area].inputs.inventory_points) else None
        ),
    resources: mem_mb=memory(1000), runtime=minutes(20)
    script: "../scripts/inventory.py"
