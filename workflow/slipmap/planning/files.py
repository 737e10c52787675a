"""Which files a run makes and reads, by area, data set and experiment: what the rules ask of the config.

Every function takes the whole config first and the name of an area, data set or experiment second.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from slipmap.config.layout import (
    APPLICABILITY,
    COMPARISON,
    MAPS,
    SCREENING_TABLES,
    SEED_FILES,
    TEST_METRICS,
    Results,
    home_area,
    imported_datasets,
    patch_store,
    simulated_truth,
    weights_folders,
)
from slipmap.config.motion import DESCRIBED_BY
from slipmap.config.products import has_factors, is_tested, mapped_areas
from slipmap.config.run import ExperimentSettings, RunSettings
from slipmap.factors.names import factor_names

# what the inversion writes, by role
INVERTED = (
    *("velocity", "velocity_std", "averaging_std", "temporal_coherence", "dem_error", "mask", "reliability"),
    *("interferograms_used", "open_triplets", "timeseries", "reference", "troposphere", "fading"),
)
MOTION = ("velocity", "velocity_std", "mask", "timeseries", "stack", "active_areas")


def has_series(run: RunSettings, area: str) -> bool:
    """Whether an area's displacement is inverted here, and not supplied as a velocity alone."""
    source = run.areas[area].inputs.sentinel1
    return source is not None and source.level != "velocity"


def factor_files(run: RunSettings, area: str) -> dict[str, str]:
    """Raster of each factor of an area, by name, in their order."""
    return {name: Results(area).factor(name) for name in factor_names(run.areas[area])}


def motion_files(run: RunSettings, area: str) -> dict[str, str]:
    """What a landslide's motion is read from, by role; nothing where there is no time series."""
    return {role: getattr(Results(area), role) for role in MOTION} if has_series(run, area) else {}


def beside_files(run: RunSettings, area: str) -> list[str]:
    """What the report compares an area's velocity with, by another estimator; nothing where that is not asked for."""
    chosen = run.areas[area].deformation.compare_with
    if chosen is None or not has_series(run, area):
        return []
    made = Results(area, beside=chosen)
    return [made.velocity, made.velocity_std, made.mask]


def active_area_files(run: RunSettings, area: str) -> dict[str, str]:
    """What active areas are made of and described by, by role: the radar's products, and what else there is."""
    settings, made = run.areas[area], Results(area)
    files = {role: getattr(made, role) for role in ("velocity", "velocity_std", "averaging_std", "mask", "timeseries")}
    if settings.inputs.dem:
        files |= {role: getattr(made, role) for role in ("sensitivity", "downslope", "visibility")}
    if has_factors(settings):
        factors = factor_files(run, area)
        files |= {name: factors[name] for name in DESCRIBED_BY if name in factors}
    return files | {name: str(getattr(settings.inputs, name)) for name in nearby_layers(run, area)}


def nearby_layers(run: RunSettings, area: str) -> dict[str, str | None]:
    """Of what people built and the inputs have: the layer of its file, by name."""
    inputs = run.areas[area].inputs
    return {name: getattr(inputs, f"{name}_layer") for name in ("roads", "buildings") if getattr(inputs, name)}


def motion_source(area: str, factor: str) -> str:
    """The raster in which a factor of motion, or of an event, is the band of its own name."""
    made = Results(area)
    sources = {"significance": made.significance, "event_significance": made.event_significance}
    sources |= dict.fromkeys(("coherence_loss_score", "vv_change", "vh_change"), made.event_track)
    return sources.get(factor, made.kinematics)


def opposite_files(run: RunSettings, area: str) -> dict[str, str]:
    """What vertical and east-west velocity need of the area with the opposite flight direction."""
    opposite = Results(str(run.areas[area].deformation.opposite_area))
    return {f"opposite_{role}": getattr(opposite, role) for role in ("velocity", "velocity_std", "stack")}


def beside_velocity(run: RunSettings, area: str) -> list[str]:
    """What is made of an area's velocity besides the factor: active areas, projected on the slopes, of two tracks."""
    settings, made = run.areas[area], Results(area)
    if not has_series(run, area):
        return []
    moving = [made.active_areas, made.trend, *([made.downslope] if settings.inputs.dem else [])]
    if not settings.deformation.opposite_area:
        return moving
    return [*moving, made.vertical, made.east, *([made.slope_parallel] if settings.inputs.dem else [])]


