"""What an analyst asks of a landslide: attributes from the map, the factors and the inventory; object-based rules."""

from collections.abc import Callable, Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from rasterio.features import geometry_mask

from slipmap.codes import LANDSLIDE
from slipmap.config.motion import ASPECT_VECTOR
from slipmap.config.prediction import ObjectRules
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.prediction.motion import pixels_of

# attribute → (layer, statistic); an attribute whose layer the area has not is left out
ATTRIBUTES = {
    "probability_mean": ("probability", "mean"),
    "probability_max": ("probability", "max"),
    "uncertainty_mean": ("uncertainty", "mean"),
    "slope_mean": ("slope", "mean"),
    "elevation_min": ("elevation", "min"),
    "elevation_max": ("elevation", "max"),
    "ndvi_mean": ("ndvi", "mean"),
    "ndvi_after_mean": ("ndvi_after", "mean"),
    "ndvi_change_mean": ("ndvi_change", "mean"),
    "velocity_mean": ("velocity", "mean"),
    "velocity_min": ("velocity", "min"),
    "velocity_max": ("velocity", "max"),
}
_STATISTICS: Mapping[str, Callable[[np.ndarray], float]] = {"mean": np.mean, "min": np.min, "max": np.max}


def describe(frame: gpd.GeoDataFrame, layers: Mapping[str, str | Path], grid: Grid) -> gpd.GeoDataFrame:
    """Add compactness, `ATTRIBUTES` of the layers that there are, mean aspect and commonest lithology.

    Holds one landslide's pixels at a time. The mean aspect is that of the mean downslope direction, degrees clockwise
    from north; compactness is 4π·area/perimeter² of the outline (1 for a disc, π/4 for a square).
    """
    table: dict[str, list[float]] = {key: [] for key, (layer, _) in ATTRIBUTES.items() if layer in layers}
    with_aspect, with_lithology = set(ASPECT_VECTOR) <= layers.keys(), "lithology" in layers
    needed = {ATTRIBUTES[key][0] for key in table}
    needed |= set(ASPECT_VECTOR) if with_aspect else set()
    needed |= {"lithology"} if with_lithology else set()
    units = raster.read_classes(layers["lithology"]) if with_lithology else {}
    aspects, lithologies = [], []
    sources = {name: rasterio.open(layers[name]) for name in sorted(needed)}
    try:
        for geometry in frame.geometry:
            window = pixels_of(geometry.bounds, grid)
            part = grid.window_grid(window)
            inside = geometry_mask([geometry], part.shape, part.transform, invert=True)
            values = {name: raster.read_open(source, window, 1)[inside] for name, source in sources.items()}
            values = {name: array[np.isfinite(array)] for name, array in values.items()}
            for key, column in table.items():
                layer, statistic = ATTRIBUTES[key]
                column.append(float(_STATISTICS[statistic](values[layer])) if values[layer].size else np.nan)
            if with_aspect:
                east, north = (values[name].sum() for name in ASPECT_VECTOR)
                known = np.hypot(east, north) > 1e-6
                aspects.append(float(np.degrees(np.arctan2(east, north)) % 360) if known else np.nan)
            if with_lithology:
                codes, counts = np.unique(values["lithology"].astype(int), return_counts=True)
                commonest = int(codes[counts.argmax()]) if codes.size else None
                lithologies.append(None if commonest is None else units.get(commonest, str(commonest)))
    finally:
        for source in sources.values():
            source.close()
    more = {"compactness": 4 * np.pi * frame.area / frame.length**2, **table}
    more |= {"aspect_mean": aspects} if with_aspect else {}
    more |= {"lithology": pd.Series(lithologies, index=frame.index, dtype=object)} if with_lithology else {}
    return frame.assign(**more)


def match_inventory(frame: gpd.GeoDataFrame, inventory: str | Path) -> pd.Series:
    """ "matched" where a landslide shares a pixel with the inventory raster, else "new"."""
    grid = Grid.from_raster(inventory)
    found = []
    with rasterio.open(inventory) as source:
        for geometry in frame.geometry:
            window = pixels_of(geometry.bounds, grid)
            part = grid.window_grid(window)
            inside = geometry_mask([geometry], part.shape, part.transform, invert=True)
            found.append("matched" if (source.read(1, window=window)[inside] == LANDSLIDE).any() else "new")
    return pd.Series(found, index=frame.index, dtype=str)


def kept_by_rules(frame: gpd.GeoDataFrame, rules: ObjectRules) -> gpd.GeoDataFrame:
    """The landslides that break no rule; they keep their numbers.

    Rules after the object-based step of ResU-Net-OBIA (Ghorbanzadeh, Gholamnia & Ghamisi 2022, Big Earth Data 7,
    961–985): a network's outlines are kept or dropped by slope, vegetation and shape. A landslide whose attribute is
    unknown passes.

    Raises
    ------
    InputError : a rule whose attribute the area's factors do not give.
    """
    ndvi = "ndvi_mean" if "ndvi_mean" in frame else "ndvi_after_mean"
    for key, column, sign in (
        ("min_probability", "probability_mean", 1),
        ("min_slope", "slope_mean", 1),
        ("max_ndvi", ndvi, -1),
        ("max_ndvi_change", "ndvi_change_mean", -1),
        ("min_compactness", "compactness", 1),
    ):
        limit = getattr(rules, key)
        if limit is None:
            continue
        if column not in frame:
            raise InputError(
                f"prediction.rules.{key} needs the factor '{column.removesuffix('_mean')}', which this area does not "
                f"make; add it to factors.extra or leave the rule out."
            )
        frame = frame[~(sign * frame[column] < sign * limit)]
    return frame
