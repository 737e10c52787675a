"""CenterRep: overlay the centre of each landslide with texture from beside it.

Jin, Liu & Huang (2024), EMR-HRNet, Sensors 24, 3677, §2.2: the landslide's bounding box and its centre are found, and
a rectangle of non-landslide features, "between 20 and 30 %" of the landslide, is laid over the landslide at that
centre. The paper does not say where the texture comes from, what becomes of the label, or what is done with several
landslides. Our reading: the texture is cut from the same image, the label becomes background (that is what the pixels
now show), each connected landslide has its own box, and 20-30 % is of each side of the box, or of its area on request.
"""

from typing import Literal

import numpy as np

from slipmap.codes import BACKGROUND, IGNORE, LANDSLIDE

Box = tuple[int, int, int, int]  # row, col, row end, col end


def center_rep(
    image: np.ndarray,
    mask: np.ndarray,
    rng: np.random.Generator,
    size: tuple[float, float] = (0.2, 0.3),
    by: Literal["side", "area"] = "side",
) -> tuple[np.ndarray, np.ndarray, list[Box]]:
    """Apply CenterRep to one patch.

    Parameters
    ----------
    image : (bands, rows, cols); not changed.
    mask : (rows, cols) uint8: 1 landslide, 0 not, 255 ignored; not changed.
    rng : draws the size of each rectangle and where its texture comes from.
    size : smallest and largest size relative to the landslide's box; one draw for both sides.
    by : "side": each side of the rectangle is that share of the box's side. "area": its area is that share of the
        box's area, its shape that of the box.

    Returns
    -------
    image, mask : copies, changed inside the returned boxes only. Ignored pixels stay ignored, and as they were.
    boxes : one rectangle for each landslide that was overlaid, on the patch's pixels. A landslide too small for a
        rectangle of a pixel within `size`, or one for which the image has no such piece of background, is left alone.
    """
    from scipy.ndimage import find_objects, label  # here: who only turns patches needs none of it

    image, mask = image.copy(), mask.copy()
    original, background = image.copy(), mask == BACKGROUND
    boxes = []
    landslides, _ = label(mask == LANDSLIDE, structure=np.ones((3, 3), int))
    for rows, cols in find_objects(landslides):
        box = _rectangle(rows, cols, rng, size, by)
        if box is None:
            continue
        row, col, row_end, col_end = box
        source = _background_piece(background, row_end - row, col_end - col, rng)
        if source is None:
            continue
        texture = original[:, source[0] : source[0] + row_end - row, source[1] : source[1] + col_end - col]
        known = mask[row:row_end, col:col_end] != IGNORE
        image[:, row:row_end, col:col_end] = np.where(known, texture, image[:, row:row_end, col:col_end])
        mask[row:row_end, col:col_end][known] = 0
        boxes.append(box)
    return image, mask, boxes


def _rectangle(rows: slice, cols: slice, rng: np.random.Generator, size: tuple[float, float], by: str) -> Box | None:
    """The rectangle at the centre of the box `rows` × `cols`, its sides whole pixels within `size`; None if none is."""
    height, width = rows.stop - rows.start, cols.stop - cols.start
    share = rng.uniform(*size)
    side = np.sqrt(share) if by == "area" else share
    h, w = np.ogrid[1 : height + 1, 1 : width + 1]
    shares = (h * w / (height * width),) if by == "area" else (h / height, w / width)
    within = np.ones((height, width), bool)
    for part in shares:
        within &= (part >= size[0] - 1e-9) & (part <= size[1] + 1e-9)
    if not within.any():
        return None
    distance = np.where(within, np.hypot(h - side * height, w - side * width), np.inf)
    tall, wide = (int(i) + 1 for i in np.unravel_index(np.argmin(distance), distance.shape))
    row, col = rows.start + (height - tall) // 2, cols.start + (width - wide) // 2
    return row, col, row + tall, col + wide


def _background_piece(
    background: np.ndarray, height: int, width: int, rng: np.random.Generator
) -> tuple[int, int] | None:
    """First row and column of a random `height` × `width` piece of background; None if there is none."""
    if height > background.shape[0] or width > background.shape[1]:
        return None
    sums = np.zeros((background.shape[0] + 1, background.shape[1] + 1), np.int64)
    sums[1:, 1:] = background.cumsum(0).cumsum(1)
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    free = np.flatnonzero(inside == height * width)
    if not free.size:
        return None
    row, col = np.unravel_index(rng.choice(free), inside.shape)
    return int(row), int(col)
