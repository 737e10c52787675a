"""What the rule of a report gives it, read. Nothing is looked for: leftovers are not shown."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from slipmap.config.layout import (
    APPLICABILITY,
    COMPARISON,
    MAPS,
    SCREENING_TABLES,
    SEED_FILES,
    TEST_METRICS,
    Results,
    simulated_truth,
    weights_folders,
)
from slipmap.config.products import is_tested, mapped_areas
from slipmap.config.run import AreaSettings, ExperimentSettings, RunSettings
from slipmap.factors.names import factor_names
from slipmap.io.grid import Grid
from slipmap.models import index
from slipmap.report import published
from slipmap.report.published import Published

DEFORMATION = (
    "velocity", "velocity_std", "averaging_std", "temporal_coherence", "reliability", "dem_error", "mask", "timeseries",
    "downslope", "trend", "kinematics", "fading", "significance",
)  # fmt: skip

# of the comparison of models: its tables (which are drawn here), and the pictures that only other rules can draw
COMPARED = (*(name for name in COMPARISON if name.endswith(".csv")), "predictions.png", "maps.png")


class Given:
    """The files that a rule gives, by the paths of the layout.

    Parameters
    ----------
    files : paths as the layout states them. root : folder in which they lie.
    """

    def __init__(self, files: Iterable[str], root: str | Path = "") -> None:
        self.files = frozenset(map(str, files))
        self.root = Path(root)

    def one(self, path: str) -> Path | None:
        """Where the file is; None if it is not given."""
        return self.root / path if path in self.files else None

    def some(self, paths: Mapping[str, str]) -> dict[str, Path]:
        """Of the files by name those that are given."""
        return {name: self.root / path for name, path in paths.items() if path in self.files}

    def table(self, path: str) -> pd.DataFrame | None:
        """A CSV file."""
        return pd.read_csv(self.root / path) if path in self.files else None

    def record(self, path: str) -> dict[str, Any] | None:
        """A JSON file."""
        return json.loads((self.root / path).read_text(encoding="utf-8")) if path in self.files else None


@dataclass(frozen=True)
class Experiment:
    """What an experiment left for this area.

    Parameters
    ----------
    maps : probability, class, uncertainty, probability_class → raster, and landslides → GeoPackage.
    seeds : seed folder name → what training left there: "record" (model.json), "history" (table).
    metrics : scores over seeds (metrics.csv), where this area is tested. tests : test_metrics.json of each seed.
    augmentation : picture of what augmentation does to its patches, where it does any.
    usable : whether the map is of use as probabilities (usable.json), where the area is mapped.
    """

    name: str
    settings: ExperimentSettings
    maps: dict[str, Path]
    seeds: dict[str, dict[str, Any]] = field(default_factory=dict)
    metrics: pd.DataFrame | None = None
    tests: list[dict[str, Any]] = field(default_factory=list)
    augmentation: Path | None = None
    usable: dict[str, Any] | None = None

    @property
    def about(self) -> str:
        """Its description; the model that it was trained with where it has none."""
        trained = next((seed["record"]["model"]["name"] for seed in self.seeds.values()), None)
        name = trained or (None if self.settings.weights else self.settings.model.name)
        known = index.records().get(name or "")
        return self.settings.description or (known.in_words if known else name or "")

    @property
    def called(self) -> str:
        """What its map is called: what it was made from, and the short name of its files."""
        return f"{self.about} ({self.name})" if self.about else f"Map of {self.name}"


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
    """Everything there is to show of one area.

    Parameters
    ----------
    beside : velocity and mask of the estimator beside the area's own, by name. event, changes : facts of the event
        map, and of what is new since an earlier run. found : their rasters and outlines, and pictures and tables of the
        comparison of models, by name.
    """

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
    active_areas: Path | None = None
    beside: dict[str, Path] = field(default_factory=dict)
    susceptibility: dict[str, Path] = field(default_factory=dict)
    susceptibility_tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    published: dict[str, Published] = field(default_factory=dict)
    event: dict[str, Any] | None = None
    changes: dict[str, Any] | None = None
    found: dict[str, Path] = field(default_factory=dict)
    troposphere: pd.DataFrame | None = None

    @property
    def simulated(self) -> bool:
        """Whether the inputs are simulated."""
        return self.settings.simulate is not None


def gather(area: str, run: RunSettings, given: Given) -> Sources:
    """What is `given` of an area, read and by name."""
    settings, made = run.areas[area], Results(area)
    tables = {name: given.table(made.screening(name)) for name in SCREENING_TABLES}
    maps, scores = _susceptibility(settings, made, given)
    return Sources(
        area=area,
        settings=settings,
        grid=Grid.load(given.root / made.grid),
        folder=given.root / made.folder,
        hillshade=given.one(made.hillshade),
        inventory=given.one(made.inventory),
        split=given.one(made.split),
        factors=given.some({name: made.factor(name) for name in factor_names(settings)}),
        coverage=given.table(made.coverage),
        screening={name: table for name, table in tables.items() if table is not None},
        selection=given.record(made.selection),
        deformation=given.some({name: getattr(made, name) for name in DEFORMATION}),
        network=given.table(made.network),
        stack=given.record(made.stack),
        reference=given.record(made.reference),
        experiments=experiments_of(area, run, given),
        active_areas=given.one(made.active_areas),
        beside=_beside(area, settings, given),
        truth=given.some(simulated_truth(area)),
        susceptibility=maps,
        susceptibility_tables=scores,
        published=published.read(given.root / made.paper_tables),
        event=given.record(made.event_record),
        changes=given.record(made.changes_record),
        found=given.some(
            {
                name: getattr(made, name)
                for name in ("event_significance", "event_landslides", "changes", "velocity_change")
            }
            | {name: made.comparison(name) for name in COMPARED}
        ),
        troposphere=given.table(made.troposphere),
    )


def _beside(area: str, settings: AreaSettings, given: Given) -> dict[str, Path]:
    """Velocity and mask of the estimator beside the area's own."""
    chosen = settings.deformation.compare_with
    other = Results(area, beside=chosen or "")
    return given.some({name: getattr(other, name) for name in ("velocity", "mask")}) if chosen else {}


