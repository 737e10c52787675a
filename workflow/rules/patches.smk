# Stage 5, patches: the split of an area into training, validation and test ground; patch stores of areas and of
# published data sets; a picture of augmentation.

CUT = [name for name in RUN.datasets if name not in IMPORTED]


rule split:
    message: "Divide {wildcards.area} into training, validation and test ground."
    input: inventory=HERE.inventory
    output:
        split=HERE.split,
        blocks=HERE.blocks,
    params: settings=settings_of("split")
    resources: mem_mb=memory(1000), runtime=minutes(20)
    script: "../scripts/split.py"


rule patches:
    message: "Cut {wildcards.area} into the patches of {wildcards.dataset}."
    input:
        factors=factor_files,
        inventory=HERE.inventory,
        split=HERE.split,
    output: store=directory(HERE.patches("{dataset}"))
    wildcard_constraints: dataset=wildcard(CUT)
    params: settings=lambda wildcards: RUN.datasets[wildcards.dataset].model_dump(mode="json")
    threads: 2
    resources: mem_mb=memory(2000), runtime=minutes(60)
    script: "../scripts/patches.py"


rule import_patches:
    message: "Import the published data set {wildcards.dataset}."
    input: folder=lambda wildcards: RUN.datasets[wildcards.dataset].source.path
    output: store=directory(Results("{dataset}").patches("{dataset}"))
    wildcard_constraints: dataset=wildcard(IMPORTED)
    params: settings=lambda wildcards: RUN.datasets[wildcards.dataset].model_dump(mode="json")
    threads: 2
    resources: mem_mb=memory(3000), runtime=minutes(240)
    script: "../scripts/import_patches.py"


rule augmentation_figure:
    message: "Draw what the augmentation of {wildcards.experiment} does to patches of {wildcards.area}."
    input: store=lambda wildcards: patch_store(RUN, EXPERIMENTS[wildcards.experiment], wildcards.area)
    output: figure=HERE.augmentation("{experiment}")
    wildcard_constraints: area="|".join(PLACES)
    params: settings=lambda wildcards: EXPERIMENTS[wildcards.experiment].training.augment.model_dump(mode="json")
    resources: mem_mb=memory(1500), runtime=minutes(10)
    script: "../scripts/augmentation_figure.py"
