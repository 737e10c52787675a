"""The split of an area into training, validation and test ground, before anything looks at a factor.

Blocks are drawn by landslide content so that every split has landslides; pixels within the buffer of another split's
block are left out. A landslide belongs to the block that holds most of it: its part in another split's blocks is left
out too. Whoever reads ``split.tif`` needs no other file to know which ground a pixel belongs to.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import ArrayLike, NDArray
from rasterio.windows import Window
from scipy.ndimage import maximum_filter, minimum_filter

from slipmap.codes import IGNORE, LANDSLIDE, SPLIT_CLASSES
from slipmap.config.patches import SplitSettings
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.atomic import write_aside
from slipmap.io.grid import Grid
from slipmap.patches.buffer import block_count, buffer_pixels
from slipmap.patches.distance import SplitDistance
from slipmap.patches.landslides import BlockNumbers, Landslides

log = logging.getLogger(__name__)
INDEPENDENCE = {
    "blocks": "spatial blocks",
    "kfold": "spatial blocks, k-fold",
    "area": "left-out area",
    "random": "RANDOM split: training and test patches touch, scores are too high",
}


def run(
    inventory_tif: str | Path,
    settings: SplitSettings | Mapping[str, Any],
    split_tif: str | Path,
    blocks_gpkg: str | Path,
) -> None:
    """Write the split of an area as a raster and its blocks as polygons.

    Parameters
    ----------
    inventory_tif : uint8 on the area's grid: 1 landslide, 0 none, 255 unknown.
    settings : how to divide.
    split_tif : uint8 on the same grid: 0 training, 1 validation, 2 test, 255 left out.
    blocks_gpkg : one polygon for each block: block, row, col, split, landslide_pixels, known_pixels.

    Raises
    ------
    InputError : too few blocks, or too few with landslides, for every split to have some; a buffer that leaves nothing
        of the blocks.

    Notes
    -----
    Holds one block of pixels, the table of blocks, and one row for each landslide. A random split keeps the landslides
    that it cuts, as the papers do; their number is said.
    """
    settings = SplitSettings.model_validate(settings)
    grid = Grid.from_raster(inventory_tif)
    rows, cols = block_edges(grid.height, settings.block), block_edges(grid.width, settings.block)
    landslide, known = count_blocks(inventory_tif, grid, rows, cols)
    numbers = BlockNumbers(rows, cols)
    landslides = Landslides(inventory_tif, grid, numbers)
    labels = assign(landslides.own_pixels(known.size).reshape(known.shape), known, settings)
    buffer = buffer_pixels(settings, grid)
    distance = SplitDistance(grid)
    left_out = 0
    with raster.create(
        split_tif,
        grid,
        bands=["split"],
        units="1",
        long_name="training, validation and test ground",
        dtype="uint8",
        categories=SPLIT_CLASSES,
    ) as writer:
        for window, owner in landslides.owners():
            label = pixel_labels(labels, numbers, window, buffer)
            if settings.method != "random":
                foreign = (owner >= 0) & (label != IGNORE) & (label != labels.ravel()[owner])
                left_out += int(foreign.sum())
                label[foreign] = IGNORE
            distance.add(label, window)
            writer.write(label, window)
        across = landslides.across(labels.ravel())
        writer.tag(**_tags(settings, buffer, len(landslides), across, left_out), **distance.tags())
    if settings.method == "random":
        log.warning(
            "%d of %d landslides lie in more than one split, as a random split has them.", across, len(landslides)
        )
    else:
        log.info(
            "%d of %d landslides lie across blocks of different splits; each belongs to the block that holds most of "
            "it, and %d pixels of them elsewhere are left out.", across, len(landslides), left_out,
        )  # fmt: skip
    _write_blocks(blocks_gpkg, grid, rows, cols, labels, landslide, known)


def _tags(settings: SplitSettings, buffer: int, landslides: int, across: int, left_out: int) -> dict[str, Any]:
    """What the raster says of how it was made; `slipmap.patches.store.split_description` reads it."""
    said = INDEPENDENCE[settings.method]
    if settings.method == "random":
        said = f"{said}; {across} of {landslides} landslides lie in several splits"
    elif settings.method != "area" or settings.role == "training":
        said = f"{said}; no landslide in two splits ({across} of {landslides} cut, the smaller part left out)"
    tags = {
        "SPLIT_METHOD": settings.method,
        "SPLIT_INDEPENDENCE": said,
        "SPLIT_BLOCK": settings.block,
        "SPLIT_BUFFER": buffer,
        "SPLIT_SHARES": ":".join(f"{share:.4g}" for share in settings.shares()),
        "SPLIT_SEED": settings.seed,
        "SPLIT_LANDSLIDES": landslides,
        "SPLIT_LANDSLIDES_ACROSS": across,
        "SPLIT_LANDSLIDE_PIXELS_LEFT_OUT": left_out,
    }
    if settings.method == "kfold":
        tags |= {"SPLIT_FOLDS": settings.folds, "SPLIT_FOLD": settings.fold}
    return tags


def block_edges(length: int, block: int) -> np.ndarray:
    """Edges of the blocks along an axis of `length` pixels: (blocks + 1,), from 0 to `length`.

    All blocks have `block` pixels but the last, which takes the remainder: 0.5 to 1.5 times `block`.
    """
    return np.append(np.arange(block_count(length, block)) * block, length)


def count_blocks(
    inventory_tif: str | Path, grid: Grid, rows: np.ndarray, cols: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Landslide pixels and known pixels of each block: two (block rows, block cols) arrays."""
    shape = len(rows) - 1, len(cols) - 1
    numbers = BlockNumbers(rows, cols)
    landslide, known = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    with rasterio.open(inventory_tif) as src:
        for window in grid.blocks():
            inventory = np.nan_to_num(raster.read_open(src, window, 1), nan=IGNORE)
            block = numbers(window)
            for total, chosen in ((landslide, inventory == LANDSLIDE), (known, inventory != IGNORE)):
                total += np.bincount(block[chosen], minlength=total.size).reshape(shape)
    return landslide, known


