"""Surfaces of ramp and stratified delay over a whole grid: fitted to a sample of pixels, removed block by block."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.arrays import Doubles, Integers
from slipmap.config.deformation import InversionSettings
from slipmap.deformation import correction, troposphere
from slipmap.deformation.troposphere import BY_ELEVATION, BY_MODEL, ModelDelay
from slipmap.deformation.velocity import TimeModel
from slipmap.inputs.contract import ELEVATION
from slipmap.inputs.rasters import in_unit
from slipmap.io import raster
from slipmap.io.grid import Grid

SAMPLE = 100_000  # pixels in the fit of ramps and troposphere


@dataclass(frozen=True)
class Sample:
    """Some coherent pixels: `series` (dates, pixels), mm, at `rows` and `cols` of the grid, (pixels,) int."""

    series: np.ndarray
    rows: np.ndarray
    cols: np.ndarray

    @classmethod
    def joined(cls, parts: "list[Sample]") -> "Sample":
        """The pixels of all `parts`."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.series for part in parts], axis=1),
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.cols for part in parts]),
        )

    def take(self, chosen: np.ndarray) -> "Sample":
        """The pixels where `chosen`, (pixels,) bool, is true."""
        return Sample(self.series[:, chosen], self.rows[chosen], self.cols[chosen])


def sample_of(series: np.ndarray, good: np.ndarray, window: Window, grid: Grid) -> Sample:
    """The pixels of a block that lie on the regular sample of `grid` and are good.

    Parameters
    ----------
    series : (dates, rows, cols). good : (rows, cols) bool. window : where the block lies.
    """
    r, c = regular(good, window, grid, SAMPLE)
    return Sample(series[:, r, c], r + window.row_off, c + window.col_off)


