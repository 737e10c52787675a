"""What a large area will take, stage by stage, from the rates that a finished run measured on this machine."""

import json
import math
import os
import platform
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from slipmap.errors import InputError
from slipmap.planning.estimate import job_records, pairs_within

REPEAT = timedelta(days=12)  # of one Sentinel-1 satellite
LONGEST_PAIR = 60.0  # days; the default of the network


@dataclass(frozen=True)
class Stage:
    """A stage of the workflow: which benchmarks and folders are its own, and what its work grows with.

    `grows` is "pixel pair", "pixel date", "pixel" or "sample" (not with the area: it works on a sample).
    """

    name: str
    benchmarks: tuple[str, ...]
    folders: tuple[str, ...]
    grows: str
    gpu: bool = False


STAGES = (
    Stage("geocoding of raw Sentinel-1", ("geocode/*", "azimuth_shift/*"), ("sentinel1/slc",), "pixel date"),
    Stage("interferograms", ("interferogram/*",), ("deformation/interferograms",), "pixel pair"),
    Stage("unwrapping", ("unwrap/*",), ("deformation/unwrapped",), "pixel pair"),
    Stage("inversion", ("invert_network",), ("deformation/*.tif", "deformation/*.nc"), "pixel pair"),
    Stage(
        "factors",
        ("terrain*", "hydrology", "optical*", "lithology", "rain_*", "soil_*", "velocity_factor", "coverage"),
        ("factors", "hillshade.tif"),
        "pixel",
    ),
    Stage("screening and classical models", ("screening", "compare_models", "risk_index"), ("screening",), "sample"),
    Stage("patches", ("split", "patches_*"), ("patches",), "pixel"),
    Stage("training, one run", ("train_*", "evaluate_*"), ("experiments",), "pixel", gpu=True),
    Stage("mapping, one map", ("map_landslides_*",), ("maps",), "pixel", gpu=True),
    Stage("outlines, one map", ("outline_landslides_*", "publish_map_*"), (), "pixel"),
)


@dataclass(frozen=True)
class Need:
    """What one stage takes: core hours, the largest job's memory as measured (MB), bytes on disk.

    NaN where the run had no such jobs.
    """

    stage: Stage
    core_hours: float
    largest_job_mb: float
    disk: float


def needs(results: str | Path, square_km: float, resolution: float, dates: int) -> list[Need]:
    """What each stage takes on an area of `square_km` at `resolution` (m) with `dates` Sentinel-1 acquisitions.

    Core seconds of the finished run in `results` (user and system time of its jobs, from Snakemake's benchmarks)
    and the bytes that it wrote are scaled by what the stage grows with. Of stages that ran several times for one
    area (a map for each experiment) the mean is taken.

    Raises
    ------
    InputError : `results` holds no finished run with deformation; no such area.
    """
    if not (square_km > 0 and resolution > 0 and dates > 1):
        raise InputError("--km2 and --resolution are above zero, --dates are two or more; correct them.")
    results = Path(results)
    pairs_here = len(list((results / "deformation/unwrapped").glob("*.tif")))
    if not (results / "grid.json").exists() or not pairs_here:
        raise InputError(f"{results} holds no finished run with deformation; run an area first (the demo: make demo).")
    grid = json.loads((results / "grid.json").read_text())
    pixels = square_km * 1e6 / resolution**2 / (grid["width"] * grid["height"])
    pairs = pairs_within([date(2020, 1, 1) + n * REPEAT for n in range(dates)], LONGEST_PAIR) / pairs_here
    geocoded = len(list((results / "sentinel1/slc").glob("*.h5"))) or 1
    growth = {
        "pixel date": pixels * dates / geocoded,
        "pixel pair": pixels * pairs,
        "pixel": pixels,
        "sample": 1.0,
    }
    found = []
    for stage in STAGES:
        jobs = list(job_records(results, stage.benchmarks))
        runs = _runs(stage, results)
        seconds = sum(float(job["cpu_time"]) for job in jobs) / runs if jobs else math.nan
        size = sum(_bytes(path) for pattern in stage.folders for path in results.glob(pattern)) / runs
        largest = max((float(job["max_rss"]) for job in jobs), default=math.nan)
        found.append(
            Need(
                stage, seconds * growth[stage.grows] / 3600, largest, (size if jobs else math.nan) * growth[stage.grows]
            )
        )
    return found


def page(results: str | Path, square_km: float, resolution: float, dates: int) -> str:
    """The table of `needs` as Markdown, with what it rests on."""
    rows = needs(results, square_km, resolution, dates)
    grid = json.loads((Path(results) / "grid.json").read_text())
    pixels = square_km * 1e6 / resolution**2
    lines = [
        f"# What {square_km:,.0f} km² at {resolution:g} m with {dates} Sentinel-1 dates takes",
        "",
        f"Written by `slipmap scale {results} --km2 {square_km:g} --resolution {resolution:g} --dates {dates}` from "
        f"the benchmarks of a run of {grid['width']} × {grid['height']} pixels on {os.cpu_count()} cores "
        f"({platform.machine()}): {pixels / 1e6:,.0f} million pixels instead of "
        f"{grid['width'] * grid['height'] / 1e6:.2f}. Small jobs spend much of their time starting, which counts here "
        "as if it grew with the area: large areas take less. Downloads and simulation are not counted.",
        "",
        "| stage | grows with | core hours | largest job here, MB | disk, GB |",
        "|---|---|---:|---:|---:|",
    ]
    for need in rows:
        lines.append(
            f"| {need.stage.name}{' (gpu: 1)' if need.stage.gpu else ''} | {need.stage.grows} | "
            f"{_number(need.core_hours)} | {_number(need.largest_job_mb)} | {_number(need.disk / 1e9)} |"
        )
    ran = [need for need in rows if not math.isnan(need.core_hours)]
    total, disk = sum(n.core_hours for n in ran), sum(n.disk for n in ran)
    lines += [f"| all | | {_number(total)} | | {_number(disk / 1e9)} |", ""]
    if len(ran) < len(rows):
        lines += ["A dash: the run had no such jobs, and the last line is without them.", ""]
    return "\n".join(lines)


def _runs(stage: Stage, results: Path) -> int:
    """How often the stage ran for the area: once, or once for each experiment."""
    if stage.name.partition(", ")[2]:
        return max(1, len(list((results / "maps").glob("*/"))))
    return 1


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file() and not file.is_symlink())


def _number(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
