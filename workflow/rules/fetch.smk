# Stage 1, inputs: raw data from the web or a local archive. A search's result is a file; what has come is not fetched
# again: an area whose files are there is made again offline.
include: "common/fetch.smk"


rule search:
    message: "Search {wildcards.kind} of {wildcards.area}."
    input:
        grid=HERE.grid,
        sentinel1=lambda wildcards: (
            f"resources/{wildcards.area}/search/sentinel1.geojson" if wildcards.kind == "orbits" else []
        ),
    output: found="resources/{area}/search/{kind}.geojson"
    wildcard_constraints:
        area=wildcard(area for area in AREAS if PLACED[area]),
        kind="|".join(KINDS),
    params:
        settings=lambda wildcards: acquire_settings(wildcards.area, wildcards.kind),
        factors=lambda wildcards: factor_settings(wildcards.area, wildcards.kind),
    resources: mem_mb=memory(700), runtime=minutes(30), download=1
    script: "../scripts/search.py"


# A rule for each kind, since an area fetches some kinds and has files of its own for others.
for place_of, place in ACQUIRED.items():
    kind = place_of.removesuffix("_raw")

    rule:
        name: f"acquire_{place_of}"
        message: f"Fetch {place_of.replace('_', ' ')} of {{wildcards.area}}."
        input:
            grid=HERE.grid,
            found=f"resources/{{area}}/search/{kind}.geojson",
        output: data=f"resources/{{area}}/{place}" if "." in place else directory(f"resources/{{area}}/{place}")
        wildcard_constraints: area=wildcard(area for area in AREAS if PLACED[area].get(kind) == place)
        params:
            kind=kind,
            settings=lambda wildcards, kind=kind: acquire_settings(wildcards.area, kind),
            factors=lambda wildcards, kind=kind: factor_settings(wildcards.area, kind),
        resources: mem_mb=memory(1500), runtime=minutes(720), download=1
        script: "../scripts/acquire.py"


rule published_data:
    message: "Fetch the published data set {wildcards.published}."
    output: data=directory(f"{PUBLISHED}/{{published}}")
    wildcard_constraints: published=r"[a-z0-9_]+"
    resources: mem_mb=memory(700), runtime=minutes(720), download=1
    script: "../scripts/published_data.py"


# for a machine with a network, where the compute nodes have none
rule fetched:
    message: "Everything that the areas fetch."
    input: [f"resources/{area}/{place}" for area in AREAS for place in PLACED[area].values()]
