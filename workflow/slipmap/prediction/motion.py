"""What the radar says of a landslide: can it be seen moving downslope, does it, and how over time."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import geopandas as gpd
import h5netcdf
import h5py
import numpy as np
import pandas as pd
import rasterio
from rasterio.features import geometry_mask
from rasterio.windows import Window, from_bounds

from slipmap.config.motion import ASPECT_VECTOR
from slipmap.config.prediction import MotionSettings
from slipmap.deformation import reliability
from slipmap.deformation.geometry import fastest
from slipmap.deformation.geometry import sensitivity as downslope_sensitivity
from slipmap.deformation.timeseries import mean_of_pixels, series_grid
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.sentinel1.sight import line_of_sight

MOVING, IN_PART = "moving", "moves in part"
ELSEWHERE, SLOW = "moves, not downslope", "moves slowly"
STILL, UNSEEN = "no movement detected", "not observable"
RELIABLE = 1  # in mask.tif
LEAST_PIXELS = 3  # with a reliable velocity; fewer say nothing about a landslide
LEAST_SHARE = 0.1  # of an outline with a reliable velocity, or in an active area; less says nothing about it
MOST = 0.5  # of an outline in active areas: what they do, it does
COLUMNS = (
    "velocity_mean",
    "velocity_std",
    "velocity_downslope",
    "velocity_downslope_std",
    "detectable_velocity",
    "aliasing_velocity",
    "coherent_share",
    "sensitivity",
    "motion",
)
RULE = (
    "Two kinds of evidence decide: the mean downslope velocity of the outline, and active areas in it (ground that "
    "stands out of the noise around it), of which one counts if it covers at least 10 % of the outline or at least "
    "half of it lies inside. Moving: the mean velocity is at least {moving_velocity:g} mm/yr and twice its standard "
    "deviation, or active areas of that speed cover at least half of the outline. Moves in part: active areas cover "
    "less than half of it. Moves slowly: motion is seen in either way, below {moving_velocity:g} mm/yr; from a mean "
    "velocity of little more than two standard deviations alone it may be noise. Moves, not downslope: motion is seen, "
    "but it would have to be up the slope. No movement detected: no active area, and the mean velocity is within twice "
    "its standard deviation of zero; motion slower than detectable_velocity (two standard deviations) is hidden by "
    "noise, faster than aliasing_velocity (a quarter wavelength between acquisitions) is lost. Not observable: no "
    "active area, and the radar sees less than {min_sensitivity:.0%} of downslope motion, or too few pixels are "
    "reliable."
)
DOWNSLOPE = ("velocity_downslope", "velocity_downslope_std", "detectable_velocity", "aliasing_velocity", "sensitivity")


def summarise(
    velocity: np.ndarray,
    deviation: np.ndarray,
    mask: np.ndarray,
    sensitivity: np.ndarray,
    settings: MotionSettings,
    limit: float = float("nan"),
) -> dict[str, float | str]:
    """What the radar says of one landslide, from its pixels (1-D arrays; NaN: no data), by `RULE`.

    Pixels count where `mask` is 1: what the deformation stage calls reliable (``mask.tif``), and nothing else. Active
    areas are added by `slipmap.prediction.moving_parts`.

    The downslope velocity is the one that fits the line-of-sight velocities of the reliable pixels best:
    Σ s·v / Σ s². Its standard deviation is that of a typical pixel over the root mean square sensitivity: neighbours
    share most of their noise. `limit` is the largest line-of-sight velocity that is not aliased, mm/yr. A landslide is

    - not observable where the root mean square sensitivity is below ``min_sensitivity``, or fewer than `LEAST_PIXELS`
      pixels (or a tenth of them) are reliable;
    - without movement detected where its downslope velocity is within twice its standard deviation of zero, which does
      not mean that it is stable: slower motion than ``detectable_velocity`` drowns in noise, faster than
      ``aliasing_velocity`` is lost between two acquisitions;
    - moving where that velocity is at least ``moving_velocity``, and moving, yet not downslope, where its negative is:
      it sinks, rises or slides another way, or its phases are wrong;
    - moving slowly where it is less than that either way.
    """
    reliable = (mask == RELIABLE) & np.isfinite(velocity)
    seen = np.isfinite(sensitivity)
    strength = float(np.sqrt(np.mean(sensitivity[seen] ** 2))) if seen.any() else float("nan")
    found: dict[str, float | str] = {
        "velocity_mean": float(velocity[reliable].mean()) if reliable.any() else float("nan"),
        "velocity_std": float(np.nanmedian(deviation[reliable])) if reliable.any() else float("nan"),
        "velocity_downslope": float("nan"),
        "velocity_downslope_std": float("nan"),
        "detectable_velocity": float("nan"),
        "aliasing_velocity": float("nan"),
        "coherent_share": float(reliable.mean()) if reliable.size else 0.0,
        "sensitivity": strength,
        "motion": UNSEEN,
    }
    both = reliable & seen
    if both.sum() < max(LEAST_PIXELS, LEAST_SHARE * reliable.size) or not strength >= settings.min_sensitivity:
        return found
    s, v = sensitivity[both], velocity[both]
    downslope = float((s * v).sum() / (s**2).sum())
    deviation_downslope = float(found["velocity_std"]) / strength
    found |= {
        "velocity_downslope": downslope,
        "velocity_downslope_std": deviation_downslope,
        "detectable_velocity": 2 * deviation_downslope,
        "aliasing_velocity": limit / strength,
    }
    found["motion"] = _kind(downslope, deviation_downslope, settings.moving_velocity)
    return found


def _kind(downslope: float, deviation: float, fast: float) -> str:
    """The class of a downslope velocity that the radar can see, all mm/yr."""
    if not abs(downslope) >= 2 * deviation:
        return STILL
    if abs(downslope) < fast:
        return SLOW
    return MOVING if downslope > 0 else ELSEWHERE


def describe_motion(
    frame: gpd.GeoDataFrame,
    layers: Mapping[str, str | Path],
    deformation: Mapping[str, str | Path],
    grid: Grid,
    settings: MotionSettings,
) -> gpd.GeoDataFrame:
    """Add `COLUMNS` to landslides whose outlines lie on `grid`; holds one landslide's pixels at a time.

    Parameters
    ----------
    layers : slope, aspect_sin and aspect_cos on `grid`. Without them, or without the line of sight, sensitivity and
        motion are left out.
    deformation : velocity, velocity_std, mask (rasters on any grid) and stack (stack.json).
    """
    sight = line_of_sight(deformation["stack"]) if "stack" in deformation else None
    limit = fastest(deformation["stack"]) if "stack" in deformation else float("nan")
    named = [layers[name] for name in ("slope", *ASPECT_VECTOR) if name in layers]
    sloping = len(named) == 3
    rows = []
    with ExitStack() as stack:  # all stay open, so that no block is decoded for each landslide again
        kinds = {"velocity": "field", "velocity_std": "field", "mask": "classes"}
        radar = [(stack.enter_context(rasterio.open(deformation[name])), kind) for name, kind in kinds.items()]
        terrain = [stack.enter_context(rasterio.open(path)) for path in named]
        read_sight = None if sight is None or not sloping else stack.enter_context(sight.opened())
        for geometry in frame.geometry:
            window = pixels_of(geometry.bounds, grid)
            part = grid.window_grid(window)
            inside = geometry_mask([geometry], part.shape, part.transform, invert=True)
            values = []
            for source, kind in radar:
                with raster.view(source, part, kind=kind) as shown:
                    values.append(raster.read_open(shown, None, 1)[inside])
            sensitivity = np.full(inside.sum(), np.nan)
            if read_sight is not None:
                slope, east, north = (raster.read_open(source, window, 1)[inside] for source in terrain)
                sensitivity = downslope_sensitivity(slope, east, north, read_sight(window, grid)[:, inside])
            velocity, deviation, mask = values
            rows.append(summarise(velocity, deviation, mask, sensitivity, settings, limit))
    table = pd.DataFrame(rows, columns=list(COLUMNS), index=frame.index)
    if sight is None or not sloping:
        table = table.drop(columns=[*DOWNSLOPE, "motion"])
    return frame.drop(columns=[c for c in table if c in frame]).join(table)


def displacement(frame: gpd.GeoDataFrame, timeseries: str | Path) -> pd.DataFrame:
    """Mean displacement (mm) of each landslide's reliable pixels at each date: one row for each of both.

    Columns landslide, date (YYYY-MM-DD), displacement_mm, pixels. Landslides without a reliable pixel have no rows.
    """
    rows = []
    with h5netcdf.File(timeseries, "r") as file:
        own, dates = series_grid(file)
    outlines = frame.geometry.to_crs(own.crs)
    with h5py.File(timeseries, "r") as file:  # h5netcdf looks all dimensions up for each slice
        displaced, classes = file["displacement"], file["reliability"]
        for number, geometry in zip(frame["landslide"], outlines, strict=True):
            window = pixels_of(geometry.bounds, own)
            if window is None:
                continue
            part = own.window_grid(window)
            at = window.toslices()
            inside = geometry_mask([geometry], part.shape, part.transform, invert=True)
            inside &= classes[at] == reliability.RELIABLE
            if not inside.any():
                continue
            mean = mean_of_pixels(displaced[:, at[0], at[1]][:, inside], dates)
            rows += [
                {"landslide": int(number), "date": day, "displacement_mm": float(d), "pixels": int(inside.sum())}
                for day, d in zip(dates, mean, strict=True)
            ]
    return pd.DataFrame(rows, columns=["landslide", "date", "displacement_mm", "pixels"])


def pixels_of(bounds: tuple[float, float, float, float], grid: Grid) -> Window | None:
    """The window of `grid` that covers `bounds`; None where they lie outside."""
    window = from_bounds(*bounds, transform=grid.transform)
    first_col, first_row = max(0, int(np.floor(window.col_off + 1e-6))), max(0, int(np.floor(window.row_off + 1e-6)))
    last_col = min(grid.width, int(np.ceil(window.col_off + window.width - 1e-6)))
    last_row = min(grid.height, int(np.ceil(window.row_off + window.height - 1e-6)))
    if last_col <= first_col or last_row <= first_row:
        return None
    return Window(first_col, first_row, last_col - first_col, last_row - first_row)
