"""Where an experiment's weights and patches are."""

import re
from pathlib import Path

from slipmap.config.run import ExperimentSettings, RunSettings


def home_area(experiment: ExperimentSettings) -> str:
    """The place whose results hold the weights: the first that the experiment trains on."""
    return experiment.train_areas[0]


def imported_datasets(run: RunSettings) -> list[str]:
    """Names of the data sets that are imported. Each is a place to train and test on, as an area is."""
    return [name for name, dataset in run.datasets.items() if dataset.source is not None]


def patch_store(run: RunSettings, experiment: ExperimentSettings, place: str) -> str:
    """The patch store that an experiment reads of a place: an area cut by its data set, or an imported data set."""
    return f"results/{place}/patches/{place if place in imported_datasets(run) else experiment.dataset}.zarr"


def weights_folders(name: str, experiment: ExperimentSettings) -> list[str]:
    """Folders of the weights of the experiment called `name`, one for each seed: together they are an ensemble.

    With weights from elsewhere: the folders ``seed_0``, ``seed_1``, … in the one given, by number, or that folder
    itself if it holds none. (Beside them may lie ``seed_0.resume`` or ``seed_0.logs``.)
    """
    if experiment.weights is None:
        return [f"results/{home_area(experiment)}/experiments/{name}/seed_{seed}" for seed in experiment.training.seeds]
    folders = [path for path in Path(experiment.weights).glob("seed_*") if re.fullmatch(r"seed_\d+", path.name)]
    return [str(path) for path in sorted(folders, key=lambda path: int(path.name[5:]))] or [experiment.weights]
