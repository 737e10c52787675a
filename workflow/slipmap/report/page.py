"""What the page says, section by section, from what the area has."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import geopandas as gpd
import pandas as pd
import yaml
from pydantic import BaseModel

from slipmap.colours import MOTION, OUTLINE
from slipmap.io.grid import Grid
from slipmap.prediction.dates import dates_of
from slipmap.report import (
    active_areas,
    active_truth,
    attribution,
    augmentation,
    closeups,
    comparison,
    deformation_truth,
    estimators,
    events,
    explore,
    ground,
    headline,
    landslide_truth,
    observations,
    published,
    record,
    sections,
    summary,
    susceptibility,
    worth,
)
from slipmap.report.agreement import on_test_ground
from slipmap.report.context import Context
from slipmap.report.layers import Layer, in_words
from slipmap.report.limits import limits
from slipmap.report.sources import Sources
from slipmap.report.tabular import plain, table


def page_context(
    sources: Sources,
    numbers: Mapping[str, pd.DataFrame],
    layers: Sequence[Layer],
    drawn: Mapping[str, Any],
    shown: Grid,
    *,
    areas: gpd.GeoDataFrame | None,
    most: int,
    has_points: bool,
    has_outlines: bool,
) -> dict[str, Any]:
    """Everything that the template needs but pictures and outlines.

    Parameters
    ----------
    numbers : the report's tables by name. layers : of the maps. drawn : landslides of each experiment's map.
    shown : grid of the pictures. areas : active areas.
    most : landslides drawn in the interactive map. has_points : whether a click anywhere has a displacement history.
    has_outlines : whether anything is outlined in it.
    """
    ids = {layer.id for layer in layers}
    context = {
        **_opening(sources, numbers, drawn, most),
        **_summary(sources, numbers, drawn, areas, shown, ids),
        "has_points": has_points,
        "has_outlines": has_outlines,
        "data_text": [*_data_text(sources), *attribution.sentences(sources.settings, _days(sources))],
        "study": sections.study_figures(sources, ids),
        "observed": observations.dates(sources),
        "inputs": _inputs(sources, numbers["inputs"]),
        "deformation": sections.deformation(sources, ids, shown),
        "active_truth": active_truth.section(numbers.get("active_areas_truth")),
        "active_areas": _active_areas(sources, numbers),
        "truth": sections.truth(sources, numbers.get("velocity_truth"), ids),
        "estimators": estimators.section(numbers),
        "troposphere": events.troposphere(sources),
        "event_section": events.event_section(sources, ids),
        "change_section": events.change_section(sources, ids),
        **_comparison(sources),
        "truth_charts": deformation_truth.charts(numbers),
        "factors": sections.factors(sources, layers),
        "screening": sections.screening(sources),
        "susceptibility": susceptibility.section(sources, layers),
        "training": sections.training(sources),
        "augmentation": augmentation.pictures(sources.experiments),
        "experiments": bool(sources.experiments),
        "scores": sections.score_section(sources, numbers, ids),
        "no_scores": _no_scores(sources),
        "landslide_truth": landslide_truth.section(numbers.get("landslide_truth")),
        "published": published.section(sources.published, simulated=sources.simulated),
        "map_figures": sections.map_figures(sources, ids),
        "applicability": ground.HOW if any("applicability" in e.maps for e in sources.mapped.values()) else "",
        "closeups": closeups.section(sources, shown, ids, drawn),
        "limits": limits(sources),
        **_provenance(sources, numbers),
    }
    return context | {"sections": _sections(context)}


def _opening(
    sources: Sources, numbers: Mapping[str, pd.DataFrame], drawn: Mapping[str, Any], most: int
) -> dict[str, Any]:
    """Title, headline and landslides of the interactive map."""
    return {
        "title": sources.settings.description or sources.area,
        "lead": _lead(sources),
        "area": sources.area,
        "simulated": sources.simulated,
        "note": sources.settings.note,
        "alarms": headline.alarms(sources),
        "cards": headline.three(headline.cards(sources, numbers, drawn)),
        "facts": _facts(sources, numbers),
        "landslides_left_out": [
            (name, f"the largest {most} of {len(frame)} are drawn here; all are in landslides.gpkg.")
            for name, frame in drawn.items()
            if len(frame) > most
        ],
    }


def _summary(
    sources: Sources,
    numbers: Mapping[str, pd.DataFrame],
    drawn: Mapping[str, Any],
    areas: gpd.GeoDataFrame | None,
    shown: Grid,
    ids: Collection[str],
) -> dict[str, Any]:
    """Verdict, map, where the map must not be used, what to look at first."""
    name = list(drawn)[-1] if drawn else ""
    overview = _overview(sources, name, areas, ids)
    places = summary.places(drawn, numbers.get("active_areas"), areas, events.places(sources))
    return {
        "verdict": summary.verdict(sources, numbers, shown),
        "worth": worth.said(numbers.get("map_reliability"), list(sources.mapped)[-1]) if sources.mapped else None,
        "event": events.event_sentences(sources.event),
        "changes": events.change_sentences(sources.changes),
        "aspect": f"{shown.width / shown.height:.4f}",
        "overview": overview,
        "not_here": summary.not_here(sources, numbers, drawn, shown),
        "landslides_drawn": bool(name),
        "inventory": bool(name) and "inventory" in drawn[name],
        "places": places,
        "how_many_move": summary.how_many_move(drawn, numbers.get("active_areas"), len(places)),
        "pins": summary.pins(places, sources.grid),
        "unlike": _unlike(places),
        "any_motion": any(place["moves"] for place in places),
        "motion_rule": explore.motion_rule(sources, name) if name and "motion" in drawn[name] else "",
        "outline_colours": _outline_colours(drawn.get(name), overview),
    }


def _unlike(places: Sequence[Mapping[str, Any]]) -> str:
    """What ground unlike the model's means, where a place has some; of motion only where there is some."""
    if not any(ground.OUTSIDE_GROUND in place["why"] for place in places):
        return ""
    return ground.MEANING + (ground.MOTION_STANDS if any(place["moves"] for place in places) else "")


