"""The rasters of a map: written strip by strip, or put together from parts. Nothing here needs torch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.windows import Window

from slipmap.codes import LANDSLIDE_CLASSES, probability_class_names
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import BLOCK, Grid

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.prediction import MapSettings


@dataclass(frozen=True)
class Strip:
    """Rows of the area whose prediction is complete."""

    window: Window
    mean: np.ndarray  # (rows, width) float32 probability
    spread: np.ndarray  # (rows, width) float32 standard deviation over members


@dataclass(frozen=True)
class Outputs:
    """The rasters of a map."""

    probability: str | Path
    uncertainty: str | Path
    classes: str | Path
    probability_class: str | Path


def gather(parts: Sequence[str | Path], grid: Grid, settings: "MapSettings", outputs: Outputs) -> None:
    """Put the parts of `mosaic.run_part` together: the rasters that `mosaic.run` would have made, to the last bit.

    Raises
    ------
    InputError : a part is missing, of another area, or made with other weights.
    """
    found = []
    for path in parts:
        with rasterio.open(path) as source:
            found.append((int(source.tags()["FIRST_ROW"]), int(source.tags()["ROWS"]), path, source.tags()))
            own = Grid.from_raster(path)
            expected = grid.window_grid(Window(0, found[-1][0], grid.width, max(1, found[-1][1])))
            if not own.matches(expected) or int(source.tags()["AREA_ROWS"]) != grid.height:
                raise InputError(f"{path} is a part of another area; delete it and let the workflow make it again.")
    found.sort(key=lambda part: part[:2])
    kept = ("model", "weights", "members", "threshold", "calibration", "bands", "FIRST_DATE", "LAST_DATE")
    tags = {key: found[0][3][key] for key in kept if key in found[0][3]}
    row = 0
    for first, rows, path, own in found:
        if rows and first != row:
            raise InputError(f"{path} begins at row {first}, but rows from {row} on are missing; make all parts again.")
        if any(own.get(key) != tags.get(key) for key in kept):
            raise InputError(
                f"{path} was made with other weights or settings than {found[0][2]}; make all parts again."
            )
        row += rows
    if row != grid.height:
        raise InputError(f"{found[-1][2]} ends at row {row} of {grid.height}; make the missing parts.")
    with open_maps(outputs, grid, settings, tags) as maps:
        for first, rows, path, _ in found:
            with rasterio.open(path) as source:
                for top in range(0, rows, BLOCK):
                    window = Window(0, top, grid.width, min(BLOCK, rows - top))
                    mean, spread = raster.read_open(source, window)
                    maps.write(Strip(Window(0, first + top, grid.width, window.height), mean, spread))
        maps.require_some()


class Maps:
    """Writes strips to the rasters of a map."""

    def __init__(self, writers: Mapping[str, raster.RasterWriter], threshold: float, breaks: Sequence[float]) -> None:
        self.writers, self.threshold, self.breaks = writers, threshold, np.asarray(breaks)
        self.known = 0

    def write(self, strip: Strip) -> None:
        """Write a strip, with its classes."""
        known = np.isfinite(strip.mean)
        self.known += int(known.sum())
        decided = np.where(known, strip.mean >= self.threshold, raster.CLASS_NODATA)
        classes = np.where(known, np.searchsorted(self.breaks, strip.mean, side="right") + 1, raster.CLASS_NODATA)
        self.writers["probability"].write(strip.mean, strip.window)
        self.writers["uncertainty"].write(strip.spread, strip.window)
        self.writers["classes"].write(decided.astype(np.uint8), strip.window)
        self.writers["probability_class"].write(classes.astype(np.uint8), strip.window)

    def require_some(self) -> None:
        """Raise `InputError` where no pixel of the map is known."""
        if not self.known:
            raise InputError(
                "No pixel of the area has every factor that the weights need, so there is nothing to map; see "
                "factors/coverage.csv for the factor that is missing."
            )


@contextmanager
def open_maps(outputs: Outputs, grid: Grid, settings: "MapSettings", tags: Mapping[str, str]) -> Iterator[Maps]:
    """The four rasters of a map, open for writing."""
    breaks = settings.probability_breaks
    with ExitStack() as stack:

        def create(path: str | Path, name: str, long_name: str, **more: Any) -> raster.RasterWriter:
            given: dict[str, Any] = {"bands": [name], "units": "1", "long_name": long_name, "tags": tags} | more
            return stack.enter_context(raster.create(path, grid, **given))

        writers = {
            "probability": create(outputs.probability, "probability", "probability of landslide", statistics=True),
            "uncertainty": create(
                outputs.uncertainty,
                "uncertainty",
                "standard deviation of the probability over the ensemble's members",
                statistics=True,
            ),
            "classes": create(
                outputs.classes,
                "class",
                "landslide class at the validation threshold",
                dtype="uint8",
                categories=LANDSLIDE_CLASSES,
            ),
            "probability_class": create(
                outputs.probability_class,
                "probability_class",
                "class of the probability of landslide; not a risk, nor a probability of failure in any period",
                dtype="uint8",
                categories=dict(enumerate(probability_class_names(len(breaks) + 1), start=1)),
                tags=dict(tags) | {"breaks": " ".join(f"{b:.6g}" for b in breaks)},
            ),
        }
        yield Maps(writers, float(tags["threshold"]), breaks)
