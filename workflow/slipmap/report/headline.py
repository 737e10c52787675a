"""The first screen: how many landslides, which are new, what moves, and how far to trust it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from slipmap.patches.split import INDEPENDENCE
from slipmap.prediction import moving_parts
from slipmap.report.agreement import on_test_ground
from slipmap.report.landslide_truth import NEW
from slipmap.report.landslides import WORDS, moves
from slipmap.report.sources import Sources
from slipmap.report.tabular import hectares, with_spread
from slipmap.report.words import many

_OTHERWISE = {"moves in part": " in part", "moves, not downslope": ", but not downslope", "moves slowly": " slowly"}


def cards(sources: Sources, numbers: Mapping[str, pd.DataFrame], drawn: Mapping[str, Any]) -> list[dict[str, str]]:
    """One answer each, of the last experiment's map, else of the radar: {"value", "label", "detail", "only"}.

    "only" is the choice of landslides on the map to which the card leads ("" where it leads nowhere).
    """
    if not drawn:
        return list(_of_radar(sources, numbers))
    name, frame = list(drawn.items())[-1]
    share = 100 * frame["area_m2"].sum() / (sources.grid.width * sources.grid.height * _pixel_area(sources))
    detail = f"{_share(share)} of the area. {sources.experiments[name].called}"
    found = [_card(len(frame), f"{many(len(frame), 'landslide')} outlined", detail, "all")]
    if "inventory" in frame:
        found.append(_against_inventory(frame, _real(name, numbers)))
    if "motion" in frame:
        counts = frame["motion"].value_counts()
        still, unseen = counts.get("no movement detected", 0), counts.get("not observable", 0)
        detail = f"{still} without movement detected; {unseen} the radar cannot tell"
        others = (
            f"{counts[kind]} {'moves' if counts[kind] == 1 else 'move'}{how}"
            for kind, how in _OTHERWISE.items()
            if kind in counts
        )
        detail = "; ".join([*others, detail, *_by(frame), *_of_areas(name, numbers)])
        found.append(_card(int(counts.get("moving", 0)), "moving", detail, "moving"))
    found.append(trust(name, numbers))
    return found


def _of_radar(sources: Sources, numbers: Mapping[str, pd.DataFrame]) -> Iterator[dict[str, str]]:
    """What an area without a landslide map tells: the event, active areas, the fastest of them."""
    if sources.event is not None:
        counted = ", ".join(f"{count} of {name}" for name, count in sources.event["by_confidence"].items())
        detail = f"on {hectares(sources.event['landslide_area_m2'])}; {counted} confidence"
        count = sources.event["landslides"]
        yield _card(count, f"{many(count, 'landslide')} of the event", detail)
    areas = numbers.get("active_areas")
    if areas is None:
        return
    share = 100 * areas["area_m2"].sum() / (sources.grid.width * sources.grid.height * _pixel_area(sources))
    detail = f"{_share(share)} of the area: ground that moves out of the noise around it"
    yield _card(len(areas), f"active {many(len(areas), 'area')}", detail)
    if len(areas):
        fastest = areas.loc[areas["velocity_mean"].abs().idxmax()]
        detail = f"active area {int(fastest['area'])}, mean in the line of sight, positive towards the satellite"
        value = f"{with_spread(fastest['velocity_mean'], fastest['velocity_mean_std'], 0)} mm/yr"
        yield _card(value, "is the fastest", detail)


def three(found: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The `cards` as three numbers: what the inventory lacks is said beside the count, where motion is known too."""
    if len(found) <= 3:
        return list(found)
    count, against, *rest = found
    said = f"{count['detail']}. {against['value']} of them {against['label']}: {against['detail']}"
    return [count | {"detail": said}, *rest]


def alarms(sources: Sources) -> list[dict[str, Any]]:
    """What speaks against reading a map as probabilities: {"name", "sentences"} of each map with an alarm."""
    found = []
    for name, experiment in sources.experiments.items():
        told = experiment.usable or {}
        sentences = [*told.get("alarms", ()), *([told["unseen_said"]] if told.get("unseen_said") else [])]
        if sentences:
            found.append({"name": name, "usable": told["usable"], "sentences": sentences})
    return found


