"""What an area will need: bytes to download and of disk, core hours; from the sizes found and from measured rates."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from itertools import combinations
from pathlib import Path

from slipmap.config.acquire import RAW_PRODUCTS
from slipmap.errors import InputError
from slipmap.fetch.products import Found
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid

RATES = Path(str(files("slipmap.planning") / "rates.csv"))
# Bytes of one product, for what no service has been asked yet: what these archives usually hold.
TYPICAL = {
    "opera_cslc": 250e6, "slc": 4.5e9, "burst": 0.16e9, "hyp3": 0.25e9, "orbits": 4.5e6, "dem": 40e6, "chirps": 3e6,
    "chirps3": 17e6, "imerg": 30e6, "smap": 40e6,
}  # fmt: skip
_REPEAT = timedelta(days=12)
_BURST = 20_000.0  # m along the track
_SENTINEL2_BYTES = 2.0  # of a pixel of a band, once compressed
_SENTINEL2_PIXEL = 100.0  # m2
# Benchmarks of the jobs whose time grows with the area, and with the area and its interferograms; networks left out.
PER_PIXEL = (
    *("terrain*", "hydrology", "lithology", "optical*", "rain_*", "soil_*", "velocity_factor", "split", "screening"),
    *("patches_*", "outline_landslides_*"),
)
PER_PAIR = ("interferogram/*", "unwrap/*", "invert_network")
PER_DATE = ("geocode/*", "azimuth_shift/*")  # of raw Sentinel-1


@dataclass(frozen=True)
class Need:
    """What an area needs: bytes and hours."""

    download: float
    disk: float
    core_hours: float


def measure(results: str | Path) -> dict[str, float]:
    """Rates of a run, from its files and benchmarks: bytes and core seconds for a pixel, one of a pair, one of a date.

    Raises
    ------
    InputError : the run in this folder has no deformation, no factors, or did not begin at raw Sentinel-1.
    """
    results = Path(results)
    try:
        grid = json.loads((results / "grid.json").read_text())
    except OSError as error:
        raise InputError(f"{results} holds no run of an area (grid.json is missing); run it first.") from error
    pixels = grid["width"] * grid["height"]
    pairs = list((results / "deformation/unwrapped").glob("*.tif"))
    if not pairs or not list((results / "factors").glob("*.tif")):
        raise InputError(f"{results} has no unwrapped interferograms or no factors; run the area to its end first.")
    dates = list((results / "sentinel1/slc").glob("*.h5"))
    if not dates:
        raise InputError(f"{results} was not geocoded from raw Sentinel-1 (sentinel1/slc is empty); measure the demo.")
    pair_bytes = _bytes(results / "deformation/unwrapped") + _bytes(results / "deformation/interferograms")
    date_bytes = _bytes(results / "sentinel1")
    return {
        "pixel_bytes": (_bytes(results) - pair_bytes - date_bytes) / pixels,
        "pair_pixel_bytes": pair_bytes / pixels / len(pairs),
        "date_pixel_bytes": date_bytes / pixels / len(dates),
        "pixel_seconds": _seconds(results, *PER_PIXEL) / pixels,
        "pair_pixel_seconds": _seconds(results, *PER_PAIR) / pixels / len(pairs),
        "date_pixel_seconds": _seconds(results, *PER_DATE) / pixels / len(dates),
    }


def write_rates(results: str | Path, path: str | Path = RATES) -> dict[str, float]:
    """Measure the rates of a run and keep them as the ones that estimates are made with."""
    rates = measure(results)
    write_text(path, "rate,value\n" + "".join(f"{name},{value:.6g}\n" for name, value in rates.items()))
    return rates


def read_rates(path: str | Path = RATES) -> dict[str, float]:
    """The measured rates that estimates are made with."""
    with open(path, encoding="utf-8") as file:
        return {row["rate"]: float(row["value"]) for row in csv.DictReader(file)}


def pairs_within(days: Iterable[date], longest: float) -> int:
    """Pairs of dates at most `longest` days apart: as many interferograms there can be."""
    return sum((b - a).days <= longest for a, b in combinations(sorted(set(days)), 2))


def estimate(
    grid: Grid,
    found: dict[str, Found],
    missing: dict[str, str],
    start: date,
    end: date,
    *,
    longest_pair: float = 60.0,
    bands: int = 6,
    scenes: int = 12,
    window: int = 30,
) -> Need:
    """What an area needs.

    Parameters
    ----------
    found : kind of data → what its search found. missing : kind → source of what has not been searched: typical sizes
        are taken for these, and one Sentinel-1 date every twelve days.
    longest_pair : days; bands, scenes : of Sentinel-2; window : days of rain.
    """
    rates, pixels = read_rates(), grid.width * grid.height
    ground = pixels * grid.resolution[0] * grid.resolution[1]
    dates: Sequence[date] = [p.date for p in found["sentinel1"].products if p.date] if "sentinel1" in found else []
    if not dates and "sentinel1" in missing:
        dates = [start + n * _REPEAT for n in range((end - start) // _REPEAT + 1)]
    download = 0.0
    for kind, result in found.items():
        if kind == "sentinel2":
            download += len(result.products) * bands * ground / _SENTINEL2_PIXEL * _SENTINEL2_BYTES
        else:
            download += sum(file.size or TYPICAL.get(result.source, 0.0) for file in result.files)
    bursts = math.ceil((grid.bounds[3] - grid.bounds[1]) / _BURST) + 1 if missing.get("sentinel1") == "burst" else 1
    counts = {
        "sentinel1": len(dates) * bursts,
        "orbits": len(dates),
        "rainfall": window,
        "soil_moisture": window,
        "dem": 2,
    }
    for kind, source in missing.items():
        if kind == "sentinel2":
            download += scenes * bands * ground / _SENTINEL2_PIXEL * _SENTINEL2_BYTES
        else:
            download += counts.get(kind, 0) * TYPICAL.get(source, 0.0)
    source = found["sentinel1"].source if "sentinel1" in found else missing.get("sentinel1")
    counted = {"pixel": 1, "pair_pixel": pairs_within(dates, longest_pair)}
    counted["date_pixel"] = len(set(dates)) if source in RAW_PRODUCTS else 0
    results, seconds = (
        pixels * sum(number * rates[f"{per}_{what}"] for per, number in counted.items())
        for what in ("bytes", "seconds")
    )
    return Need(download, download + results, seconds / 3600)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def job_records(results: str | Path, patterns: Iterable[str]) -> Iterator[dict[str, str]]:
    """Snakemake's benchmarks of a run's jobs whose names match; those that were over before one look are left out."""
    for pattern in patterns:
        for path in sorted((Path(results) / "benchmarks").glob(f"{pattern}.tsv")):
            with open(path, encoding="utf-8") as file:
                for row in csv.DictReader(file, delimiter="\t"):
                    if row["cpu_time"] not in ("NA", "-"):
                        yield row


def _seconds(results: Path, *patterns: str) -> float:
    return sum(float(row["cpu_time"]) for row in job_records(results, patterns))