def assign(landslide: np.ndarray, known: np.ndarray, settings: SplitSettings) -> np.ndarray:
    """Split of each block: uint8 (block rows, block cols), 255 where nothing is known.

    Blocks are ranked by landslide content and drawn stratum by stratum, so each split gets its share of rich, poor
    and empty blocks; the number of blocks of each split is within one of its share. The same counts, settings and
    seed give the same split.
    """
    use = known.ravel() > 0
    labels = np.full(use.size, IGNORE, np.uint8)
    content = (landslide.ravel() / np.maximum(known.ravel(), 1))[use]
    rng = np.random.default_rng(settings.seed)
    if settings.method == "kfold":
        folds = draw([1 / settings.folds] * settings.folds, content, rng, "split.folds")
        test, validation = settings.fold, (settings.fold + 1) % settings.folds
        labels[use] = np.select([folds == test, folds == validation], [2, 1], 0)
    elif settings.method == "random":
        labels[use] = draw(settings.shares(), content, rng, "split.ratios", stratify=False)
    else:
        labels[use] = draw(settings.shares(), content, rng, "split.ratios")
    return labels.reshape(known.shape)


def draw(
    shares: Sequence[float],
    content: np.ndarray,
    rng: np.random.Generator,
    key: str = "split.ratios",
    stratify: bool = True,
    unit: str = "blocks",
) -> np.ndarray:
    """Part (0, 1, …) of each of n units, for parts with the given `shares` (they add up to 1).

    Parameters
    ----------
    shares : share of each part; a part with share 0 stays empty.
    content : (n,) landslide content of each unit; units with content > 0 count as positive.
    unit : what the units are called in messages.
    stratify : draw by content, with at least one positive unit in each part; otherwise blindly.

    Returns
    -------
    (n,) uint8. Each part's number of units is within one of ``shares * n`` (see `apportion`).

    Raises
    ------
    InputError : fewer units, or fewer positive ones, than parts.
    """
    wanted = sum(share > 0 for share in shares)
    positive = np.flatnonzero(content > 0)
    few = "make split.block smaller or the area larger" if unit == "blocks" else "use more images"
    if len(content) < wanted:
        raise InputError(f"{key} asks for {wanted} parts but there are only {len(content)} {unit}; {few}.")
    if len(positive) < wanted:
        raise InputError(
            f"{key} asks for {wanted} parts with landslides but only {len(positive)} of {len(content)} {unit} have "
            f"any; {few}."
        )
    totals = apportion(shares, len(content))
    if not stratify:
        return rng.permutation(np.repeat(np.arange(len(shares), dtype=np.uint8), totals))
    positives = np.minimum(apportion(shares, len(positive)), totals)
    short = len(positive) - positives.sum()
    for part in np.argsort(positives - totals):
        more = min(short, totals[part] - positives[part])
        positives[part] += more
        short -= more
    parts = np.empty(len(content), np.uint8)
    rank = positive[np.lexsort((rng.random(len(positive)), -content[positive]))]
    parts[rank] = _spread(positives, rng)
    negative = np.flatnonzero(~(content > 0))
    parts[negative] = rng.permutation(np.repeat(np.arange(len(shares), dtype=np.uint8), totals - positives))
    return parts


