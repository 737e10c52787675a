# Stage 7, prediction: region-wide maps with the weights of an experiment, and landslide polygons.


def factor_files(area):
    """Raster of each factor of an area, by name."""
    return {name: f"results/{area}/factors/{name}.tif" for name in factor_names(AREAS[area])}


def seeds_of(experiment):
    """Folders of an experiment's weights, one for each seed: together they are an ensemble."""
    given = EXPERIMENTS[experiment].weights
    if given:
        return [str(folder) for folder in sorted(Path(given).glob("seed_*"))] or [given]
    return [weights_folder(experiment, seed) for seed in EXPERIMENTS[experiment].training.seeds]


rule map_landslides:
    message: "Map {wildcards.area} with {wildcards.experiment}."
    input:
        grid="results/{area}/grid.json",
        factors=lambda wildcards: list(factor_files(wildcards.area).values()),
        weights=lambda wildcards: [
            f"{folder}/{name}"
            for folder in seeds_of(wildcards.experiment)
            for name in ("weights.safetensors", "model.json")
        ],
    output:
        probability="results/{area}/maps/{experiment}/probability.tif",
        uncertainty="results/{area}/maps/{experiment}/uncertainty.tif",
        classes="results/{area}/maps/{experiment}/class.tif",
    params:
        settings=lambda wildcards: EXPERIMENTS[wildcards.experiment].prediction.model_dump(mode="json"),
        factors=lambda wildcards: factor_files(wildcards.area),
        weights=lambda wildcards: seeds_of(wildcards.experiment),
        code=code_digest("prediction", "models", "patches/normalisation.py"),
    log:
        "results/{area}/logs/map_landslides_{experiment}.log",
    benchmark:
        "results/{area}/benchmarks/map_landslides_{experiment}.tsv"
    threads: 2
    resources:
        gpu=1,
        mem_mb=4000,
        runtime=60,
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/map_landslides.py"


rule outline_landslides:
    message: "Outline the landslides of {wildcards.area} found by {wildcards.experiment}."
    input:
        classes="results/{area}/maps/{experiment}/class.tif",
        probability="results/{area}/maps/{experiment}/probability.tif",
        uncertainty="results/{area}/maps/{experiment}/uncertainty.tif",
        factors=lambda wildcards: list(factor_files(wildcards.area).values()),
        inventory=lambda wildcards: f"results/{wildcards.area}/inventory.tif" if has_inventory(wildcards.area) else [],
    output:
        landslides="results/{area}/maps/{experiment}/landslides.gpkg",
    params:
        settings=lambda wildcards: EXPERIMENTS[wildcards.experiment].prediction.model_dump(mode="json"),
        factors=lambda wildcards: factor_files(wildcards.area),
        code=code_digest("prediction"),
    log:
        "results/{area}/logs/outline_landslides_{experiment}.log",
    benchmark:
        "results/{area}/benchmarks/outline_landslides_{experiment}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/outline_landslides.py"
