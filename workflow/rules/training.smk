# Stage 6, training: one rule for every model and recipe; test scores; their mean over seeds; the papers' tables.
include: "common/training.smk"


SEED = HERE.seed("{experiment}", "{seed}")
SEED_FILES = {role: f"{SEED}/{name}" for role, name in layout.SEED_FILES.items()}


rule train:
    message: "Train {wildcards.experiment}, seed {wildcards.seed}."
    input: unpack(training_inputs)
    output:
        **SEED_FILES,
    wildcard_constraints: area="|".join(PLACES)
    params:
        experiment=lambda wildcards: TRAINED[wildcards.experiment].model_dump(
            mode="json",  # what does not change the weights is left out: one more seed retrains none
            exclude={
                "description": True,
                "test_areas": True,
                "map_areas": True,
                "prediction": True,
                "training": {"seeds": True},
            },
        ),
    threads: 2
    resources: gpu=1, mem_mb=memory(6000), runtime=minutes(1440)
    script: "../scripts/train.py"


rule evaluate:
    message: "Score {wildcards.experiment}, seed {wildcards.seed}, on the test ground of {wildcards.area}."
    input:
        store=lambda wildcards: patch_store(RUN, TRAINED[wildcards.experiment], wildcards.area),
        learnt=lambda wildcards: files.stores(RUN, TRAINED[wildcards.experiment]),
        weights=lambda wildcards: f"{seed_folder(wildcards)}/weights.safetensors",
        record=lambda wildcards: f"{seed_folder(wildcards)}/model.json",
    output: metrics=f"{SEED}/{layout.TEST_METRICS}"
    wildcard_constraints: area="|".join(PLACES)
    threads: 2
    resources: gpu=1, mem_mb=memory(4000), runtime=minutes(60)
    script: "../scripts/evaluate.py"


rule summarise_seeds:
    message: "Average the scores of {wildcards.experiment} in {wildcards.area} over seeds."
    input: metrics=lambda wildcards: seeds_metrics(wildcards.area, wildcards.experiment)
    output: metrics=HERE.metrics("{experiment}")
    wildcard_constraints: area="|".join(PLACES)
    resources: mem_mb=memory(500), runtime=minutes(5)
    script: "../scripts/summarise_seeds.py"


rule compare_experiments:
    message: "Set the experiments of {wildcards.area} side by side: pictures, losses, ROC, landslide sizes."
    input: unpack(of_area(files.compared_files))
    output: [HERE.comparison(name) for name in layout.COMPARISON]
    wildcard_constraints: area="|".join(PLACES)
    params:
        weights=lambda wildcards: {
            name: weights_of(name)[0] for name in files.compared(RUN, wildcards.area)
        },
        histories=lambda wildcards: {
            name: [f"{folder}/{layout.SEED_FILES['history']}" for folder in weights_of(name)]
            for name in files.compared(RUN, wildcards.area)
        },
    threads: 2
    resources: gpu=1, mem_mb=memory(4000), runtime=minutes(60)
    script: "../scripts/compare_experiments.py"


rule table_patches:
    message: "Cut {wildcards.area} into patches with the inputs of a paper: {wildcards.dataset}."
    input:
        factors=lambda wildcards: [
            Results(wildcards.area).factor(name) for name in TABLES.cuts[wildcards.dataset].factors
        ],
        inventory=HERE.inventory,
        split=HERE.split,
    output: store=directory(HERE.patches("{dataset}"))
    wildcard_constraints: dataset=wildcard(TABLES.cuts)
    params: settings=lambda wildcards: TABLES.cuts[wildcards.dataset].patches.model_dump(mode="json")
    threads: 2
    resources: mem_mb=memory(2000), runtime=minutes(60)
    script: "../scripts/patches.py"


rule table:
    message: "Write {wildcards.table}, our numbers beside the published ones."
    input:
        metrics=lambda wildcards: [path for row in table_metrics(wildcards) for path in row],
        definition=lambda wildcards: CONFIG / f"tables/{wildcards.table}.yaml",
        run=CONFIG / "tables.yaml",
    output:
        table=HERE.paper_table("{table}"),
        about=HERE.paper_table_record("{table}"),
    wildcard_constraints: area="|".join(PLACES), table=wildcard(TABLES.of_kind("networks"))
    params:
        metrics=lambda wildcards: table_metrics(wildcards),
        experiments=lambda wildcards: [
            name and TRAINED[name].model_dump(mode="json") for name in TABLES.rows[wildcards.table]
        ],
    threads: 2
    resources: mem_mb=memory(4000), runtime=minutes(60)
    script: "../scripts/table.py"


rule factor_table:
    message: "Write {wildcards.table}, our numbers beside the published ones."
    input:
        factors=lambda wildcards: list(table_factors(wildcards).values()),
        inventory=HERE.inventory,
        split=HERE.split,
        definition=lambda wildcards: CONFIG / f"tables/{wildcards.table}.yaml",
        run=CONFIG / "tables.yaml",
    output:
        table=HERE.paper_table("{table}"),
        about=HERE.paper_table_record("{table}"),
    wildcard_constraints: area=wildcard(AREAS), table=wildcard(TABLES.of_kind("screening", "susceptibility"))
    params:
        names=lambda wildcards: list(table_factors(wildcards)),
        screening=settings_of("screening"),
        susceptibility=table_models,
    threads: 2
    resources: mem_mb=memory(3000), runtime=minutes(60)
    script: "../scripts/factor_table.py"


rule tables:
    message: "Every table of config/tables, on the data of config/tables.yaml."
    input: [Results(area).paper_table(table) for area in TABLES.settings.test_areas[:1] for table in tables_here(area)]
