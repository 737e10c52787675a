"""Where things are: an area's inputs under ``resources/``, an experiment's weights and patches under ``results/``."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from slipmap.config.acquire import RAW_PRODUCTS, AcquireSettings, acquired_kinds
from slipmap.config.inputs import InputSettings, Sentinel1Settings, Sentinel2Settings, VectorSettings
from slipmap.config.run import ExperimentSettings, RunSettings


class _Path:
    """A path of a place's results: whole of an instance, under the place's folder of the class."""

    def __init__(self, relative: str) -> None:
        self.relative = relative

    def __get__(self, place: "Results | None", kind: type | None = None) -> str:
        if place is None:
            return self.relative
        inside = self.relative.replace("deformation/", f"deformation/{place.beside}/", 1 if place.beside else 0)
        return f"{place.folder}/{inside}"


@dataclass(frozen=True)
class Results:
    """The result paths of one place: an area, or a data set that is imported.

    Rules, report and planning take every path from here. `place` may be a wildcard:

    >>> Results("{area}").velocity
    'results/{area}/deformation/velocity.tif'
    >>> Results.velocity
    'deformation/velocity.tif'

    An estimator `beside` that of the area has a folder of its own:

    >>> Results("{area}", beside="sbas").velocity
    'results/{area}/deformation/sbas/velocity.tif'
    """

    place: str
    beside: Literal["", "sbas"] = ""

    @property
    def folder(self) -> str:
        """Everything of the place."""
        return f"results/{self.place}"

    grid = _Path("grid.json")
    inventory = _Path("inventory.tif")
    hillshade = _Path("hillshade.tif")
    logs = _Path("logs")
    benchmarks = _Path("benchmarks")

    # raw Sentinel-1
    acquisitions = _Path("sentinel1/acquisitions.json")
    slcs = _Path("sentinel1/slc")
    radar_geometry = _Path("sentinel1/slc/geometry.tif")

    def slc(self, date: str) -> str:
        """Geocoded SLC of one date."""
        return f"{self.slcs}/{date}.h5"

    def shift(self, date: str) -> str:
        """Azimuth shift of one date."""
        return f"{self.folder}/sentinel1/shifts/{date}.json"

    # deformation
    network = _Path("deformation/network.csv")
    network_plot = _Path("deformation/network.png")
    stack = _Path("deformation/stack.json")
    views = _Path("deformation/views")
    linked = _Path("deformation/linked")
    interferograms = _Path("deformation/interferograms")
    unwrapped_interferograms = _Path("deformation/unwrapped")
    velocity = _Path("deformation/velocity.tif")
    velocity_std = _Path("deformation/velocity_std.tif")
    averaging_std = _Path("deformation/averaging_std.tif")
    temporal_coherence = _Path("deformation/temporal_coherence.tif")
    dem_error = _Path("deformation/dem_error.tif")
    mask = _Path("deformation/mask.tif")
    reliability = _Path("deformation/reliability.tif")
    interferograms_used = _Path("deformation/interferograms_used.tif")
    open_triplets = _Path("deformation/open_triplets.tif")
    timeseries = _Path("deformation/timeseries.nc")
    reference = _Path("deformation/reference.json")
    troposphere = _Path("deformation/troposphere.csv")
    fading = _Path("deformation/fading.tif")
    sensitivity = _Path("deformation/sensitivity.tif")
    downslope = _Path("deformation/velocity_downslope.tif")
    detectable = _Path("deformation/detectable_velocity.tif")
    aliasing = _Path("deformation/aliasing_velocity.tif")
    visibility = _Path("deformation/visibility.tif")
    vertical = _Path("deformation/velocity_vertical.tif")
    east = _Path("deformation/velocity_east.tif")

    slope_parallel = _Path("deformation/velocity_slope_parallel.tif")
    tracks = _Path("deformation/tracks.tif")
    kinematics = _Path("deformation/kinematics.tif")
    trend = _Path("deformation/trend.tif")
    significance = _Path("deformation/significance.tif")
    active_areas = _Path("deformation/active_areas.gpkg")
    points_csv = _Path("deformation/export/points.csv")
    points_units = _Path("deformation/export/points.csv-metadata.json")  # the name that CSV on the Web looks for
    points_parquet = _Path("deformation/export/points.parquet")
    motion_kmz = _Path("deformation/export/motion.kmz")
    active_areas_style = _Path("deformation/active_areas.qml")

    # what is new since an earlier run
    changes = _Path("changes/changes.gpkg")
    changes_table = _Path("changes/changes.csv")
    velocity_change = _Path("changes/velocity_change.tif")
    changes_record = _Path("changes/changes.json")

    def interferogram(self, pair: str) -> str:
        """Wrapped interferogram of one pair."""
        return f"{self.interferograms}/{pair}.tif"

    def ministack(self, first: str) -> str:
        """Folder of the phases that were linked together, by their first date."""
        return f"{self.linked}/{first}"

    def unwrapped(self, pair: str) -> str:
        """Unwrapped interferogram of one pair."""
        return f"{self.unwrapped_interferograms}/{pair}.tif"

    # event
    slcs_vh = _Path("sentinel1/slc_vh")
    event_track = _Path("event/track.tif")
    event_images = _Path("event/images.json")
    event_significance = _Path("event/significance.tif")
    event_landslides = _Path("event/event_landslides.gpkg")
    event_style = _Path("event/event_landslides.qml")
    event_record = _Path("event/event.json")

    def slc_vh(self, date: str) -> str:
        """Geocoded VH of one date."""
        return f"{self.slcs_vh}/{date}.h5"

    # factors and their screening
    coverage = _Path("factors/coverage.csv")
    selection = _Path("screening/selection.json")

    def factor(self, name: str) -> str:
        """Raster of one factor."""
        return f"{self.folder}/factors/{name}.tif"

    def screening(self, table: str) -> str:
        """One table of the screening (`SCREENING_TABLES`)."""
        return f"{self.folder}/screening/{table}.csv"

    # classical models
    sample = _Path("susceptibility/sample.json")
    risk_index = _Path("susceptibility/lsi.tif")
    risk_index_classes = _Path("susceptibility/lsi_class.tif")

    def susceptibility(self, name: str) -> str:
        """Map by one classical model."""
        return f"{self.folder}/susceptibility/{name}.tif"

    def susceptibility_applicability(self, model: str, kind: str) -> str:
        """Where a classical model applies, as `applicability`."""
        return f"{self.folder}/susceptibility/{model}_{kind}"

    def susceptibility_table(self, name: str) -> str:
        """One table of the classical models (`SUSCEPTIBILITY_TABLES`)."""
        return f"{self.folder}/susceptibility/{name}.csv"

    def susceptibility_figure(self, name: str) -> str:
        """One figure of the classical models."""
        return f"{self.folder}/susceptibility/{name}.png"

    # patches
    split = _Path("patches/split.tif")
    blocks = _Path("patches/blocks.gpkg")

    def patches(self, dataset: str) -> str:
        """Patch store of one data set."""
        return f"{self.folder}/patches/{dataset}.zarr"

    # experiments
    def metrics(self, experiment: str) -> str:
        """Test scores of an experiment over its seeds."""
        return f"{self.folder}/experiments/{experiment}/metrics.csv"

    def augmentation(self, experiment: str) -> str:
        """Picture of what augmentation does."""
        return f"{self.folder}/experiments/{experiment}/augmentation.png"

    def seed(self, experiment: str, seed: int | str) -> str:
        """Folder of one seed; `SEED_FILES` lie in it."""
        return f"{self.folder}/experiments/{experiment}/seed_{seed}"

    def paper_table(self, table: str) -> str:
        """A results table of a paper, our numbers beside the published ones."""
        return f"{self.paper_tables}/{table}.csv"

    def paper_table_record(self, table: str) -> str:
        """What stands behind a paper's table."""
        return f"{self.paper_tables}/{table}.json"

    paper_tables = _Path("tables")

    def comparison(self, name: str) -> str:
        """One table or picture of the comparison of all experiments (`COMPARISON`), or "maps.png"."""
        return f"{self.folder}/comparison/{name}"

    # maps
    def map(self, experiment: str, kind: str) -> str:
        """One raster of an experiment's map (`MAPS`)."""
        return f"{self.folder}/maps/{experiment}/{kind}.tif"

    def map_part(self, experiment: str, part: str) -> str:
        """Part of a map that several jobs make."""
        return f"{self.folder}/maps/{experiment}/parts/{part}.tif"

    def applicability(self, experiment: str, kind: str) -> str:
        """Where a map's model applies: `kind` is "dissimilarity.tif", "applicability.tif" or "applicability.json"."""
        return f"{self.folder}/maps/{experiment}/{kind}"

    def sets(self, experiment: str, kind: Literal["tif", "json"]) -> str:
        """Conformal prediction sets of a map, and what they hold on test ground."""
        return f"{self.folder}/maps/{experiment}/sets.{kind}"

    def usable(self, experiment: str) -> str:
        """Whether the probabilities of a map are of use as such."""
        return f"{self.folder}/maps/{experiment}/usable.json"

    def landslides(self, experiment: str) -> str:
        """Outlines of the landslides of a map."""
        return f"{self.folder}/maps/{experiment}/landslides.gpkg"

    def style(self, experiment: str, kind: str) -> str:
        """QGIS style of one layer of a map."""
        return f"{self.folder}/maps/{experiment}/{kind}.qml"

    def stac_item(self, experiment: str) -> str:
        """STAC item of a map."""
        return f"{self.folder}/maps/{experiment}/item.json"

    report = _Path("report/index.html")
    report_tables = _Path("report/tables")
    project = _Path("map.qgs")