def _overview(
    sources: Sources, name: str, areas: gpd.GeoDataFrame | None, ids: Collection[str]
) -> dict[str, Any] | None:
    """The map of the first screen: of the last experiment, else of the event, else of the radar, else the ground."""
    moving = explore.ACTIVE if areas is not None and len(areas) else ""
    called = in_words(sources.experiments[name].called) if name else ""
    choices = (
        (f"{list(sources.mapped)[-1]}.probability" if sources.mapped else "", name,
         f"Probability of landslide, with outlines. {called}." if name else ""),
        ("event_significance", events.EVENT, "The event: landslide, in standard deviations of the noise; outlined."),
        ("velocity", moving, "Velocity in the line of sight, mm/yr, positive towards the satellite"
         f"{', with the active areas' if moving else ''}."),
        ("optical", "", "Sentinel-2, true colour."),
        ("hillshade", "", "Hillshade."),
    )  # fmt: skip
    for top, outlined, caption in choices:
        if top in ids:
            ground = "hillshade " if "hillshade" in ids and top != "hillshade" else ""
            return sections.figure(ground + top, caption, ids, landslides=outlined)
    return None


def _outline_colours(frame: gpd.GeoDataFrame | None, overview: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Name and colour of each kind of outline on the first map."""
    if not overview or not overview["landslides"]:
        return []
    if frame is not None and "motion" in frame:
        return [(name, colour) for name, colour in MOTION.items() if (frame["motion"] == name).any()]
    kinds = {events.EVENT: "landslide of the event", explore.ACTIVE: "active area"}
    return [(kinds.get(overview["landslides"], "landslide"), OUTLINE)]


def _comparison(sources: Sources) -> dict[str, Any]:
    """How the models compare, by where it stands on the page."""
    return {
        "losses": comparison.losses(sources.found),
        "examples": comparison.examples(sources.found),
        "roc": comparison.roc(sources.found, sources.experiments),
        "size_chart": comparison.sizes(sources.found, sources.experiments),
        "all_maps": comparison.all_maps(sources.found),
    }


def _provenance(sources: Sources, numbers: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Times, checksums, versions and the config."""
    return {
        "benchmarks": _benchmarks(numbers["benchmarks"]),
        "checksums": _checksums(numbers["inputs"]),
        "software": table(["package", "version"], list(record.versions().items())),
        "config_area": _as_yaml(sources.settings),
        "config_experiments": [(name, _as_yaml(e.settings)) for name, e in sources.experiments.items()],
    }


def _as_yaml(settings: BaseModel) -> str:
    text: str = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    return text


def _sections(context: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Key and name of the sections of Methods and quality, those that have something to show."""
    named = (
        ("data", "Data", True),
        ("event", "The event", context["event_section"]),
        ("changes", "What is new", context["change_section"]),
        ("deformation", "Deformation", context["deformation"]),
        ("factors", "Factors", context["factors"]),
        ("screening", "Screening", context["screening"]),
        ("susceptibility", "Susceptibility", context["susceptibility"]),
        ("training", "Training", context["training"]),
        ("scores", "Scores", context["experiments"]),
        ("published", "Papers", context["published"]),
        ("maps", "Maps", context["experiments"]),
        ("limits", "What this does not say", True),
        ("provenance", "Provenance", True),
    )
    return [(key, name) for key, name, there in named if there]


def _lead(sources: Sources) -> str:
    grid = sources.grid
    width, height = (grid.bounds[2] - grid.bounds[0]) / 1000, (grid.bounds[3] - grid.bounds[1]) / 1000
    days = _days(sources)
    crs = grid.crs if len(grid.crs) < 20 else "projected CRS (see the configuration)"
    observed = f" Observed {days[0]} to {days[-1]}{observations.in_a_line(sources)}." if days else ""
    return (
        f"Study area {sources.area}: {width:.3g} km × {height:.3g} km, {grid.width} × {grid.height} pixels of "
        f"{grid.resolution[0]:g} m, {crs}.{observed}"
    )


def _days(sources: Sources) -> list[date]:
    velocity = [sources.deformation["velocity"]] if "velocity" in sources.deformation else []
    return dates_of([*sources.factors.values(), *velocity])


def _facts(sources: Sources, numbers: Mapping[str, pd.DataFrame]) -> list[tuple[str, str]]:
    facts = []
    if sources.network is not None:
        days, count = observations.radar(sources)
        facts.append((f"{len(days)}", f"radar dates, {count} interferograms"))
    if sources.factors:
        facts.append((str(len(sources.factors)), "factors on one grid"))
    for name in sources.mapped:
        facts += [
            (f"{f1:.2f}", f"F1 of the finished map of {name} on test ground")
            for f1 in on_test_ground(numbers.get("map_agreement"), name).get("f1", ())
        ]
    if "velocity_truth" in numbers:
        rms = numbers["velocity_truth"]["rms"].iloc[0]
        facts.append((f"{rms:.1f} mm/yr", "rms of recovered minus simulated velocity"))
    return facts


def _data_text(sources: Sources) -> list[str]:
    inputs = sources.settings.inputs
    text = []
    if (simulate := sources.settings.simulate) is not None:
        text.append(
            f"The inputs are simulated by slipmap from seed {simulate.seed}: terrain, lithology, "
            "landslides, Sentinel-1, Sentinel-2, rain and soil moisture. None of them was observed."
        )
    parts = []
    if inputs.sentinel1:
        kind = {
            "safe": "raw SAFE products, geocoded by slipmap",
            "slc": "geocoded single-look complex images",
            "wrapped": "wrapped interferograms",
            "unwrapped": "unwrapped interferograms",
            "velocity": "a ready-made velocity",
        }[inputs.sentinel1.level]
        parts.append(f"Sentinel-1 as {kind}")
    if inputs.sentinel2:
        parts.append(
            "Sentinel-2 before and after the event" if inputs.sentinel2.before else "Sentinel-2 composited over dates"
        )
    parts += [
        name
        for name, there in (
            ("a DEM", inputs.dem),
            ("lithology", inputs.lithology),
            ("rain", inputs.rainfall),
            ("soil moisture", inputs.soil_moisture),
            ("a landslide inventory", inputs.inventory),
        )
        if there
    ]
    if parts:
        text.append(f"Used: {', '.join(parts)}.")
    if not inputs.inventory and sources.experiments:
        text.append("There is no landslide inventory: this is a prediction area, mapped with weights from elsewhere.")
    return text


def _inputs(sources: Sources, found: pd.DataFrame) -> Context:
    rows = [[r.key, r.path, f"{r.files}", f"{r.bytes / 1e6:.1f}"] for r in found.itertuples()]
    return table(["setting", "path", "files", "MB"], rows, numeric=(2, 3), paths=(1,))


def _checksums(found: pd.DataFrame) -> Context:
    rows = [[r.path, r.sha256 or "not computed: too large"] for r in found.itertuples()]
    return table(["path", "SHA-256 (of a folder: over its files)"], rows, paths=(0, 1))


def _benchmarks(found: pd.DataFrame) -> Context:
    rows = [
        [r.job, f"{r.jobs}", f"{r.seconds:.1f}", plain(r.cpu_seconds, 1), f"{r.max_rss_mb:.0f}"]
        for r in found.itertuples()
    ]
    if rows:
        rows.append(["all", str(int(found["jobs"].sum())), f"{found['seconds'].sum():.1f}",
                     plain(found["cpu_seconds"].sum(), 1), f"{found['max_rss_mb'].max():.0f}"])  # fmt: skip
    return table(["job", "runs", "wall time, s", "CPU time, s", "peak memory, MB"], rows, numeric=(1, 2, 3, 4))


def _no_scores(sources: Sources) -> str:
    if sources.settings.inputs.inventory is None:
        return (
            "No scores: this area has no landslide inventory to compare with. How well the maps do here is not known; "
            "scores from the area where the weights were trained do not carry over to another place, sensor or season."
        )
    return "No scores: no experiment of this run is tested in this area."


def _active_areas(sources: Sources, numbers: Mapping[str, pd.DataFrame]) -> dict[str, Any] | None:
    found = numbers.get("active_areas")
    return None if found is None else active_areas.section(found, sources.settings.active_areas)
