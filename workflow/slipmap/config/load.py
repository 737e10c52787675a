"""Read and check a config; every mistake becomes one sentence that names the key and what to do."""

import re
import typing
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from slipmap.config.event import FROM_PRODUCTS, EventSettings
from slipmap.config.inputs import InputSettings
from slipmap.config.layout import acquired_inputs, imported_datasets, simulated_inputs
from slipmap.config.motion import ActiveAreaSettings
from slipmap.config.names import check_names
from slipmap.config.places import places_of
from slipmap.config.run import AreaSettings, ExperimentSettings, RunSettings
from slipmap.config.yaml_file import expanded, read_yaml, said
from slipmap.errors import NEXT, Faults, InputError, nearest


def read_config(path: str | Path) -> RunSettings:
    """Read the YAML file at `path` and check it; see `parse_config`."""
    return parse_config(read_yaml(path), source=str(path))


def parse_config(record: Mapping[str, Any], source: str = "config") -> RunSettings:
    """Turn a mapping into checked settings.

    Raises
    ------
    InputError : an unknown key (the nearest known one is proposed), a wrong type or value, a reference to an
        area, data set or experiment that is not there.
    """
    settings = _with_inputs(validate(expanded(record, source), source), source)
    check_names(settings, source)
    _check_references(settings, source)
    return _without_maps_of_imported(settings)


def validate(record: Mapping[str, Any], source: str = "config") -> RunSettings:
    """As `parse_config`, but exactly what was given: inputs that are simulated or fetched are not filled in."""
    try:
        return RunSettings.model_validate(_follow_paths(record, source))
    except ValidationError as error:
        raise InputError(_sentence(error, source)) from None


def _with_inputs(settings: RunSettings, source: str) -> RunSettings:
    """Inputs that are simulated or fetched are where they are put: no rule need know."""
    areas = {}
    for name, area in settings.areas.items():
        inputs = area.inputs
        if area.simulate and area.acquire:
            raise InputError(f"{source}: areas.{name} has both simulate and acquire; keep one.")
        if area.simulate and inputs != InputSettings():
            given = ", ".join(f"inputs.{key}" for key in inputs.model_dump(exclude_defaults=True))
            raise InputError(
                f"{source}: areas.{name} has both simulate and {given}; simulated data would take the place of yours: "
                f"take out 'simulate:' (all of it) to map your own data, or 'inputs:' to simulate."
            )
        if area.simulate:
            storm = area.simulate.event
            inputs = simulated_inputs(
                name, inventory=area.simulate.inventory, sentinel1=area.simulate.sentinel1, event=storm is not None
            )
            if storm is not None and area.event is None:
                vh = f"resources/{name}/sentinel1_vh" if area.simulate.sentinel1 == "slc" else FROM_PRODUCTS
                area = area.model_copy(update={"event": EventSettings(date=storm.date, vh=vh)})
        elif area.acquire:
            fetched = acquired_inputs(name, area.acquire)
            for key in fetched:
                if getattr(inputs, key) is not None:
                    raise InputError(f"{source}: areas.{name} has both inputs.{key} and acquire.{key}; keep one.")
            inputs = inputs.model_copy(update=fetched)
        active = _active_areas(area, inputs)
        areas[name] = area.model_copy(update={"inputs": inputs, "active_areas": active})
    return settings.model_copy(update={"areas": areas})


def _active_areas(area: AreaSettings, inputs: InputSettings) -> ActiveAreaSettings:
    """Settings of the active areas by the window over which the area's phases are averaged; one pixel if others did."""
    own, level = area.deformation, inputs.sentinel1.level if inputs.sentinel1 else None
    if level not in ("safe", "slc"):
        return area.active_areas.for_average(1)
    if own.estimator == "phase_linking":
        linking = own.phase_linking
        return area.active_areas.for_average(linking.window, falling=linking.window_weights == "triangular")
    return area.active_areas.for_average(own.phase_window)


def _without_maps_of_imported(settings: RunSettings) -> RunSettings:
    """What learns from an imported data set maps no area unless told to: its bands are seldom an area's factors."""
    imported = set(imported_datasets(settings))
    experiments = {
        name: experiment.model_copy(update={"map_areas": []})
        if experiment.map_areas is None and imported & set(experiment.train_areas)
        else experiment
        for name, experiment in settings.experiments.items()
    }
    return settings.model_copy(update={"experiments": experiments})


