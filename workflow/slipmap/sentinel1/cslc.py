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
from slipmap.sentinel1.scene import Scene, SceneBurst

_CHUNK = 256
NODATA = np.complex64(complex(np.nan, np.nan))


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
    first = bursts[0].swath
    times = [b.span[0] for b in bursts], [b.span[1] for b in bursts]
    track = scene.track_over(grid)
    with write_aside(path) as aside, h5py.File(aside, "w") as file:
        file.attrs["software"] = f"slipmap {__version__}"
        if simulated:
            file.attrs["SIMULATED"] = "yes"
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
            f"data/{first.polarisation}",
            grid.shape,
            np.complex64,
            chunks=(min(_CHUNK, grid.height), min(4 * _CHUNK, grid.width)),
            fillvalue=NODATA,
        )
        layer.attrs.update({"grid_mapping": "projection", "units": "1", "description": "geocoded, flattened SLC"})
        _write(
            file.create_group("identification"),
            {
                "product_type": "CSLC-S1",
                "mission_id": first.mission,
                "absolute_orbit_number": first.absolute_orbit,
                "track_number": track,
                "burst_id": f"T{track:03d}-mosaic",
                "mosaicked_bursts": " ".join(b.name for b in bursts),
                "orbit_pass_direction": first.pass_direction.capitalize(),
                "look_direction": "Right",
                "zero_doppler_start_time": _time(scene.epoch, min(times[0])),
                "zero_doppler_end_time": _time(scene.epoch, max(times[1])),
            },
        )
        _write(
            file.create_group("metadata/processing_information/input_burst_metadata"),
            {
                "wavelength": first.wavelength,
                "radar_center_frequency": first.radar_frequency,
                "starting_range": first.slant_range_time * SPEED_OF_LIGHT / 2,
                "range_pixel_spacing": first.range_spacing,
                "range_sampling_rate": first.range_sampling_rate,
                "range_bandwidth": first.range_bandwidth,
                "azimuth_time_interval": first.azimuth_time_interval,
                "azimuth_steering_rate": first.steering_rate,
                "prf_raw_data": first.pulse_repetition_frequency,
                "polarization": first.polarisation,
                "platform_id": first.mission,
                "iw2_mid_range": scene.bistatic * SPEED_OF_LIGHT / 2,
            },
        )
        _write(file.create_group("metadata/processing_information/algorithms"), processing)
        orbit = scene.orbit
        near = (orbit.times > scene.start - 90) & (orbit.times < scene.stop + 90)
        group = file.create_group("metadata/orbit")
        group["time"] = orbit.times[near]
        group["time"].attrs["units"] = f"seconds since {str(scene.epoch.astype('M8[s]')).replace('T', ' ')}"
        for k, axis in enumerate("xyz"):
            group[f"position_{axis}"] = orbit.positions[near, k]
            group[f"velocity_{axis}"] = orbit.velocities[near, k]
        _write(group, {"reference_epoch": _time(scene.epoch, 0.0), "orbit_type": orbit.source})
        yield CslcWriter(layer)


def _write(group: h5py.Group, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        group[name] = value


def _time(epoch: np.datetime64, seconds: float) -> str:
    moment = epoch.astype("M8[ns]") + np.timedelta64(round(seconds * 1e9), "ns")
    return str(moment.astype("M8[us]")).replace("T", " ")
