"""What is new since an earlier run: ground that began to move, sped up, slowed or stopped, and outlines that are new.

Areas of both runs are followed in the series of the present one, against the ground around them; their velocity before
the earlier run's last date is compared with that since.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import h5netcdf
import numpy as np
import pandas as pd
import pyogrio
from rasterio.features import geometry_mask
from shapely.geometry.base import BaseGeometry

from slipmap.config.layout import Results
from slipmap.config.motion import ChangeSettings
from slipmap.deformation.interferogram import with_margin
from slipmap.deformation.timeseries import CHUNK, SeriesFile, series_grid
from slipmap.io import raster
from slipmap.io.atomic import write_table, write_text
from slipmap.io.vector import write_layers
from slipmap.motion import trends
from slipmap.motion.background import scatter
from slipmap.motion.earlier import Earlier
from slipmap.motion.kinematics import sample_series
from slipmap.motion.since import Bend, Since, bend
from slipmap.prediction.motion import pixels_of

BEGAN, FASTER, SLOWER, STOPPED, SAME = "began to move", "sped up", "slowed", "stopped", "no change"
UNKNOWN = "not known"  # of an area that is not measured before and since: that is no steady one
CHANGES = (BEGAN, FASTER, SLOWER, STOPPED, SAME, UNKNOWN)
STILL = 2.0  # standard deviations below which a velocity is none
PATCH = 3  # pixels on each side of the middle of a patch of steady ground
AROUND = 32  # pixels around an area that it is held against
LEAST = 5  # dates without which nothing is compared
BANDS = {
    "velocity_before": ("mm/yr", "velocity up to the earlier run's last image, positive towards the satellite"),
    "velocity_since": ("mm/yr", "velocity since then"),
    "velocity_change": ("mm/yr", "since minus before"),
    "velocity_change_std": ("mm/yr", "standard deviation of that"),
    "velocity_change_significance": ("1", "the change as a standard normal deviate"),
}


def run(
    earlier: Earlier,
    files: Mapping[str, str | Path],
    settings: ChangeSettings,
    outputs: Mapping[str, str | Path],
    *,
    maps: Mapping[str, str | Path] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write the changed areas (.gpkg, .csv), the map of changes (.tif) and the facts of the page (.json).

    Parameters
    ----------
    files : timeseries, mask and active_areas of the present run. outputs : areas, table, change, record.
    maps : experiment → outlines of its map (landslides.gpkg), looked for in the earlier run as well.
    """
    frame, where = _areas(earlier, files["active_areas"])
    with h5netcdf.File(files["timeseries"], "r") as file:
        grid, days = series_grid(file)
        dates, series = [date.fromisoformat(day) for day in days], SeriesFile(file, grid)
        new = [day for day in dates if day > earlier.last]
        told = _facts(earlier, dates, new)
        model = None
        if new and len(dates) >= LEAST:
            sample = sample_series(series, files["mask"])
            correlation = trends.correlation_of(dates, sample, margin=2) if sample.shape[1] else 0.0
            model = _judged(bend(dates, earlier.last, correlation), series, files["mask"])
            told["excess"] = round(model.excess, 3)
        where = list(gpd.GeoSeries(where, crs=frame.crs).to_crs(grid.crs))
        rows = [
            _row(model, series, files["mask"], outline, where, settings) for outline in frame.geometry.to_crs(grid.crs)
        ]
        _write_map(model, series, files["mask"], outputs["change"], tags or {})
    columns = ["change", "velocity_before", "velocity_before_std", "velocity_since", "velocity_since_std",
               "velocity_change", "velocity_change_std", "significance"]  # fmt: skip
    frame = frame.join(pd.DataFrame(rows, columns=columns, index=frame.index))
    frame.insert(1, "from_date", (new or dates[-1:])[0].isoformat())
    frame.insert(2, "to_date", dates[-1].isoformat())
    outlines = _new_outlines(earlier, maps or {})
    told |= {"areas": len(frame), "new_areas": int(frame.new.sum()), "gone_areas": int(frame.gone.sum())}
    told["by_change"] = {name: int((frame.change == name).sum()) for name in CHANGES}
    if model is not None and told["by_change"][UNKNOWN]:
        told["reduced"].append(
            f"{told['by_change'][UNKNOWN]} of {len(frame)} areas have no reliable pixel with a whole series: whether "
            f"they changed is not known"
        )
    told["new_outlines"] = {name: len(found) for name, found in outlines.items()}
    layers: dict[str, Any] = {"changes": frame}
    layers |= {f"new_{name}": found for name, found in outlines.items()}
    write_layers(outputs["areas"], layers, geometry_type="MultiPolygon")
    write_table(outputs["table"], pd.DataFrame(frame.drop(columns="geometry")))
    write_text(outputs["record"], json.dumps(told, indent=2) + "\n")