def event_areas(run: RunSettings) -> list[str]:
    """Areas of which an event map is made."""
    return [name for name, area in run.areas.items() if area.event is not None]


def event_files(run: RunSettings, area: str) -> dict[str, str]:
    """What an event map is made of and described by, by role: its tracks, and what else there is."""
    settings, made = run.areas[area], Results(area)
    files = {"track": made.event_track, "images": made.event_images}
    opposite = settings.deformation.opposite_area
    if opposite and run.areas[opposite].event is not None:
        files |= {"opposite_track": Results(opposite).event_track, "opposite_images": Results(opposite).event_images}
    if has_factors(settings):
        factors = factor_files(run, area)
        files |= {name: factors[name] for name in ("ndvi_change", *DESCRIBED_BY) if name in factors}
    return files | {name: str(getattr(settings.inputs, name)) for name in nearby_layers(run, area)}


def earlier_files(run: RunSettings, area: str) -> list[str]:
    """Files of the earlier run with which an area is compared."""
    chosen = run.areas[area].changes
    needed = (Results.grid, Results.velocity, Results.reference, Results.network, Results.active_areas)
    return [f"{chosen.earlier}/{name}" for name in needed] if chosen else []


def new_outline_files(run: RunSettings, area: str) -> dict[str, str]:
    """Outlines of the maps of an area, by ``map_`` and experiment."""
    mapped = [name for name in run.experiments if area in mapped_areas(run, name)]
    return {f"map_{name}": Results(area).landslides(name) for name in mapped}


def index_files(run: RunSettings, area: str) -> dict[str, str]:
    """Rasters of the factors of which the Landslide Risk Index is made, by name."""
    chosen = run.areas[area].susceptibility
    names = chosen.risk_index.names if chosen and chosen.risk_index else ()
    return {name: Results(area).factor(name) for name in names}


def susceptibility_files(run: RunSettings, area: str) -> list[str]:
    """Everything that the stage makes for an area: nothing without settings, the index alone without inventory."""
    chosen, made = run.areas[area].susceptibility, Results(area)
    if chosen is None:
        return []
    files = [made.risk_index, made.risk_index_classes] if chosen.risk_index is not None else []
    if run.areas[area].inputs.inventory is not None:
        tables = ("cross_validation_summary", "distances", "test_scores")
        files += [made.susceptibility_table(name) for name in tables]
        for model in chosen.maps:
            files += [made.susceptibility(model), *susceptibility_applicability(area, model).values()]
    return files


def susceptibility_applicability(area: str, model: str) -> dict[str, str]:
    """Index, mask and shares of where a classical model applies, by role."""
    return {role: Results(area).susceptibility_applicability(model, kind) for role, kind in APPLICABILITY.items()}


def pooled_areas(run: RunSettings, area: str) -> list[str]:
    """The area, then those whose pixels its classical models also learn from."""
    chosen = run.areas[area].susceptibility
    return [area, *(chosen.with_areas if chosen else ())]


def pooled_files(run: RunSettings, area: str) -> dict[str, str | list[str]]:
    """The rasters of every pooled area, by role."""
    areas = pooled_areas(run, area)
    return {
        "factors": [path for each in areas for path in factor_files(run, each).values()],
        "inventories": [Results(each).inventory for each in areas],
        "splits": [Results(each).split for each in areas],
        "selection": Results(area).selection,
    }


def stores(run: RunSettings, experiment: ExperimentSettings) -> list[str]:
    """The patch stores that an experiment is trained on."""
    return [patch_store(run, experiment, place) for place in experiment.train_areas]


