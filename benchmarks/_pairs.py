"""Simulated stacks in the form in which unwrapping leaves them, and the same in MintPy's layout."""

import json
from datetime import date, timedelta
from pathlib import Path

import h5py
import numpy as np
from affine import Affine

from benchmarks._stack import WAVELENGTH
from slipmap.deformation import pair_file
from slipmap.deformation.phase import mm_per_radian, wrap
from slipmap.deformation.sources import NetworkReader
from slipmap.deformation.stack import Pair, Radar, Stack, load_network, parse_date, save_network, save_stack
from slipmap.io import raster
from slipmap.io.grid import Grid

SLANT_RANGE, INCIDENCE = 850e3, 39.0
HEIGHTS = 40.0  # m, what the DEM of the simulated ground rises by


def make(folder: Path, side: int, seed: int = 0, *, exact: bool = False) -> int:
    """Write 98 pairs of 27 dates, network.csv and stack.json of ground that subsides, under noise and an atmosphere.

    Parameters
    ----------
    exact : as rasters of float32 instead of the workflow's files; the velocity is then what no storage has changed.
    """
    rng = np.random.default_rng(seed)
    dates = [date(2021, 1, 9) + timedelta(days=12 * k) for k in range(27)]
    grid = Grid.from_bounds("EPSG:32632", 12.5, (500000, 5000000, 500000 + 12.5 * side, 5000000 + 12.5 * side))
    y, x = np.mgrid[:side, :side] / side
    velocity = -30 * np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.02)
    delay = [rng.normal(0, 2) * np.sin(5 * x + rng.uniform(0, 6)) for _ in dates]
    base = 0.3 + 0.5 * (np.sin(9 * x) * np.sin(7 * y)) ** 2
    baselines = rng.normal(0, 40, len(dates))
    pairs = []
    for i, first in enumerate(dates):
        for j in range(i + 1, min(i + 5, len(dates))):
            days = (dates[j] - first).days
            coherence = np.clip(base * np.exp(-days / 90) + rng.normal(0, 0.05, base.shape), 0.05, 0.95)
            noise = rng.normal(0, np.sqrt((1 - coherence**2) / (2 * 12 * coherence**2)))
            phase = (velocity * days / 365.25 + delay[j] - delay[i]) / mm_per_radian(WAVELENGTH) + noise
            between = float(baselines[j] - baselines[i])
            pairs.append(_write(folder, grid, (first, dates[j], between), phase, coherence, exact=exact))
    _save(folder, pairs, dates, baselines.tolist())
    return len(pairs)


def _write(
    folder: Path,
    grid: Grid,
    what: tuple[date, date, float],
    phase: np.ndarray,
    coherence: np.ndarray,
    *,
    exact: bool = False,
) -> Pair:
    files = {"reference": "", "secondary": ""}  # as if formed from SLCs: so many looks
    name = Pair(*what, files).name
    if exact:
        for role, values in (("unwrapped", phase), ("coherence", coherence)):
            files[role] = str(folder / f"{name}.{role}.tif")
            values = np.asarray(values, np.float32)
            raster.write(files[role], grid, values, bands=[role], units="1", long_name=f"simulated {role}")
    else:
        bands = pair_file.encode(phase, coherence, np.ones(phase.shape, int), wrap(phase))
        pair_file.write(folder / "unwrapped" / f"{name}.tif", grid, bands, {})
    return Pair(*what, files)


def _save(folder: Path, pairs: list[Pair], dates: list[date], baselines: list[float]) -> None:
    save_network(folder / "network.csv", pairs)
    radar = Radar(WAVELENGTH, incidence=INCIDENCE, slant_range=SLANT_RANGE)
    days = [str(day) for day in dates]
    stack = Stack("slc", "opera", radar, simulated=True)
    save_stack(folder / "stack.json", stack, dates=days, perpendicular_baselines=baselines)


