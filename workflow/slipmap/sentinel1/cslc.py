"""Geocoded SLCs in the layout and with the names of OPERA CSLC-S1 (product specification D-108278): HDF5."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from pyproj import CRS
from rasterio.windows import Window

from slipmap import __version__
from slipmap.constants import SPEED_OF_LIGHT
from slipmap.io.atomic import write_aside
from slipmap.io.grid import Grid
from slipmap.sentinel1.annotation import Swath
from slipmap.sentinel1.burst_part import NODATA
from slipmap.sentinel1.scene import Scene, SceneBurst

_CHUNK = 256


class CslcWriter:
    """One complex layer that is filled burst by burst."""

    def __init__(self, layer: h5py.Dataset) -> None:
        self._layer = layer

    def update(self, values: np.ndarray, window: Window) -> None:
        """Write where `values` (rows, cols) are finite; what is there already stays elsewhere."""
        rows, cols = window.toslices()
        new = np.isfinite(values.real)
        if new.all():
            self._layer[rows, cols] = values
        elif new.any():
            before = self._layer[rows, cols]
            before[new] = values[new]
            self._layer[rows, cols] = before


@contextmanager
def create_cslc(
    path: str | Path,
    grid: Grid,
    scene: Scene,
    bursts: list[SceneBurst],
    processing: Mapping[str, object],
    *,
    simulated: bool = False,
) -> Iterator[CslcWriter]:
    """Yield a writer; on success the HDF5 file at `path` is whole.

    Parameters
    ----------
    bursts : those mosaicked. processing : options and corrections, written as metadata.

    Notes
    -----
    One file holds all bursts that see the area: ``burst_id`` says so, ``mosaicked_bursts`` names them. Not
    compressed: a speckled phase hardly gets smaller.
    """
    with write_aside(path) as aside, h5py.File(aside, "w") as file:
        file.attrs["software"] = f"slipmap {__version__}"
        if simulated:
            file.attrs["SIMULATED"] = "yes"
        layer = _create_layer(file, grid, bursts[0].swath.polarisation)
        _write(file.create_group("identification"), _identification(grid, scene, bursts))
        steps = file.create_group("metadata/processing_information")
        _write(steps.create_group("input_burst_metadata"), _burst_metadata(scene, bursts[0].swath))
        _write(steps.create_group("algorithms"), processing)
        _write_orbit(file.create_group("metadata/orbit"), scene)
        yield CslcWriter(layer)


def _create_layer(file: h5py.File, grid: Grid, polarisation: str) -> h5py.Dataset:
    """The complex layer, still without data, with its coordinates and projection."""
    for name, size, corner, step in (
        ("x_coordinates", grid.width, grid.transform.c, grid.transform.a),
        ("y_coordinates", grid.height, grid.transform.f, grid.transform.e),
    ):
        data = file.create_dataset(f"data/{name}", data=corner + (np.arange(size) + 0.5) * step)
        data.attrs["units"] = "m"
    crs = CRS.from_user_input(grid.crs)
    projection = file.create_dataset("data/projection", data=crs.to_epsg() or 0)
    projection.attrs.update({"spatial_ref": crs.to_wkt(), "grid_mapping_name": crs.to_cf()["grid_mapping_name"]})
    layer = file.create_dataset(
        f"data/{polarisation}",
        grid.shape,
        np.complex64,
        chunks=(min(_CHUNK, grid.height), min(4 * _CHUNK, grid.width)),
        fillvalue=NODATA,
    )
    layer.attrs.update({"grid_mapping": "projection", "units": "1", "description": "geocoded, flattened SLC"})
    return layer


def _identification(grid: Grid, scene: Scene, bursts: list[SceneBurst]) -> dict[str, object]:
    first, track = bursts[0].swath, scene.track_over(grid)
    return {
        "product_type": "CSLC-S1",
        "mission_id": first.mission,
        "absolute_orbit_number": first.absolute_orbit,
        "track_number": track,
        "burst_id": f"T{track:03d}-mosaic",
        "mosaicked_bursts": " ".join(b.name for b in bursts),
        "orbit_pass_direction": first.pass_direction.capitalize(),
        "look_direction": "Right",
        "zero_doppler_start_time": _time(scene.epoch, min(b.span[0] for b in bursts)),
        "zero_doppler_end_time": _time(scene.epoch, max(b.span[1] for b in bursts)),
    }


def _burst_metadata(scene: Scene, swath: Swath) -> dict[str, object]:
    return {
        "wavelength": swath.wavelength,
        "radar_center_frequency": swath.radar_frequency,
        "starting_range": swath.slant_range_time * SPEED_OF_LIGHT / 2,
        "range_pixel_spacing": swath.range_spacing,
        "range_sampling_rate": swath.range_sampling_rate,
        "range_bandwidth": swath.range_bandwidth,
        "azimuth_time_interval": swath.azimuth_time_interval,
        "azimuth_steering_rate": swath.steering_rate,
        "prf_raw_data": swath.pulse_repetition_frequency,
        "polarization": swath.polarisation,
        "platform_id": swath.mission,
        "iw2_mid_range": scene.bistatic * SPEED_OF_LIGHT / 2,
    }


def _write_orbit(group: h5py.Group, scene: Scene) -> None:
    """State vectors from 90 s before the scene to 90 s after it."""
    orbit = scene.orbit
    near = (orbit.times > scene.start - 90) & (orbit.times < scene.stop + 90)
    group["time"] = orbit.times[near]
    group["time"].attrs["units"] = f"seconds since {str(scene.epoch.astype('M8[s]')).replace('T', ' ')}"
    for k, axis in enumerate("xyz"):
        group[f"position_{axis}"] = orbit.positions[near, k]
        group[f"velocity_{axis}"] = orbit.velocities[near, k]
    _write(group, {"reference_epoch": _time(scene.epoch, 0.0), "orbit_type": orbit.source})


def _write(group: h5py.Group, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        group[name] = value


def _time(epoch: np.datetime64, seconds: float) -> str:
    moment = epoch.astype("M8[ns]") + np.timedelta64(round(seconds * 1e9), "ns")
    return str(moment.astype("M8[us]")).replace("T", " ")
