"""The event map on simulated storms: how well it ranks pixels, and its false alarms, beside the optical change alone.

Rain that wets the ground in patches and fields that are harvested between the images are the distractors; a third of
the Sentinel-2 scene after the storm lies under clouds. Steep ground alone counts, as in the map.
"""

import sys
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
from rasterio.features import geometry_mask
from scipy import stats

from slipmap.config.event import EventSettings
from slipmap.config.factors import OpticalSettings
from slipmap.config.inputs import SimulatedEventSettings, SimulateSettings
from slipmap.config.layout import simulated_inputs
from slipmap.event import landslides, track
from slipmap.event.evidence import Evidence
from slipmap.factors import optical, terrain
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.motion.clusters import clusters
from slipmap.simulator import area
from slipmap.simulator.event import HARVESTED, NEW, WET

SEEDS = (1, 2, 3)
SIDE = 320  # pixels of 12.5 m
DATES = 14
EVENT = date(2021, 11, 6)
SHARE = 0.8  # of the landslides, at which false alarms are compared


def run(seeds: tuple[int, ...] = SEEDS, side: int = SIDE) -> dict[str, object]:
    """AUROC, share of landslides found and false alarms per km² by seed and by what is looked at, with means."""
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            rows[f"seed {seed}"] = judge(seed, side, Path(folder))
            print(f"seed {seed} done", file=sys.stderr)
    means = {
        what: {key: round(float(np.nanmean([row[what][key] for row in rows.values()])), 3) for key in rows[first][what]}
        for first in list(rows)[:1]
        for what in rows[first]
    }
    return {"pixels": side, "dates": DATES, "event": EVENT, **rows, "mean": means}


def judge(seed: int, side: int, folder: Path) -> dict[str, dict[str, float]]:
    """Scores of one simulated storm: the whole map, radar alone, optical alone, and each indicator of the radar."""
    grid, chosen = simulate(seed, side, folder), settings()
    made = make(folder, grid, chosen)
    truth, slides = (
        raster.read(folder / "truth/event.tif", None, 1),
        gpd.read_file(folder / "truth/event_landslides.gpkg"),
    )
    significance = raster.read(made["significance"])
    looked = np.isfinite(significance[0])
    single = raster.read(made["track"])
    bands = {name: single[k] for k, name in enumerate(track.BANDS)}
    maps = {
        "map": made["significance"],
        "radar alone": alone(made, grid, chosen, folder / "radar.tif"),
        "optical alone": alone(made, grid, chosen, folder / "optical.tif", optical=True),
    }
    found = {}
    for name, path in maps.items():
        found[name] = {"auroc": auroc(raster.read(path, None, 1), truth == NEW, looked)}
        found[name] |= alarms(path, grid, chosen, slides, truth, looked)
        found[name] |= at_same_find(path, grid, chosen, slides, truth, looked)
    for name, values in (
        ("coherence loss", bands["coherence_loss_score"]),
        ("VV change", np.abs(bands["vv_change_score"])),
        ("VH change", np.abs(bands["vh_change_score"])),
        ("NDVI change", -np.nan_to_num(raster.read(made["ndvi_change"], None, 1))),
    ):
        found[name] = {"auroc": auroc(values, truth == NEW, looked)}
    return found


def settings() -> EventSettings:
    """Of the map: those that an area has unless it says otherwise."""
    return EventSettings(date=EVENT)


def storm(seed: int, dates: int = DATES) -> SimulateSettings:
    """Settings of a simulated storm."""
    event = SimulatedEventSettings(date=EVENT, landslides=30)
    start = EVENT - timedelta(days=24 * (dates - 2) - 12)
    return SimulateSettings(seed=seed, dates=dates, landslides=40, scenes=1, event=event, start=start)


def simulate(seed: int, side: int, folder: Path, dates: int = DATES) -> Grid:
    """Write the inputs of a storm into `folder`."""
    grid = Grid.from_bounds("EPSG:32632", 12.5, (680000, 4880000, 680000 + 12.5 * side, 4880000 + 12.5 * side))
    area.run(storm(seed, dates), grid, folder)
    return grid


