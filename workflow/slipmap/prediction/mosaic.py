"""From factors and trained weights to a region-wide map, strip by strip."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import rasterio
import torch
from rasterio.windows import Window
from tqdm import tqdm

from slipmap import raster
from slipmap.config.prediction import PredictionSettings
from slipmap.errors import InputError, nearest
from slipmap.grid import Grid
from slipmap.patches.normalisation import as_statistics, normalise, valid_pixels
from slipmap.prediction.tiles import Tiling, reflected
from slipmap.training.weights import load_weights

BATCH = (
    8  # tiles a model is given at once; always the same number, so that a tile's result never depends on its company
)


class Predictor(Protocol):
    """What turns tiles into the first two moments of the landslide probability over an ensemble's members."""

    def __call__(self, tiles: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Take (n, channels, tile, tile); give mean of p and mean of p², each (n, tile, tile) float32."""


@dataclass(frozen=True)
class Strip:
    """Rows of the area whose prediction is complete."""

    window: Window
    mean: np.ndarray  # (rows, width) float32 probability
    spread: np.ndarray  # (rows, width) float32 standard deviation over members


class FactorReader:
    """Reads the bands that a model wants, normalised as in training, by tile row.

    Parameters
    ----------
    factors : raster of each factor, by name, all on `grid`.
    bands : the model's bands in its order.
    statistics : of the training pixels.
    grid : the area's.

    Raises
    ------
    InputError : a band that the area has not, on another grid, or in other units than in training.
    """

    def __init__(
        self, factors: Mapping[str, str | Path], bands: Sequence[str], statistics: Mapping, grid: Grid
    ) -> None:
        self.bands = list(bands)
        self.statistics = as_statistics(statistics).select(self.bands)
        self.grid = grid
        self._open = ExitStack()
        self._sources = []
        for band in self.statistics.bands:
            if band.name not in factors:
                raise InputError(
                    f"The weights need the factor '{band.name}', which this area does not have"
                    f"{nearest(band.name, factors)} Give the input that it is made from, or weights trained without it."
                )
            path = factors[band.name]
            source = self._open.enter_context(rasterio.open(path))
            if not grid.matches(Grid.from_raster(path)):
                raise InputError(
                    f"{path} does not lie on the area's grid; delete it and let the workflow make it anew."
                )
            units = source.tags(1).get("units", source.tags().get("units", ""))
            if units and band.units and units != band.units:
                raise InputError(
                    f"{path} is in {units}, but the weights were trained with '{band.name}' in {band.units}; convert "
                    f"the input."
                )
            self._sources.append(source)

    def __enter__(self) -> "FactorReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def rows(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows first … first + count - 1, reflected where they lie outside the area.

        Returns
        -------
        channels : (channels, count, width) float32, normalised, no NaN.
        valid : (count, width) bool, where the bands that must be there are.
        """
        index = reflected(first, count, self.grid.height)
        top, bottom = int(index.min()), int(index.max()) + 1
        window = Window(0, top, self.grid.width, bottom - top)
        block = np.stack([raster.read_open(source, window, 1) for source in self._sources])
        valid = valid_pixels(block, self.bands, self.statistics)
        channels = normalise(block, self.bands, self.statistics)
        return channels[:, index - top], valid[index - top]


def strips(
    reader: FactorReader, predictor: Predictor, tiling: Tiling, *, device: str = "cpu", progress: bool = False
) -> Iterator[Strip]:
    """Predict an area strip by strip, top to bottom; every pixel comes once.

    Holds the factors of two rows of tiles (one being read while the other is predicted) and three float64 lines of
    tiles' height: memory grows with the area's width, not with its area.
    """
    width, tile = tiling.width, tiling.tile
    window = tiling.window().astype(np.float64)
    columns = [reflected(start, tile, width) for start in tiling.columns()]
    total = np.zeros((3, tile, width))  # Σ w·p, Σ w·p², Σ w of the rows that the current tile row covers
    bar = tqdm(total=tiling.tile_rows * len(columns), unit="tile", desc="predict", disable=not progress)
    with ThreadPoolExecutor(1) as ahead, bar:
        coming = ahead.submit(reader.rows, tiling.start(0), tile)
        for tile_row in range(tiling.tile_rows):
            channels, valid = coming.result()
            if tile_row + 1 < tiling.tile_rows:
                coming = ahead.submit(reader.rows, tiling.start(tile_row + 1), tile)
            for begin in range(0, len(columns), BATCH):
                part = columns[begin : begin + BATCH]
                batch = torch.zeros((BATCH, len(channels), tile, tile))
                for i, index in enumerate(part):
                    batch[i] = torch.from_numpy(channels[:, :, index])
                mean, square = (moment.cpu().numpy() for moment in predictor(batch.to(device)))
                for i, start in enumerate(tiling.start(begin + k) for k in range(len(part))):
                    left, right = max(start, 0), min(start + tile, width)
                    inside = slice(left - start, right - start)
                    total[0, :, left:right] += window[:, inside] * mean[i][:, inside]
                    total[1, :, left:right] += window[:, inside] * square[i][:, inside]
                    total[2, :, left:right] += window[:, inside]
                bar.update(len(part))
            first, last = tiling.finished(tile_row)
            offset = first - tiling.start(tile_row)
            rows = slice(offset, offset + last - first)
            yield _strip(total[:, rows], valid[rows], Window(0, first, width, last - first))
            # the next tile row begins `step` rows further down
            total = np.concatenate([total[:, tiling.step :], np.zeros((3, tiling.step, width))], axis=1)


def _strip(total: np.ndarray, valid: np.ndarray, window: Window) -> Strip:
    mean = total[0] / total[2]
    spread = np.sqrt(np.maximum(total[1] / total[2] - mean**2, 0.0))
    return Strip(
        window,
        np.where(valid, mean, np.nan).astype(np.float32),
        np.where(valid, spread, np.nan).astype(np.float32),
    )


class Ensemble:
    """Trained models, each seen under mirrored views, as one `Predictor`.

    Parameters
    ----------
    models : (model, temperature): logits are divided by the temperature before they become probabilities.
    flips : test-time augmentation: also predict each tile mirrored (left–right, up–down, both) and mirror back.
    """

    def __init__(self, models: Sequence[tuple[torch.nn.Module, float]], *, flips: bool) -> None:
        self.models = list(models)
        self.views = [(), (3,), (2,), (2, 3)] if flips else [()]

    @torch.inference_mode()
    def __call__(self, tiles: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Predictor`."""
        mean = square = 0.0
        for model, temperature in self.models:
            for view in self.views:
                probability = landslide_probability(model(tiles.flip(view)) / temperature).flip([d - 1 for d in view])
                mean = mean + probability
                square = square + probability**2
        members = len(self.models) * len(self.views)
        return mean / members, square / members


def landslide_probability(logits: torch.Tensor) -> torch.Tensor:
    """(n, 1 or 2, h, w) logits → (n, h, w) probability of landslide."""
    if logits.shape[1] == 1:
        return torch.sigmoid(logits[:, 0].float())
    return torch.softmax(logits.float(), dim=1)[:, 1]


def run(
    factors: Mapping[str, str | Path],
    weights: Sequence[str | Path],
    grid: Grid,
    settings: PredictionSettings,
    *,
    probability: str | Path,
    uncertainty: str | Path,
    classes: str | Path,
    progress: bool = True,
) -> None:
    """Map an area with the weights of one experiment (one folder for each seed: an ensemble).

    Writes three rasters on `grid`: probability of landslide (0–1), its standard deviation over the members of the
    ensemble (seeds and mirrored views), and the class at the threshold chosen on validation (the mean of the
    members' thresholds).

    Raises
    ------
    InputError : weights that cannot be used, members trained on different bands, factors that do not fit them, or
        pixels of another size than in training.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    loaded = [load_weights(folder, device) for folder in weights]
    record = loaded[0][1]
    for folder, (_, other) in zip(weights, loaded, strict=True):
        if other["bands"] != record["bands"]:
            raise InputError(
                f"{folder} was trained on other bands than {weights[0]}; map them as separate experiments."
            )
    trained = record.get("pixel_size")
    if trained and abs(trained - grid.resolution[0]) > 0.01 * trained:
        raise InputError(
            f"The weights in {weights[0]} were trained on pixels of {trained:g} m and this area has "
            f"{grid.resolution[0]:g} m; set the area's grid.resolution to {trained:g}."
        )
    threshold = float(np.mean([other["threshold"] for _, other in loaded]))
    predictor = Ensemble([(model, other.get("temperature") or 1.0) for model, other in loaded], flips=settings.flips)
    tiling = Tiling(grid.height, grid.width, settings.tile, int(settings.overlap * settings.tile))
    tags = {"model": record["model"]["name"], "weights": len(loaded), "threshold": f"{threshold:.6g}"}
    with (
        FactorReader(factors, record["bands"], record["statistics"], grid) as reader,
        raster.create(
            probability, grid, bands=["probability"], units="1", long_name="probability of landslide", tags=tags
        ) as to_probability,
        raster.create(
            uncertainty,
            grid,
            bands=["uncertainty"],
            units="1",
            long_name="standard deviation of the probability over the ensemble's members",
            tags=tags,
        ) as to_uncertainty,
        raster.create(
            classes,
            grid,
            bands=["class"],
            units="1",
            long_name="landslide class at the validation threshold",
            dtype="uint8",
            categories={0: "no landslide", 1: "landslide"},
            tags=tags,
        ) as to_classes,
    ):
        for strip in strips(reader, predictor, tiling, device=device, progress=progress):
            if not strip.window.height:
                continue
            to_probability.write(strip.mean, strip.window)
            to_uncertainty.write(strip.spread, strip.window)
            known = np.isfinite(strip.mean)
            decided = np.where(known, strip.mean >= threshold, raster.CLASS_NODATA).astype(np.uint8)
            to_classes.write(decided, strip.window)