def _areas(earlier: Earlier, now: str | Path) -> tuple[gpd.GeoDataFrame, Sequence[BaseGeometry]]:
    """Active areas of now, then those of the earlier run that no area of now meets; all outlines of both."""
    present = pyogrio.read_dataframe(now, layer="active_areas")
    before = pyogrio.read_dataframe(earlier.file(Results.active_areas), layer="active_areas").to_crs(present.crs)
    met = present.intersects(before.union_all()) if len(before) else pd.Series(False, present.index)
    lost = before[~before.intersects(present.union_all())] if len(present) else before
    frame = gpd.GeoDataFrame(
        {
            "area": [*present["area"], *([None] * len(lost))],
            "earlier_area": [_first(before, outline) for outline in present.geometry] + list(lost["area"]),
            "area_m2": [*present.geometry.area, *lost.geometry.area],
            "new": [*~met, *([False] * len(lost))],
            "gone": [False] * len(present) + [True] * len(lost),
        },
        geometry=[*present.geometry, *lost.geometry],
        crs=present.crs,
    )
    frame[["area", "earlier_area"]] = frame[["area", "earlier_area"]].astype("Int64")
    return frame, [*present.geometry, *before.geometry]


def _first(frame: gpd.GeoDataFrame, outline: BaseGeometry) -> int | None:
    """Number of the area with which `outline` shares most ground; None where with none."""
    shared = frame.intersection(outline).area
    return int(frame["area"][shared.idxmax()]) if len(frame) and shared.max() > 0 else None


