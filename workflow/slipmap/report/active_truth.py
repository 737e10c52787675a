"""Active areas on simulated ground against the landslides that the simulator placed, by the size of the landslides."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rasterio.features import geometry_mask
from scipy.optimize import linear_sum_assignment

from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.prediction.motion import pixels_of
from slipmap.report.tabular import from_frame

FAST = 10.0  # mm/yr in the line of sight where a landslide moves fastest
SIZES = {  # name in hectares → range in m²
    "< 1": (0, 1e4),
    "1 to 2": (1e4, 2e4),
    "2 to 4": (2e4, 4e4),
    "> 4": (4e4, np.inf),
}
COLUMNS = [
    "landslides, ha", f"faster than {FAST:g} mm/yr", "of those found", "active areas", "on a moving landslide",
    "area ratio", "median IoU",
]  # fmt: skip


def compare(areas: gpd.GeoDataFrame, landslides: str | Path, velocity: str | Path) -> pd.DataFrame:
    """Which landslides have an active area and which areas a moving landslide, one for one; `COLUMNS`.

    Landslides that touch count as one. Pairs are chosen so that the sum of their intersections over unions is
    largest; an area that spans two landslides counts for one of them, a second area on a landslide for none.

    Parameters
    ----------
    areas : in the CRS of the truth. landslides, velocity : ``truth/landslides.gpkg`` and ``truth/velocity_los.tif``.
    """
    real = _joined(gpd.read_file(landslides))
    fast = _fastest(real, velocity) > FAST
    moving = real["moving"].to_numpy(bool)
    outlines, true = np.array(areas.geometry.values), np.array(real.geometry.values)
    shared = shapely.area(shapely.intersection(outlines[:, None], true[None]))
    union = shapely.area(outlines)[:, None] + shapely.area(true)[None] - shared
    alike = np.where(moving[None], shared / union, 0)
    one, other = linear_sum_assignment(-alike)
    pairs = alike[one, other] > 0
    one, other = one[pairs], other[pairs]
    size, own = shapely.area(true), shapely.area(outlines)
    found = np.isin(np.arange(len(real)), other)
    rows = []
    for name, (least, most) in {"all": (0, np.inf), **SIZES}.items():
        here, among = (size >= least) & (size < most), (size[other] >= least) & (size[other] < most)
        ratio = own[one][among].sum() / size[other][among].sum() if among.any() else np.nan
        middle = float(np.median(alike[one, other][among])) if among.any() else np.nan
        count = [len(areas), len(one)] if name == "all" else [None, int(among.sum())]
        rows.append([name, int((fast & here).sum()), int((fast & here & found).sum()), *count, ratio, middle])
    return pd.DataFrame(rows, columns=COLUMNS)


def _joined(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Landslides, those that touch as one, which moves if one of them does."""
    parts = shapely.get_parts(frame.geometry.union_all())
    which = shapely.STRtree(parts).query(np.array(frame.representative_point().values), predicate="within")[1]
    moves = np.zeros(len(parts), bool)
    np.logical_or.at(moves, which, frame["moving"].to_numpy(bool))
    return gpd.GeoDataFrame({"moving": moves}, geometry=parts, crs=frame.crs)


def _fastest(frame: gpd.GeoDataFrame, velocity: str | Path) -> np.ndarray:
    """Largest true velocity in the line of sight of each landslide, mm/yr."""
    grid, found = Grid.from_raster(velocity), []
    for geometry in frame.geometry:
        window = pixels_of(geometry.bounds, grid)
        part = grid.window_grid(window)
        inside = geometry_mask([geometry], part.shape, part.transform, invert=True)
        found.append(float(np.abs(raster.read(velocity, window, 1)[inside]).max(initial=0)))
    return np.array(found)


def section(compared: pd.DataFrame | None) -> dict[str, Any] | None:
    """What the page says of `compare`."""
    if compared is None:
        return None
    return {
        "text": "The active areas beside the landslides that the simulator placed, one area for one landslide. On real "
        "ground nobody can make this table.",
        "table": from_frame(compared),
    }
