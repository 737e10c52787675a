"""OPERA CSLC-S1: geocoded, flattened SLCs of single bursts, HDF5."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
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
    import h5py

    found, left_out, grids = defaultdict(list), [], []
    meta: list[tuple[Path, dict[str, str]]] = []
    states: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    simulated = False
    for path in map(Path, files or opera_files(folder)):
        if re.search(r"static", path.name, re.IGNORECASE):
            continue
        try:
            file = h5py.File(path)
        except OSError:
            left_out.append(f"{path}: not an HDF5 file that can be opened, left out")
            continue
        with file:
            if "data" not in file:
                left_out.append(f"{path}: not a CSLC-S1 product, left out")
                continue
            grid = opera_grid(file, str(path))
            opera_layer(file, str(path))
            simulated |= file.attrs.get("SIMULATED") == "yes"
            grids.append((path, grid.shape, grid.transform, CRS.from_user_input(grid.crs)))
            start = _text(file, "identification/zero_doppler_start_time", path)
            found[parse_date(start[:10].replace("-", ""), str(path))].append(path)
            meta.append(
                (
                    path,
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
                )
            )
            states[str(path)] = _states(file, path)
    if not found:
        raise InputError(f"inputs.sentinel1.path: no OPERA CSLC-S1 product in {folder}; correct the path.")
    same_grid(grids)
    shared = {key: same_value([(p, m[key]) for p, m in meta], key) for key in ("wavelength", "track", "burst")}
    direction = same_value([(p, m["orbit direction"]) for p, m in meta], "orbit direction")
    for day, paths in found.items():
        if len(paths) > 1:
            raise InputError(f"{paths[1]} has the same date ({day}) as {paths[0].name}; keep one file for each date.")
    path, shape, transform, crs = grids[0]
    x, y = transform @ (shape[1] / 2, shape[0] / 2)
    ground = np.array(Transformer.from_crs(crs.to_wkt(), "EPSG:4978", always_xy=True).transform(x, y, 0.0))
    days = sorted(found)
    at = {d: orbit.position_at_closest_approach(*states[str(found[d][0])], ground) for d in days}
    baselines = [orbit.perpendicular_baseline(at[days[0]], at[d], ground) for d in days]
    slant = float(np.linalg.norm(at[days[0]][0] - ground))
    up = _ellipsoid_normal(ground)
    incidence = float(np.degrees(np.arccos((at[days[0]][0] - ground) @ up / slant)))
    cell = float(meta[0][1]["cell"]) if meta[0][1]["cell"] else None
    return Stack(
        level="slc",
        format="opera",
        radar=Radar(
            wavelength=float(shared["wavelength"]),
            incidence=incidence,
            slant_range=slant,
            bandwidth=float(meta[0][1]["bandwidth"]),
            orbit_direction=direction,
            track=shared["track"],
            cell=cell,
        ),
        acquisitions=[Acquisition(d, str(found[d][0]), b) for d, b in zip(days, baselines, strict=True)],
        geometry={"los": str(geometry)} if (geometry := folder / GEOMETRY).exists() else {},
        left_out=left_out,
        simulated=simulated,
    )


def _text(file: "h5py.File", key: str, path: Path, default: str | None = None) -> str:  # noqa: F821
    if key not in file:
        if default is not None:
            return default
        raise InputError(f"{path}: '{key}' is missing in it; give OPERA CSLC-S1 products (version 0.2 or later).")
    value = file[key][()]
    return value.decode() if isinstance(value, bytes) else str(value)


def _states(file: "h5py.File", path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # noqa: F821
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
