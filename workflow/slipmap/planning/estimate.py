"""What a new area will need: bytes to download and of disk, core hours; from the sizes found and the cost of stages."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from slipmap.config.acquire import RAW_PRODUCTS
from slipmap.config.deformation import NetworkSettings
from slipmap.fetch.products import Found
from slipmap.io.grid import Grid
from slipmap.planning import cost

# Bytes of one product, for what no service has been asked yet: what these archives usually hold.
TYPICAL = {
    "opera_cslc": 250e6, "slc": 4.5e9, "burst": 0.16e9, "hyp3": 0.25e9, "orbits": 4.5e6, "dem": 40e6, "chirps": 3e6,
    "chirps3": 17e6, "imerg": 30e6, "smap": 40e6,
}  # fmt: skip
_REPEAT = timedelta(days=12)
_BURST = 20_000.0  # m along the track
_SENTINEL2_BYTES = 2.0  # of a pixel of a band, once compressed
_SENTINEL2_PIXEL = 100.0  # m2


@dataclass(frozen=True)
class Need:
    """What an area needs: bytes and hours."""

    download: float
    disk: float
    core_hours: float


def estimate(
    grid: Grid,
    found: Mapping[str, Found],
    missing: Mapping[str, str],
    start: date,
    end: date,
    rates: Mapping[str, cost.Rate],
) -> Need:
    """What an area needs, without training.

    Parameters
    ----------
    found
        Kind of data → what its search found.
    missing
        Kind of data → source of what has not been searched: typical sizes are taken for these, and one Sentinel-1
        date every twelve days.
    rates
        Of the stages (`cost.read_rates`).
    """
    dates: Sequence[date] = [p.date for p in found["sentinel1"].products if p.date] if "sentinel1" in found else []
    if not dates and "sentinel1" in missing:
        dates = [start + n * _REPEAT for n in range((end - start) // _REPEAT + 1)]
    source = found["sentinel1"].source if "sentinel1" in found else missing.get("sentinel1")
    size = cost.Size(
        grid.width * grid.height,
        len(set(dates)),
        cost.pairs_within(dates, NetworkSettings().max_temporal_baseline),
        raw=len(set(dates)) if source in RAW_PRODUCTS else 0,
    )
    without = [cost.TRAINING, *cost.LINKED, *(cost.FORMED_HERE if source == "hyp3" else ())]  # a new area is not linked
    stages = cost.needs(rates, size, without=without)
    download = _to_download(grid, found, missing, len(dates))
    return Need(download, download + sum(n.disk for n in stages), sum(n.core_hours for n in stages))


def _to_download(
    grid: Grid,
    found: Mapping[str, Found],
    missing: Mapping[str, str],
    dates: int,
    *,
    bands: int = 6,
    scenes: int = 12,
    window: int = 30,
) -> float:
    """Bytes; `bands` and `scenes` are those of Sentinel-2, `window` days of rain."""
    ground = grid.width * grid.height * grid.resolution[0] * grid.resolution[1]
    scene = bands * ground / _SENTINEL2_PIXEL * _SENTINEL2_BYTES
    total = 0.0
    for kind, result in found.items():
        if kind == "sentinel2":
            total += len(result.products) * scene
        else:
            total += sum(file.size or TYPICAL.get(result.source, 0.0) for file in result.files)
    bursts = math.ceil((grid.bounds[3] - grid.bounds[1]) / _BURST) + 1 if missing.get("sentinel1") == "burst" else 1
    counts = {
        "sentinel1": dates * bursts,
        "orbits": dates,
        "rainfall": window,
        "soil_moisture": window,
        "dem": 2,
    }
    for kind, source in missing.items():
        total += scenes * scene if kind == "sentinel2" else counts.get(kind, 0) * TYPICAL.get(source, 0.0)
    return total
