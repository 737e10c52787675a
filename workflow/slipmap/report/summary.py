"""The Summary: may the map be used, where not, and what to look at first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from slipmap.io.grid import Grid
from slipmap.motion.describe import QUALITY_NAMES
from slipmap.patches.split import INDEPENDENCE
from slipmap.report import ground, quality
from slipmap.report.agreement import on_test_ground
from slipmap.report.inventory_found import LEAST_BLOCKS, LEAST_LANDSLIDES, few, interval
from slipmap.report.landslides import WORDS, first_to_look_at, inside, moves
from slipmap.report.landslides import places as where_inside
from slipmap.report.pictures import load
from slipmap.report.sources import Experiment, Sources
from slipmap.report.tabular import hectares, plain, with_spread
from slipmap.report.tabular import percent as _percent
from slipmap.report.words import many
from slipmap.screening.applicability import OUTSIDE, UNSEEN

USABLE, SCREENING, NOT = "Usable", "For screening only", "Not usable"
LEAST = 0.5  # of the mapped ground that is right, and of the landslide ground that is found, on test ground
MOST = 10  # places to look at first


def verdict(sources: Sources, numbers: Mapping[str, pd.DataFrame], shown: Grid) -> dict[str, str]:
    """Whether the last experiment's map (else the event map, else the velocity) may be used: {"word", "reason"}.

    A map is usable where test ground that is independent of training shows that at least half of what it maps is
    right and at least half of the landslide ground is found; without such ground, with too few landslides on it
    (`inventory_found.few`), or below, it is for screening only.
    One whose probabilities say nothing (``usable.json``) is not usable.
    """
    word, reason = _verdict(sources, numbers, shown)
    return {"word": word, "reason": reason, "kind": {USABLE: "good", SCREENING: "fair", NOT: "bad"}[word]}


def _verdict(sources: Sources, numbers: Mapping[str, pd.DataFrame], shown: Grid) -> tuple[str, str]:
    if not sources.mapped:
        return _of_velocity(sources, shown) if sources.event is None else _of_event(sources.event)
    name, experiment = list(sources.mapped.items())[-1]
    told = experiment.usable or {}
    if told and not told["usable"]:
        return NOT, f"The map of {name} cannot be read as probabilities. {told['alarms'][0]}"
    rows = on_test_ground(numbers.get("map_agreement"), name)
    if not len(rows):
        return SCREENING, "There is no test ground here, so how right the map is is not known: check it before acting."
    if str(rows.get("independence", pd.Series([""])).iloc[0]).startswith(INDEPENDENCE["random"]):
        return SCREENING, "Test ground was drawn at random among training ground, so the scores say little of the rest."
    right, found = (float(rows[score].iloc[0]) for score in ("precision", "recall"))
    test = on_test_ground(numbers["inventory_found"], name).iloc[0]
    shares = (
        f"{_percent(right)} of what is mapped as landslide is landslide, {_percent(found)} of the landslide ground is "
        "found"
    )
    if few(test["landslides"], test["blocks"]):
        low, high = (_percent(share) for share in interval(test["found"], test["landslides"]))
        return SCREENING, (
            f"Too few test landslides to tell: {_rests_on(test)} (at least {LEAST_LANDSLIDES} in {LEAST_BLOCKS} blocks "
            "would; a larger area, a larger test share in split.ratios or a smaller split.block gives more). There "
            f"{shares}; that {test['found']} of {test['landslides']} landslides are found (half of their pixels or "
            f"more) may mean {low} to {high} elsewhere."
        )
    said = f"On test ground ({_rests_on(test)}) {shares}"
    if not (right >= LEAST and found >= LEAST):
        return SCREENING, f"{said}; a usable map reaches {_percent(LEAST)} in both."
    return USABLE, f"{said}. Check each place before acting on it."


def _rests_on(test: pd.Series) -> str:
    """On how many landslides and blocks a test rests."""
    count, blocks = int(test["landslides"]), test["blocks"]
    where = f" in {blocks:.0f} {many(int(blocks), 'block')}" if blocks == blocks else ""
    return f"{count} {many(count, 'landslide')}{where}"


def _of_event(event: Mapping[str, Any]) -> tuple[str, str]:
    sure = event["by_confidence"].get("high", 0)
    return SCREENING, (
        f"The event map says where to look: {sure} of its {event['landslides']} landslides are of high confidence. "
        "Nothing here checks them; look at images or in the field."
    )


def _of_velocity(sources: Sources, shown: Grid) -> tuple[str, str]:
    share = reliable_share(sources, shown)
    if share is None:
        if "velocity" in sources.deformation:
            return SCREENING, "The velocity came without a measure of its quality; there is no landslide map."
        return NOT, "Neither a landslide map nor a velocity was made."
    return (USABLE if share > 0 else NOT), (
        f"The velocity may be read on {_percent(share)} of the ground, where it is reliable; of the rest the radar "
        f"says nothing{_because(sources, shown)}. There is no landslide map."
    )


def _because(sources: Sources, shown: Grid) -> str:
    """Why the rest of the ground is not reliable, in brackets."""
    reasons = quality.in_words(sources, shown, reasons=True)
    return f" ({reasons} of the ground)" if reasons else ""


def reliable_share(sources: Sources, shown: Grid) -> float | None:
    """Share of the ground whose velocity is reliable, by the deformation stage's own mask; None without radar."""
    if "mask" in sources.deformation:
        return float((load(sources.deformation["mask"], shown, classes=True) == 1).mean())
    if "temporal_coherence" in sources.deformation:
        least = sources.settings.deformation.min_temporal_coherence
        return float((load(sources.deformation["temporal_coherence"], shown) >= least).mean())
    return None


