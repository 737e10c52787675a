"""OPERA CSLC-S1: geocoded, flattened SLCs of single bursts, HDF5."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from pyproj import Transformer
from rasterio.crs import CRS

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import orbit
from slipmap.deformation.agreement import same_grid, same_value
from slipmap.deformation.reader import Listing, Reader
from slipmap.deformation.readers.geotiff import GEOMETRY
from slipmap.deformation.slc_file import INDEPENDENT_LOOK, OPERA_SUFFIXES, opera_grid, opera_layer
from slipmap.deformation.stack import Acquisition, Radar, Stack, parse_date
from slipmap.errors import InputError

if TYPE_CHECKING:  # its import takes its time, and other formats do without
    import h5py

_BURST = "metadata/processing_information/input_burst_metadata/"
_ORBIT = "metadata/orbit/"


class OperaCslc(Reader):
    """One HDF5 file for each date of a burst."""

    title = "OPERA CSLC-S1"
    source = "OPERA, CSLC-S1 product specification"
    levels = ("slc",)
    files = {"slc": ("*.h5", "*.hdf5")}
    wanted = {"slc": "slc"}
    units = "complex amplitude, flattened"
    sign = "phase as OPERA has it: interferograms are first date times conjugate of the second"
    beside = "in the file: wavelength, orbit (baselines), track, burst; `geometry.tif` (los_east, los_north, los_up)"
    checks = "one grid, burst, track, wavelength and flight direction"

    def recognises(self, listing: Listing, level: str) -> bool:
        """Whether there are HDF5 files in the folder itself."""
        return level == "slc" and any(path.parent == listing.source for path in listing.named(*self.files["slc"]))

    def stack(self, listing: Listing, settings: Sentinel1Settings) -> Stack:
        """Describe the products of the folder, or those that count."""
        return read_opera(listing.source, listing.chosen)


def opera_files(folder: Path) -> list[Path]:
    """HDF5 files in `folder`, sorted."""
    return [p for p in sorted(folder.iterdir()) if p.suffix in OPERA_SUFFIXES]


def read_opera(folder: Path, files: Sequence[str | Path] | None = None) -> Stack:
    """Describe the CSLC-S1 products in `folder`, or only `files`: one burst, many dates.

    Perpendicular baselines come from the orbits in the products, at the burst's centre on the ellipsoid. The auxiliary
    files (static layers, correction tables) that lie beside are passed over; of geometry.tif (los_east, los_north,
    los_up) comes the line of sight.
    """
    products, left_out = [], []
    for path in map(Path, files or opera_files(folder)):
        if re.search(r"static", path.name, re.IGNORECASE):
            continue
        found = _product(path)
        if isinstance(found, _Product):
            products.append(found)
        else:
            left_out.append(found)
    if not products:
        raise InputError(f"inputs.sentinel1.path: no OPERA CSLC-S1 product in {folder}; correct the path.")
    same_grid([product.grid for product in products])
    shared = {
        key: same_value([(product.path, product.said[key]) for product in products], key)
        for key in ("wavelength", "track", "burst", "orbit direction")
    }
    by_date: dict[date, _Product] = {}
    for product in products:
        if (other := by_date.setdefault(product.day, product)) is not product:
            raise InputError(
                f"{product.path} has the same date ({product.day}) as {other.path.name}; keep one file for each date."
            )
    said = products[0].said
    incidence, slant_range, baselines = _geometry(products[0], by_date)
    return Stack(
        level="slc",
        format="opera",
        radar=Radar(
            wavelength=float(shared["wavelength"]),
            incidence=incidence,
            slant_range=slant_range,
            bandwidth=float(said["bandwidth"]),
            orbit_direction=shared["orbit direction"],
            track=shared["track"],
            cell=float(said["cell"]) if said["cell"] else None,
        ),
        acquisitions=[Acquisition(day, str(by_date[day].path), baseline) for day, baseline in baselines.items()],
        geometry={"los": str(geometry)} if (geometry := folder / GEOMETRY).exists() else {},
        left_out=left_out,
        simulated=any(product.simulated for product in products),
    )


@dataclass(frozen=True)
class _Product:
    """One file, and what it says.

    Parameters
    ----------
    grid : path, shape, transform, CRS. said : by name, as text. states : times (s), positions (m), velocities (m/s) of
        the satellite.
    """

    path: Path
    day: date
    grid: tuple[Path, tuple[int, int], Affine, CRS]
    said: dict[str, str]
    states: tuple[np.ndarray, np.ndarray, np.ndarray]
    simulated: bool


def _product(path: Path) -> _Product | str:
    """What the product at `path` says; a sentence if it is none."""
    import h5py

    try:
        file = h5py.File(path)
    except OSError:
        return f"{path}: not an HDF5 file that can be opened, left out"
    with file:
        if "data" not in file:
            return f"{path}: not a CSLC-S1 product, left out"
        grid = opera_grid(file, str(path))
        opera_layer(file, str(path))
        start = _text(file, "identification/zero_doppler_start_time", path)
        return _Product(
            path,
            parse_date(start[:10].replace("-", ""), str(path)),
            (path, grid.shape, grid.transform, CRS.from_user_input(grid.crs)),
            {
                "wavelength": _text(file, _BURST + "wavelength", path),
                "track": _text(file, "identification/track_number", path),
                "burst": _text(file, "identification/burst_id", path),
                "orbit direction": _text(file, "identification/orbit_pass_direction", path).upper(),
                "start": _text(file, _BURST + "starting_range", path),
                "spacing": _text(file, _BURST + "range_pixel_spacing", path),
                "cell": _text(file, INDEPENDENT_LOOK, path, ""),
                "bandwidth": _text(file, _BURST + "range_bandwidth", path, "56.5e6"),
            },
            _states(file, path),
            file.attrs.get("SIMULATED") == "yes",
        )


def _geometry(first: _Product, by_date: Mapping[date, _Product]) -> tuple[float, float, dict[date, float]]:
    """Incidence (degrees) and slant range (m) at the middle of the burst, and the baseline of each date (m)."""
    _, shape, transform, crs = first.grid
    x, y = transform @ (shape[1] / 2, shape[0] / 2)
    ground = np.array(Transformer.from_crs(crs.to_wkt(), "EPSG:4978", always_xy=True).transform(x, y, 0.0))
    days = sorted(by_date)
    at = {day: orbit.position_at_closest_approach(*by_date[day].states, ground) for day in days}
    baselines = {day: orbit.perpendicular_baseline(at[days[0]], at[day], ground) for day in days}
    look = at[days[0]][0] - ground
    slant_range = float(np.linalg.norm(look))
    incidence = float(np.degrees(np.arccos(look @ _ellipsoid_normal(ground) / slant_range)))
    return incidence, slant_range, baselines


def _text(file: "h5py.File", key: str, path: Path, default: str | None = None) -> str:
    if key not in file:
        if default is not None:
            return default
        raise InputError(f"{path}: '{key}' is missing in it; give OPERA CSLC-S1 products (version 0.2 or later).")
    value = file[key][()]
    return value.decode() if isinstance(value, bytes) else str(value)


def _states(file: "h5py.File", path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    try:
        axes = ("x", "y", "z")
        positions = np.stack([file[f"{_ORBIT}position_{a}"][:] for a in axes], axis=1)
        velocities = np.stack([file[f"{_ORBIT}velocity_{a}"][:] for a in axes], axis=1)
        return file[_ORBIT + "time"][:], positions, velocities
    except KeyError as error:
        raise InputError(f"{path}: the orbit ({_ORBIT}) is missing in it; fetch the product again.") from error


def _ellipsoid_normal(point: np.ndarray) -> np.ndarray:
    lon, lat, _ = Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True).transform(*point)
    lon, lat = np.radians(lon), np.radians(lat)
    return np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


READER = OperaCslc()
