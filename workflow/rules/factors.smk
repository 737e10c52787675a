# Stage 3, factors: terrain, hydrology, lithology, optical, climate, deformation, each on the area's grid.
include: "common/factors.smk"


rule terrain:
    message: "Derive slope, aspect and curvature of {wildcards.area}."
    input:
        grid=HERE.grid,
        dem=input_of("dem"),
    output:
        **factors_of("terrain", default=True),
        hillshade=HERE.hillshade,
    params:
        settings=part_of("factors.terrain", options.HillshadeSettings),
        made_by=[code_of(factor) for factor in catalogue.of_family("terrain", default=True)],
    threads: 2
    resources: mem_mb=memory(2000), runtime=minutes(10, per_megapixel=0.2)
    script: "../scripts/terrain.py"


rule terrain_extra:
    message: "Derive {wildcards.factor} of {wildcards.area}."
    input:
        unpack(factor_inputs),
        grid=HERE.grid,
    output: raster=HERE.factor("{factor}")
    wildcard_constraints: factor=one_of("terrain", default=False)
    params:
        settings=part_of("factors.terrain", options.ReliefSettings),
        made_by=lambda wildcards: code_of(catalogue.get(wildcards.factor)),
    threads: 2
    resources: mem_mb=memory(2000), runtime=minutes(60)
    script: "../scripts/terrain.py"


rule hydrology:
    message: "Follow the water of {wildcards.area}: wetness, stream power, distance to streams."
    input:
        grid=HERE.grid,
        dem=input_of("dem"),
    output: **factors_of("hydrology")
    params:
        settings=settings_of("factors.hydrology"),
        resampling=lambda wildcards: AREAS[wildcards.area].factors.terrain.resampling,
    threads: 2
    resources:
        # flow needs the whole DEM, its margin included, at once
        mem_mb=memory(1000, per_megapixel=300),
        runtime=minutes(15, per_megapixel=1),
    script: "../scripts/hydrology.py"


rule lithology:
    message: "Put the lithology of {wildcards.area} on its grid."
    input:
        grid=HERE.grid,
        lithology=input_of("lithology.path"),
    output: lithology=HERE.factor("lithology")
    params:
        settings=settings_of("factors.lithology"),
        source=settings_of("inputs.lithology"),
    resources: mem_mb=memory(1500), runtime=minutes(30)
    script: "../scripts/lithology.py"


# One job for all the optical factors that an area asks for, since each pass reads every scene: so a rule for each area.
for area, settings in AREAS.items():
    plain = re.sub("[^A-Za-z0-9]", "_", area)
    sentinel2 = settings.inputs.sentinel2
    ready = settings.inputs.ready_factors.bands if settings.inputs.ready_factors else ()
    wanted = [name for name in factor_names(settings) if is_optical(name) and name not in ready]
    if not wanted:
        continue

    rule:
        name: f"optical_{plain}"
        message: f"Composite the Sentinel-2 scenes of {area} and take their indices."
        input:
            grid=Results(area).grid,
            scenes=[path for path in (sentinel2.path, sentinel2.before, sentinel2.after) if path],
        output: **{name: Results(area).factor(name) for name in wanted}
        params:
            source=sentinel2.model_dump(mode="json"),
            settings=settings.factors.optical.model_dump(mode="json"),
            key=f"areas.{area}.inputs.sentinel2",
        threads: 2
        resources: mem_mb=memory(3000), runtime=minutes(120)
        script: "../scripts/optical.py"


rule rain:
    message: "Take {wildcards.factor} of {wildcards.area} up to the cut-off date."
    input:
        grid=HERE.grid,
        rainfall=input_of("rainfall"),
    output: raster=HERE.factor("{factor}")
    wildcard_constraints: factor=one_of("rain")
    params: settings=settings_of("factors.climate")
    resources: mem_mb=memory(1500), runtime=minutes(20)
    script: "../scripts/rain.py"


rule soil:
    message: "Take {wildcards.factor} of {wildcards.area} up to the cut-off date."
    input:
        grid=HERE.grid,
        soil_moisture=input_of("soil_moisture"),
    output: raster=HERE.factor("{factor}")
    wildcard_constraints: factor=one_of("soil")
    params: settings=part_of("factors.climate", options.AntecedentSettings)
    resources: mem_mb=memory(1500), runtime=minutes(20)
    script: "../scripts/soil.py"


rule proximity:
    message: "Measure {wildcards.factor} of {wildcards.area}."
    input:
        grid=HERE.grid,
        features=lambda wildcards: attrgetter(*catalogue.get(wildcards.factor).needs)(AREAS[wildcards.area]) or [],
    output: raster=HERE.factor("{factor}")
    wildcard_constraints: factor=one_of("proximity")
    params:
        layer=lambda wildcards: layer_of(wildcards.area, *catalogue.get(wildcards.factor).needs),
    resources: mem_mb=memory(1500), runtime=minutes(30)
    script: "../scripts/proximity.py"


rule velocity_factor:
    message: "Put the deformation rate of {wildcards.area} on its grid."
    input:
        grid=HERE.grid,
        velocity=HERE.velocity,
    output: velocity=HERE.factor("velocity")
    resources: mem_mb=memory(1000), runtime=minutes(20)
    script: "../scripts/velocity_factor.py"


use rule velocity_factor as sbas_velocity_factor with:
    message: "Put the deformation rate of {wildcards.area} by sbas on its grid."
    input:
        grid=HERE.grid,
        velocity=sbas_velocity,
    output: velocity=HERE.factor("sbas_velocity")


rule motion_factor:
    message: "Put {wildcards.factor} of {wildcards.area} on its grid."
    input:
        grid=HERE.grid,
        motion=lambda wildcards: files.motion_source(wildcards.area, wildcards.factor),
    output: factor=HERE.factor("{factor}")
    wildcard_constraints: factor=one_of("motion")
    resources: mem_mb=memory(1000), runtime=minutes(20)
    script: "../scripts/motion_factor.py"


use rule motion_factor as event_factor with:
    wildcard_constraints: factor=one_of("event")


# What somebody has already made takes the place of what would be derived here.
ruleorder: ready_factor > terrain > terrain_extra > hydrology > lithology


ruleorder: ready_factor > rain > soil > proximity > velocity_factor > sbas_velocity_factor > motion_factor > event_factor


rule ready_factor:
    message: "Put the supplied factor {wildcards.factor} of {wildcards.area} on its grid."
    input:
        grid=HERE.grid,
        factors=lambda wildcards: READY[wildcards.area].path,
    output: raster=HERE.factor("{factor}")
    wildcard_constraints:
        area=wildcard(map(re.escape, READY)),
        factor=wildcard(re.escape(band) for ready in READY.values() for band in ready.bands),
    resources: mem_mb=memory(1000), runtime=minutes(20)
    script: "../scripts/ready_factor.py"


rule coverage:
    message: "Report how much of {wildcards.area} each factor covers."
    input:
        grid=HERE.grid,
        factors=factor_files,
    output: coverage=HERE.coverage
    params: names=lambda wildcards: factor_names(AREAS[wildcards.area])
    resources: mem_mb=memory(1000), runtime=minutes(30)
    script: "../scripts/coverage_report.py"