def _judged(model: Bend, series: SeriesFile, mask: str | Path) -> Bend:
    """The model with the excess of the change's scatter: that of patches all over the area, most of them steady."""
    windows = list(series.grid.blocks(CHUNK))
    found = []
    for window in windows[:: -(-len(windows) // 400)]:
        values, known = _read(series, mask, window)
        rows, cols = (slice(n // 2 - PATCH, n // 2 + PATCH + 1) for n in known.shape)
        inside = np.zeros(known.shape, bool)
        inside[rows, cols] = True
        mean = _against(values, known & inside, known & ~inside)
        if mean is not None:
            found.append(float(model.fit(mean[:, None]).significance[0]))
    return replace(model, excess=max(1.0, scatter(np.array(found))) if len(found) >= 8 else 1.0)


def _read(series: SeriesFile, mask: str | Path, window: Any) -> tuple[np.ndarray, np.ndarray]:
    """Displacement in a window, (dates, rows, cols), and which pixels are reliable and without gaps."""
    values = series.read(window).astype(np.float64)
    known = (raster.read(mask, window, 1) == 1) & np.isfinite(values).all(axis=0)
    return values, np.asarray(known)


def _against(values: np.ndarray, inside: np.ndarray, around: np.ndarray) -> np.ndarray | None:
    """Mean series of the pixels inside less the median of those around, (dates,); None where none is inside."""
    if not inside.any():
        return None
    mean = values[:, inside].mean(axis=1)
    return np.asarray(mean - np.median(values[:, around], axis=1) if around.any() else mean)


def _row(
    model: Bend | None,
    series: SeriesFile,
    mask: str | Path,
    outline: BaseGeometry,
    others: Sequence[BaseGeometry],
    settings: ChangeSettings,
) -> dict[str, Any]:
    """What an area did before and since, and what that is called."""
    window = pixels_of(outline.bounds, series.grid)
    nothing = {"change": UNKNOWN}
    if model is None or window is None:
        return nothing
    outer, _ = with_margin(window, series.grid, AROUND)
    part = series.grid.window_grid(outer)
    values, known = _read(series, mask, outer)
    inside = geometry_mask([outline], part.shape, part.transform, invert=True)
    still = known & geometry_mask(others, part.shape, part.transform, invert=False)
    mean = _against(values, known & inside, still)
    if mean is None:
        return nothing
    fit = model.fit(mean[:, None])
    names = ("before", "before_std", "since", "since_std", "change", "change_std")
    found = {f"velocity_{name}": float(getattr(fit, name)[0]) for name in names}
    return found | {"significance": float(fit.significance[0]), "change": name_of(fit, settings.significance)}


def name_of(fit: Since, least: float) -> str:
    """What a change is called, by velocity before and since; no change where it is less sure than `least`."""
    if abs(fit.significance[0]) < least:
        return SAME
    if abs(fit.before[0]) < STILL * fit.before_std[0]:
        return BEGAN
    if abs(fit.since[0]) < STILL * fit.since_std[0]:
        return STOPPED
    if fit.before[0] * fit.since[0] < 0:
        return BEGAN
    return FASTER if abs(fit.since[0]) > abs(fit.before[0]) else SLOWER


def _write_map(
    model: Bend | None, series: SeriesFile, mask: str | Path, output: str | Path, tags: Mapping[str, str]
) -> None:
    """Write `BANDS` of the reliable pixels whose series have no gap, block by block."""
    units, names = ([about[k] for about in BANDS.values()] for k in (0, 1))
    with ExitStack() as stack:
        out = stack.enter_context(
            raster.create(output, series.grid, bands=list(BANDS), units=units, long_name=names, tags=tags)
        )
        for window in series.grid.blocks(4 * CHUNK):
            values, known = _read(series, mask, window)
            bands = np.full((len(BANDS), *known.shape), np.nan, np.float32)
            if model is not None and known.any():
                fit = model.fit(values[:, known])
                bands[:, known] = [fit.before, fit.since, fit.change, fit.change_std, fit.significance]
            out.write(bands, window)


def _new_outlines(earlier: Earlier, maps: Mapping[str, str | Path]) -> dict[str, gpd.GeoDataFrame]:
    """Outlines of each map of now that meet none of the earlier run's map by the same experiment."""
    found = {}
    for name, path in maps.items():
        there = earlier.file(Results("").landslides(name).removeprefix("results//"))
        if there.exists():
            now, before = pyogrio.read_dataframe(path), pyogrio.read_dataframe(there)
            met = now.intersects(before.to_crs(now.crs).union_all()) if len(before) else pd.Series(False, now.index)
            found[name] = now[~met]
    return found


def _facts(earlier: Earlier, dates: Sequence[date], new: Sequence[date]) -> dict[str, Any]:
    """What the page says: dates, and what is reduced."""
    reduced = [] if new else [f"no image since the earlier run, whose last is of {earlier.last}: nothing can be new"]
    if new and len(dates) < LEAST:
        reduced.append(f"{len(dates)} dates: velocities before and since are not compared")
    if 0 < len(new) < 3:
        reduced.append(f"{len(new)} new image{'s' * (len(new) > 1)}: only large changes can be told")
    return {
        "earlier_last": earlier.last.isoformat(),
        "last": dates[-1].isoformat(),
        "new_dates": [day.isoformat() for day in new],
        "reduced": reduced,
    }
