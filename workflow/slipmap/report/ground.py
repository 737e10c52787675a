"""How much of an outline lies in ground unlike what the model learnt from: there its probability is a guess."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from rasterio.features import geometry_mask

from slipmap.io.grid import Grid
from slipmap.prediction.motion import pixels_of
from slipmap.screening.applicability import CODES, INSIDE

LEAST = 0.005  # of an outline: a share below is none, one that far from all of it is all
OUTSIDE_GROUND = "on ground unlike what the model learnt from"
MEANING = "Where the ground is unlike what the model learnt from, the probability is a guess."
MOTION_STANDS = " The measured motion does not rest on it."
HOW = (
    "Where not to trust a map is judged by its area of applicability (Meyer and Pebesma 2021): ground lies outside "
    "where its factors, weighted by importance, are farther from every training pixel than training pixels are from "
    "those of other folds. It concerns the probability and what is drawn from it, not measured motion."
)


def with_share(frame: gpd.GeoDataFrame, mask: Path | None) -> gpd.GeoDataFrame:
    """`frame` with "outside_share" (0 to 1) of each outline, and "ground", the same in words; as it is without `mask`.

    Parameters
    ----------
    frame : outlines in the CRS of `mask`. mask : ``applicability.tif``; what it does not know counts for nothing.

    Notes
    -----
    Reads the window of one outline at a time. An outline smaller than a pixel is judged by the pixels that it touches.
    """
    if mask is None:
        return frame
    grid = Grid.from_raster(mask)
    shares = []
    with rasterio.open(mask) as source:
        for shape in frame.geometry:
            window = pixels_of(shape.bounds, grid)
            codes = source.read(1, window=window) if window is not None else np.zeros((0, 0), np.uint8)
            for touched in (False, True):
                if not codes.size:
                    break
                inside = geometry_mask(
                    [shape], codes.shape, grid.window_grid(window).transform, all_touched=touched, invert=True
                )
                if inside.any():
                    codes = codes[inside]
                    break
            known = codes[np.isin(codes, list(CODES))]
            shares.append(float((known != INSIDE).mean()) if known.size else np.nan)
    return frame.assign(outside_share=shares, ground=[_in_panel(share) for share in shares])


def _in_panel(share: float) -> str | float:
    if share != share:
        return share
    return "none of it" if share < LEAST else f"{part(share)} of it: the probability is a guess there"


def in_row(share: float) -> str:
    """What a list of places says of an outline; "" where its ground is like what was learnt from, or not known."""
    if not share >= LEAST:
        return ""
    return f"{part(share)} of it {OUTSIDE_GROUND}"


def part(share: float) -> str:
    """A share of an outline: "all", or percent."""
    return "all" if share > 1 - LEAST else f"{max(1, round(100 * share))}\u202f%"
