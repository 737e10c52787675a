"""The event map: significance, outlines of what failed with what tells of each, and the facts of its page."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from rasterio.windows import Window
from shapely.geometry import box

from slipmap.config.event import EventMapSettings
from slipmap.event.evidence import Evidence, combine
from slipmap.event.track import described
from slipmap.io import raster
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid
from slipmap.io.vector import write_vector
from slipmap.motion.active_areas import near
from slipmap.motion.clusters import Cluster, clusters
from slipmap.prediction.attributes import describe, match_inventory
from slipmap.prediction.styles import class_outline_style

LAYER = "event_landslides"
BANDS = {
    "event_significance": described("event_significance"),
    "radar": ("1", "coherence lost and backscatter changed, all tracks together, in standard deviations"),
    "optical": ("1", "vegetation lost, in standard deviations; nodata under clouds or without an optical change"),
}
SURE = {1: 8.0, 2: 6.0}  # least significance of the classes 1 and 2 of confidence; below: 3
CONFIDENCE = {1: "high", 2: "medium", 3: "low"}
CLEAR = 3.0  # standard deviations from which one indicator tells of a landslide by itself


@dataclass(frozen=True)
class Standing:
    """Significance in a window, NaN on gentle ground."""

    significance: np.ndarray

    def seeds(self, settings: EventMapSettings) -> np.ndarray:
        """Pixels from which a landslide grows."""
        return np.asarray(np.nan_to_num(self.significance) >= settings.significance)

    def candidates(self, settings: EventMapSettings) -> np.ndarray:
        """Pixels that belong to a landslide if they join its seeds."""
        return np.asarray(np.nan_to_num(self.significance) >= settings.edge)


@dataclass(frozen=True)
class Reader:
    """Reads windows of the event's significance."""

    path: Path
    grid: Grid

    def at(self, window: Window) -> Standing:
        """What stands out in a window."""
        return Standing(raster.read(self.path, window, 1))


