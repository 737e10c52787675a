# Stage 2, event: what failed on a day, from coherence and backscatter of the images before and after it; no unwrapping.
include: "common/event.smk"


use rule geocode as geocode_vh with:
    message: "Geocode the VH of the Sentinel-1 acquisition of {wildcards.date} over {wildcards.area}."
    output: slc=HERE.slc_vh("{date}")
    params:
        orbits=orbit_folder,
        looks=slc_looks,
        settings=vh_geocoding,


rule event_track:
    message: "Compare coherence and backscatter of {wildcards.area} before and after the event."
    input: unpack(event_images)
    output:
        track=HERE.event_track,
        record=HERE.event_images,
    wildcard_constraints: area=event_area
    params:
        sentinel1=stack_settings,
        settings=event_image_settings,
        looks=slc_looks,
        simulated=lambda wildcards: AREAS[wildcards.area].simulate is not None,
    resources: mem_mb=memory(1500), runtime=minutes(10, per_megapixel=0.2)
    script: "../scripts/event_track.py"


rule event_map:
    message: "Map what failed in the event in {wildcards.area}."
    input:
        unpack(of_area(files.event_files)),
        grid=HERE.grid,
        inventory=where_inventory(HERE.inventory),
    output:
        significance=HERE.event_significance,
        landslides=HERE.event_landslides,
        style=HERE.event_style,
        record=HERE.event_record,
    wildcard_constraints: area=event_area
    params:
        settings=part_of("event", EventMapSettings),
        layers=of_area(files.nearby_layers),
        simulated=lambda wildcards: AREAS[wildcards.area].simulate is not None,
    resources: mem_mb=memory(1500), runtime=minutes(30)
    script: "../scripts/event_map.py"
