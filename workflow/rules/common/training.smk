# What the rules of training ask about an experiment: of the config, or a row of a paper's table (config/tables).
from slipmap.checkout import CONFIG
from slipmap.training import tables

TABLES = tables.load(CONFIG / "tables", CONFIG / "tables.yaml")
TRAINED = {**{name: chosen for name, chosen in EXPERIMENTS.items() if trains(name)}, **TABLES.experiments}


wildcard_constraints:
    experiment=wildcard([*EXPERIMENTS, *TABLES.experiments]),
    table=wildcard(TABLES.tables),


def training_inputs(wildcards):
    """What training reads; an experiment is trained in its home area only."""
    chosen = TRAINED.get(wildcards.experiment)
    if chosen is None or wildcards.area != home_area(chosen):
        raise ValueError(f"experiment {wildcards.experiment} is not trained in {wildcards.area}")
    return files.training_files(RUN, chosen)


def seed_folder(wildcards):
    """Folder of the weights of one seed."""
    return Results(home_area(TRAINED[wildcards.experiment])).seed(wildcards.experiment, wildcards.seed)


def seeds_metrics(area, experiment):
    """Test scores of each seed of an experiment in an area."""
    return files.test_files(area, experiment, TRAINED[experiment].training.seeds)


def table_metrics(wildcards):
    """Test scores of each seed, for each row of a table; none for a row that is not run."""
    return [
        seeds_metrics(wildcards.area, experiment) if experiment else []
        for experiment in TABLES.rows[wildcards.table]
    ]
