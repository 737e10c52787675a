"""What an experiment names must be there: its model and options, its factors, its trained weights."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipmap.config.layout import weights_folders
from slipmap.config.products import mapped_areas
from slipmap.config.run import AreaSettings, ExperimentSettings, RunSettings
from slipmap.errors import InputError, nearest
from slipmap.factors import names
from slipmap.models import index

_TRAINED = ("model.json", "weights.safetensors")


def check_factors(name: str, area: AreaSettings) -> list[str]:
    """The factors of one area; `InputError` if its settings name one that cannot be made."""
    given = (area.factors.include, area.factors.extra, area.factors.exclude)
    if not any(given) and not names.defaults(area.inputs, area.factors):
        return []  # an area whose inputs make no factor has none to check
    try:
        return names.factor_names(area)
    except InputError as error:
        raise InputError(f"areas.{name}.{error}") from None


def check_experiment(name: str, settings: RunSettings, factors: Mapping[str, list[str]]) -> None:
    """Check one experiment; `factors` are those of each area (`check_factors`)."""
    experiment = settings.experiments[name]
    key = f"experiments.{name}"
    if experiment.weights is not None:
        _check_weights(name, experiment, experiment.weights)
        for area in mapped_areas(settings, name):
            _check_bands(name, experiment, area, factors[area])
        return
    index.check(experiment.model.name, experiment.model.options, f"{key}.model")
    _check_initial_weights(name, settings)
    _check_batch(name, settings)
    for role in ("factors", "exclude"):
        for factor in getattr(experiment, role) or ():
            for area in experiment.train_areas:
                if area in factors and factor not in factors[area]:  # an imported data set has bands of its own
                    raise InputError(
                        f"{key}.{role} names '{factor}', which is no factor of the area {area}"
                        f"{nearest(factor, factors[area])}"
                    )


def _check_batch(name: str, settings: RunSettings) -> None:
    """A model that is given one patch at a time must not normalise single pixels: their variance is not defined."""
    experiment = settings.experiments[name]
    training, dataset = experiment.training, settings.datasets.get(experiment.dataset or "")
    sizes = [dataset.size] if dataset else []
    for place in experiment.train_areas:
        if place in settings.datasets and (source := settings.datasets[place].source):
            sizes = [source.resize] if source.resize else []  # the images' own size is known to their importer alone
    if training.batch_size != training.devices or not sizes:
        return
    from slipmap.training.single import check_single_patch  # torch costs seconds, which other batches need not pay

    model, size = experiment.model, min(sizes)
    key = f"experiments.{name}.training.batch_size"
    check_single_patch(model.name, 3, model.classes, model.options, (size, size), key)


def _check_initial_weights(name: str, settings: RunSettings) -> None:
    """Weights to go on from are there, or this run trains them first."""
    given = settings.experiments[name].training.initial_weights
    if given is None:
        return
    trained_here = {
        folder
        for other, experiment in settings.experiments.items()
        if other != name and experiment.weights is None
        for folder in weights_folders(other, experiment)
    }
    if given in trained_here or all((Path(given) / file).is_file() for file in _TRAINED):
        return
    raise InputError(
        f"experiments.{name}.training.initial_weights: {given} holds no trained model ({' and '.join(_TRAINED)}); name "
        f"the folder of one seed of a trained experiment{nearest(given, trained_here) if trained_here else '.'}"
    )


def _check_weights(name: str, experiment: ExperimentSettings, weights: str) -> None:
    key, folder = f"experiments.{name}.weights", Path(weights)
    if not folder.is_dir():
        raise InputError(f"{key}: {folder} does not exist; train that experiment first or correct the path.")
    for seed in map(Path, weights_folders(name, experiment)):
        missing = [file for file in _TRAINED if not (seed / file).is_file()]
        if missing:
            raise InputError(
                f"{key}: {seed} holds no trained model ({' and '.join(missing)} missing); name the folder of an "
                f"experiment that was trained to its end."
            )


def _check_bands(name: str, experiment: ExperimentSettings, area: str, factors: Sequence[str]) -> None:
    """An area that is mapped with weights from elsewhere has every band that they were trained on."""
    path = Path(weights_folders(name, experiment)[0]) / "model.json"
    try:
        bands = json.loads(path.read_text(encoding="utf-8"))["bands"]
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"experiments.{name}.weights: {path} does not say on which bands the weights were trained; copy the whole "
            f"folder again from where it was trained."
        ) from None
    for band in bands:
        if band not in factors:
            raise InputError(
                f"experiments.{name}.weights need the factor '{band}', which the area {area} does not have"
                f"{nearest(band, factors)} Give the input that it is made from, leave {area} out of map_areas, or use "
                f"weights trained without it."
            )
