# Stage 2, before the interferograms: raw Sentinel-1 (SAFE) to geocoded SLCs in OPERA CSLC-S1's layout.
include: "common/sentinel1.smk"


wildcard_constraints:
    date=r"\d{8}",


checkpoint acquisitions:
    message: "List the SAFE products of {wildcards.area} by date."
    input:
        sentinel1=input_of("sentinel1.path"),
        orbits=orbit_files,
    output: acquisitions=HERE.acquisitions
    wildcard_constraints: area=sentinel1_level("safe")
    params:
        sentinel1=sentinel1,
        settings=part_of("geocoding", AcquisitionSettings),
    resources: mem_mb=memory(1000), runtime=minutes(20)
    script: "../scripts/acquisitions.py"


rule azimuth_shift:
    message: "Estimate the azimuth shift of {wildcards.date} over {wildcards.area} in the overlaps of its bursts."
    input:
        products=products_of_date,
        earlier=earlier_shifts,
        dem=input_of("dem"),
        grid=HERE.grid,
        orbits=orbit_files,
    output: shift=HERE.shift("{date}")
    wildcard_constraints: area=sentinel1_level("safe")
    params:
        products=products_of_date,
        earlier=earlier_products,
        orbits=orbit_folder,
        looks=slc_looks,
        settings=settings_of("geocoding"),
    threads: 2
    resources: mem_mb=memory(2500), runtime=minutes(10, per_megapixel=1)
    script: "../scripts/azimuth_shift.py"


rule geocode:
    message: "Geocode the Sentinel-1 acquisition of {wildcards.date} over {wildcards.area}."
    input:
        unpack(shift_file),
        products=products_of_date,
        dem=input_of("dem"),
        grid=HERE.grid,
        orbits=orbit_files,
    output: slc=HERE.slc("{date}")
    wildcard_constraints: area=sentinel1_level("safe")
    params:
        orbits=orbit_folder,
        looks=slc_looks,
        settings=settings_of("geocoding"),
    resources: mem_mb=memory(2500), runtime=minutes(10, per_megapixel=1)
    script: "../scripts/geocode.py"


rule radar_geometry:
    message: "Compute line of sight and incidence angle of {wildcards.area}."
    input:
        products=first_products,
        dem=input_of("dem"),
        grid=HERE.grid,
        orbits=orbit_files,
    output: geometry=HERE.radar_geometry
    wildcard_constraints: area=sentinel1_level("safe")
    params:
        orbits=orbit_folder,
        settings=settings_of("geocoding"),
    resources: mem_mb=memory(1000), runtime=minutes(30)
    script: "../scripts/radar_geometry.py"
