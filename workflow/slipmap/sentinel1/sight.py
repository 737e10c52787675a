"""The line of sight: unit vectors from the ground to the satellite, from a stack's rasters or its mean geometry."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import rasterio
from rasterio.io import DatasetReader
from rasterio.windows import Window

from slipmap.io import raster
from slipmap.io.grid import Grid


class Bands(TypedDict):
    """What `raster.create` has to know of the bands."""

    bands: list[str]
    units: str | list[str]
    long_name: list[str]


AXES = ("los_east", "los_north", "los_up")
# What a raster of the line of sight and its incidence angle (geometry.tif) is made of; see `raster.create`.
GEOMETRY: Bands = {
    "bands": [*AXES, "incidence_angle"],
    "units": ["1", "1", "1", "degrees"],
    "long_name": [
        "east of the unit vector from the ground to the satellite",
        "north of it",
        "up of it",
        "incidence angle",
    ],
}
# Flight directions of Sentinel-1 at middle latitudes, degrees clockwise from north, where the files do not say.
HEADINGS = {"ASCENDING": 348.0, "DESCENDING": 192.0}


def look_vector(incidence: np.ndarray | float, heading: float) -> np.ndarray:
    """Unit vector(s) from the ground to a right-looking satellite: (3, …) east, north, up.

    Parameters
    ----------
    incidence : degrees from the vertical. heading : of the flight, degrees clockwise from north.
    """
    theta, alpha = np.radians(incidence), np.radians(heading)
    return np.stack([-np.sin(theta) * np.cos(alpha), np.sin(theta) * np.sin(alpha), np.cos(theta)])


@dataclass(frozen=True)
class LineOfSight:
    """Unit vector from the ground to the satellite: (east, north, up) everywhere, or a raster of it.

    Parameters
    ----------
    vector : constant. files : (path, band) of east, north and up.
    angles : (path, band) of HyP3's and GAMMA's look vector, radians: elevation over the horizon (``lv_theta``) and
        direction, counter-clockwise from east (``lv_phi``), both of the way from the ground to the satellite.
    """

    vector: tuple[float, float, float] | None = None
    files: tuple[tuple[str, int], ...] = ()
    angles: tuple[tuple[str, int], ...] = ()

    def read(self, window: Window, grid: Grid) -> np.ndarray:
        """(3, rows, cols) float32 in a window of `grid`; NaN where it is not known."""
        with self.opened() as read:
            return read(window, grid)

    @contextmanager
    def opened(self) -> Iterator[Callable[[Window, Grid], np.ndarray]]:
        """Yield `read` for many windows: the files stay open, and what GDAL has decoded of them stays in its cache."""
        with ExitStack() as stack:
            files = self.files or self.angles
            sources = {path: stack.enter_context(rasterio.open(path)) for path in dict(files)}
            yield partial(self._read, [(sources[path], band) for path, band in files])

    def _read(self, bands_of: Sequence[tuple[DatasetReader, int]], window: Window, grid: Grid) -> np.ndarray:
        part = grid.window_grid(window)
        if self.vector is not None:
            return np.broadcast_to(np.array(self.vector, np.float32)[:, None, None], (3, *part.shape))
        bands = []
        for source, band in bands_of:
            with raster.view(source, part) as shown:
                bands.append(raster.read_open(shown, None, band))
        values = np.stack(bands)
        values[:, (values == 0).all(axis=0)] = np.nan  # undeclared nodata, as in LiCSAR's rasters
        if self.files:
            return values
        theta, phi = values
        return np.stack([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)])


def line_of_sight(stack_json: str | Path) -> LineOfSight | None:
    """The line of sight of a stack: from its geometry rasters, else from its incidence and heading; None: unknown."""
    record: Mapping[str, Any] = json.loads(Path(stack_json).read_text(encoding="utf-8"))
    geometry, radar = record.get("geometry", {}), record["radar"]
    if "los" in geometry and Path(geometry["los"]).exists():
        with rasterio.open(geometry["los"]) as source:
            names = list(source.descriptions)
        if all(name in names for name in AXES):
            return LineOfSight(files=tuple((geometry["los"], names.index(name) + 1) for name in AXES))
    parts = [geometry.get(axis) for axis in AXES]
    if all(path and Path(path).exists() for path in parts):
        return LineOfSight(files=tuple((path, 1) for path in parts))
    angles = [geometry.get(angle) for angle in ("look_theta", "look_phi")]
    if all(path and Path(path).exists() for path in angles):
        return LineOfSight(angles=tuple((path, 1) for path in angles))
    heading = radar.get("heading")
    if heading is None:
        heading = HEADINGS.get(str(radar.get("orbit_direction") or "").upper())
    if radar.get("incidence") is None or heading is None:
        return None
    east, north, up = (float(v) for v in look_vector(radar["incidence"], heading))
    return LineOfSight(vector=(east, north, up))