def regular(good: np.ndarray, window: Window, grid: Grid, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns in `window` of the good pixels of a regular sample of about `count` pixels of `grid`."""
    step = max(1, int(np.sqrt(grid.width * grid.height / count)))
    rows = np.arange(-window.row_off % step, window.height, step)
    cols = np.arange(-window.col_off % step, window.width, step)
    r, c = (a.ravel() for a in np.meshgrid(rows, cols, indexing="ij"))
    kept = good[r, c]
    return r[kept], c[kept]


@dataclass(frozen=True)
class Removal:
    """What is removed from each date: fitted `surfaces` (None: nothing) over `grid`, by the elevation in `dem`.

    `delay` is that of a weather model, removed before. `ways` : rows of `troposphere.compare`.
    """

    surfaces: correction.Surfaces | None
    grid: Grid
    dem: str | Path | None
    delay: ModelDelay | None = None
    ways: tuple[dict[str, object], ...] = ()

    def at(self, window: Window) -> np.ndarray | None:
        """What is removed in `window`: float64 (dates, rows, cols), mm; None: nothing."""
        modelled = None if self.delay is None else self.delay.at(window)
        if self.surfaces is None or not self.surfaces.used:
            return modelled
        (r0, r1), (c0, c1) = window.toranges()
        rows, cols = np.meshgrid(np.arange(r0, r1), np.arange(c0, c1), indexing="ij")
        elevation = None
        if "elevation" in self.surfaces.terms:
            with raster.warped(str(self.dem), self.grid) as src:
                elevation = raster.read_open(src, window, 1) / 1000
        x, y = _unit(self.grid, rows, cols)
        design = correction.surface_design(self.surfaces.terms, x, y, elevation)
        terms = np.ascontiguousarray(np.moveaxis(design, -1, 0))
        removed = np.zeros((len(self.surfaces.coefficients), *rows.shape)) if modelled is None else modelled
        for date, coefficients in zip(removed, self.surfaces.coefficients, strict=True):
            for coefficient, term in zip(coefficients, terms, strict=True):
                date += coefficient * term  # no matrix product: its last digits go with the block's size
        return removed

    def at_pixels(self, rows: Integers, cols: Integers, side: int) -> Doubles | float:
        """What is removed at some pixels: (dates, pixels) or 0, mm; `side` of the blocks in which elevation is read."""
        modelled = 0.0 if self.delay is None else self.delay.at_pixels(rows, cols, side)
        if self.surfaces is None or not self.surfaces.used:
            return modelled
        elevation = None
        if "elevation" in self.surfaces.terms:
            assert self.dem is not None  # else no surface follows the elevation
            elevation = _elevation(rows, cols, self.grid, side, self.dem) / 1000
        design = correction.surface_design(self.surfaces.terms, *_unit(self.grid, rows, cols), elevation)
        removed: Doubles = self.surfaces.coefficients @ design.T + modelled
        return removed

    def record(self) -> dict[str, object]:
        """For reference.json: terms removed, and over which share of the coherent pixels they were fitted."""
        return {
            "removed": self.surfaces.terms if self.surfaces is not None and self.surfaces.used else [],
            "weather_model": self.delay.delays.source if self.delay else None,
            "stable_share": self.surfaces.stable_share if self.surfaces else None,
        }


def fit(
    sample: Sample,
    grid: Grid,
    side: int,
    model: TimeModel,
    settings: InversionSettings,
    dem: str | Path | None,
    delay: ModelDelay | None = None,
) -> Removal:
    """Fit to each date the surface that the config asks for.

    Parameters
    ----------
    side : of the blocks in which the elevation is read, pixels. model : of time.
    dem : elevation (m) on any grid; None: no fit to elevation. delay : of a weather model, removed first where
        ``troposphere`` says so, and compared with the fit to elevation in any case.
    """
    terms = correction.surface_terms(settings.deramp, settings.troposphere, dem is not None)
    used_delay = delay if settings.troposphere in BY_MODEL else None
    if sample.series.shape[1] < 10 * max(len(terms), 1):
        print("deramp, troposphere: no surface is removed, too few pixels are coherent")
        return Removal(None, grid, dem, used_delay)
    elevation = None
    if dem is not None:
        dem = in_unit(dem, ELEVATION, "inputs.dem", vertical=True)
        elevation = _elevation(sample.rows, sample.cols, grid, side, dem)
        if "elevation" in terms or delay is not None:
            known = np.isfinite(elevation)
            sample, elevation = sample.take(known), elevation[known]
        elevation = elevation / 1000
    series = sample.series.astype(np.float64)
    modelled = None if delay is None else delay.at_pixels(sample.rows, sample.cols, side)
    if modelled is not None:
        known = np.isfinite(modelled).all(axis=0)
        sample, series, modelled = sample.take(known), series[:, known], modelled[:, known]
        elevation = None if elevation is None else elevation[known]
    place = _unit(grid, sample.rows, sample.cols)
    designs = _designs(settings.deramp, place, elevation)
    ways = troposphere.compare(
        series, modelled, designs, model, settings.moving_velocity, _way(settings.troposphere, dem, delay)
    )
    if not terms:
        return Removal(None, grid, dem, used_delay, tuple(ways))
    values = series - modelled if used_delay is not None and modelled is not None else series
    design = correction.surface_design(terms, *place, elevation if "elevation" in terms else None)
    surfaces = correction.fit_surfaces(values, design, model.row("velocity"), terms, settings.moving_velocity)
    verb = "removed" if surfaces.used else "not removed"
    print(f"{', '.join(terms[1:])}: {verb}, {surfaces.stable_share:.0%} of the coherent pixels are stable")
    return Removal(surfaces, grid, dem, used_delay, tuple(ways))


def _designs(
    deramp: str, place: tuple[np.ndarray, np.ndarray], elevation: np.ndarray | None
) -> dict[str, tuple[list[str], np.ndarray]]:
    """Terms and design of the surfaces with and without elevation, for `troposphere.compare`."""
    found = {}
    for way in ("none", "elevation"):
        if way == "elevation" and elevation is None:
            continue
        terms = correction.surface_terms(deramp, way, elevation is not None)
        found[way] = terms, correction.surface_design(terms or ["1"], *place, elevation)
    return found


def _way(wanted: str, dem: str | Path | None, delay: ModelDelay | None) -> str:
    """The way that is in use of what the config asks for, where there is no DEM."""
    by_elevation = wanted in BY_ELEVATION and dem is not None
    by_model = wanted in BY_MODEL and delay is not None
    return {(0, 0): "none", (1, 0): "elevation", (0, 1): "model", (1, 1): "both"}[by_elevation, by_model]


def _elevation(rows: np.ndarray, cols: np.ndarray, grid: Grid, side: int, dem: str | Path) -> np.ndarray:
    """Elevation (m) of some pixels, (pixels,) float32, NaN where unknown."""
    elevation = np.empty(len(rows), np.float32)
    with raster.warped(str(dem), grid) as src:
        for window in grid.blocks(side):
            (r0, r1), (c0, c1) = window.toranges()
            inside = (rows >= r0) & (rows < r1) & (cols >= c0) & (cols < c1)
            if inside.any():
                block = raster.read_open(src, window, 1)
                elevation[inside] = block[rows[inside] - r0, cols[inside] - c0]
    return elevation


def _unit(grid: Grid, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixel positions in −1 … 1 over the grid."""
    return 2 * (cols + 0.5) / grid.width - 1.0, 2 * (rows + 0.5) / grid.height - 1.0
