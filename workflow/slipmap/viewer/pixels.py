"""Values, series and profiles of single pixels, as the viewer asks for them."""

import threading
from typing import Any

import h5netcdf
import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.warp import transform

from slipmap.deformation.timeseries import series_grid
from slipmap.report.points import rounded
from slipmap.viewer.shown import Shown

POINTS = 300  # of a profile


class Pixels:
    """Looks up pixels of an area's products; places are column and row of the area's grid."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self._lock = threading.Lock()  # HDF5 reads for one at a time
        self._series = None
        if "timeseries" in shown.deformation:
            self._series = h5netcdf.File(shown.deformation["timeseries"], "r")
            self._grid, self._dates = series_grid(self._series)

    def value(self, layer: str, column: float, row: float) -> float | None:
        """A layer's value at a place; None where it has none or no raster holds it."""
        path = self.shown.rasters.get(layer) or self.shown.deformation.get(layer)
        return None if path is None else self._along(str(path), np.array([[column, row]]))[0]

    def text(self, layer: str, column: float, row: float) -> str | None:
        """A layer's value as text with its unit, or the name of its class."""
        value, legend = self.value(layer, column, row), self.shown.legends.get(layer, {})
        if value is None:
            return "no data" if layer in self.shown.rasters and legend.get("kind") == "ramp" else None
        if legend.get("kind") == "classes":
            return next((item["name"] for item in legend["items"] if item["value"] == value), None)
        return f"{value:.4g} {legend.get('units', '')}".strip().replace("-", "−")

    def series(self, column: float, row: float) -> dict[str, Any] | None:
        """Displacement of a place over time: {"dates", "series", "std", "velocity", "velocity_std", "facts"}.

        Facts are text for the reader: velocity ± its standard deviation, temporal coherence, whether that is reliable.
        None where the area has no velocity.
        """
        if "velocity" not in self.shown.deformation:
            return None
        names = ("velocity", "velocity_std", "temporal_coherence")
        velocity, spread, coherence = (self.value(name, column, row) for name in names)
        found: dict[str, Any] = {"dates": [], "series": None, "std": None, "velocity": velocity, "velocity_std": spread}
        facts = []
        if velocity is not None:
            more = "" if spread is None else f" ± {spread:.1f}"
            facts.append(["Velocity in the line of sight", f"{velocity:.1f}{more} mm/yr".replace("-", "−")])
        if coherence is not None:
            facts.append(["Temporal coherence", f"{coherence:.2f}"])
        why = self.text("reliability", column, row)
        if why is not None:
            facts.append(["Reliability of the velocity", why])
        found["facts"] = facts
        if self._series is not None:
            found |= self._history(column, row)
        return found

    def _history(self, column: float, row: float) -> dict[str, Any]:
        assert self._series is not None
        x, y = self.shown.grid.transform @ (column, row)
        own, other = CRS.from_user_input(self.shown.grid.crs), CRS.from_user_input(self._grid.crs)
        xs, ys = transform(own, other, [x], [y])
        c, r = (int(np.floor(v)) for v in ~self._grid.transform @ (xs[0], ys[0]))
        if not (0 <= r < self._grid.height and 0 <= c < self._grid.width):
            return {}
        with self._lock:
            values = self._series.variables["displacement"][:, r, c]
            spread = self._series.variables.get("displacement_std")
            spread = None if spread is None else spread[:, r, c]
        if not np.isfinite(values).any():
            return {}
        deviation = None if spread is None or not np.isfinite(spread).any() else rounded(spread)
        return {"dates": self._dates, "series": rounded(values), "std": deviation}

    def profile(self, layer: str, start: tuple[float, float], end: tuple[float, float]) -> dict[str, Any]:
        """A layer along a straight line: {"distance" (m), "values", "std", "units"}, `POINTS` places; None: no data.

        "std" is the standard deviation of the velocity along it, else None.
        """
        steps = np.linspace(0, 1, POINTS)[:, None]
        places = np.asarray(start) + steps * (np.asarray(end) - np.asarray(start))
        steps_m = (places - places[0]) * self.shown.grid.resolution
        metres = np.hypot(steps_m[:, 0], steps_m[:, 1])
        found: dict[str, Any] = {"distance": [round(float(d), 1) for d in metres], "std": None}
        found["units"] = self.shown.legends.get(layer, {}).get("units", "")
        path = self.shown.rasters.get(layer)
        found["values"] = [None] * POINTS if path is None else self._along(str(path), places)
        if layer == "velocity" and "velocity_std" in self.shown.deformation:
            found["std"] = self._along(str(self.shown.deformation["velocity_std"]), places)
        return found

    def _along(self, path: str, places: np.ndarray) -> list[float | None]:
        """Values of a raster at places (n, 2) of the area's grid."""
        t = self.shown.grid.transform
        xs, ys = t.c + t.a * places[:, 0], t.f + t.e * places[:, 1]
        with rasterio.open(path) as source:
            if source.crs is not None and source.crs != CRS.from_user_input(self.shown.grid.crs):
                moved = transform(CRS.from_user_input(self.shown.grid.crs), source.crs, xs, ys)
                xs, ys = np.asarray(moved[0]), np.asarray(moved[1])
            found = source.sample(zip(xs, ys, strict=True), indexes=1, masked=True)
            values = [None if np.ma.getmaskarray(v)[0] or not np.isfinite(v[0]) else float(v[0]) for v in found]
            inside = source.bounds
        left, bottom, right, top = inside
        return [
            value if left <= x <= right and bottom <= y <= top else None
            for value, x, y in zip(values, xs, ys, strict=True)
        ]