def apportion(shares: ArrayLike, count: int) -> NDArray[np.int64]:
    """Whole numbers that add up to `count`, each within one of ``shares * count``, none 0 whose share is not.

    Largest remainders; a part that would get nothing takes one from the part that is most above its share (where a
    share is less than one unit, that part may then lose more than one).
    """
    quota = np.asarray(shares, float) * count
    whole = np.floor(quota + 1e-9).astype(int)
    order = np.argsort(-(quota - whole), kind="stable")
    whole[order[: count - whole.sum()]] += 1
    for part in np.flatnonzero((whole == 0) & (quota > 0)):
        donor = np.argmax(np.where(whole > 1, whole - quota, -np.inf))
        if whole[donor] > 1:
            whole[donor] -= 1
            whole[part] += 1
    return whole


def _spread(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Parts in an order in which each keeps pace with its share, shuffled within strata."""
    total = int(counts.sum())
    sequence = np.empty(total, np.uint8)
    given = np.zeros(len(counts))
    for i in range(total):  # the part that lags most behind its share comes next
        lag = np.where(given < counts, counts * (i + 1) / total - given, -np.inf)
        sequence[i] = np.argmax(lag)
        given[sequence[i]] += 1
    stratum = max(2 * len(counts), 2)
    for start in range(0, total, stratum):
        rng.shuffle(sequence[start : start + stratum])
    return sequence


def pixel_labels(labels: np.ndarray, numbers: BlockNumbers, window: Window, buffer: int) -> np.ndarray:
    """Split of each pixel in `window`, uint8: its block's, or 255 within the buffer.

    Any two pixels of different splits are more than `buffer` pixels apart (in row or in column).
    """
    reach = -(-buffer // 2)  # half from each side
    part = Window(window.col_off - reach, window.row_off - reach, window.width + 2 * reach, window.height + 2 * reach)
    label: NDArray[np.int16] = labels.ravel()[numbers(part)].astype(np.int16)
    if reach:
        size = 2 * reach + 1
        unlabelled = label == IGNORE
        lowest = minimum_filter(np.where(unlabelled, IGNORE, label), size, mode="nearest")
        highest = maximum_filter(np.where(unlabelled, -1, label), size, mode="nearest")
        label = np.where(highest > lowest, IGNORE, label)[reach:-reach, reach:-reach]
    return label.astype(np.uint8)


def _write_blocks(
    path: str | Path,
    grid: Grid,
    rows: np.ndarray,
    cols: np.ndarray,
    labels: np.ndarray,
    landslide: np.ndarray,
    known: np.ndarray,
) -> None:
    import geopandas as gpd  # here: stores and trainings ask this module only for words
    import pyogrio
    from shapely.geometry import box

    row, col = (index.ravel() for index in np.indices(labels.shape))
    corners = [
        (grid.transform @ (cols[c], rows[r + 1]), grid.transform @ (cols[c + 1], rows[r]))
        for r, c in zip(row, col, strict=True)
    ]
    names = {**SPLIT_CLASSES, IGNORE: "left out"}
    blocks = gpd.GeoDataFrame(
        {
            "block": np.arange(labels.size),
            "row": row,
            "col": col,
            "split": [names[label] for label in labels.ravel()],
            "landslide_pixels": landslide.ravel(),
            "known_pixels": known.ravel(),
        },
        geometry=[box(*low, *high) for low, high in corners],
        crs=grid.crs,
    )
    with write_aside(path) as aside:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "1970-01-01T00:00:00Z"})  # same run, same bytes
        try:
            blocks.to_file(aside, layer="blocks", driver="GPKG")
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
            if os.path.exists(f"{aside}-journal"):
                os.remove(f"{aside}-journal")