def run(
    tracks: Mapping[str, str | Path],
    records: Mapping[str, str | Path],
    grid: Grid,
    settings: EventMapSettings,
    outputs: Mapping[str, str | Path],
    *,
    factors: Mapping[str, str | Path] | None = None,
    inventory: str | Path | None = None,
    nearby: Mapping[str, tuple[str | Path, str | None]] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write significance (.tif), landslides (.gpkg), style (.qml) and record (.json).

    Parameters
    ----------
    tracks, records : of the area's own track and, where there is one, of the opposite: what `slipmap.event.track` made.
    grid : of the area, in whose CRS outlines are written. outputs : significance, landslides, style, record.
    factors : slope, ndvi_change and those by which landslides are described, where the area has them.
    inventory, nearby : as for active areas.
    """
    factors = factors or {}
    optical = factors.get("ndvi_change") if settings.optical else None
    slope = factors.get("slope") if settings.min_slope > 0 else None
    _write(list(tracks.values()), optical, slope, settings, outputs["significance"], tags or {})
    reader = Reader(Path(outputs["significance"]), Grid.from_raster(outputs["significance"]))
    records_of, outlines = [], []
    with ExitStack() as stack:
        opened = {name: stack.enter_context(rasterio.open(path)) for name, path in list(tracks.items())[:1]}
        more = {n: stack.enter_context(raster.warped(p, reader.grid)) for n, p in list(tracks.items())[1:]}
        for cluster in clusters(reader, settings):
            records_of.append(_attributes(reader, cluster, opened | more))
            outlines.append(cluster.outline)
    columns = _columns(tracks)
    frame = gpd.GeoDataFrame(pd.DataFrame(records_of, columns=columns), geometry=outlines, crs=reader.grid.crs).to_crs(
        grid.crs
    )
    frame = frame[frame.intersects(box(*grid.bounds))].reset_index(drop=True)
    frame.insert(0, "landslide", np.arange(1, len(frame) + 1))
    frame.insert(1, "area_m2", frame.area)
    described = {name: path for name, path in factors.items() if name != "ndvi_change" or optical is not None}
    frame = describe(frame, described, grid)
    frame = frame.assign(**near(frame, grid, nearby or {}))
    if inventory is not None:
        frame["inventory"] = match_inventory(frame, inventory)
    write_vector(outputs["landslides"], frame, LAYER, geometry_type="MultiPolygon")
    write_text(outputs["style"], class_outline_style("confidence", CONFIDENCE))
    write_text(outputs["record"], json.dumps(_facts(frame, records, reader, optical, slope, settings), indent=2) + "\n")


def _write(
    tracks: Sequence[str | Path],
    optical: str | Path | None,
    slope: str | Path | None,
    settings: EventMapSettings,
    output: str | Path,
    tags: Mapping[str, str],
) -> None:
    units, names = ([about[k] for about in BANDS.values()] for k in (0, 1))
    with Evidence(tracks, optical, slope, settings.min_slope, settings.background) as evidence:
        with raster.create(
            output, evidence.grid, bands=list(BANDS), units=units, long_name=names, tags=tags, compress="zstd"
        ) as out:
            for window in evidence.grid.blocks():
                found = np.where(evidence.steep(window), evidence.significance(window), np.nan)
                scores, single = evidence.scores(window)
                lost = scores.pop() if optical is not None else np.full(found.shape, np.nan)
                radar = combine(scores, single[: len(scores)])
                out.write(np.stack([found, radar, lost]).astype(np.float32), window)


def _attributes(reader: Reader, cluster: Cluster, tracks: Mapping[str, Any]) -> dict[str, Any]:
    """How sure, and what each track and the optical image saw."""
    found = raster.read(reader.path, cluster.window)[:, cluster.inside]
    most = float(np.nanmax(found[0]))
    told: dict[str, Any] = {
        "pixels": int(np.isfinite(found[0]).sum()),
        "significance": most,
        "confidence": next((number for number, least in SURE.items() if most >= least), 3),
        "radar": float(np.nanmean(found[1])) if np.isfinite(found[1]).any() else np.nan,
        "optical": float(np.nanmean(found[2])) if np.isfinite(found[2]).any() else np.nan,
    }
    seen = []
    for name, source in tracks.items():
        values = raster.read_open(source, cluster.window)[:, cluster.inside]
        bands = _descriptions(source)
        means = {
            band: float(np.nanmean(row)) if np.isfinite(row).any() else np.nan
            for band, row in zip(bands, values, strict=True)
        }
        told |= {f"{name}_{band}": value for band, value in means.items() if not band.endswith("score")}
        scores = [abs(value) for band, value in means.items() if band.endswith("score")]
        seen += [name] if np.nanmax([0.0, *scores]) >= CLEAR else []
    seen += ["optical"] if np.nan_to_num(told["optical"]) >= CLEAR else []
    return told | {"seen_by": ", ".join(seen) or "all together"}


def _descriptions(source: Any) -> list[str]:
    """Band names; of a view those of its source."""
    return [str(name) for name in source.descriptions]


def _columns(tracks: Mapping[str, str | Path]) -> list[str]:
    """Names of what `_attributes` tells, also where nothing failed."""
    more = []
    for name, path in tracks.items():
        with rasterio.open(path) as source:
            more += [f"{name}_{band}" for band in source.descriptions if not band.endswith("score")]
    return ["pixels", "significance", "confidence", "radar", "optical", *more, "seen_by"]


def _facts(
    frame: gpd.GeoDataFrame,
    records: Mapping[str, str | Path],
    reader: Reader,
    optical: str | Path | None,
    slope: str | Path | None,
    settings: EventMapSettings,
) -> dict[str, Any]:
    """What the page of the event says: images, what is reduced, how much failed."""
    tracks = {name: json.loads(Path(path).read_text(encoding="utf-8")) for name, path in records.items()}
    reduced = [
        f"{name}: {text}" if len(tracks) > 1 else text for name, one in tracks.items() for text in one["reduced"]
    ]
    reduced += [] if len(tracks) > 1 else ["one track: slopes in its layover or shadow are not seen"]
    if optical is None:
        reduced.append("no optical change: give inputs.sentinel2.before and .after, and keep the factor ndvi_change")
    if slope is None:
        reduced.append("no slope: gentle ground, where fields are harvested, is not left out")
    with rasterio.open(reader.path) as source:
        looked = sum(
            int(np.isfinite(raster.read_open(source, window, 1)).sum()) for window in reader.grid.blocks()
        ) * float(np.prod(reader.grid.resolution))
    return {
        "tracks": tracks,
        "reduced": reduced,
        "optical": optical is not None,
        "significance": settings.significance,
        "min_slope": settings.min_slope if slope is not None else 0.0,
        "looked_at_km2": round(looked / 1e6, 4),
        "landslides": len(frame),
        "landslide_area_m2": round(float(frame.area_m2.sum()), 1),
        "by_confidence": {CONFIDENCE[k]: int((frame.confidence == k).sum()) for k in CONFIDENCE},
    }
