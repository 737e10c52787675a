"""The event map, and what is new since an earlier run, in the report: sentences, outlines and layers."""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

import pyogrio

from slipmap.event.landslides import CONFIDENCE, LAYER
from slipmap.io.grid import Grid
from slipmap.motion.whats_new import CHANGES, SAME, UNKNOWN
from slipmap.report.landslides import Kind, for_viewer, inside
from slipmap.report.landslides import places as where_inside
from slipmap.report.sections import figure
from slipmap.report.sources import Sources
from slipmap.report.tabular import from_frame, hectares, plain, table, with_spread
from slipmap.report.words import many

EVENT, NEW = "event landslides", "changes"
FIRST = 4  # landslides of the event among the places to look at first
MOST = 12  # rows of the table of what changed
DID = {SAME: "did not change", UNKNOWN: "of unknown change"}  # how a sentence says it
LABELS = {
    "landslide": ("No.", "", 0),
    "confidence": ("Confidence", "", 0),
    "seen_by": ("Seen by", "", 0),
    "inventory": ("Against the inventory", "", 0),
    "area_ha": ("Area", "ha", 2),
    "significance": ("Times the noise", "", 1),
    "radar": ("Radar, standard deviations", "", 1),
    "optical": ("Vegetation lost, standard deviations", "", 1),
    "own_coherence_before": ("Coherence before", "", 2),
    "own_coherence_across": ("Coherence across the event", "", 2),
    "own_vv_change": ("Change of backscatter, VV", "dB", 1),
    "own_vh_change": ("Change of backscatter, VH", "dB", 1),
    "slope_mean": ("Mean slope", "°", 1),
    "elevation_min": ("Lowest point", "m", 0),
    "elevation_max": ("Highest point", "m", 0),
    "lithology": ("Lithology", "", 0),
    "roads_m": ("Distance to roads", "m", 0),
    "buildings_m": ("Distance to buildings", "m", 0),
}
KIND = Kind(
    "Event landslide", "landslide", LABELS,
    ("landslide", "confidence", "seen_by", "inventory", "area_ha", "significance", "slope_mean"),
)  # fmt: skip
CHANGED = {
    "area": ("No.", "", 0),
    "change": ("Change", "", 0),
    "area_ha": ("Area", "ha", 2),
    "velocity_before": ("Velocity before", "mm/yr", 1),
    "velocity_before_std": ("Its standard deviation", "mm/yr", 1),
    "velocity_since": ("Velocity since", "mm/yr", 1),
    "velocity_since_std": ("Its standard deviation", "mm/yr", 1),
    "velocity_change": ("Change of velocity", "mm/yr", 1),
    "velocity_change_std": ("Its standard deviation", "mm/yr", 1),
    "significance": ("Change over its standard deviation", "", 1),
}
CHANGED_KIND = Kind(
    "Changed area", "area", CHANGED,
    ("area", "change", "area_ha", "velocity_before", "velocity_since", "velocity_change", "significance"),
)  # fmt: skip


def outlines(sources: Sources, grid: Grid, most: int) -> dict[str, dict[str, Any]]:
    """Outlines of the event and of what changed, as Explore shows them."""
    made = {}
    if "event_landslides" in sources.found:
        frame = pyogrio.read_dataframe(sources.found["event_landslides"], layer=LAYER)
        frame = frame.assign(
            confidence=[CONFIDENCE[int(code)] for code in frame["confidence"]],
            seen_by=[_seen_by(names) for names in frame["seen_by"]],
        )
        frame = frame.sort_values("significance", ascending=False)
        about = "What failed in the event, by radar and images before and after it."
        made[EVENT] = {"title": "Landslides of the event", "about": about} | for_viewer(frame, None, grid, most, KIND)
    if "changes" in sources.found:
        frame = pyogrio.read_dataframe(sources.found["changes"], layer="changes").to_crs(grid.crs)
        frame = frame.sort_values("significance", key=abs, ascending=False)
        about = "Active areas now and in the earlier run, with the change of their velocity."
        made[NEW] = {"title": "What is new", "about": about} | for_viewer(frame, None, grid, most, CHANGED_KIND)
    return made