def of_mintpy(stack: Path, folder: Path) -> None:
    """The interferograms of an ifgramStack.h5 as the workflow's files, with network.csv and stack.json."""
    with h5py.File(stack) as file:
        days = [tuple(parse_date(day.decode(), "") for day in row) for row in file["date"][:]]
        rows, cols = file["unwrapPhase"].shape[1:]
        grid = Grid("EPSG:32632", Affine(50, 0, 5e5, 0, -50, 5e6), cols, rows)
        dates = sorted({day for pair in days for day in pair})
        baselines = np.linspace(-60, 60, len(dates)).tolist()
        place = dict(zip(dates, baselines, strict=True))
        pairs = [
            _write(folder, grid, (a, b, place[b] - place[a]), file["unwrapPhase"][k], file["coherence"][k])
            for k, (a, b) in enumerate(days)
        ]
    _save(folder, pairs, dates, baselines)


def to_mintpy(folder: Path, out: Path, side: int) -> None:
    """The first `side` × `side` pixels of the workflow's files in `folder` as MintPy's stack and geometry in `out`."""
    pairs = load_network(folder / "network.csv")
    reader = NetworkReader(pairs, sorted((folder / "unwrapped").glob("*.tif")))
    phase, coherence = reader.read(next(iter(reader.grid.blocks(side))))
    record = json.loads((folder / "stack.json").read_text())
    place = dict(zip(record["dates"], record["perpendicular_baselines"], strict=True))
    between = [place[str(p.secondary)] - place[str(p.reference)] for p in pairs]
    write_mintpy(out, [(p.reference, p.secondary) for p in pairs], between, phase, coherence)


def write_mintpy(
    out: Path, days: list[tuple[date, date]], baselines: list[float], phase: np.ndarray, coherence: np.ndarray
) -> None:
    """Pairs of `days` as MintPy's stack and geometry in `out`; phase (rad) and coherence (pairs, side, side)."""
    side = phase.shape[-1]
    attributes = {
        "LENGTH": side, "WIDTH": side, "WAVELENGTH": WAVELENGTH, "PROCESSOR": "isce", "PLATFORM": "Sen", "ALOOKS": 1,
        "RLOOKS": 4, "NCORRLOOKS": 12, "REF_Y": side // 3, "REF_X": side // 3, "UNIT": "radian",
        "ORBIT_DIRECTION": "ASCENDING", "ANTENNA_SIDE": -1, "HEADING": -12.0, "EARTH_RADIUS": 6371000.0,
        "HEIGHT": 693000.0, "AZIMUTH_PIXEL_SIZE": 12.5, "RANGE_PIXEL_SIZE": 3.1, "CENTER_LINE_UTC": 3600.0,
        "STARTING_RANGE": 800000.0, "START_DATE": f"{days[0][0]:%Y%m%d}",
        "END_DATE": f"{days[-1][1]:%Y%m%d}",
    }  # fmt: skip
    (out / "inputs").mkdir(parents=True)
    with h5py.File(out / "inputs/ifgramStack.h5", "w") as file:
        file["date"] = np.array([[f"{a:%Y%m%d}", f"{b:%Y%m%d}"] for a, b in days], "S8")
        file["bperp"] = np.array(baselines, np.float32)
        file["dropIfgram"] = np.ones(len(days), bool)
        file["unwrapPhase"], file["coherence"] = phase, coherence
        file["connectComponent"] = np.ones(phase.shape, np.int16)
        file.attrs.update({key: str(value) for key, value in ({"FILE_TYPE": "ifgramStack"} | attributes).items()})
    with h5py.File(out / "inputs/geometryRadar.h5", "w") as file:
        rise = np.linspace(0, HEIGHTS, side, dtype=np.float32)
        file["height"] = np.broadcast_to(rise, (side, side))
        for name, value in (("incidenceAngle", INCIDENCE), ("slantRangeDistance", SLANT_RANGE)):
            file[name] = np.full((side, side), value, np.float32)
        file.attrs.update({key: str(value) for key, value in ({"FILE_TYPE": "geometry"} | attributes).items()})
