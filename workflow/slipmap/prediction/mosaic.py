"""From factors and trained weights to a region-wide map, strip by strip, in one job or several."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from rasterio.windows import Window
from tqdm import tqdm

from slipmap.config.patches import AugmentSettings
from slipmap.config.prediction import MapSettings
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches.normalisation import as_statistics, channel_names
from slipmap.prediction.dates import interval_tags
from slipmap.prediction.ensemble import Ensemble, Predictor
from slipmap.prediction.map_files import Outputs, Strip, open_maps
from slipmap.prediction.reader import FactorReader
from slipmap.prediction.tiles import Tiling, reflected
from slipmap.training.augment import BatchAugmentation
from slipmap.training.calibration import calibration_of, chosen_method
from slipmap.training.weights import load_weights

# Tiles that a model is given at once: always the same number, so that a tile's result never depends on its company.
BATCH = 8


def strips(
    reader: FactorReader,
    predictor: Predictor,
    tiling: Tiling,
    *,
    device: str = "cpu",
    progress: bool = False,
    tile_rows: range | None = None,
) -> Iterator[Strip]:
    """Predict an area (or the rows that belong to `tile_rows` of it), top to bottom; every pixel comes once.

    Holds the factors of two rows of tiles (one being read while the other is predicted) and three float64 lines of
    tiles' height: memory grows with the area's width, not with its area. Rows of tiles above `tile_rows` that reach
    into them are predicted too, and added up in the same order, so that the numbers are those of the whole area.
    """
    width, tile = tiling.width, tiling.tile
    wanted = range(tiling.tile_rows) if tile_rows is None else tile_rows
    if not wanted:
        return
    predicted = range(max(0, wanted.start - tiling.reach), wanted.stop)
    window = tiling.window().astype(np.float64)
    columns = [reflected(start, tile, width) for start in tiling.columns()]
    total = np.zeros((3, tile, width))  # Σ w·p, Σ w·p², Σ w of the rows that the current tile row covers
    bar = tqdm(total=len(predicted) * len(columns), unit="tile", desc="predict", disable=not progress)
    with ThreadPoolExecutor(1) as ahead, bar:
        coming = ahead.submit(reader.rows, tiling.start(predicted.start), tile)
        for tile_row in predicted:
            channels, valid = coming.result()
            if tile_row + 1 in predicted:
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
            if tile_row in wanted and last > first:
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


def run(
    factors: Mapping[str, str | Path],
    weights: Sequence[str | Path],
    grid: Grid,
    settings: MapSettings,
    outputs: Outputs,
    *,
    progress: bool = True,
) -> None:
    """Map an area with the weights of one experiment (one folder for each seed: an ensemble).

    Writes four rasters on `grid`: probability of landslide (0–1), its standard deviation over the members of the
    ensemble (seeds, mirrored views, dropout), the class at the threshold chosen on validation (the mean of the
    members' thresholds), and the class of probability.

    Raises
    ------
    InputError : weights that cannot be used, members trained on different bands, factors that do not fit them, pixels
        of another size than in training, or no pixel with all the factors that are needed.
    """
    with _prepared(factors, weights, grid, settings) as (reader, predictor, tiling, device, tags):
        with open_maps(outputs, grid, settings, tags) as maps:
            for strip in strips(reader, predictor, tiling, device=device, progress=progress):
                maps.write(strip)
            maps.require_some()


def run_part(
    factors: Mapping[str, str | Path],
    weights: Sequence[str | Path],
    grid: Grid,
    settings: MapSettings,
    output: str | Path,
    *,
    part: int,
    parts: int,
    progress: bool = True,
) -> None:
    """Predict the `part`-th (from 0) of `parts` parts of an area: some rows of tiles; for `map_files.gather`.

    Writes mean and spread of the probability on the part's rows. A part without rows (an area with fewer rows of
    tiles than parts) writes one empty row and says so.
    """
    with _prepared(factors, weights, grid, settings) as (reader, predictor, tiling, device, tags):
        tile_rows = tiling.share(part, parts)
        first, last = tiling.rows(tile_rows)
        own = Window(0, first, grid.width, max(1, last - first))
        place: dict[str, object] = {"FIRST_ROW": first, "ROWS": last - first, "AREA_ROWS": grid.height}
        with raster.create(
            output,
            grid.window_grid(own),
            bands=["probability", "uncertainty"],
            units="1",
            long_name=["probability of landslide", "standard deviation over the ensemble's members"],
            tags=place | tags,
        ) as writer:
            for strip in strips(reader, predictor, tiling, device=device, progress=progress, tile_rows=tile_rows):
                window = strip.window
                inside = Window(0, window.row_off - first, window.width, window.height)
                writer.write(np.stack([strip.mean, strip.spread]), inside)


@contextmanager
def _prepared(
    factors: Mapping[str, str | Path], weights: Sequence[str | Path], grid: Grid, settings: MapSettings
) -> Iterator[tuple[FactorReader, Ensemble, Tiling, str, dict[str, str]]]:
    """Load and check the weights, open the factors."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    loaded = [load_weights(folder, device) for folder in weights]
    record = loaded[0][1]
    for folder, (_, other) in zip(weights, loaded, strict=True):
        if other["bands"] != record["bands"] or other["statistics"] != record["statistics"]:
            raise InputError(
                f"{folder} was trained on other bands or statistics than {weights[0]}; map them as two experiments."
            )
    trained = record["pixel_size"][0] if record.get("pixel_size") else None  # [x, y], square
    if trained and abs(trained - grid.resolution[0]) > 0.01 * trained:
        raise InputError(
            f"The weights in {weights[0]} were trained on pixels of {trained:g} m and this area has "
            f"{grid.resolution[0]:g} m; set the area's grid.resolution to {trained:g}."
        )
    calibrations = [
        calibration_of(folder, other, settings.calibration) for folder, (_, other) in zip(weights, loaded, strict=True)
    ]
    thresholds = [c.threshold(other["threshold"]) for c, (_, other) in zip(calibrations, loaded, strict=True)]
    statistics = as_statistics(record["statistics"]).select(record["bands"])
    mirror = BatchAugmentation.fitted(AugmentSettings(), channel_names(record["bands"], statistics), statistics)
    predictor = Ensemble(
        [(model, calibration) for (model, _), calibration in zip(loaded, calibrations, strict=True)],
        flips=settings.flips,
        dropout_samples=settings.dropout_samples,
        turn_directions=mirror.turn_directions,
    )
    tags = {
        "model": record["model"]["name"],
        "weights": str(len(loaded)),
        "members": str(predictor.members),
        "threshold": f"{float(np.mean(thresholds)):.9g}",
        "calibration": ", ".join(dict.fromkeys(chosen_method(r, settings.calibration) for _, r in loaded)),
        "bands": ",".join(record["bands"]),
    }
    tiling = Tiling(grid.height, grid.width, settings.tile, int(settings.overlap * settings.tile))
    with FactorReader(factors, record["bands"], record["statistics"], grid) as reader:
        tags |= interval_tags(factors[name] for name in record["bands"])
        yield reader, predictor, tiling, device, tags