def _missed(numbers: Mapping[str, pd.DataFrame], name: str) -> Iterator[str]:
    """How many landslides of the inventory the map of experiment `name` lacks, and where they are drawn."""
    counted = numbers.get("inventory_found", pd.DataFrame(columns=["experiment", "ground"]))
    for row in counted[(counted["experiment"] == name) & (counted["ground"] == "all")].to_dict("records"):
        if count := row["landslides"] - row["found"]:
            yield (
                f"As a complete list: of the inventory's {row['landslides']} landslides (pieces at most two pixels "
                f"apart count as one) the map has less than half of {count} (layer “Landslide inventory” in Explore, "
                "off at first)."
            )


def not_here(
    sources: Sources, numbers: Mapping[str, pd.DataFrame], drawn: Mapping[str, gpd.GeoDataFrame], shown: Grid
) -> list[str]:
    """Where the last map must not be used, with the share of the ground."""
    text: list[str] = []
    if sources.mapped:
        name, experiment = list(sources.mapped.items())[-1]
        text += _unlike(experiment, shown)
        missing = float((~np.isfinite(load(experiment.maps["probability"], shown))).mean())
        if missing >= 0.0005:
            text.append(f"Where nothing is mapped: {_percent(missing)} of the ground has no value in some factor.")
        unseen = (experiment.usable or {}).get("unseen_said")
        if unseen:
            text.append(unseen)
        text += _missed(numbers, name)
        frame = drawn.get(name)
        if frame is not None and "motion" in frame and len(frame):
            hidden, count = int((frame["motion"] == "not observable").sum()), len(frame)
            if hidden:
                outlined = f"{hidden} of the {count} {many(count, 'landslide')} outlined"
                text.append(f"For motion on {outlined}: the radar cannot tell there.")
    share = reliable_share(sources, shown)
    if share is not None:
        text.append(
            f"For motion on {_percent(1 - share)} of the ground, where the radar's velocity is not reliable"
            f"{_because(sources, shown)}: no measured motion there is not stability."
        )
    text.append("As the chance that a slope fails in some period, or as a risk: it is neither.")
    return text


def _unlike(experiment: Experiment, shown: Grid) -> Iterator[str]:
    """Shares of ground outside the map's area of applicability."""
    if "applicability" not in experiment.maps:
        return
    codes = load(experiment.maps["applicability"], shown, classes=True)
    known = np.isfinite(codes).sum() or 1
    for code, words in (
        (OUTSIDE, "lies outside what the model learnt from"),
        (UNSEEN, "has a class training never saw"),
    ):
        share = float((codes == code).sum() / known)
        if share > 0:
            layer = f"layer “Where not to trust the map of {experiment.name}”"
            yield f"Where the ground {words}: {_percent(share)} of it ({layer})."


