# Stage 5, patches: the split of an area into training, validation and test ground; the patch store.
from slipmap.factors.names import factor_names


rule split:
    message: "Divide {wildcards.area} into training, validation and test ground."
    input:
        inventory="results/{area}/inventory.tif",
    output:
        split="results/{area}/patches/split.tif",
        blocks="results/{area}/patches/blocks.gpkg",
    params:
        settings=settings_of("split"),
        code=code_digest("patches/split.py", "config/patches.py"),
    log:
        "results/{area}/logs/split.log",
    benchmark:
        "results/{area}/benchmarks/split.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/split.py"


rule patches:
    message: "Cut {wildcards.area} into the patches of {wildcards.dataset}."
    input:
        factors=lambda wildcards: [
            f"results/{wildcards.area}/factors/{name}.tif" for name in factor_names(AREAS[wildcards.area])
        ],
        inventory="results/{area}/inventory.tif",
        split="results/{area}/patches/split.tif",
    output:
        store=directory("results/{area}/patches/{dataset}.zarr"),
    params:
        settings=lambda wildcards: RUN.datasets[wildcards.dataset].model_dump(mode="json"),
        code=code_digest("patches", "config/patches.py"),
    log:
        "results/{area}/logs/patches_{dataset}.log",
    benchmark:
        "results/{area}/benchmarks/patches_{dataset}.tsv"
    threads: 2
    resources:
        mem_mb=2000,
        runtime=60,
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/patches.py"
