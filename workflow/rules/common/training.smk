# What the rules of training ask about an experiment: of the config, or a row of a paper's table (config/tables).
from slipmap.checkout import CONFIG
from slipmap.config.susceptibility import ComparisonSettings
from slipmap.training import tables

TABLES = tables.load(CONFIG / "tables", CONFIG / "tables.yaml")
# Names of rows end in eight digits, which tell them apart: whole, they would take long to compile, once for each output.
ROWS = wildcard(name.rpartition("_")[2] for name in TABLES.experiments)
TRAINED = {**{name: chosen for name, chosen in EXPERIMENTS.items() if trains(name)}, **TABLES.experiments}


wildcard_constraints:
    experiment=wildcard([*EXPERIMENTS, rf"table_\w+_(?:{ROWS})"]),
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


def table_factors(wildcards):
    """Rasters of the factors that a table without networks needs, by name; those of the risk index among them."""
    table = TABLES.tables[wildcards.table]
    names = tables.our_factors(table.inputs, TABLES.settings)
    index = files.index_files(RUN, wildcards.area) if table.kind == "susceptibility" else {}
    return {name: Results(wildcards.area).factor(name) for name in names} | index


def table_models(wildcards):
    """Params function: settings of the comparison of risk models; None where the area has none."""
    chosen = AREAS[wildcards.area].susceptibility
    return chosen and chosen.model_dump(mode="json", include=set(ComparisonSettings.model_fields))


def tables_here(area):
    """Tables that can be made: a data set of images has no risk models and no screening."""
    return TABLES.tables if area in AREAS else TABLES.of_kind("networks")
