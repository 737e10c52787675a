# Stage 2, deformation: SBAS-InSAR from Sentinel-1 at whatever level the user has it to the deformation rate.
include: "common/deformation.smk"
include: "sentinel1.smk"


wildcard_constraints:
    pair=r"\d{8}_\d{8}",
    ministack=r"\d{8}",


checkpoint network:
    message: "Choose the interferograms of {wildcards.area}."
    input: unpack(stack_files)
    output:
        network=HERE.network,
        plot=report(
            HERE.network_plot,
            caption="../report/network.rst",
            category="3 Radar",
            labels={"place": "{area}", "what": "network of interferograms"},
        ),
        stack=HERE.stack,
        views=directory(HERE.views),
    wildcard_constraints: area=sentinel1_level("safe", "slc", "wrapped", "unwrapped")
    params:
        sentinel1=stack_settings,
        settings=network_settings,
    resources: mem_mb=memory(1000), runtime=minutes(10)
    script: "../scripts/network.py"


rule unwrap:
    message: "Form and unwrap the interferogram {wildcards.pair} of {wildcards.area}."
    input:
        unpack(pair_files("reference", "secondary")),
        network=ancient(HERE.network),  # there for `pair`; its dates say nothing
    output: unwrapped=HERE.unwrapped("{pair}")
    wildcard_constraints: area=sentinel1_level("safe", "slc", estimator="sbas")
    params:
        pair=pair_record,
        settings=part_of("deformation", options.UnwrappingSettings),
        looks=supplied_looks,
    resources: mem_mb=memory(700, per_megapixel=150), runtime=minutes(10, per_megapixel=1)
    script: "../scripts/unwrap.py"


use rule unwrap as unwrap_supplied with:
    message: "Unwrap the interferogram {wildcards.pair} of {wildcards.area}."
    input:
        unpack(pair_files("interferogram", "coherence")),
        network=ancient(HERE.network),  # there for `pair`; its dates say nothing
    wildcard_constraints: area=sentinel1_level("wrapped")


rule interferogram:
    message: "Form the interferogram {wildcards.pair} of {wildcards.area}, to be looked at."
    input:
        unpack(pair_files("reference", "secondary")),
        network=ancient(HERE.network),  # there for `pair`; its dates say nothing
    output: interferogram=HERE.interferogram("{pair}")
    wildcard_constraints: area=sentinel1_level("safe", "slc", estimator="sbas")
    params:
        pair=pair_record,
        settings=part_of("deformation", options.InterferogramSettings),
    resources: mem_mb=memory(700), runtime=minutes(5, per_megapixel=0.1)
    script: "../scripts/interferogram.py"


rule link_phases:
    message: "Link the phases of {wildcards.area} from {wildcards.ministack} on."
    input:
        slcs=lambda wildcards: ministack_slcs(wildcards).values(),
        earlier=earlier_ministacks,
        stack=ancient(HERE.stack),  # its dates say nothing
    output: linked=directory(HERE.ministack("{ministack}"))
    wildcard_constraints: area=sentinel1_level("safe", "slc", estimator="phase_linking")
    params:
        slcs=ministack_slcs,
        settings=part_of("deformation", options.LinkingSettings),
    threads: 2
    resources: gpu=links_on_gpu, mem_mb=memory(1500), runtime=minutes(10, per_megapixel=1)
    script: "../scripts/link_phases.py"


rule unwrap_linked:
    message: "Unwrap the linked phases {wildcards.pair} of {wildcards.area}."
    input:
        linked=linked_dates,
        network=ancient(HERE.network),  # there for `pair`; its dates say nothing
    output: unwrapped=HERE.unwrapped("{pair}")
    wildcard_constraints: area=sentinel1_level("safe", "slc", estimator="phase_linking")
    params:
        pair=pair_record,
        settings=part_of("deformation", options.UnwrappingSettings),
    resources: mem_mb=memory(700, per_megapixel=150), runtime=minutes(10, per_megapixel=1)
    script: "../scripts/unwrap_linked.py"