def training_files(run: RunSettings, experiment: ExperimentSettings) -> dict[str, str | list[str]]:
    """What training reads, by role: stores, the selection of factors, weights to begin with."""
    files: dict[str, str | list[str]] = {"stores": stores(run, experiment)}
    home = home_area(experiment)
    if experiment.factors is None and home not in imported_datasets(run):  # which is used with all its bands
        files["selection"] = Results(home).selection
    initial = experiment.training.initial_weights
    if initial:  # of an experiment of this run, or of an earlier one
        files["initial"] = [f"{initial}/{name}" for name in (SEED_FILES["weights"], SEED_FILES["record"])]
    return files


def weight_files(run: RunSettings, experiment: str) -> list[str]:
    """The files of an experiment's weights, of all its seeds."""
    chosen = run.experiments[experiment]
    needed = ["weights", "record"]
    trained_here = chosen.weights is None  # weights from elsewhere may come without their scores
    if chosen.prediction.calibration == "isotonic" or (chosen.prediction.calibration == "best" and trained_here):
        needed.append("scores")
    return [f"{folder}/{SEED_FILES[role]}" for folder in weights_folders(experiment, chosen) for role in needed]


def applicability_files(run: RunSettings, area: str, experiment: str) -> dict[str, str]:
    """Index, mask and shares of where an experiment's map of an area applies, by role.

    Nothing of weights from elsewhere that came without what they learnt from.
    """
    chosen, made = run.experiments[experiment], Results(area)
    ground = Path(weights_folders(experiment, chosen)[0]) / SEED_FILES["ground"]
    if chosen.weights is not None and not ground.is_file():
        return {}
    return {role: made.applicability(experiment, kind) for role, kind in APPLICABILITY.items()}


def set_files(run: RunSettings, area: str, experiment: str) -> list[str]:
    """Conformal prediction sets of an experiment's map, if they are asked for and it was trained there."""
    chosen, made = run.experiments[experiment], Results(area)
    asked = chosen.prediction.coverage is not None and chosen.weights is None and area in chosen.train_areas
    return [made.sets(experiment, "tif"), made.sets(experiment, "json")] if asked else []


def test_files(place: str, experiment: str, seeds: Iterable[int]) -> list[str]:
    """Test scores of each seed of an experiment in a place."""
    return [f"{Results(place).seed(experiment, seed)}/{TEST_METRICS}" for seed in seeds]


def tests_of_map(run: RunSettings, area: str, experiment: str) -> list[str]:
    """Test scores of an experiment in the area that it maps, where it is tested there."""
    if not is_tested(run, experiment, area):
        return []
    return test_files(area, experiment, run.experiments[experiment].training.seeds)


def augmentation_figures(run: RunSettings, place: str, experiment: str) -> list[str]:
    """The picture of what augmentation does, where an experiment is trained in a place and augments at all."""
    chosen = run.experiments[experiment]
    augment = chosen.training.augment
    drawn = augment.flips or augment.rotations or augment.brightness or augment.centerrep
    here = drawn and chosen.weights is None and place == home_area(chosen)
    return [Results(place).augmentation(experiment)] if here else []


def compared(run: RunSettings, place: str) -> list[str]:
    """The experiments that are set side by side in a place: those tested there, on the patches of the first of them."""
    return [
        name
        for name, chosen in run.experiments.items()
        if is_tested(run, name, place) and chosen.dataset == _dataset_shown(run, place)
    ]


def _dataset_shown(run: RunSettings, place: str) -> str | None:
    """The data set of the first experiment that is tested in a place: pictures are of its patches."""
    return next((chosen.dataset for name, chosen in run.experiments.items() if is_tested(run, name, place)), None)


def compared_files(run: RunSettings, place: str) -> dict[str, str | list[str]]:
    """What the comparison of a place's experiments reads, by role."""
    names = compared(run, place)
    folders = [folder for name in names for folder in weights_folders(name, run.experiments[name])]
    needed = (SEED_FILES["weights"], SEED_FILES["record"], SEED_FILES["history"])
    found: dict[str, str | list[str]] = {
        "store": patch_store(run, run.experiments[names[0]], place),
        "weights": [f"{folder}/{name}" for folder in folders for name in needed],
    }
    area = run.areas.get(place)
    if area is not None and area.susceptibility is not None and area.inputs.inventory is not None:
        found["classical"] = Results(place).susceptibility_table("roc")
    return found


