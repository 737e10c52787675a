# The checked config, who owns this run, and the few things that all rules ask about an area or an experiment.
import gc
import math
import sys
from operator import attrgetter
from pathlib import Path

# Settings, rules and jobs come by the ten thousand and stay: Python, which looks for garbage after every 700 objects,
# spends a tenth of a dry run on it.
gc.set_threshold(100_000, 20, 20)

try:
    from slipmap.jobs import command, runs
    from slipmap.config import layout, parse_config
    from slipmap.config.layout import Results, home_area, imported_datasets, patch_store, weights_folders
    from slipmap.planning import files
    from slipmap.planning.files import wildcard
    from slipmap.errors import InputError
    from slipmap.factors.names import factor_names
    from slipmap.jobs.ending import ending
    from slipmap.jobs.rules import complete_rules
    from slipmap.memory import ask_for_large_pages
except ImportError as error:
    sys.exit(f"slipmap is not installed in {sys.executable} ({error}); run 'make install', then '.venv/bin/snakemake …'.")

if workflow.modifier.path_modifier.prefix:
    sys.exit(
        f"slipmap: the module has the prefix {workflow.modifier.path_modifier.prefix}, before which Snakemake would look "
        "for your files, too; take 'prefix:' out: results lie apart by the names of areas, and "
        "'use rule * from … as NAME_*' keeps the rules of two modules apart."
    )

command.quote_interpreter()
command.spare_pandas()
command.look_once_a_second()
ask_for_large_pages()
CONFIG_SOURCE = ", ".join(map(str, workflow.configfiles)) or "config"

try:
    RUN = parse_config(config, source=CONFIG_SOURCE)
    if workflow.is_main_process:
        from slipmap.config.yaml_file import read_yaml
        from slipmap.check.run import check_run  # costs a second, which no job need pay

        for file in workflow.configfiles:
            read_yaml(file)  # strictly: Snakemake itself drops a key that stands twice
        check_run(RUN, planning=True)
        if not workflow.output_settings.dryrun and not command.only_asks(sys.argv[1:]):
            runs.claim(Path.cwd())
except InputError as error:
    sys.exit(f"slipmap: {error}")

AREAS = RUN.areas
EXPERIMENTS = RUN.experiments
IMPORTED = imported_datasets(RUN)
PLACES = [*AREAS, *IMPORTED]  # what can be trained and tested on
HERE = Results("{area}")  # result paths of the area that a job is for


include: "common/resources.smk"


wildcard_constraints:
    area=wildcard(AREAS),
    dataset=wildcard(RUN.datasets),
    experiment=wildcard(EXPERIMENTS),
    seed=r"\d+",


def has_deformation(area):
    return AREAS[area].inputs.sentinel1 is not None


def has_inventory(area):
    return AREAS[area].inputs.inventory is not None


def settings_of(section):
    """Params function: one section of an area's settings, as plain data (a change of it reruns the job)."""
    return lambda wildcards: attrgetter(section)(AREAS[wildcards.area]).model_dump(mode="json")


def part_of(section, model):
    """As `settings_of`, of the section only the keys of `model`: a change of another key does not rerun the job."""
    keys = set(model.model_fields)
    return lambda wildcards: attrgetter(section)(AREAS[wildcards.area]).model_dump(mode="json", include=keys)


def trains(experiment):
    """Whether the experiment is trained here (rather than mapped with weights from elsewhere)."""
    return EXPERIMENTS[experiment].weights is None


def weights_of(experiment):
    """Folders of an experiment's weights, one for each seed."""
    return weights_folders(experiment, EXPERIMENTS[experiment])


def of_area(question):
    """Input function: what `question` (of slipmap.planning.files) says of the config and a job's area."""
    return lambda wildcards: question(RUN, wildcards.area)


def factor_files(wildcards):
    """Input function: raster of each factor, in their order."""
    return list(files.factor_files(RUN, wildcards.area).values())


def input_of(key):
    """Input function: what the inputs of a job's area name under `key`; nothing where they name none."""
    return lambda wildcards: attrgetter(key)(AREAS[wildcards.area].inputs) or []


def where_inventory(path):
    """Input function: a path of the area's, where it has an inventory."""
    return lambda wildcards: path.format(area=wildcards.area) if has_inventory(wildcards.area) else []
