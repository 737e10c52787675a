"""The last pass of the inversion: series corrected, fitted by the model of time, and written as maps."""

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.arrays import Doubles
from slipmap.config.deformation import InversionSettings
from slipmap.deformation import averaging, reliability, subsets, velocity
from slipmap.deformation.interferogram import with_margin
from slipmap.deformation.reference import Reference
from slipmap.deformation.scatter import Scatter
from slipmap.deformation.stack import Radar
from slipmap.deformation.surfaces import Removal
from slipmap.deformation.timeseries import SeriesFile
from slipmap.io import raster
from slipmap.io.grid import Grid

MAPS = {
    "velocity": ("mm/yr", "line-of-sight velocity, positive towards the satellite"),
    "velocity_std": (
        "mm/yr",
        "standard deviation of the line-of-sight velocity against stable ground: decorrelation by the full covariance "
        "of the phases, what scatter of the dates about the model there is beside it, and what averaging hides",
    ),
    "averaging_std": (
        "mm/yr",
        "part of the velocity's standard deviation: motion that differs within the window of the phase's average",
    ),
    "temporal_coherence": ("1", "temporal coherence of the network inversion"),
    "dem_error": ("m", "DEM error (true ground minus DEM); nodata where not estimated"),
    "interferograms": ("1", "number of interferograms used at the pixel"),
    "open_triplets": ("1", "triplets whose phase does not close by whole turns, after correction"),
}
# Kept beside the series only.
KEPT = {
    "noise_std": ("mm/yr", "standard deviation of the velocity without what averaging hides"),
    "decorrelation_std": ("mm/yr", "standard deviation of the velocity by the coherences alone"),
    "reliability": ("1", "class of reliability: " + ", ".join(f"{k} {v}" for k, v in reliability.CLASSES.items())),
}
CLASSES, MASK = reliability.CLASSES, {0: "not reliable", 1: "reliable"}
FILES = {name: "interferograms_used" if name == "interferograms" else name for name in MAPS}


