"""The last pass of the inversion: series corrected, fitted by the model of time, and written as maps."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.config.deformation import InversionSettings
from slipmap.deformation import velocity
from slipmap.deformation.reference import Reference
from slipmap.deformation.stack import Radar
from slipmap.deformation.surfaces import Removal
from slipmap.deformation.timeseries import SeriesFile
from slipmap.io import raster
from slipmap.io.grid import Grid

MAPS = {
    "velocity": ("mm/yr", "line-of-sight velocity, positive towards the satellite"),
    "velocity_std": (
        "mm/yr",
        "standard deviation of the line-of-sight velocity: scatter of the dates about the model, and decorrelation "
        "noise of the interferograms going through the network (where these are weighted by variance)",
    ),
    "temporal_coherence": ("1", "temporal coherence of the network inversion"),
    "dem_error": ("m", "DEM error (true ground minus DEM); nodata where not estimated"),
    "interferograms": ("1", "number of interferograms used at the pixel"),
    "open_triplets": ("1", "triplets whose phase does not close by whole turns, after correction"),
}
# Kept beside the series only: the part of velocity_std that comes of decorrelation, 0 where it is not known.
DECORRELATION = {"decorrelation_std": ("mm/yr", "standard deviation of the velocity by decorrelation noise alone")}
COPIED = ("temporal_coherence", "interferograms", "open_triplets")  # known before the series are corrected
FILES = {name: "interferograms_used" if name == "interferograms" else name for name in MAPS}


@dataclass(frozen=True)
class SeriesFit:
    """A series as inverted, and all that makes the products of it.

    Parameters
    ----------
    series : displacement (mm, relative to the reference area's phase), and the maps `COPIED`; it is corrected in place.
    side : of the blocks, pixels. removal : surfaces to take from each date. point : the reference area.
    tags : what every product says of itself.
    """

    series: SeriesFile
    grid: Grid
    side: int
    model: velocity.TimeModel
    removal: Removal
    point: Reference
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
            mask = stack.enter_context(self._create_mask(Path(folder)))
            for window in self.grid.blocks(self.side):
                quality = self.series.read_map("temporal_coherence", window)
                reliable = quality >= self.settings.min_temporal_coherence
                displacement, result = self._fit(self._corrected(window) - shift[:, None, None])
                # Errors of dates (atmosphere) are seen as scatter about the model; those of interferograms add up from
                # date to date, and a straight line takes most of that for velocity.
                decorrelation = self.series.read_map("decorrelation_std", window)
                result["velocity_std"] = np.hypot(result["velocity_std"], decorrelation)
                self.series.write(displacement.astype(np.float32), window)
                result |= {name: self.series.read_map(name, window) for name in COPIED}
                if self.settings.mask_velocity:
                    result["velocity"] = np.where(reliable, result["velocity"], np.nan)
                for name, values in result.items():
                    out[name].write(values.astype(np.float32), window)
                    if name not in COPIED:
                        self.series.write_map(name, values.astype(np.float32), window)
                mask.write(np.where(np.isfinite(quality), reliable, raster.CLASS_NODATA).astype(np.uint8), window)

    def _corrected(self, window: Window) -> np.ndarray:
        return self.series.read(window) - self.removal.at(window)

    def _reference_shift(self) -> np.ndarray:
        """Mean corrected displacement of the reference area on each date, (dates,), mm."""
        window = Window.from_slices(*self.point.slices(self.grid))
        return np.nanmean(self._corrected(window), axis=(1, 2))

    def _fit(self, block: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Displacement without the DEM error's part, (dates, rows, cols), and the maps that come of the fit."""
        flat = block.reshape(len(block), -1)
        names = self.model.names
        parameters, deviations = velocity.fit(self.model, flat)
        row = names.index("velocity")
        result = {"velocity": parameters[row], "velocity_std": deviations[row]}
        if self.settings.bootstrap:
            result["velocity_std"] = velocity.bootstrap_std(self.model, flat, self.settings.bootstrap)
        result["dem_error"] = np.full_like(result["velocity"], np.nan)
        if "dem_error" in names:
            k = names.index("dem_error")
            result["dem_error"] = parameters[k] / 1000 * _range_sine(self.radar)
            flat = flat - self.model.design[:, k, None] * parameters[k]
        flat = flat - flat[:1]
        return flat.reshape(block.shape), {name: values.reshape(block.shape[1:]) for name, values in result.items()}

    def _create(self, folder: Path, name: str, units: str, text: str):
        return raster.create(
            folder / f"{FILES[name]}.tif", self.grid, bands=[name], units=units, long_name=text, tags=self.tags
        )

    def _create_mask(self, folder: Path):
        return raster.create(
            folder / "mask.tif",
            self.grid,
            bands=["mask"],
            units="1",
            long_name="pixels whose velocity can be relied on",
            dtype="uint8",
            categories={0: "masked", 1: "reliable"},
            tags=self.tags | {"RULE": f"temporal coherence >= {self.settings.min_temporal_coherence}"},
        )


def _range_sine(radar: Radar) -> float:
    """R sinθ (m) by which the DEM error follows from its displacement per metre of baseline."""
    if radar.slant_range is None or radar.incidence is None:
        return float("nan")
    return float(radar.slant_range * np.sin(np.radians(radar.incidence)))
