# Stage 6, training: one rule for every model and recipe; test scores; their mean over seeds.


def seeds(experiment):
    """The seeds that an experiment is trained with."""
    return EXPERIMENTS[experiment].training.seeds


def stores(experiment, role):
    """The patch stores of the areas that an experiment trains or tests on (`role`: train_areas, test_areas)."""
    chosen = EXPERIMENTS[experiment]
    return [f"results/{area}/patches/{chosen.dataset}.zarr" for area in getattr(chosen, role)]


def training_inputs(wildcards):
    """What training reads; an experiment is trained in its home area only."""
    if not trains(wildcards.experiment) or wildcards.area != home(wildcards.experiment):
        raise ValueError(f"experiment {wildcards.experiment} is not trained in {wildcards.area}")
    inputs = {"stores": stores(wildcards.experiment, "train_areas")}
    if EXPERIMENTS[wildcards.experiment].factors is None:
        inputs["selection"] = f"results/{wildcards.area}/screening/selection.json"
    return inputs


rule train:
    message: "Train {wildcards.experiment}, seed {wildcards.seed}."
    input:
        unpack(training_inputs),
    output:
        weights="results/{area}/experiments/{experiment}/seed_{seed}/weights.safetensors",
        last="results/{area}/experiments/{experiment}/seed_{seed}/last.safetensors",
        record="results/{area}/experiments/{experiment}/seed_{seed}/model.json",
        history="results/{area}/experiments/{experiment}/seed_{seed}/history.csv",
        curves="results/{area}/experiments/{experiment}/seed_{seed}/curves.png",
        scores="results/{area}/experiments/{experiment}/seed_{seed}/validation_scores.csv",
    params:
        experiment=lambda wildcards: EXPERIMENTS[wildcards.experiment].model_dump(
            mode="json", exclude={"description", "test_areas", "map_areas", "prediction"}
        ),
        code=code_digest(
            "training", "models", "patches/dataset.py", "patches/normalisation.py", "patches/centerrep.py"
        ),
    log:
        "results/{area}/logs/train_{experiment}_{seed}.log",
    benchmark:
        "results/{area}/benchmarks/train_{experiment}_{seed}.tsv"
    threads: 2
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=1440,
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/train.py"


rule evaluate:
    message: "Score {wildcards.experiment}, seed {wildcards.seed}, on the test ground of {wildcards.area}."
    input:
        store=lambda wildcards: f"results/{wildcards.area}/patches/{EXPERIMENTS[wildcards.experiment].dataset}.zarr",
        weights=lambda wildcards: f"{weights_folder(wildcards.experiment, wildcards.seed)}/weights.safetensors",
        record=lambda wildcards: f"{weights_folder(wildcards.experiment, wildcards.seed)}/model.json",
    output:
        metrics="results/{area}/experiments/{experiment}/seed_{seed}/test_metrics.json",
    params:
        code=code_digest("training", "models", "patches/dataset.py", "patches/normalisation.py"),
    log:
        "results/{area}/logs/evaluate_{experiment}_{seed}.log",
    benchmark:
        "results/{area}/benchmarks/evaluate_{experiment}_{seed}.tsv"
    threads: 2
    resources:
        gpu=1,
        mem_mb=4000,
        runtime=60,
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/evaluate.py"


rule summarise_seeds:
    message: "Average the scores of {wildcards.experiment} in {wildcards.area} over seeds."
    input:
        metrics=lambda wildcards: [
            f"results/{wildcards.area}/experiments/{wildcards.experiment}/seed_{seed}/test_metrics.json"
            for seed in seeds(wildcards.experiment)
        ],
    output:
        metrics="results/{area}/experiments/{experiment}/metrics.csv",
    params:
        code=code_digest("training/summary.py"),
    log:
        "results/{area}/logs/summarise_seeds_{experiment}.log",
    benchmark:
        "results/{area}/benchmarks/summarise_seeds_{experiment}.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/summarise_seeds.py"
