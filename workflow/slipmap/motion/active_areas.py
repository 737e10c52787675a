"""Active deformation areas of a velocity map, without any inventory or network: outlines, what they do, what is near.

After Barra et al. (2017, Remote Sensing 9, 1002) and ADAtools (Navarro et al. 2020, ISPRS Int. J. Geo-Inf. 9, 584):
pixels that stand out of the map's noise, clustered, with an index of quality. Here each pixel's own standard deviation
and the noise of its surroundings decide, not one number for the map (`slipmap.motion.significance`).
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import h5netcdf
import numpy as np
import pandas as pd
from shapely import STRtree
from shapely.geometry import box

from slipmap.config.motion import ActiveAreaSettings, KinematicsSettings
from slipmap.deformation.geometry import pixel_size
from slipmap.deformation.interferogram import with_margin
from slipmap.deformation.timeseries import SeriesFile, mean_of_pixels, series_grid
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid
from slipmap.io.vector import write_layers
from slipmap.motion import significance
from slipmap.motion.changepoints import Change
from slipmap.motion.changepoints import changes as change_points
from slipmap.motion.clusters import Cluster, Reader, clusters
from slipmap.motion.describe import QUALITY_NAMES, noise, velocities
from slipmap.motion.kinematics import prepare
from slipmap.motion.trends import CLASSES, LEAST_DATES
from slipmap.prediction.attributes import describe, match_inventory
from slipmap.prediction.styles import class_outline_style

AREAS, DISPLACEMENT = "active_areas", "displacement"
TREND = ("trend", "changes", "acceleration", "acceleration_std", "annual_amplitude", "annual_amplitude_std")
COLUMNS = ("area", "date", "displacement_mm", "pixels")
CHANGES = "changes"  # table of the steps and changes of velocity in each area's series
CHANGE_COLUMNS = ("area", "date", "step_mm", "velocity_change")


def run(
    deformation: Mapping[str, str | Path],
    grid: Grid,
    settings: ActiveAreaSettings,
    outputs: Mapping[str, str | Path],
    *,
    factors: Mapping[str, str | Path] | None = None,
    inventory: str | Path | None = None,
    nearby: Mapping[str, tuple[str | Path, str | None]] | None = None,
    tags: Mapping[str, str] | None = None,
    kinematics: KinematicsSettings | None = None,
) -> None:
    """Write the significance of the velocity, the active areas with their displacement, and a QGIS style.

    Parameters
    ----------
    deformation : velocity, velocity_std, averaging_std, mask and timeseries on one grid; sensitivity, downslope and
        visibility where there is a DEM.
    grid : of the area, in whose CRS outlines are written; areas outside it are left out.
    outputs : significance (.tif), areas (.gpkg: layer "active_areas", tables "displacement" and "changes"), style.
    factors : those of `DESCRIBED_BY` that there are, on `grid`. inventory : the area's inventory raster.
    nearby : "roads" and "buildings" → (vector file, its layer), where given.
    tags : what the raster says of itself. kinematics : how the trend of the mean series is told.
    """
    settings = settings.for_average(1)  # of a config it is decided already
    significance.run(deformation, settings, outputs["significance"], tags or {})
    own = Grid.from_raster(outputs["significance"])
    sensitivity, downslope = (
        Path(deformation[name]) if name in deformation else None for name in ("sensitivity", "downslope")
    )
    reader = Reader(Path(outputs["significance"]), sensitivity, downslope, own)
    records, outlines, series = [], [], []
    with h5netcdf.File(deformation["timeseries"], "r") as file:
        dates, opened = series_grid(file)[1], SeriesFile(file, own)
        for cluster in clusters(reader, settings):
            displaced = _series(opened, cluster, reader, settings)
            records.append(velocities(reader.at(cluster.window), cluster.inside) | noise(displaced))
            outlines.append(cluster.outline)
            series.append((mean_of_pixels(displaced, dates), displaced.shape[1]))
    means = [mean for mean, _ in series]
    told, changed = _trends(means, dates, kinematics or KinematicsSettings())
    records = [one | more for one, more in zip(records, told, strict=True)]
    frame = gpd.GeoDataFrame(pd.DataFrame(records, columns=_columns()), geometry=outlines, crs=own.crs).to_crs(grid.crs)
    frame = frame[frame.intersects(box(*grid.bounds))]
    kept = list(frame.index)
    frame = frame.reset_index(drop=True)
    frame.insert(0, "area", np.arange(1, len(frame) + 1))
    frame.insert(1, "area_m2", frame.area)
    frame = describe(frame, factors or {}, grid)
    frame = frame.assign(**near(frame, grid, nearby or {}))
    if inventory is not None:
        frame["inventory"] = match_inventory(frame, inventory)
    rows = [
        {"area": number, "date": day, "displacement_mm": float(value), "pixels": count}
        for number, (mean, count) in enumerate((series[k] for k in kept), start=1)
        for day, value in zip(dates, mean, strict=True)
    ]
    steps = [
        {"area": number, "date": one.date.isoformat(), "step_mm": one.step, "velocity_change": one.velocity_change}
        for number, changes in enumerate((changed[k] for k in kept), start=1)
        for one in changes
    ]
    tables = {AREAS: frame, DISPLACEMENT: pd.DataFrame(rows, columns=list(COLUMNS))}
    tables |= {CHANGES: pd.DataFrame(steps, columns=list(CHANGE_COLUMNS))}
    write_layers(outputs["areas"], tables, geometry_type="MultiPolygon")
    write_text(outputs["style"], class_outline_style("quality", QUALITY_NAMES))


def _columns() -> list[str]:
    """Names of what `velocities` and `noise` say of an area, also where there is none."""
    velocity = ["velocity_mean", "velocity_max", "downslope_mean", "downslope_max"]
    with_std = [name for one in velocity for name in (one, f"{one}_std")]
    indices = ["temporal_noise_index", "spatial_noise_index", "quality"]
    return ["pixels", "significance", *with_std, "sensitivity", *indices, *TREND]


def _trends(
    means: list[np.ndarray], days: list[str], kinematics: KinematicsSettings
) -> tuple[list[dict[str, Any]], list[list[Change]]]:
    """Class of trend, acceleration and annual cycle of mean series, and the changes in each.

    None of it with fewer dates than a trend takes.
    """
    if len(days) < LEAST_DATES or not means:
        return [dict.fromkeys(TREND, None) for _ in means], [[] for _ in means]
    series, dates = np.stack(means, axis=1), [date.fromisoformat(day) for day in days]
    models = prepare(dates, series[:, :0], kinematics)
    values, classes = models.fit(series)
    found = []
    for mean in means:
        seen = [day for day, value in zip(dates, mean, strict=True) if np.isfinite(value)]
        told = len(seen) >= LEAST_DATES
        found.append(change_points(models.model(seen), seen, mean[np.isfinite(mean)]) if told else [])
    return [
        {"trend": CLASSES.get(int(code)), "changes": len(found[k])}
        | {name: float(values[name][k]) for name in TREND[2:]}
        for k, code in enumerate(classes)
    ], found


def _series(file: SeriesFile, cluster: Cluster, reader: Reader, settings: ActiveAreaSettings) -> np.ndarray:
    """Displacement of the area's reliable pixels, (dates, pixels), mm, against the ground around it.

    The ground around is as far as half a cell of the background, and does not stand out itself; its median on each
    date is taken off, where a background is.
    """
    reach = 0 if settings.background is None else round(settings.background / 2 / min(pixel_size(reader.grid)))
    outer, inner = with_margin(cluster.window, reader.grid, reach)
    standing = reader.at(outer)
    known = np.isfinite(standing.significance)
    series = file.read(outer).astype(np.float64)
    found = series[:, *inner][:, known[inner] & cluster.inside]
    still = known & (np.abs(standing.significance) < settings.edge)
    still[inner] &= ~cluster.inside
    if settings.background is None or not still.any():
        return found
    return found - np.nanmedian(series[:, still], axis=1, keepdims=True)


def near(frame: gpd.GeoDataFrame, grid: Grid, nearby: Mapping[str, tuple[str | Path, str | None]]) -> dict[str, Any]:
    """Distance (m) to the nearest road or building, 0 where it lies in the area; number of buildings in the area."""
    from slipmap.factors.proximity import features  # here: few areas have roads or buildings to measure to

    found: dict[str, Any] = {}
    for name, (path, layer) in nearby.items():
        tree = STRtree(features(path, grid, f"inputs.{name}", layer))
        outlines = frame.geometry.to_numpy()
        nearest, distances = tree.query_nearest(outlines, all_matches=False, return_distance=True)
        found[f"{name}_m"] = pd.Series(distances, index=nearest[0]).reindex(frame.index).to_numpy(dtype=float)
        if name == "buildings":
            hits = tree.query(outlines, predicate="intersects")[0]
            found["buildings"] = np.bincount(hits, minlength=len(frame))
    return found
