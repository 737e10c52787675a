"""What an area's results hold for the report: only what the config asks for, so that leftovers are not shown."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from slipmap.config.layout import weights_folders
from slipmap.config.products import has_factors, is_tested, mapped_areas
from slipmap.config.run import AreaSettings, ExperimentSettings, RunSettings
from slipmap.factors.names import factor_names
from slipmap.io.grid import Grid
from slipmap.report import published
from slipmap.report.published import Published

DEFORMATION = ("velocity", "velocity_std", "temporal_coherence", "dem_error", "mask")
TABLES = ("correlation", "spearman", "vif", "vif_selected", "importance", "pca", "frequency_ratio", "decision")
MAPS = ("probability", "class", "uncertainty", "probability_class")


@dataclass(frozen=True)
class Experiment:
    """What an experiment left for this area.

    Parameters
    ----------
    maps : probability, class, uncertainty, probability_class → raster, and landslides → GeoPackage.
    seeds : seed folder name → what training left there: "record" (model.json), "history" (table).
    metrics : scores over seeds (metrics.csv), where this area is tested. tests : test_metrics.json of each seed.
    """

    name: str
    settings: ExperimentSettings
    maps: dict[str, Path]
    seeds: dict[str, dict[str, Any]] = field(default_factory=dict)
    metrics: pd.DataFrame | None = None
    tests: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Tested:
    """The experiments that are shown of one place, an area or an imported data set.

    Parameters
    ----------
    area : its name. folder : its results.
    """

    area: str
    folder: Path
    experiments: dict[str, Experiment]

    @property
    def mapped(self) -> dict[str, Experiment]:
        """The experiments that have a map of this area."""
        return {name: e for name, e in self.experiments.items() if "probability" in e.maps}

    @property
    def tested(self) -> dict[str, Experiment]:
        """The experiments with test scores in this area."""
        return {name: e for name, e in self.experiments.items() if e.tests}


@dataclass(frozen=True)
class Sources(Tested):
    """Everything there is to show of one area."""

    settings: AreaSettings
    grid: Grid
    hillshade: Path | None
    inventory: Path | None
    split: Path | None
    factors: dict[str, Path]
    coverage: pd.DataFrame | None
    screening: dict[str, pd.DataFrame]
    selection: dict[str, Any] | None
    deformation: dict[str, Path]
    network: pd.DataFrame | None
    stack: dict[str, Any] | None
    reference: dict[str, Any] | None
    truth: dict[str, Path]
    susceptibility: dict[str, Path] = field(default_factory=dict)
    susceptibility_tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    published: dict[str, Published] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether the inputs are simulated."""
        return self.settings.simulate is not None


def gather(area: str, run: RunSettings, results: Path, resources: Path) -> Sources:
    """Find what `results`/`area` holds of what the config `run` asks for.

    Parameters
    ----------
    results, resources : the folders ``results`` and ``resources`` of the run.
    """
    settings = run.areas[area]
    folder = results / area
    deformation = folder / "deformation"
    has_inventory = settings.inputs.inventory is not None
    names = factor_names(settings) if has_factors(settings) else []
    experiments = experiments_of(area, run, results)
    simulated = ("velocity_los", "dem_error") if settings.simulate else ()
    truth = {name: resources / area / "truth" / f"{name}.tif" for name in simulated}
    if settings.simulate:
        truth["landslides"] = resources / area / "truth" / "landslides.gpkg"
    susceptibility, susceptibility_tables = _susceptibility(settings, folder / "susceptibility", has_inventory)
    return Sources(
        area=area,
        settings=settings,
        grid=Grid.load(folder / "grid.json"),
        folder=folder,
        hillshade=_one(folder / "hillshade.tif") if settings.inputs.dem else None,
        inventory=_one(folder / "inventory.tif") if has_inventory else None,
        split=_one(folder / "patches" / "split.tif") if has_inventory else None,
        factors=_existing({name: folder / "factors" / f"{name}.tif" for name in names}),
        coverage=_table(folder / "factors" / "coverage.csv"),
        screening={n: t for n in TABLES if (t := _table(folder / "screening" / f"{n}.csv")) is not None}
        if has_inventory
        else {},
        selection=_json(folder / "screening" / "selection.json") if has_inventory else None,
        deformation=_existing(
            {name: deformation / f"{name}.tif" for name in DEFORMATION} | {"timeseries": deformation / "timeseries.nc"}
        )
        if settings.inputs.sentinel1
        else {},
        network=_table(deformation / "network.csv") if settings.inputs.sentinel1 else None,
        stack=_json(deformation / "stack.json") if settings.inputs.sentinel1 else None,
        reference=_json(deformation / "reference.json") if settings.inputs.sentinel1 else None,
        experiments=experiments,
        truth=_existing(truth),
        susceptibility=susceptibility,
        susceptibility_tables=susceptibility_tables,
        published=published.read(folder / "tables"),
    )


def experiments_of(area: str, run: RunSettings, results: Path) -> dict[str, Experiment]:
    """What the experiments of `run` left for an area or an imported data set; those that left nothing are not there."""
    folder = results / area
    experiments = {}
    for name, chosen in run.experiments.items():
        maps = folder / "maps" / name
        found = {kind: maps / f"{kind}.tif" for kind in MAPS} | {"landslides": maps / "landslides.gpkg"}
        experiment = Experiment(
            name,
            chosen,
            _existing(found) if area in mapped_areas(run, name) else {},
            _seeds(chosen, name, results),
            *(_scores(chosen, name, folder) if is_tested(run, name, area) else (None, [])),
        )
        if experiment.maps or experiment.tests:
            experiments[name] = experiment
    return experiments


def _susceptibility(
    settings: AreaSettings, folder: Path, has_inventory: bool
) -> tuple[dict[str, Path], dict[str, pd.DataFrame]]:
    """Maps and tables of the susceptibility stage: the Landslide Risk Index, the classical models."""
    chosen = settings.susceptibility
    if chosen is None:
        return {}, {}
    names = ["lsi", "lsi_class"] if chosen.risk_index is not None else []
    names += list(chosen.maps) if has_inventory else []
    tables = ("cross_validation_summary", "test_scores") if has_inventory else ()
    return (
        _existing({name: folder / f"{name}.tif" for name in names}),
        {name: table for name in tables if (table := _table(folder / f"{name}.csv")) is not None},
    )


def _seeds(chosen: ExperimentSettings, name: str, results: Path) -> dict[str, dict[str, Any]]:
    """Records and histories of the weights, wherever they were trained."""
    folders = [Path(folder) for folder in weights_folders(name, chosen)]
    if chosen.weights is None:
        folders = [results / folder.relative_to("results") for folder in folders]
    return {
        folder.name: {"record": record, "history": _table(folder / "history.csv")}
        for folder in folders
        if (record := _json(folder / "model.json")) is not None
    }


def _scores(chosen: ExperimentSettings, name: str, folder: Path) -> tuple[pd.DataFrame | None, list[dict[str, Any]]]:
    base = folder / "experiments" / name
    tests = [_json(base / f"seed_{seed}" / "test_metrics.json") for seed in chosen.training.seeds]
    return _table(base / "metrics.csv"), [test for test in tests if test is not None]


def _existing(paths: Mapping[str, Path]) -> dict[str, Path]:
    return {name: path for name, path in paths.items() if path.exists()}


def _one(path: Path) -> Path | None:
    return path if path.exists() else None


def _table(path: Path) -> pd.DataFrame | None:
    return pd.read_csv(path) if path.exists() else None


def _json(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
