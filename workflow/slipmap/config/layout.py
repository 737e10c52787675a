"""Where an experiment's weights are."""

import re
from pathlib import Path

from slipmap.config.run import ExperimentSettings


def home_area(experiment: ExperimentSettings) -> str:
    """The area whose results hold the weights: the first that the experiment trains on."""
    return experiment.train_areas[0]


def weights_folders(name: str, experiment: ExperimentSettings) -> list[str]:
    """Folders of the weights of the experiment called `name`, one for each seed: together they are an ensemble.

    With weights from elsewhere: the folders ``seed_0``, ``seed_1``, … in the one given, by number, or that folder
    itself if it holds none. (Beside them may lie ``seed_0.resume`` or ``seed_0.logs``.)
    """
    if experiment.weights is None:
        return [f"results/{home_area(experiment)}/experiments/{name}/seed_{seed}" for seed in experiment.training.seeds]
    folders = [path for path in Path(experiment.weights).glob("seed_*") if re.fullmatch(r"seed_\d+", path.name)]
    return [str(path) for path in sorted(folders, key=lambda path: int(path.name[5:]))] or [experiment.weights]