def _follow_paths(record: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Replace each area or experiment that is given as a path by what that file says of it."""
    record = dict(record)
    for section in ("areas", "experiments"):
        given = record.get(section)
        if not isinstance(given, Mapping):
            continue
        followed = {}
        for name, value in given.items():
            if isinstance(value, str):
                found = expanded(read_yaml(value), value).get(section) or {}
                if name not in found:
                    raise InputError(
                        f"{source}: {section}.{name} names {value}, which has no {section[:-1]} '{name}'"
                        f"{nearest(name, found)}"
                    )
                value = found[name]
            followed[name] = value
        record[section] = followed
    return record


def _check_references(settings: RunSettings, source: str) -> None:
    imported = imported_datasets(settings)
    if not settings.areas and not imported:
        raise InputError(f"{source}: key 'areas' is missing; add an area (or a data set with a source to import).")
    for name in imported:
        if name in settings.areas:
            raise InputError(
                f"{source}: '{name}' is an area and an imported data set, whose results would lie in one folder; "
                f"rename one."
            )
    faults = Faults()
    faults.of(_check_estimator, settings, source)
    faults.of(_check_tracks, settings, source)
    for name, experiment in settings.experiments.items():
        _check_experiment(settings, experiment, f"{source}: experiments.{name}", faults)
    faults.end()


def _check_experiment(settings: RunSettings, experiment: ExperimentSettings, key: str, faults: Faults) -> None:
    imported = imported_datasets(settings)
    places = [*settings.areas, *imported]
    for role, known in (("train_areas", places), ("test_areas", places), ("map_areas", list(settings.areas))):
        for area in getattr(experiment, role) or ():
            faults.of(_require_place, area, known, imported, f"{key}.{role}")
    if experiment.weights and experiment.train_areas:
        faults.add(f"{key} has both weights and train_areas; keep one (weights maps, train_areas trains).")
    if experiment.weights:
        return
    if not experiment.train_areas:
        faults.add(f"{key} has neither train_areas nor weights; give the areas to learn from, or trained weights.")
        return
    faults.of(_check_dataset, settings, experiment, key)
    for role in ("train_areas", "test_areas"):
        for area in getattr(experiment, role):
            if area in settings.areas and not settings.areas[area].inputs.inventory:
                faults.add(
                    f"{key}.{role} names '{area}', which has no inventory; give areas.{area}.inputs.inventory or "
                    f"{'use weights from another area' if role == 'train_areas' else 'leave it out'}."
                )


def _require_place(area: str, known: Collection[str], imported: Collection[str], key: str) -> None:
    if area in imported and area not in known:
        raise InputError(f"{key} names '{area}', a data set of images, which cannot be mapped; leave it out.")
    if area not in known:
        raise InputError(f"{key} names an area '{area}' that is not under areas{nearest(area, known)}")


def _check_estimator(settings: RunSettings, source: str) -> None:
    """Phases are linked of SLCs alone."""
    for name, area in settings.areas.items():
        stack = area.inputs.sentinel1
        if area.deformation.estimator == "phase_linking" and stack and stack.level not in ("safe", "slc"):
            raise InputError(
                f"{source}: areas.{name}.deformation.estimator is phase_linking, but inputs.sentinel1.level is "
                f"{stack.level}; phase linking needs SLCs (safe, slc): set estimator: sbas."
            )


def _check_tracks(settings: RunSettings, source: str) -> None:
    """The areas that are combined into vertical and east-west velocity have what that needs."""
    for name, area in settings.areas.items():
        opposite = area.deformation.opposite_area
        if opposite is None:
            continue
        key = f"{source}: areas.{name}.deformation.opposite_area"
        others = [other for other in settings.areas if other != name]
        if opposite not in others:
            raise InputError(f"{key} names '{opposite}', which is no other area{nearest(opposite, others)}")
        for each in (name, opposite):
            stack = settings.areas[each].inputs.sentinel1
            if stack is None or stack.level == "velocity":
                raise InputError(
                    f"{key}: area '{each}' has no Sentinel-1 SLCs or interferograms, whose line of sight is needed; "
                    f"give areas.{each}.inputs.sentinel1."
                )


def _check_dataset(settings: RunSettings, experiment: ExperimentSettings, key: str) -> None:
    """Areas are cut by a data set without a source; one with a source is itself what is trained and tested on."""
    places = [*experiment.train_areas, *experiment.test_areas]
    areas = [place for place in places if place in settings.areas]
    if experiment.dataset is None and not areas:
        return
    if experiment.dataset not in settings.datasets:
        raise InputError(
            f"{key}.dataset is '{experiment.dataset}', which is not under datasets"
            f"{nearest(str(experiment.dataset), settings.datasets)}"
        )
    if settings.datasets[experiment.dataset].source is None:
        return
    if areas:
        raise InputError(
            f"{key}.dataset is '{experiment.dataset}', which is imported and not cut from an area; name it instead of "
            f"'{areas[0]}' in train_areas and test_areas, or give a data set without source."
        )
    if experiment.dataset not in places:
        raise InputError(
            f"{key}.dataset is '{experiment.dataset}', which is neither in train_areas nor in test_areas; leave it out."
        )


# Place of a key that has another name today ("*": any name) → that name.
RENAMED = {
    ("areas", "*", "sentinel1"): "geocoding",
    ("areas", "*", "inputs", "sentinel1", "looks"): "independent_looks",
    ("areas", "*", "deformation", "looks"): "slc_looks",
    ("areas", "*", "susceptibility", "spatial"): "schemes",
    ("experiments", "*", "prediction", "blocks"): "parts",
}


def _new_name(location: tuple[Any, ...]) -> str | None:
    """Today's name of the key at `location`, if it had another one before."""
    for old, new in RENAMED.items():
        if len(old) == len(location) and all(part in ("*", given) for part, given in zip(old, location, strict=True)):
            return new
    return None


def _sentence(error: ValidationError, source: str) -> str:
    """What is wrong, a sentence for each key."""
    # a misspelt key also leaves its right spelling missing: the misspelling is what the user must see
    errors = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    misspelt = {item["loc"][:-1] for item in errors if item["type"] == "extra_forbidden"}
    faults = Faults()
    for item in errors:
        if not (item["type"] == "missing" and item["loc"][:-1] in misspelt):
            faults.of(_refuse, item, source)
    return NEXT.join(faults.found)


def _refuse(item: Any, source: str) -> None:
    where = ".".join(str(part) for part in item["loc"])
    kind = item["type"]
    if kind == "extra_forbidden" and (new := _new_name(item["loc"])):
        raise InputError(f"{source}: the key '{where}' is called '{new}' now; rename it.")
    if kind == "extra_forbidden":
        key, known = str(item["loc"][-1]), known_keys(item["loc"][:-1])
        places = places_of(key)
        elsewhere = (
            f" '{key}' stands under {' and '.join(places)}: move it there if you mean that one." if places else ""
        )
        raise InputError(f"{source}: unknown key '{where}'{nearest(key, known)}{elsewhere}")
    if kind == "missing":
        raise InputError(f"{source}: key '{where}' is missing; add it.")
    if (
        isinstance(item.get("input"), str)
        and re.fullmatch(r"[-+.\d]+\s+[-+.\d\s]+", item["input"])
        and where[-1].isdigit()
    ):
        raise InputError(
            f"{source}: {where.rpartition('.')[0]} has '{item['input']}' for one number; a comma is missing."
        )
    wanted = next((words for start, words in _WANTED.items() if kind.startswith(start)), None)
    message = wanted or item["msg"].removeprefix("Value error, ")
    raise InputError(f"{source}: {where} is {said(item.get('input'))}, but: {message[0].lower()}{message[1:]}.")


# what pydantic misses, in words of YAML
_WANTED = {
    "model_type": "a mapping is wanted (key: value, indented below it)",
    "model_attributes": "a mapping is wanted (key: value, indented below it)",
    "dict_type": "a mapping is wanted (key: value, indented below it)",
    "list_type": "a list is wanted ([a, b])",
    "tuple_type": "a list is wanted ([a, b])",
    "string_type": "text is wanted (in quotes where YAML would take it for something else)",
    "int_": "a whole number is wanted",
    "float_": "a number is wanted",
    "bool_": "true or false is wanted",
    "date_": "a date is wanted (2023-05-31)",
}


def known_keys(location: tuple[Any, ...], model: type[BaseModel] = RunSettings) -> list[str]:
    """Keys that the section of the config at `location` may have."""
    annotation: Any = model
    for part in location:
        annotation = _descend(annotation, part)
    section = _model_in(annotation)
    return list(section.model_fields) if section else []


def _descend(annotation: Any, part: Any) -> Any:
    model = _model_in(annotation)
    if model is not None and part in model.model_fields:
        return model.model_fields[part].annotation
    for option in (annotation, *get_args(annotation)):
        if get_origin(option) in (dict, list, tuple):
            return get_args(option)[-1]
    return annotation


def _model_in(annotation: Any) -> type[BaseModel] | None:
    for option in (annotation, *(get_args(annotation) if get_origin(annotation) in _UNIONS else ())):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None


_UNIONS = (typing.Union, type(int | str))