def _by(frame: pd.DataFrame) -> list[str]:
    """By which evidence the outlines move that do; those that may, by their mean velocity alone, apart."""
    if "motion_by" not in frame:
        return []
    surely = moves(frame)
    counts = frame.loc[surely, "motion_by"].value_counts()
    both, mean, active = (int(counts.get(by, 0)) for by in (moving_parts.BOTH, moving_parts.MEAN, moving_parts.ACTIVE))
    text = (
        f"{int(surely.sum())} move in all, {active} of them by an active area, {mean} by mean velocity, {both} by both"
    )
    weak = int((frame["motion_by"] == moving_parts.MEAN).sum()) - mean
    return [text, *([f"{weak} more may move slowly, by mean velocity alone"] if weak else [])]


def _of_areas(name: str, numbers: Mapping[str, pd.DataFrame]) -> list[str]:
    """How much moves by the radar alone, and how much of that the map of `name` outlines."""
    areas = numbers.get("active_areas")
    if areas is None:
        return []
    if f"landslides_{name}" in areas:
        told = int(areas[f"landslides_{name}"].notna().sum())
        return [f"{len(areas)} active {many(len(areas), 'area')}: {told} in outlines, {len(areas) - told} outside them"]
    touch = int((areas[f"covered_by_{name}"] > 0).sum()) if f"covered_by_{name}" in areas else 0
    verb = "touches" if touch == 1 else "touch"
    return [f"by the radar alone {len(areas)} active {many(len(areas), 'area')}, {touch} of which {verb} an outline"]


def _real(name: str, numbers: Mapping[str, pd.DataFrame]) -> int | None:
    """How many outlines that the inventory lacks are on a landslide of the simulator; None on real ground."""
    compared = numbers.get("landslide_truth")
    if compared is None:
        return None
    rows = compared[(compared["experiment"] == name) & (compared["said"] == NEW)]
    return int(rows["on a landslide"].sum())


def _against_inventory(frame: pd.DataFrame, real: int | None = None) -> dict[str, str]:
    """`real`: how many of those that the inventory lacks are on a landslide, where that is known."""
    new = frame["inventory"] == "new"
    known = "" if real is None else f" ({real} of them on a landslide of the simulator)"
    detail = f"new, or false alarms{known}; {int((~new).sum())} match it"
    if "probability_mean" in frame and new.any() and not new.all():
        p, q = (frame.loc[chosen, "probability_mean"].mean() for chosen in (new, ~new))
        detail += f". Mean probability of those not in the inventory {p:.2f}, of those that match {q:.2f}"
    return _card(int(new.sum()), "not in the inventory", detail, WORDS["new"])


def trust(name: str, numbers: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """How right the map of experiment `name` is on test ground, from the table map_agreement."""
    counted = numbers.get("map_agreement")
    rows = on_test_ground(counted, name)
    if not len(rows):
        return _card("Not known", "how right this map is", "there is no test ground here to compare it with")
    right, seen = (100 * float(rows[score].iloc[0]) for score in ("precision", "recall"))
    there = (
        f"{seen:.0f} % of the landslide ground is found"
        if np.isfinite(seen)
        else "the inventory has no landslide there"
    )
    where = "against the inventory"
    if not np.isfinite(right):
        return _card("None", "is mapped on test ground", f"and {there}: {where}")
    detail = f"and {there}: {where}{_elsewhere(name, counted, right)}{_random(rows)}"
    return _card(f"{right:.0f} %", "of what is mapped on test ground is right", detail)


def _elsewhere(name: str, counted: pd.DataFrame, right: float) -> str:
    """A warning where the whole map, the ground that was learnt from included, is right less often than test ground."""
    own = counted[counted["experiment"] == name]
    mapped = own["true_positive"].sum() + own["false_positive"].sum()
    whole = 100 * own["true_positive"].sum() / mapped if mapped else right
    return f". Over the whole map only {whole:.0f} % is" if whole < 0.9 * right else ""


def _random(rows: pd.DataFrame) -> str:
    """A warning where test patches were drawn at random among training patches."""
    said = str(rows["independence"].iloc[0]) if "independence" in rows else ""
    return f". {said}" if said.startswith(INDEPENDENCE["random"]) else ""


def _share(percent: float) -> str:
    return f"{percent:.2g} %" if percent < 10 else f"{percent:.0f} %"


def _pixel_area(sources: Sources) -> float:
    return sources.grid.resolution[0] * sources.grid.resolution[1]


def _card(value: object, label: str, detail: str, only: str = "") -> dict[str, str]:
    return {"value": str(value), "label": label, "detail": detail, "only": only}