def places(sources: Sources) -> list[dict[str, Any]]:
    """Landslides of the event to look at first, `FIRST` of them, the largest of the highest confidence first.

    As `slipmap.report.summary.places`: {"href", "what", "why", "moves", "where", "xy"}.
    """
    if "event_landslides" not in sources.found:
        return []
    frame = pyogrio.read_dataframe(sources.found["event_landslides"], layer=LAYER).to_crs(sources.grid.crs)
    frame = frame.sort_values(["confidence", "area_m2"], ascending=[True, False]).head(FIRST)
    return [
        {
            "href": f"#landslide={int(one['landslide'])}&map={quote(EVENT)}",
            "what": f"Event landslide {int(one['landslide'])}",
            "why": f"{hectares(one['area_m2'])}, {CONFIDENCE[int(one['confidence'])]} confidence, "
            f"{_seen_by(one['seen_by'])}",
            "moves": f"failed in the event: {one['significance']:.0f} × the noise",
            "where": where,
            "xy": inside(one["geometry"]),
        }
        for one, where in zip(frame.to_dict("records"), where_inside(frame), strict=True)
    ]


def _seen_by(names: str) -> str:
    """Who saw a landslide of the event, in words: ``own, optical`` of the file."""
    words = {"own": "the radar", "opposite": "the radar of the opposite direction", "optical": "the images"}
    said = [words.get(name, name) for name in names.split(", ")]
    return f"seen by {' and '.join(said)}"


def event_sentences(event: Mapping[str, Any] | None) -> list[str]:
    """What the event map says, for the top of the Summary."""
    if event is None:
        return []
    counted = ", ".join(f"{count} of {name} confidence" for name, count in event["by_confidence"].items())
    found = f"{event['landslides']} {many(event['landslides'], 'landslide')} of the event"
    text = [
        f"{found} on {hectares(event['landslide_area_m2'])}: {counted}; "
        f"{plain(event['looked_at_km2'], 1)} km² were looked at."
    ]
    for track in event["tracks"].values():
        text.append(f"Radar images before: {', '.join(track['before'])}; after: {', '.join(track['after'])}.")
    return [*text, *(f"{reason[:1].upper()}{reason[1:]}." for reason in event["reduced"])]


def change_sentences(changes: Mapping[str, Any] | None) -> list[str]:
    """What is new since the earlier run, for the Summary."""
    if changes is None:
        return []
    counted = ", ".join(
        f"{changes['by_change'][name]} {DID.get(name, name)}" for name in CHANGES if changes["by_change"].get(name)
    )
    text = [
        f"Since the earlier run (last image {changes['earlier_last']}, now {changes['last']}): "
        f"{changes['new_areas']} new active {many(changes['new_areas'], 'area')}, {changes['gone_areas']} gone"
        f"{'; ' + counted if counted else ''}."
    ]
    text += [
        f"{count} {many(count, 'landslide')} outlined by {name} {'is' if count == 1 else 'are'} new."
        for name, count in changes["new_outlines"].items()
    ]
    return [*text, *(f"{reason[:1].upper()}{reason[1:]}." for reason in changes["reduced"])]


def event_section(sources: Sources, ids: Collection[str]) -> dict[str, Any] | None:
    """The event in Methods and quality: what it was made from, its map, its landslides by confidence."""
    if sources.event is None:
        return None
    rows = [[name, str(count)] for name, count in sources.event["by_confidence"].items()]
    caption = "Landslide of the event, in standard deviations of the noise: radar and images together."
    return {
        "text": event_sentences(sources.event),
        "table": table(["confidence", "landslides"], rows, numeric=(1,)),
        "maps": [f for f in [figure("hillshade event_significance", caption, ids)] if f],
    }


def change_section(sources: Sources, ids: Collection[str]) -> dict[str, Any] | None:
    """What is new in Methods and quality: sentences, the map of the change, the areas that changed most."""
    if sources.changes is None or "changes" not in sources.found:
        return None
    frame = pyogrio.read_dataframe(sources.found["changes"], layer="changes", read_geometry=False)
    frame = frame.sort_values("significance", key=abs, ascending=False).head(MOST)
    velocities = ("velocity_before", "velocity_since", "velocity_change")
    rows = [
        [
            str(int(one["area"])),
            one["change"] or "–",
            plain(one["area_m2"] / 1e4, 2),
            *(with_spread(one[name], one[f"{name}_std"], 1) for name in velocities),
            plain(one["significance"], 1),
        ]
        for one in frame.to_dict("records")
    ]
    head = ["No.", "change", "area, ha", "before, mm/yr", "since, mm/yr", "change, mm/yr", "σ of the change"]
    caption = "Change of the velocity in the line of sight since the earlier run, mm/yr."
    return {
        "text": change_sentences(sources.changes),
        "table": table(head, rows, numeric=range(2, 7)),
        "maps": [f for f in [figure("hillshade velocity_change", caption, ids)] if f],
    }


def troposphere(sources: Sources) -> dict[str, Any] | None:
    """Which way of removing the troposphere lowers the residuals of stable ground."""
    return None if sources.troposphere is None or not len(sources.troposphere) else from_frame(sources.troposphere)