SCREENING_TABLES = (
    *("correlation", "spearman", "vif", "vif_selected", "importance", "pca"),
    *("frequency_ratio", "decision"),
)
SUSCEPTIBILITY_TABLES = (
    *("cross_validation", "cross_validation_summary", "distances"),
    *("test_scores", "calibration", "roc"),
)
COMPARISON = ("predictions.png", "losses.csv", "losses.png", "roc.csv", "roc.png", "sizes.csv", "sizes.png")
TEST_METRICS = "test_metrics.json"
# what training leaves in the folder of a seed, by role
SEED_FILES = {
    "weights": "weights.safetensors",
    "last": "last.safetensors",
    "record": "model.json",
    "history": "history.csv",
    "curves": "curves.png",
    "scores": "validation_scores.csv",
    "ground": "training_ground.csv",
}
APPLICABILITY = {"index": "dissimilarity.tif", "mask": "applicability.tif", "shares": "applicability.json"}
MAPS = ("probability", "uncertainty", "class", "probability_class")


TRUTH = ("velocity_los.tif", "dem_error.tif", "landslides.gpkg")
EVENT_TRUTH = ("event.tif", "event_backscatter.tif", "event_landslides.gpkg")
# text in the settings of inputs
_NOT_PATHS = (
    "level", "attribute", "format", "product", "label", "x", "y", "crs", "layer", "encoding", "inventory_layer",
    "roads_layer", "faults_layer", "buildings_layer", "units",
)  # fmt: skip