rule invert_network:
    message: "Invert the interferograms of {wildcards.area} to displacement and velocity."
    input:
        network=HERE.network,
        stack=HERE.stack,
        unwrapped=unwrapped_files,
        linked=linked_phases,
        dem=input_of("dem"),
        delays=input_of("delays"),
    output: **{role: getattr(HERE, role) for role in INVERTED}
    wildcard_constraints: area=sentinel1_level("safe", "slc", "wrapped", "unwrapped")
    params:
        settings=part_of("deformation", options.InversionSettings),
        looks=supplied_looks,
        least_fit=least_fit,
        linked=linked_window,
    threads: 2
    resources: mem_mb=memory(2000), runtime=minutes(20, per_megapixel=1)
    script: "../scripts/invert_network.py"


# A velocity by sbas beside that of linked phases: to be compared with, and for the tables of papers that took it so.
BESIDE = Results("{area}", beside="sbas")


checkpoint network_beside:
    message: "Choose the interferograms of {wildcards.area} by sbas, beside its linked phases."
    input: unpack(stack_files)
    output:
        network=BESIDE.network,
        plot=BESIDE.network_plot,
        stack=BESIDE.stack,
        views=directory(BESIDE.views),
    wildcard_constraints: area=sentinel1_level("safe", "slc", estimator="phase_linking")
    params:
        sentinel1=stack_settings,
        settings=beside(network_settings),
    resources: mem_mb=memory(1000), runtime=minutes(10)
    script: "../scripts/network.py"


use rule unwrap as unwrap_beside with:
    message: "Form and unwrap the interferogram {wildcards.pair} of {wildcards.area}, beside its linked phases."
    input:
        unpack(beside(pair_files("reference", "secondary"))),
        network=ancient(BESIDE.network),  # there for `pair`; its dates say nothing
    output: unwrapped=BESIDE.unwrapped("{pair}")
    wildcard_constraints: area=sentinel1_level("safe", "slc", estimator="phase_linking")
    params:
        pair=beside(pair_record),
        settings=part_of("deformation", options.UnwrappingSettings),
        looks=supplied_looks,


use rule invert_network as invert_beside with:
    message: "Invert the interferograms of {wildcards.area} by sbas, beside its linked phases."
    input:
        network=BESIDE.network,
        stack=BESIDE.stack,
        unwrapped=beside(unwrapped_files),
        linked=[],
        dem=input_of("dem"),
        delays=input_of("delays"),
    output: **{role: getattr(BESIDE, role) for role in INVERTED}
    wildcard_constraints: area=sentinel1_level("safe", "slc", estimator="phase_linking")
    params:
        settings=part_of("deformation", options.InversionSettings),
        looks=supplied_looks,
        least_fit=None,
        linked=None,


rule convert_velocity:
    message: "Convert the supplied velocity of {wildcards.area}."
    input: velocity=input_of("sentinel1.path")
    output: velocity=HERE.velocity
    wildcard_constraints: area=sentinel1_level("velocity")
    params: sentinel1=sentinel1
    resources: mem_mb=memory(2000), runtime=minutes(30)
    script: "../scripts/convert_velocity.py"


rule slope_geometry:
    message: "Project the velocity of {wildcards.area} on its slopes; mark layover and shadow."
    input:
        velocity=HERE.velocity,
        velocity_std=HERE.velocity_std,
        stack=HERE.stack,
        dem=input_of("dem"),
    output:
        sensitivity=HERE.sensitivity,
        detectable=HERE.detectable,
        aliasing=HERE.aliasing,
        downslope=HERE.downslope,
        visibility=HERE.visibility,
    wildcard_constraints: area=sentinel1_level("safe", "slc", "wrapped", "unwrapped")
    resources: mem_mb=memory(1000), runtime=minutes(30)
    script: "../scripts/slope_geometry.py"


rule decomposition:
    message: "Make vertical and east-west velocity of {wildcards.area} from its two tracks."
    input:
        unpack(of_area(files.opposite_files)),
        grid=HERE.grid,
        velocity=HERE.velocity,
        velocity_std=HERE.velocity_std,
        stack=HERE.stack,
        reference=HERE.reference,
    output:
        vertical=HERE.vertical,
        east=HERE.east,
    wildcard_constraints: area=wildcard(area for area in AREAS if AREAS[area].deformation.opposite_area)
    params: opposite=lambda wildcards: AREAS[wildcards.area].deformation.opposite_area
    resources: mem_mb=memory(1000), runtime=minutes(30)
    script: "../scripts/decomposition.py"