def places(
    drawn: Mapping[str, gpd.GeoDataFrame],
    areas: pd.DataFrame | None,
    outlines: gpd.GeoDataFrame | None,
    failed: Sequence[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Landslides of the last map and active areas to look at first, `MOST` of them.

    {"href", "what", "why", "moves", "where", "xy"}, the last a point inside it in the frames' CRS.
    What an event made, then what moves (by its mean velocity, by an active area in it, or as an active area of which no
    outline is told), then the rest; of each what the inventory lacks before what it has, the largest first.

    Parameters
    ----------
    areas : the report's table of them. outlines : the same with their geometry.
    failed : landslides of an event (`slipmap.report.events.places`).
    """
    return [*failed, *_without_event(drawn, areas, outlines, MOST - len(failed))]


def _without_event(
    drawn: Mapping[str, gpd.GeoDataFrame], areas: pd.DataFrame | None, outlines: gpd.GeoDataFrame | None, most: int
) -> list[dict[str, Any]]:
    name, frame = list(drawn.items())[-1] if drawn else ("", None)
    own = list(_areas(areas, outlines, name)) if areas is not None and outlines is not None else []
    if frame is None or not len(frame):
        return [place for _, place in own][:most]
    ordered, sight = first_to_look_at(frame), {} if areas is None else _by_number(areas)
    here = moves(ordered)
    moving = [(_rank(one), _landslide(one, name, sight)) for one in ordered[here].to_dict("records")]
    first = [place for _, place in sorted([*moving, *own], key=lambda pair: pair[0])]
    rest = (_landslide(one, name, sight) for one in ordered[~here].head(most).to_dict("records"))
    return [*first[:most], *rest][:most]


def _rank(one: Mapping[str, Any]) -> tuple[bool, float]:
    """What the inventory lacks before what it has, then the largest."""
    return one.get("inventory", "new") != "new", -one["area_m2"]


def _by_number(areas: pd.DataFrame) -> dict[int, dict[str, Any]]:
    return {int(one["area"]): one for one in areas.to_dict("records")}


def how_many_move(drawn: Mapping[str, gpd.GeoDataFrame], areas: pd.DataFrame | None, listed: int) -> str:
    """How many places move in all, and how many of them the list of `listed` places has."""
    name, frame = list(drawn.items())[-1] if drawn else ("", None)
    if frame is None:
        return ""
    count, alone = int(moves(frame).sum()), 0 if areas is None else int((~_told(areas, name)).sum())
    lone = f" and {alone} active {many(alone, 'area')} outside them" if alone else ""
    verb = "moves" if count + alone == 1 else "move"
    first = min(listed, count + alone)
    which = "all are" if first == count + alone else f"the first {first} are"
    return f"{count} {many(count, 'landslide')}{lone} {verb}; {which} listed here."


def _told(areas: pd.DataFrame, name: str) -> pd.Series:
    """Which active areas are told with a landslide of the map `name`."""
    if f"landslides_{name}" in areas:
        return areas[f"landslides_{name}"].notna()
    return areas.get(f"covered_by_{name}", pd.Series(0.0, index=areas.index)) > 0


def pins(places: Sequence[Mapping[str, Any]], grid: Grid) -> list[dict[str, Any]]:
    """Where the numbers of the `places` stand on the map of `grid`, in percent of it.

    {"number", "href", "what", "left", "top"}, the second where they lead in Explore.
    """
    found = []
    for number, place in enumerate(places, 1):
        column, row = ~grid.transform @ place["xy"]
        left, top = 100 * column / grid.width, 100 * row / grid.height
        at = {"left": round(left, 2), "top": round(top, 2)}
        found.append({"number": number, "href": place["href"], "what": place["what"], **at})
    return found


def _landslide(one: Mapping[str, Any], name: str, areas: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    facts = [hectares(one["area_m2"])]
    if "inventory" in one:
        facts.append(WORDS.get(one["inventory"], one["inventory"]))
    if _known(one, "probability_mean"):
        facts.append(f"probability {plain(one['probability_mean'], 2)}")
    facts += _ground(one)
    return {
        "href": f"#landslide={int(one['landslide'])}&map={name}",
        "what": f"Landslide {int(one['landslide'])}",
        "why": ", ".join(facts),
        "moves": _motion(one, areas),
        "where": one["place"],
        "xy": inside(one["geometry"]),
    }


def _ground(one: Mapping[str, Any]) -> list[str]:
    """How much of an outline is unlike what the model learnt from, where some is."""
    said = ground.in_row(one.get("outside_share", float("nan")))
    return [said] if said else []


def _motion(one: Mapping[str, Any], areas: Mapping[int, Mapping[str, Any]]) -> str:
    """Whether a landslide moves, and how certain that is: of its active area where it has one, else of the outline."""
    motion = one.get("motion")
    if motion is None:
        return ""
    if _known(one, "active_velocity"):
        number = int(one["active_area"].split(", ")[0])
        speed = _downslope(one["active_velocity"], one["active_velocity_std"], areas.get(number, {}))
        part = f"{100 * one['active_share']:.0f}\u202f% of it is active"
        return f"{motion}: {speed} (mean of active area {number}; {part})"
    if motion in ("moving", "moves slowly") and _known(one, "velocity_downslope"):
        rate, spread = one["velocity_downslope"], one.get("velocity_downslope_std", float("nan"))
        shown = round(spread, 1)
        times = f", {abs(round(rate, 1) / shown):.1f} σ" if shown and shown == shown else ""
        word = "moving" if motion == "moving" else "may move slowly"
        return f"{word}: {_downslope(rate, spread, one)} (mean of the outline){times}"
    if motion == "no movement detected" and _known(one, "detectable_velocity"):
        fast = f" or faster than {plain(one['aliasing_velocity'], 0)}" if _known(one, "aliasing_velocity") else ""
        slow = plain(one["detectable_velocity"], 0)
        return f"no movement detected; slower than {slow}{fast} mm/yr downslope would not be seen"
    if motion == "moves, not downslope" and _known(one, "velocity_mean"):
        speed = with_spread(one["velocity_mean"], one.get("velocity_std", float("nan")), 1)
        return f"moves {speed} mm/yr in the line of sight (mean of the outline), which is not downslope"
    return "the radar cannot tell" if motion == "not observable" else str(motion)


def _downslope(rate: float, spread: float, one: Mapping[str, Any]) -> str:
    """A downslope velocity; where it is twice the one that the radar measured or more, that one and the factor too."""
    text = f"{with_spread(rate, spread, 1)} mm/yr downslope"
    sight = abs(round(one["velocity_mean"], 1)) if _known(one, "velocity_mean") else 0
    if not 0 < sight <= abs(rate) / 2:
        return text
    return f"{text}, {plain(sight, 1)} in the line of sight × {plain(abs(round(rate, 1)) / sight, 1)}"


def _areas(
    table: pd.DataFrame, outlines: gpd.GeoDataFrame, name: str
) -> Iterable[tuple[tuple[bool, float], dict[str, Any]]]:
    """Rank and place of active areas that are told with no outline of the map; of all where there is no map."""
    told = _told(table, name)
    records = table.to_dict("records")
    for one, where, outline, known in zip(records, where_inside(outlines), outlines.geometry, told, strict=True):
        if known:
            continue
        yield (
            _rank(one),
            {
                "href": f"#area={int(one['area'])}",
                "what": f"Active area {int(one['area'])}",
                "why": ", ".join(
                    [
                        hectares(one["area_m2"]),
                        *([WORDS.get(one["inventory"], one["inventory"])] if "inventory" in one else []),
                        f"{'outlined by no map; ' if name else ''}series {QUALITY_NAMES[int(one['quality'])]}",
                        *_ground(one),
                    ]
                ),
                "moves": f"{_rate(one)}, up to {one['significance']:.0f} × the noise around it{_trend(one)}",
                "where": where,
                "xy": inside(outline),
            },
        )


def _rate(one: Mapping[str, Any]) -> str:
    """The mean velocity of an active area: downslope, as landslides have it; else in the line of sight."""
    mean = "(mean of the active area)"
    if _known(one, "downslope_mean") and one["downslope_mean"] > 0:
        return f"moving: {_downslope(one['downslope_mean'], one['downslope_mean_std'], one)} {mean}"
    end = ", which is not downslope" if _known(one, "downslope_mean") else ""
    speed = with_spread(one["velocity_mean"], one["velocity_mean_std"], 1)
    return f"moving: {speed} mm/yr in the line of sight {mean}{end}"


def _trend(one: Mapping[str, Any]) -> str:
    """How the motion of an active area goes on, where its series tells."""
    trend = one.get("trend")
    return f"; {trend}" if isinstance(trend, str) and trend else ""


def _known(one: Mapping[str, Any], name: str) -> bool:
    return one.get(name) is not None and bool(one[name] == one[name])
