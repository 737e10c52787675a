"""The cost of a run: what each stage of the workflow takes, from rates that a finished run measured.

A stage grows with one thing: with pixels times pairs, pixels times dates, pixels alone, or with nothing (it works on a
sample). Its rates are what one unit of that took: core seconds and bytes on disk.
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

SHIPPED = Path(str(files("slipmap.planning") / "rates.csv"))
_COLUMNS = ("stage", "grows with", "core seconds", "bytes", "largest job MB")

Growth = Literal["pixel pair", "pixel date", "pixel", "sample"]


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
        What its work grows with.
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


TRAINING = "training, one run"
STAGES = (
    Stage("geocoding of raw Sentinel-1", ("geocode/*", "azimuth_shift/*"), (Results.slcs,), "pixel date"),
    Stage(
        "interferograms and unwrapping",
        ("unwrap/*", "unwrap_supplied/*"),
        (Results.unwrapped_interferograms,),
        "pixel pair",
    ),
    Stage("phase linking", ("link_phases", "link_phases/*"), (Results.linked,), "pixel date"),
    Stage("unwrapping of linked phases", ("unwrap_linked/*",), (Results.unwrapped_interferograms,), "pixel pair"),
    Stage("inversion", ("invert_network",), ("deformation/*.tif", "deformation/*.nc"), "pixel pair"),
    Stage(
        "factors",
        ("terrain*", "hydrology", "optical*", "lithology", "rain_*", "soil_*", "velocity_factor", "coverage"),
        ("factors", "hillshade.tif"),
        "pixel",
    ),
    Stage("screening and classical models", ("screening", "compare_models", "risk_index"), ("screening",), "sample"),
    Stage("patches", ("split", "patches_*"), ("patches",), "pixel"),
    Stage(TRAINING, ("train_*", "evaluate_*"), ("experiments",), "pixel", each=True, gpu=True),
    Stage("mapping, one map", ("map_landslides_*",), ("maps",), "pixel", each=True, gpu=True),
    Stage("outlines, one map", ("outline_landslides_*", "publish_map_*"), (), "pixel", each=True),
    Stage("comparison and hazard maps", ("compare_experiments", "hazard_maps"), ("comparison",), "pixel"),
)
FORMED_HERE = ("interferograms and unwrapping",)  # not where unwrapped interferograms are supplied, or phases linked
LINKED = ("phase linking", "unwrapping of linked phases")  # with `estimator: phase_linking` alone


@dataclass(frozen=True)
class Size:
    """How large an area is: its pixels, its Sentinel-1 dates that are geocoded, its interferograms."""

    pixels: float
    dates: int
    pairs: int

    def units(self, grows: Growth) -> float:
        """How many units a stage that grows so has to do."""
        counts = {"pixel pair": self.pixels * self.pairs, "pixel date": self.pixels * self.dates, "pixel": self.pixels}
        return counts.get(grows, 1.0)


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

    Interferograms are formed or phases are linked, as it was where the rates come from.
    """
    unknown = Rate(math.nan, math.nan, math.nan)
    other = FORMED_HERE if LINKED[0] in rates and FORMED_HERE[0] not in rates else LINKED
    left_out = {*without, *(name for name in other if name not in rates)}
    found = []
    for stage in STAGES:
        if stage.name not in left_out:
            rate, units = rates.get(stage.name, unknown), size.units(stage.grows)
            hours, disk = rate.core_seconds * units / 3600, rate.bytes * units
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
    pairs = len(list((results / Results.unwrapped_interferograms).glob("*.tif")))
    if not (results / Results.grid).is_file() or not pairs:
        raise InputError(f"{results} holds no finished run with deformation; run an area first (the demo: make demo).")
    grid = json.loads((results / Results.grid).read_text(encoding="utf-8"))
    return Size(grid["width"] * grid["height"], len(list((results / Results.slcs).glob("*.h5"))), pairs)


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
    for stage in STAGES:
        jobs = list(_job_records(results, stage.benchmarks))
        units = size.units(stage.grows) * (experiments if stage.each else 1)
        if jobs and units:
            written = sum(_bytes(path) for pattern in stage.folders for path in results.glob(pattern))
            found[stage.name] = Rate(
                sum(float(job["cpu_time"]) for job in jobs) / units,
                written / units,
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
            lines.append(",".join([f'"{stage.name}"', stage.grows, *numbers]))
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
    grows = {stage.name: stage.grows for stage in STAGES}
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