rule slope_parallel:
    message: "Make the downslope velocity of {wildcards.area} from its two tracks."
    input:
        unpack(of_area(files.opposite_files)),
        grid=HERE.grid,
        velocity=HERE.velocity,
        velocity_std=HERE.velocity_std,
        stack=HERE.stack,
        reference=HERE.reference,
        dem=input_of("dem"),
    output:
        velocity=HERE.slope_parallel,
        tracks=HERE.tracks,
    wildcard_constraints: area=wildcard(a for a in AREAS if AREAS[a].deformation.opposite_area and AREAS[a].inputs.dem)
    params: opposite=lambda wildcards: AREAS[wildcards.area].deformation.opposite_area
    resources: mem_mb=memory(1000), runtime=minutes(30)
    script: "../scripts/slope_parallel.py"


rule kinematics:
    message: "Fit acceleration, season and steps of {wildcards.area}, and class its trends."
    input:
        timeseries=HERE.timeseries,
        mask=HERE.mask,
    output:
        kinematics=HERE.kinematics,
        trend=HERE.trend,
    wildcard_constraints: area=sentinel1_level("safe", "slc", "wrapped", "unwrapped")
    params:
        settings=settings_of("kinematics"),
        simulated=lambda wildcards: AREAS[wildcards.area].simulate is not None,
    resources: mem_mb=memory(1000), runtime=minutes(20, per_megapixel=0.2)
    script: "../scripts/kinematics.py"


rule active_areas:
    message: "Find the active deformation areas of {wildcards.area}."
    input:
        unpack(of_area(files.active_area_files)),
        grid=HERE.grid,
        inventory=where_inventory(HERE.inventory),
    output:
        significance=HERE.significance,
        areas=HERE.active_areas,
        style=HERE.active_areas_style,
    wildcard_constraints: area=sentinel1_level("safe", "slc", "wrapped", "unwrapped")
    params:
        settings=settings_of("active_areas"),
        kinematics=settings_of("kinematics"),
        layers=of_area(files.nearby_layers),
        simulated=lambda wildcards: AREAS[wildcards.area].simulate is not None,
    resources: mem_mb=memory(1500), runtime=minutes(30)
    script: "../scripts/active_areas.py"


rule export_motion:
    message: "Export velocity, series and active areas of {wildcards.area}."
    input:
        velocity=HERE.velocity,
        velocity_std=HERE.velocity_std,
        temporal_coherence=HERE.temporal_coherence,
        kinematics=HERE.kinematics,
        mask=HERE.mask,
        timeseries=HERE.timeseries,
        areas=HERE.active_areas,
    output:
        csv=HERE.points_csv,
        units=HERE.points_units,
        parquet=HERE.points_parquet,
        kmz=HERE.motion_kmz,
    wildcard_constraints: area=sentinel1_level("safe", "slc", "wrapped", "unwrapped")
    resources: mem_mb=memory(1500), runtime=minutes(30, per_megapixel=1)
    script: "../scripts/export_motion.py"


rule whats_new:
    message: "Tell what is new in {wildcards.area} since its earlier run."
    input:
        unpack(of_area(files.new_outline_files)),
        grid=HERE.grid,
        velocity=HERE.velocity,
        reference=HERE.reference,
        timeseries=HERE.timeseries,
        mask=HERE.mask,
        active_areas=HERE.active_areas,
        earlier=lambda wildcards: files.earlier_files(RUN, wildcards.area),
    output:
        areas=HERE.changes,
        table=HERE.changes_table,
        change=HERE.velocity_change,
        record=HERE.changes_record,
    wildcard_constraints: area=wildcard(area for area in AREAS if AREAS[area].changes and files.has_series(RUN, area))
    params:
        settings=settings_of("changes"),
        maps=lambda wildcards: list(files.new_outline_files(RUN, wildcards.area)),
        simulated=lambda wildcards: AREAS[wildcards.area].simulate is not None,
    resources: mem_mb=memory(1500), runtime=minutes(30, per_megapixel=0.2)
    script: "../scripts/whats_new.py"
