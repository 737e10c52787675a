# What the rules of training ask about an experiment: of the config, or a row of a paper's table (config/tables).
from slipmap.checkout import CONFIG
from slipmap.training import tables

TABLES = tables.load(CONFIG / "tables", CONFIG / "tables.yaml")
TRAINED = {**{name: chosen for name, chosen in EXPERIMENTS.items() if trains(name)}, **TABLES.experiments}


wildcard_constraints:
    experiment="|".join([*EXPERIMENTS, *TABLES.experiments]) or "none",
    table="|".join(TABLES.tables) or "none",


def training_stores(experiment):
    """The patch stores that an experiment is trained on."""
    return [patch_store(RUN, TRAINED[experiment], place) for place in TRAINED[experiment].train_areas]


def training_inputs(wildcards):
    """What training reads; an experiment is trained in its home area only."""
    chosen = TRAINED.get(wildcards.experiment)
    if chosen is None or wildcards.area != home_area(chosen):
        raise ValueError(f"experiment {wildcards.experiment} is not trained in {wildcards.area}")
    inputs = {"stores": training_stores(wildcards.experiment)}
    if chosen.factors is None and wildcards.area not in IMPORTED:  # an imported data set is used with all its bands
        inputs["selection"] = f"results/{wildcards.area}/screening/selection.json"
    if chosen.training.initial_weights:  # of an experiment of this run, or of an earlier one
        inputs["initial"] = [f"{chosen.training.initial_weights}/{name}" for name in ("weights.safetensors", "model.json")]
    return inputs


def seed_folder(wildcards):
    """Folder of the weights of one seed."""
    return f"results/{home_area(TRAINED[wildcards.experiment])}/experiments/{wildcards.experiment}/seed_{wildcards.seed}"


def seeds_metrics(area, experiment):
    """Test scores of each seed of an experiment in an area."""
    return [
        f"results/{area}/experiments/{experiment}/seed_{seed}/test_metrics.json"
        for seed in TRAINED[experiment].training.seeds
    ]


def table_metrics(wildcards):
    """Test scores of each seed, for each row of a table; none for a row that is not run."""
    return [
        seeds_metrics(wildcards.area, experiment) if experiment else []
        for experiment in TABLES.rows[wildcards.table]
    ]
