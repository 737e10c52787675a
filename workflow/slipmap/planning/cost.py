"""The cost of a run: what each stage of the workflow takes, from rates that a finished run measured.

A stage grows with one thing: with pixels times interferograms, pairs of linked phases, dates or raw dates, with pixels
alone, or with nothing (it works on a sample); its disk may grow with another. Its rates are what one unit of that took:
core seconds and bytes on disk.
"""

import csv
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Literal

from slipmap.config.layout import Results
from slipmap.errors import InputError
from slipmap.io.atomic import write_text
from slipmap.planning.files import INVERTED

SHIPPED = Path(str(files("slipmap.planning") / "rates.csv"))
_COLUMNS = ("stage", "grows with", "core seconds", "bytes", "largest job MB")

Growth = Literal["pixel pair", "pixel linked pair", "pixel date", "pixel raw date", "pixel", "sample"]


def _inside(path: str) -> str:
    """A path of `Results` without the place."""
    return path.removeprefix("results//")


@dataclass(frozen=True)
class Stage:
    """A stage of the workflow, as far as its cost goes.

    Parameters
    ----------
    benchmarks
        Patterns of the benchmarks of its jobs.
    folders
        Patterns of what it writes, under an area's results.
    grows
        What its work grows with. disk: and its bytes on disk, if with something else.
    beside
        Patterns of benchmarks and folders in a run that links phases, where interferograms are formed beside that.
    each
        Whether it runs once for each experiment; its cost is then that of one run.
    gpu
        Whether its jobs ask for a GPU.
    """

    name: str
    benchmarks: tuple[str, ...]
    folders: tuple[str, ...]
    grows: Growth
    each: bool = False
    gpu: bool = False
    beside: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    disk: Growth | None = None

    @property
    def growth(self) -> str:
        """What it grows with, in words."""
        return f"{self.grows}; disk: {self.disk}" if self.disk else self.grows

    @property
    def disk_grows(self) -> Growth:
        """What its bytes on disk grow with."""
        return self.disk or self.grows

    def places(self, *, linked: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Patterns of its benchmarks and folders, in a run whose phases are linked or not."""
        return self.beside if linked and self.beside else (self.benchmarks, self.folders)


_INVERTED = tuple(getattr(Results, role) for role in INVERTED)
_MOTION = tuple(
    getattr(Results, role)
    for role in (
        "kinematics",
        "trend",
        "significance",
        "sensitivity",
        "downslope",
        "detectable",
        "aliasing",
        "visibility",
    )
)
_BESIDE = Results("", beside="sbas")
TRAINING = "training, one run"
STAGES = (
    Stage("geocoding of raw Sentinel-1", ("geocode/*", "azimuth_shift/*"), (Results.slcs,), "pixel raw date"),
    Stage(
        "interferograms and unwrapping",
        ("unwrap/*", "unwrap_supplied/*"),
        (Results.unwrapped_interferograms,),
        "pixel pair",
        beside=(("unwrap_beside/*",), (_inside(_BESIDE.unwrapped_interferograms),)),
    ),
    Stage(
        "inversion",
        ("invert_network",),
        _INVERTED,
        "pixel pair",
        beside=(("invert_beside",), tuple(_inside(getattr(_BESIDE, role)) for role in INVERTED)),
        disk="pixel date",  # the series is nearly all of it
    ),
    Stage("phase linking", ("link_phases_*",), (Results.linked,), "pixel date"),
    Stage(
        "unwrapping of linked phases", ("unwrap_linked/*",), (Results.unwrapped_interferograms,), "pixel linked pair"
    ),
    Stage("inversion of linked phases", ("invert_network",), _INVERTED, "pixel linked pair", disk="pixel date"),
    Stage(
        "motion: trends, geometry, active areas",
        ("kinematics", "slope_geometry", "active_areas", "export_motion"),
        (*_MOTION, "deformation/export", Results.views, _inside(_BESIDE.views)),
        "pixel",
    ),
    Stage(
        "factors",
        ("terrain*", "hydrology", "optical*", "lithology", "rain_*", "soil_*", "velocity_factor", "coverage"),
        ("factors", "hillshade.tif"),
        "pixel",
    ),
    Stage("screening and classical models", ("screening", "compare_models", "risk_index"), ("screening",), "sample"),
    Stage("patches", ("split", "patches_*"), ("patches",), "pixel"),
    Stage(TRAINING, ("train_*", "evaluate_*", "augmentation_figure_*"), ("experiments",), "pixel", each=True, gpu=True),
    Stage("mapping, one map", ("map_landslides_*",), ("maps",), "pixel", each=True, gpu=True),
    Stage("outlines, one map", ("outline_landslides_*", "publish_map_*", "judge_*"), (), "pixel", each=True),
    Stage(
        "comparison and hazard maps", ("compare_experiments", "hazard_maps"), ("comparison", "susceptibility"), "pixel"
    ),
    Stage("report", ("report",), ("report",), "sample"),
)
FORMED_HERE = ("interferograms and unwrapping",)  # not where unwrapped interferograms are supplied
SBAS = (*FORMED_HERE, "inversion")  # of the estimator, or beside linked phases
LINKED = ("phase linking", "unwrapping of linked phases", "inversion of linked phases")


@dataclass(frozen=True)
class Size:
    """How large an area is: pixels, Sentinel-1 dates, interferograms, pairs of linked phases.

    `raw` are the dates that are geocoded here; None: all.
    """

    pixels: float
    dates: int
    pairs: int
    linked: int = 0
    raw: int | None = None

    def units(self, grows: Growth) -> float:
        """How many units a stage that grows so has to do."""
        raw = self.dates if self.raw is None else self.raw
        counts = {"pixel pair": self.pairs, "pixel linked pair": self.linked, "pixel date": self.dates}
        counts |= {"pixel raw date": raw, "pixel": 1}
        return self.pixels * counts[grows] if grows in counts else 1.0


@dataclass(frozen=True)
class Rate:
    """What one unit of a stage took: core seconds, bytes on disk; and the memory (MB) of its largest job."""

    core_seconds: float
    bytes: float
    largest_job_mb: float


@dataclass(frozen=True)
class Need:
    """What a stage takes: core hours, the largest job's memory as measured (MB), bytes on disk.

    NaN where nothing was measured.
    """

    stage: Stage
    core_hours: float
    largest_job_mb: float
    disk: float


def needs(rates: Mapping[str, Rate], size: Size, *, without: Iterable[str] = ()) -> list[Need]:
    """What each stage takes on an area of `size`, but for the stages called `without`.

    Interferograms are formed, phases are linked, or both, as it was where the rates come from.
    """
    unknown = Rate(math.nan, math.nan, math.nan)
    links, forms = LINKED[0] in rates, SBAS[1] in rates or LINKED[0] not in rates
    left_out = {*without, *(() if links else LINKED), *(() if forms else SBAS)}
    found = []
    for stage in STAGES:
        if stage.name not in left_out:
            rate, units = rates.get(stage.name, unknown), size.units(stage.grows)
            hours, disk = rate.core_seconds * units / 3600, rate.bytes * size.units(stage.disk_grows)
            found.append(Need(stage, hours, rate.largest_job_mb, disk))
    return found


def size_of(results: str | Path) -> Size:
    """How large the area of a finished run is.

    Raises
    ------
    InputError
        `results` holds no finished run with deformation.
    """
    results = Path(results)
    own, beside = Results.unwrapped_interferograms, _inside(_BESIDE.unwrapped_interferograms)
    pairs, formed = ({path.stem for path in (results / folder).glob("*.tif")} for folder in (own, beside))
    if not (results / Results.grid).is_file() or not pairs:
        raise InputError(f"{results} holds no finished run with deformation; run an area first (the demo: make demo).")
    grid = json.loads((results / Results.grid).read_text(encoding="utf-8"))
    dates = {day for pair in pairs for day in pair.split("_")}
    linked = (len(formed), len(pairs)) if _links(results) else (len(pairs), 0)
    raw = len(list((results / Results.slcs).glob("*.h5")))
    return Size(grid["width"] * grid["height"], len(dates), *linked, raw)


def _links(results: Path) -> bool:
    """Whether the phases of a run are linked."""
    return (results / Results.linked).is_dir()


def measure(results: str | Path) -> dict[str, Rate]:
    """Rates of a finished run, by stage: from Snakemake's benchmarks and the sizes of what lies there.

    Core seconds are the user and system time of the jobs. Of a stage that ran for each experiment the mean is taken.
    A stage that the run did not have is left out.

    Raises
    ------
    InputError
        `results` holds no finished run with deformation.
    """
    results, size = Path(results), size_of(results)
    experiments = max(1, len(list((results / "maps").glob("*/"))))
    found = {}
    other = SBAS if _links(results) and not size.pairs else () if _links(results) else LINKED
    for stage in STAGES:
        benchmarks, folders = stage.places(linked=_links(results))
        jobs = list(_job_records(results, benchmarks))
        runs = experiments if stage.each else 1
        units, disk_units = (size.units(grows) * runs for grows in (stage.grows, stage.disk_grows))
        if jobs and units and stage.name not in other:
            written = sum(_bytes(path) for pattern in folders for path in results.glob(pattern))
            found[stage.name] = Rate(
                sum(float(job["cpu_time"]) for job in jobs) / units,
                written / disk_units if disk_units else 0.0,
                max(float(job["max_rss"]) for job in jobs),
            )
    return found


def user_rates() -> Path:
    """File of the user's own rates: ``$XDG_CONFIG_HOME/slipmap/rates.csv``, by default under ``~/.config``."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(home) if Path(home).is_absolute() else Path.home() / ".config"  # the standard ignores relative ones
    return folder / "slipmap" / "rates.csv"


def write_rates(rates: Mapping[str, Rate], path: str | Path) -> None:
    """Keep rates in a file; `read_rates` reads it.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    lines = [",".join(_COLUMNS)]
    for stage in STAGES:
        if stage.name in rates:
            rate = rates[stage.name]
            numbers = (f"{value:.6g}" for value in (rate.core_seconds, rate.bytes, rate.largest_job_mb))
            lines.append(",".join([f'"{stage.name}"', stage.growth, *numbers]))
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_text(path, "\n".join(lines) + "\n")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); name another file with --out.") from error


def read_rates(path: str | Path | None = None) -> dict[str, Rate]:
    """The rates to estimate with: of the file `path`, else of the user's file, else the demo's, which fill any gap.

    Raises
    ------
    InputError
        The file is not there, or not one that `slipmap rates` writes.
    """
    shipped = _read(SHIPPED)
    if path is None and not user_rates().is_file():
        return shipped
    return shipped | _read(Path(path or user_rates()))


def _read(path: Path) -> dict[str, Rate]:
    grows = {stage.name: stage.growth for stage in STAGES}
    found = {}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                name = row["stage"]
                if row["grows with"] != grows[name]:
                    raise ValueError(name)
                numbers = [float(row[column]) for column in _COLUMNS[2:]]
                if not all(math.isfinite(value) and value >= 0 for value in numbers):
                    raise ValueError(name)
                found[name] = Rate(*numbers)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); 'slipmap rates' writes such a file.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} holds no rates ({error}); write it again with 'slipmap rates'.") from error
    return found


def pairs_within(days: Iterable[date], longest: float) -> int:
    """Pairs of dates at most `longest` days apart: as many interferograms there can be."""
    return sum((b - a).days <= longest for a, b in combinations(sorted(set(days)), 2))


def pairs_of_neighbours(dates: int, neighbours: int) -> int:
    """Pairs of each date with its `neighbours` next ones, as linked phases are paired."""
    return sum(min(neighbours, dates - 1 - n) for n in range(dates))


def _job_records(results: Path, patterns: Iterable[str]) -> Iterator[dict[str, str]]:
    """Snakemake's benchmarks of a run's jobs whose names match; those that were over before one look are left out."""
    for pattern in patterns:
        for path in sorted((results / Results.benchmarks).glob(f"{pattern}.tsv")):
            with open(path, encoding="utf-8") as file:
                for row in csv.DictReader(file, delimiter="\t"):
                    if row["cpu_time"] not in ("NA", "-"):
                        yield row


def _bytes(path: Path) -> int:
    inside = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in inside if file.is_file() and not file.is_symlink())