def simulated_truth(area: str) -> dict[str, str]:
    """What the simulator knows of an area, by name."""
    return {Path(name).stem: f"resources/{area}/truth/{name}" for name in TRUTH}


def simulated_inputs(
    area: str, *, inventory: bool, sentinel1: Literal["slc", "safe"] = "slc", event: bool = False
) -> InputSettings:
    """Input settings of the simulated area named `area`; without `inventory` it is a prediction area.

    `sentinel1` is the level of the simulated Sentinel-1 data: "slc" or "safe". With an `event` there are Sentinel-2
    scenes before and after it.
    """
    folder = f"resources/{area}"
    before, after = (f"{folder}/sentinel2_{name}" if event else None for name in ("before", "after"))
    return InputSettings(
        dem=f"{folder}/dem.tif",
        sentinel1=Sentinel1Settings(level=sentinel1, path=f"{folder}/sentinel1"),
        sentinel2=Sentinel2Settings(path=f"{folder}/sentinel2", before=before, after=after),
        lithology=VectorSettings(path=f"{folder}/lithology.gpkg", attribute="lithology"),
        rainfall=f"{folder}/rainfall.nc",
        soil_moisture=f"{folder}/soil_moisture.nc",
        inventory=f"{folder}/inventory.gpkg" if inventory else None,
    )


def geocoded_stack(area: str, products: Sentinel1Settings) -> Sentinel1Settings:
    """Settings of the SLCs that are geocoded from an area's SAFE `products`: OPERA's layout, a folder of ours."""
    made = {"level": "slc", "format": "opera", "path": Results(area).slcs}
    return products.model_copy(update=made)


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
    return Results(place).patches(place if place in imported_datasets(run) else str(experiment.dataset))


def weights_folders(name: str, experiment: ExperimentSettings) -> list[str]:
    """Folders of the weights of the experiment called `name`, one for each seed: together they are an ensemble.

    With weights from elsewhere: the folders ``seed_0``, ``seed_1``, … in the one given, by number, or that folder
    itself if it holds none. (Beside them may lie ``seed_0.resume`` or ``seed_0.logs``.)
    """
    if experiment.weights is None:
        return [Results(home_area(experiment)).seed(name, seed) for seed in experiment.training.seeds]
    folders = [path for path in Path(experiment.weights).glob("seed_*") if re.fullmatch(r"seed_\d+", path.name)]
    return [str(path) for path in sorted(folders, key=lambda path: int(path.name[5:]))] or [experiment.weights]