def comparison_files(run: RunSettings, place: str) -> list[str]:
    """The comparison of a place's experiments, where there are any to compare."""
    return [Results(place).comparison(name) for name in COMPARISON] if compared(run, place) else []


def hazard_maps(run: RunSettings, area: str) -> dict[str, str]:
    """Map of every model of an area by its name: experiments, then classical models, then the risk index."""
    made = Results(area)
    maps = {name: made.map(name, "probability") for name in run.experiments if area in mapped_areas(run, name)}
    chosen = run.areas[area].susceptibility
    if chosen is not None and run.areas[area].inputs.inventory is not None:
        maps |= {model: made.susceptibility(model) for model in chosen.maps}
    return maps | ({"lsi": made.susceptibility("lsi")} if chosen is not None and chosen.risk_index else {})


def reported_files(run: RunSettings, area: str) -> list[str]:
    """Everything that the report of an area shows and other rules make."""
    settings, made = run.areas[area], Results(area)
    files = [made.grid]
    if has_factors(settings):
        files += [*factor_files(run, area).values(), made.coverage]
    if settings.inputs.dem:
        files.append(made.hillshade)
    if settings.inputs.sentinel1 is not None:
        files.append(made.velocity)
    if has_series(run, area):
        files += [made.velocity_std, made.temporal_coherence, made.dem_error, made.mask, made.timeseries]
        files += [made.network, made.stack, made.reference, made.active_areas, made.reliability, made.averaging_std]
        files += [made.trend, made.kinematics, *([made.downslope] if settings.inputs.dem else [])]
        files += [made.troposphere, made.fading, made.significance, *beside_files(run, area)]
    if settings.event is not None:
        files += [made.event_significance, made.event_landslides, made.event_record]
    if settings.changes is not None:
        files += [made.changes, made.changes_record, made.velocity_change]
    if settings.inputs.inventory is not None:
        files += [made.inventory, made.split, made.selection, *map(made.screening, SCREENING_TABLES)]
    if settings.simulate:
        files += simulated_truth(area).values()
    for name in run.experiments:
        files += _mapped(run, area, name) if area in mapped_areas(run, name) else []
        files += _tested(run, area, name) if is_tested(run, name, area) else []
    files += comparison_files(run, area) + susceptibility_files(run, area)
    if len(hazard_maps(run, area)) > 1:
        files.append(made.comparison("maps.png"))
    return list(dict.fromkeys(files))


def _mapped(run: RunSettings, area: str, experiment: str) -> list[str]:
    made = Results(area)
    maps = [made.map(experiment, kind) for kind in MAPS]
    made_of = [made.landslides(experiment), made.stac_item(experiment), made.usable(experiment)]
    judged = applicability_files(run, area, experiment).values()
    sets = set_files(run, area, experiment)
    return [*maps, *made_of, *judged, *sets, *_records(run, experiment)]


def _tested(run: RunSettings, place: str, experiment: str) -> list[str]:
    tests = test_files(place, experiment, run.experiments[experiment].training.seeds)
    figures = augmentation_figures(run, place, experiment)
    return [Results(place).metrics(experiment), *tests, *figures, *_records(run, experiment)]


def _records(run: RunSettings, experiment: str) -> list[str]:
    """What training left beside the weights; of weights from elsewhere, what came with them."""
    chosen = run.experiments[experiment]
    files = []
    for folder in weights_folders(experiment, chosen):
        history = f"{folder}/{SEED_FILES['history']}"
        files.append(f"{folder}/{SEED_FILES['record']}")
        files += [history] if chosen.weights is None or Path(history).is_file() else []
    return files


def imported_files(run: RunSettings, dataset: str) -> dict[str, str | list[str]]:
    """Everything that the report of an imported data set shows, by role."""
    tested = [name for name in run.experiments if is_tested(run, name, dataset)]
    return {
        "store": Results(dataset).patches(dataset),
        "shown": [path for name in tested for path in _tested(run, dataset, name)] + comparison_files(run, dataset),
    }


def wildcard(names: Iterable[str] | Mapping[str, object]) -> str:
    """The wildcard constraint that lets these names through, and nothing where there are none."""
    return "|".join(names) or "none"