@dataclass(frozen=True)
class SeriesFit:
    """A series as inverted, and all that makes the products of it.

    Parameters
    ----------
    series : displacement (mm, relative to the reference area's phase), and the maps `COPIED`; it is corrected in place.
    side : of the blocks, pixels. removal : surfaces to take from each date. scatter : of a sample of the series.
    point : the reference area. weights : of the average over neighbours (`averaging.weights_of`).
    tags : what every product says of itself.
    """

    series: SeriesFile
    grid: Grid
    side: int
    model: velocity.TimeModel
    removal: Removal
    scatter: Scatter
    point: Reference
    weights: np.ndarray
    radar: Radar
    settings: InversionSettings
    tags: dict[str, str]

    def write(self, folder: str | Path) -> None:
        """Correct, fit and write every block: maps into `folder`, series and maps into `series`."""
        shift = self._reference_shift()
        with ExitStack() as stack:
            out = {
                name: stack.enter_context(self._create(Path(folder), name, units, text))
                for name, (units, text) in MAPS.items()
            }
            classes = stack.enter_context(
                self._create_classes(Path(folder) / "reliability.tif", "why a velocity is reliable or not", CLASSES)
            )
            mask = stack.enter_context(
                self._create_classes(Path(folder) / "mask.tif", "pixels whose velocity can be relied on", MASK)
            )
            for window in self.grid.blocks(self.side):
                displacement, result = self._fit(window, shift)
                self.series.write(displacement.astype(np.float32), window)
                for name, values in result.items():
                    self.series.write_map(name, values.astype(np.float32), window)
            for window in self.grid.blocks(self.side):
                found = np.nan_to_num(self.series.read_map("reliability", window), nan=raster.CLASS_NODATA)
                reliable = found == reliability.RELIABLE
                for name, values in self._maps(window).items():
                    shown = np.where(reliable, values, np.nan) if name == "velocity" and self._masked else values
                    out[name].write(shown.astype(np.float32), window)
                classes.write(found.astype(np.uint8), window)
                mask.write(np.where(found == raster.CLASS_NODATA, found, reliable).astype(np.uint8), window)

    @property
    def _masked(self) -> bool:
        return self.settings.mask_velocity

    def _maps(self, window: Window) -> dict[str, np.ndarray]:
        """The maps of a window, (rows, cols) each; adds to the series what the velocities around tell of its σ."""
        outer, inner = with_margin(window, self.grid, len(self.weights) // 2)
        velocity, noise = (self.series.read_map(name, outer) for name in ("velocity", "noise_std"))
        hidden = averaging.spread(velocity, noise.astype(np.float64) ** 2, self.weights)[inner]
        total = np.sqrt(noise[inner].astype(np.float64) ** 2 + hidden)
        found = {"averaging_std": np.where(np.isfinite(total), np.sqrt(hidden), np.nan), "velocity_std": total}
        for name, values in found.items():
            self.series.write_map(name, values.astype(np.float32), window)
        return found | {name: self.series.read_map(name, window) for name in MAPS if name not in found}

    def _corrected(self, window: Window) -> Doubles:
        """Series without what is removed from each date, float64 (dates, rows, cols), mm."""
        series, removed = self.series.read(window), self.removal.at(window)
        return series.astype(np.float64) if removed is None else np.subtract(series, removed, out=removed)

    def _reference_shift(self) -> Doubles:
        """Mean corrected displacement of the reference area on each date, (dates,), mm."""
        window = Window.from_slices(*self.point.slices(self.grid))
        shift: Doubles = np.nanmean(self._corrected(window), axis=(1, 2))
        return shift

    def _fit(self, window: Window, shift: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Displacement without the DEM error's part, (dates, rows, cols), and the maps that come of the fit.

        `shift` : what the reference area has on each date, (dates,).
        """
        block = self._corrected(window)
        flat = block.reshape(len(block), -1)  # changed in place from here on
        reach = subsets.join(flat, self.series.read_subsets(window).reshape(flat.shape), self.model.design)
        decorrelation = self.series.read_map("decorrelation_std", window).ravel().astype(np.float64) ** 2
        result = {"noise_std": self._deviation(flat, decorrelation, reach)}
        deviations = self.series.read_deviations(window)
        if deviations is not None:
            more = 2 * self.scatter.of_dates(flat, decorrelation).reshape(1, *block.shape[1:])
            deviations = np.sqrt(self.scatter.scale * deviations**2 + more)
            deviations[0] = 0
            self.series.write_deviations(np.where(np.isfinite(block), deviations, np.nan).astype(np.float32), window)
        flat -= shift[:, None]
        names = self.model.names
        parameters = velocity.fit(self.model, flat)
        rate = parameters[names.index("velocity")]
        result |= {"velocity": np.where(np.isfinite(result["noise_std"]), rate, np.nan)}
        result["dem_error"] = np.full_like(result["velocity"], np.nan)
        if "dem_error" in names:
            k = names.index("dem_error")
            result["dem_error"] = parameters[k] / 1000 * _range_sine(self.radar)
            for values, baseline in zip(flat, self.model.design[:, k], strict=True):
                values -= baseline * parameters[k]
        flat -= _first_seen(flat)
        return block, {name: values.reshape(block.shape[1:]) for name, values in result.items()}

    def _deviation(self, series: Doubles, decorrelation: Doubles, reach: Doubles) -> Doubles:
        """Standard deviation of the velocity, (pixels,), mm/yr; NaN where there is none."""
        if self.settings.bootstrap:
            drawn = velocity.bootstrap_std(self.model, series, self.settings.bootstrap)
            whole: Doubles = np.hypot(drawn, np.sqrt(self.scatter.scale * decorrelation))
            return whole
        return self.scatter.velocity_std(series, decorrelation, reach)

    def _create(self, folder: Path, name: str, units: str, text: str) -> AbstractContextManager[raster.RasterWriter]:
        return raster.create(
            folder / f"{FILES[name]}.tif", self.grid, bands=[name], units=units, long_name=text, tags=self.tags
        )

    def _create_classes(
        self, path: Path, text: str, classes: dict[int, str]
    ) -> AbstractContextManager[raster.RasterWriter]:
        rule = reliability.RULE.format(**self.settings.model_dump())
        return raster.create(
            path,
            self.grid,
            bands=[path.stem],
            units="1",
            long_name=text,
            dtype="uint8",
            categories=classes,
            tags=self.tags | {"RULE": rule},
        )


def _first_seen(series: np.ndarray) -> np.ndarray:
    """(pixels,), the value of each pixel's first date that a pair saw."""
    return np.take_along_axis(series, np.isfinite(series).argmax(axis=0)[None], axis=0)


def _range_sine(radar: Radar) -> float:
    """R sinθ (m) by which the DEM error follows from its displacement per metre of baseline."""
    if radar.slant_range is None or radar.incidence is None:
        return float("nan")
    return float(radar.slant_range * np.sin(np.radians(radar.incidence)))
