# Stage 2, deformation: SBAS-InSAR from Sentinel-1 at whatever level the user has it to the deformation rate.
include: "common/deformation.smk"
include: "sentinel1.smk"


wildcard_constraints:
    pair=r"\d{8}_\d{8}",


checkpoint network:
    message: "Choose the interferograms of {wildcards.area}."
    input: unpack(stack_files)
    output:
        network="results/{area}/deformation/network.csv",
        plot="results/{area}/deformation/network.png",
        stack="results/{area}/deformation/stack.json",
        views=directory("results/{area}/deformation/views"),
    wildcard_constraints: area=sentinel1_level("safe", "slc", "wrapped", "unwrapped")
    params:
        sentinel1=stack_settings,
        settings=part_of("deformation", options.NetworkSettings),
    resources: mem_mb=memory(1000), runtime=minutes(10)
    script: "../scripts/network.py"


rule interferogram:
    message: "Form the interferogram {wildcards.pair} of {wildcards.area}."
    input:
        unpack(pair_files("reference", "secondary")),
        network=ancient("results/{area}/deformation/network.csv"),  # there for `pair`; its dates say nothing
    output: interferogram="results/{area}/deformation/interferograms/{pair}.tif"
    wildcard_constraints: area=sentinel1_level("safe", "slc")
    params:
        pair=pair_record,
        settings=part_of("deformation", options.InterferogramSettings),
    resources: mem_mb=memory(700), runtime=minutes(5, per_megapixel=0.1)
    script: "../scripts/interferogram.py"


rule unwrap:
    message: "Unwrap the interferogram {wildcards.pair} of {wildcards.area}."
    input:
        interferogram="results/{area}/deformation/interferograms/{pair}.tif",
        network=ancient("results/{area}/deformation/network.csv"),  # there for `pair`; its dates say nothing
    output: unwrapped="results/{area}/deformation/unwrapped/{pair}.tif"
    wildcard_constraints: area=sentinel1_level("safe", "slc")
    params:
        pair=pair_record,
        settings=part_of("deformation", options.UnwrappingSettings),
        looks=supplied_looks,
    resources: mem_mb=memory(700, per_megapixel=150), runtime=minutes(10, per_megapixel=1)
    script: "../scripts/unwrap.py"


use rule unwrap as unwrap_supplied with:
    input:
        unpack(pair_files("interferogram", "coherence")),
        network=ancient("results/{area}/deformation/network.csv"),  # there for `pair`; its dates say nothing
    wildcard_constraints: area=sentinel1_level("wrapped")


rule invert_network:
    message: "Invert the interferograms of {wildcards.area} to displacement and velocity."
    input:
        network="results/{area}/deformation/network.csv",
        stack="results/{area}/deformation/stack.json",
        unwrapped=unwrapped_files,
        dem=lambda wildcards: AREAS[wildcards.area].inputs.dem or [],
    output:
        velocity="results/{area}/deformation/velocity.tif",
        velocity_std="results/{area}/deformation/velocity_std.tif",
        temporal_coherence="results/{area}/deformation/temporal_coherence.tif",
        dem_error="results/{area}/deformation/dem_error.tif",
        mask="results/{area}/deformation/mask.tif",
        used="results/{area}/deformation/interferograms_used.tif",
        triplets="results/{area}/deformation/open_triplets.tif",
        timeseries="results/{area}/deformation/timeseries.nc",
        reference="results/{area}/deformation/reference.json",
    wildcard_constraints: area=sentinel1_level("safe", "slc", "wrapped", "unwrapped")
    params:
        settings=part_of("deformation", options.InversionSettings),
        looks=supplied_looks,
    threads: 2
    resources: mem_mb=memory(2000), runtime=minutes(20, per_megapixel=1)
    script: "../scripts/invert_network.py"


rule convert_velocity:
    message: "Convert the supplied velocity of {wildcards.area}."
    input: velocity=lambda wildcards: AREAS[wildcards.area].inputs.sentinel1.path
    output: velocity="results/{area}/deformation/velocity.tif"
    wildcard_constraints: area=sentinel1_level("velocity")
    params: sentinel1=sentinel1
    resources: mem_mb=memory(2000), runtime=minutes(30)
    script: "../scripts/convert_velocity.py"


rule slope_geometry:
    message: "Project the velocity of {wildcards.area} on its slopes; mark layover and shadow."
    input:
        velocity="results/{area}/deformation/velocity.tif",
        stack="results/{area}/deformation/stack.json",
        dem=lambda wildcards: AREAS[wildcards.area].inputs.dem,
    output:
        sensitivity="results/{area}/deformation/sensitivity.tif",
        downslope="results/{area}/deformation/velocity_downslope.tif",
        visibility="results/{area}/deformation/visibility.tif",
    wildcard_constraints: area=sentinel1_level("safe", "slc", "wrapped", "unwrapped")
    resources: mem_mb=memory(1000), runtime=minutes(30)
    script: "../scripts/slope_geometry.py"


rule decomposition:
    message: "Make vertical and east-west velocity of {wildcards.area} from its two tracks."
    input:
        unpack(opposite_files),
        grid="results/{area}/grid.json",
        velocity="results/{area}/deformation/velocity.tif",
        velocity_std="results/{area}/deformation/velocity_std.tif",
        stack="results/{area}/deformation/stack.json",
        reference="results/{area}/deformation/reference.json",
    output:
        vertical="results/{area}/deformation/velocity_vertical.tif",
        east="results/{area}/deformation/velocity_east.tif",
    wildcard_constraints: area="|".join(area for area in AREAS if AREAS[area].deformation.opposite_area) or "none"
    params: opposite=lambda wildcards: AREAS[wildcards.area].deformation.opposite_area
    resources: mem_mb=memory(1000), runtime=minutes(30)
    script: "../scripts/decomposition.py"