def make(folder: Path, grid: Grid, settings: EventSettings) -> dict[str, Path]:
    """The event map and what it is made of, by the workflow's own steps."""
    made = {name: folder / f"made/{name}.tif" for name in ("track", "significance", "slope", "ndvi_change")}
    made |= {name: folder / f"made/{name}" for name in ("landslides.gpkg", "style.qml", "record.json", "images.json")}
    inputs = simulated_inputs("area", inventory=False, event=True)
    source = inputs.sentinel2.model_copy(
        update={name: str(folder / f"sentinel2_{name}") for name in ("before", "after")} | {"path": None}
    )
    optical.run(source, grid, {"ndvi_change": made["ndvi_change"]}, OpticalSettings())
    terrain.run(folder / "dem.tif", grid, {"slope": made["slope"]}, threads=1)
    stack = inputs.sentinel1.model_copy(update={"path": str(folder / "sentinel1")})
    crossed = settings.model_copy(update={"vh": str(folder / "sentinel1_vh")})
    track.run(stack, crossed, (1, 4), made["track"], made["images.json"])
    landslides.run(
        {"own": made["track"]},
        {"own": made["images.json"]},
        grid,
        settings,
        {"significance": made["significance"], "landslides": made["landslides.gpkg"], "style": made["style.qml"],
         "record": made["record.json"]},
        factors={name: made[name] for name in ("slope", "ndvi_change")},
    )  # fmt: skip
    return made


def alone(made: Mapping[str, Path], grid: Grid, settings: EventSettings, path: Path, *, optical: bool = False) -> Path:
    """The significance from radar alone; or the loss of NDVI over its scatter around, from the optical image alone."""
    ndvi = made["ndvi_change"] if optical else None
    evidence = Evidence([made["track"]], ndvi, made["slope"], settings.min_slope, settings.background)
    with evidence, raster.create(path, grid, bands=["significance"], units="1", long_name="significance") as out:
        for window in grid.blocks():
            values = evidence.loss(window) if optical else evidence.significance(window)
            out.write(np.where(evidence.steep(window), values, np.nan), window)
    return path


def auroc(values: np.ndarray, true: np.ndarray, looked: np.ndarray) -> float:
    """Area under the receiver's curve over the pixels that are looked at (Mann–Whitney)."""
    values, true = np.nan_to_num(values[looked]), true[looked]
    ranks = stats.rankdata(values)
    positive = int(true.sum())
    return round(float((ranks[true].sum() - positive * (positive + 1) / 2) / (positive * (true.size - positive))), 4)


def alarms(
    path: Path, grid: Grid, settings: EventSettings, slides: gpd.GeoDataFrame, truth: np.ndarray, looked: np.ndarray
) -> dict[str, float]:
    """Share of the new landslides that an outline meets, and outlines per km² that meet none, by what lies there."""
    outlines = [cluster.outline for cluster in clusters(landslides.Reader(path, grid), settings)]
    frame = gpd.GeoSeries(outlines, crs=grid.crs)
    met = slides.intersects(frame.union_all()) if len(frame) else np.zeros(len(slides), bool)
    large = slides.area >= 5000
    wrong = [one for one in outlines if not slides.intersects(one).any()]
    km2 = float(looked.sum()) * float(np.prod(grid.resolution)) / 1e6
    kinds = [_kind(one, truth, grid) for one in wrong]
    return {
        "found": round(float(np.mean(met)), 3),
        "found_from_5000_m2": round(float(np.mean(met[large])), 3),
        "outlines": len(outlines),
        "false_per_km2": round(len(wrong) / km2, 3),
        "false_on_harvest_per_km2": round(kinds.count(HARVESTED) / km2, 3),
        "false_on_wet_ground_per_km2": round(kinds.count(WET) / km2, 3),
    }


def at_same_find(path: Path, grid: Grid, settings: EventSettings, *given: object) -> dict[str, float]:
    """False alarms per km² at the highest significance that finds 80 % of the new landslides; none if none does."""
    for significance in np.arange(30, 1.5, -0.5):
        chosen = settings.model_copy(
            update={"significance": float(significance), "edge": min(settings.edge, float(significance))}
        )
        found = alarms(path, grid, chosen, *given)
        if found["found"] >= SHARE:
            return {"significance_for_80_percent": float(significance), "false_per_km2_then": found["false_per_km2"]}
    return {"significance_for_80_percent": np.nan, "false_per_km2_then": np.nan}


def _kind(outline: object, truth: np.ndarray, grid: Grid) -> int:
    """The commonest true class under an outline."""
    inside = geometry_mask([outline], grid.shape, grid.transform, invert=True)
    return int(np.bincount(truth[inside].astype(int)).argmax())
