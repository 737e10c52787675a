"""A simulated small-baseline stack of known velocity, as MintPy stores it and as compressed GeoTIFFs."""

from datetime import date, timedelta
from pathlib import Path

import h5py
import numpy as np
from affine import Affine

from slipmap.io import raster
from slipmap.io.grid import Grid

LOOKS = 30
WAVELENGTH = 0.0554658


def make_stack(path: Path, size: int, dates: int = 60, ahead: int = 3, gaps: float = 0.0, seed: int = 0) -> np.ndarray:
    """Write a simulated ifgramStack.h5 in MintPy's layout, uncompressed; returns the velocity (mm/yr)."""
    rng = np.random.default_rng(seed)
    days = [date(2018, 1, 1) + timedelta(days=12 * k) for k in range(dates)]
    pairs = [(i, j) for i in range(dates) for j in range(i + 1, min(i + 1 + ahead, dates))]
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    velocity = -60 * np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.03)
    base = 0.4 + 0.5 * np.exp(-((x - 0.4) ** 2 + (y - 0.6) ** 2) * 3)
    delay = [rng.normal(0, 0.5) * np.sin(6 * x + rng.uniform(0, 6)) for _ in days]
    with h5py.File(path, "w") as out:
        out["date"] = np.array([[f"{days[i]:%Y%m%d}", f"{days[j]:%Y%m%d}"] for i, j in pairs], "S8")
        out["bperp"] = rng.normal(0, 60, len(pairs)).astype(np.float32)
        out["dropIfgram"] = np.ones(len(pairs), bool)
        shape = (len(pairs), size, size)
        phase, coherence = (out.create_dataset(n, shape, "f4") for n in ("unwrapPhase", "coherence"))
        for k, (i, j) in enumerate(pairs):
            years = 12 * (j - i) / 365.25
            gamma = np.clip(base * np.exp(-years) + rng.normal(0, 0.03, base.shape), 0.05, 0.98).astype(np.float32)
            noise = rng.standard_normal(base.shape) * np.sqrt((1 - gamma**2) / (2 * LOOKS * gamma**2))
            values = -4 * np.pi / WAVELENGTH * velocity / 1000 * years + delay[j] - delay[i] + noise
            if gaps:
                missing = rng.random(base.shape) < gaps
                missing[size // 10, size // 10] = False
                values[missing] = 0
            phase[k], coherence[k] = values, gamma
        attributes = {
            "FILE_TYPE": "ifgramStack",
            "LENGTH": size,
            "WIDTH": size,
            "WAVELENGTH": WAVELENGTH,
            "PROCESSOR": "isce",
            "PLATFORM": "Sen",
            "ALOOKS": 2,
            "RLOOKS": 10,
            "NCORRLOOKS": LOOKS,
            "REF_Y": size // 10,
            "REF_X": size // 10,
            "UNIT": "radian",
            "ORBIT_DIRECTION": "ASCENDING",
            "ANTENNA_SIDE": -1,
            "HEADING": -12.0,
            "EARTH_RADIUS": 6371000.0,
            "HEIGHT": 693000.0,
            "AZIMUTH_PIXEL_SIZE": 28.0,
            "RANGE_PIXEL_SIZE": 23.0,
            "CENTER_LINE_UTC": 3600.0,
            "STARTING_RANGE": 800000.0,
            "START_DATE": f"{days[0]:%Y%m%d}",
            "END_DATE": f"{days[-1]:%Y%m%d}",
        }
        out.attrs.update({k: str(v) for k, v in attributes.items()})
    return velocity


def write_cogs(stack: Path, folder: Path) -> None:
    """The interferograms of ifgramStack.h5 as LiCSAR names them, phase and coherence as compressed COGs."""
    with h5py.File(stack) as file:
        phase, coherence = file["unwrapPhase"], file["coherence"]
        grid = Grid("EPSG:32632", Affine(50, 0, 5e5, 0, -50, 5e6), phase.shape[2], phase.shape[1])
        for k, pair in enumerate(file["date"][:]):
            name = "_".join(day.decode() for day in pair)
            for data, role, units in ((phase, "unw", "rad"), (coherence, "cc", "1")):
                path = folder / name / f"{name}.geo.{role}.tif"
                raster.write(path, grid, data[k], bands=[role], units=units, long_name=f"simulated {role}")