def experiments_of(area: str, run: RunSettings, given: Given) -> dict[str, Experiment]:
    """What is given of each experiment in an area or an imported data set; those of which nothing is are not there."""
    made, experiments = Results(area), {}
    for name, chosen in run.experiments.items():
        maps = {kind: made.map(name, kind) for kind in MAPS} | {"landslides": made.landslides(name)}
        maps |= {"sets": made.sets(name, "tif")}
        maps |= {"applicability": made.applicability(name, APPLICABILITY["mask"])}
        tests = (given.record(f"{made.seed(name, seed)}/{TEST_METRICS}") for seed in chosen.training.seeds)
        tested = is_tested(run, name, area)
        experiment = Experiment(
            name,
            chosen,
            given.some(maps) if area in mapped_areas(run, name) else {},
            _seeds(name, chosen, given),
            given.table(made.metrics(name)) if tested else None,
            [test for test in tests if test is not None] if tested else [],
            given.one(made.augmentation(name)),
            usable=given.record(made.usable(name)) if area in mapped_areas(run, name) else None,
        )
        if experiment.maps or experiment.tests:
            experiments[name] = experiment
    return experiments


def _susceptibility(
    settings: AreaSettings, made: Results, given: Given
) -> tuple[dict[str, Path], dict[str, pd.DataFrame]]:
    """Maps and tables of the susceptibility stage: the Landslide Risk Index, the classical models."""
    chosen = settings.susceptibility
    names = ["lsi", "lsi_class", *(chosen.maps if chosen else ())]
    tables = {
        name: given.table(made.susceptibility_table(name))
        for name in ("cross_validation_summary", "distances", "test_scores")
    }
    return (
        given.some(
            {name: made.susceptibility(name) for name in names}
            | {
                f"{name}_applicability": made.susceptibility_applicability(name, APPLICABILITY["mask"])
                for name in (chosen.maps if chosen else ())
            }
        ),
        {name: table for name, table in tables.items() if table is not None},
    )


def _seeds(name: str, chosen: ExperimentSettings, given: Given) -> dict[str, dict[str, Any]]:
    """Records and histories of the weights, wherever they were trained."""
    found = {}
    for folder in weights_folders(name, chosen):
        record = given.record(f"{folder}/{SEED_FILES['record']}")
        if record is not None:
            found[Path(folder).name] = {"record": record, "history": given.table(f"{folder}/{SEED_FILES['history']}")}
    return found
