"""Where things are: an area's inputs under ``resources/``, an experiment's weights and patches under ``results/``."""

import re
from pathlib import Path
from typing import Any, Literal

from slipmap.config.acquire import RAW_PRODUCTS, AcquireSettings, acquired_kinds
from slipmap.config.inputs import InputSettings, Sentinel1Settings, Sentinel2Settings, VectorSettings
from slipmap.config.run import ExperimentSettings, RunSettings

TRUTH = ("velocity_los.tif", "dem_error.tif", "landslides.gpkg")
# text in the settings of inputs
_NOT_PATHS = (
    "level", "attribute", "format", "product", "label", "x", "y", "crs", "layer", "encoding", "inventory_layer",
    "roads_layer", "faults_layer", "units",
)  # fmt: skip


def simulated_inputs(area: str, *, inventory: bool, sentinel1: Literal["slc", "safe"] = "slc") -> InputSettings:
    """Input settings of the simulated area named `area`; without `inventory` it is a prediction area.

    `sentinel1` is the level of the simulated Sentinel-1 data: "slc" or "safe".
    """
    folder = f"resources/{area}"
    return InputSettings(
        dem=f"{folder}/dem.tif",
        sentinel1=Sentinel1Settings(level=sentinel1, path=f"{folder}/sentinel1"),
        sentinel2=Sentinel2Settings(path=f"{folder}/sentinel2"),
        lithology=VectorSettings(path=f"{folder}/lithology.gpkg", attribute="lithology"),
        rainfall=f"{folder}/rainfall.nc",
        soil_moisture=f"{folder}/soil_moisture.nc",
        inventory=f"{folder}/inventory.gpkg" if inventory else None,
    )


PUBLISHED = "resources/published"  # a folder for each published data set
# what is fetched of each kind of data, under resources/{area}/; raw Sentinel-1 has a folder of its own
ACQUIRED = {
    "sentinel1": "sentinel1",
    "sentinel1_raw": "sentinel1_raw",
    "orbits": "orbits",
    "sentinel2": "sentinel2",
    "dem": "dem.tif",
    "lithology": "lithology.gpkg",
    "rainfall": "rainfall",
    "soil_moisture": "soil_moisture",
    "inventory": "inventory.gpkg",
}
_LEVELS = {"opera_cslc": ("slc", "opera"), "hyp3": ("unwrapped", "hyp3")}


def acquired_places(settings: AcquireSettings | None) -> dict[str, str]:
    """Kind of data → file or folder under ``resources/{area}/``, of what is fetched."""
    kinds = acquired_kinds(settings)
    raw = settings is not None and settings.sentinel1 is not None and settings.sentinel1.product in RAW_PRODUCTS
    return {kind: ACQUIRED["sentinel1_raw" if kind == "sentinel1" and raw else kind] for kind in kinds}


def acquired_inputs(area: str, settings: AcquireSettings) -> dict[str, Any]:
    """Inputs of the area named `area` that are fetched."""
    folder = f"resources/{area}"
    found: dict[str, Any] = {}
    places = acquired_places(settings)
    for kind, place in places.items():
        match kind:
            case "sentinel1" if settings.sentinel1 is not None and settings.sentinel1.product in _LEVELS:
                level, format_ = _LEVELS[settings.sentinel1.product]
                found[kind] = Sentinel1Settings.model_validate(
                    {"level": level, "path": f"{folder}/{place}", "format": format_}
                )
            case "sentinel1":
                orbits = f"{folder}/{places['orbits']}" if "orbits" in places else None
                found[kind] = Sentinel1Settings(level="safe", path=f"{folder}/{place}", orbits=orbits)
            case "sentinel2":
                found[kind] = Sentinel2Settings(path=f"{folder}/{place}")
            case "lithology":
                found[kind] = VectorSettings(path=f"{folder}/{place}", attribute="lithology")
            case "dem" | "rainfall" | "soil_moisture" | "inventory":
                found[kind] = f"{folder}/{place}"
    return found


def input_files(inputs: InputSettings) -> dict[str, str]:
    """Config key → path of everything that `inputs` names (files and folders), in the order of the config."""
    found: dict[str, str] = {}

    def collect(value: object, key: str) -> None:
        if isinstance(value, dict):
            for name, item in value.items():
                collect(item, f"{key}.{name}" if key else name)
        elif isinstance(value, str) and key.rpartition(".")[2] not in _NOT_PATHS:
            found[key] = value

    collect(inputs.model_dump(), "")
    return found


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
