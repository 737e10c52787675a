"""The network of interferograms in the report: which pairs, how coherent, which were left out and why."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from slipmap.colours import BLUE, VERMILION, ramp
from slipmap.report.charts import Line, chart

LEVELS = 9  # colours of coherence
RAMP, PART = "viridis", slice(5, 14)  # of its 18 steps: the ends are lost on a dark and on a light page


def used(network: pd.DataFrame, reference: Mapping[str, Any] | None) -> pd.Series:
    """Which pairs count: neither left out as they were read nor for their low mean coherence."""
    kept = pd.Series(True, index=network.index)
    if "left_out" in network:
        kept &= network["left_out"].isna()
    return kept & ~network["pair"].isin((reference or {}).get("pairs_left_out", {}))


def facts(network: pd.DataFrame, reference: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Label and value of each fact of the network."""
    kept = used(network, reference)
    shown = network[kept]
    dates = sorted({*shown["reference"], *shown["secondary"]})
    yield "dates", f"{len(dates)}, {dates[0]} to {dates[-1]}"
    yield "interferograms", str(len(shown))
    if not kept.all():
        yield "left out", f"{int((~kept).sum())} pairs"
    yield "longest pair", f"{shown['temporal_baseline_days'].max():.0f} days"
    longest = shown["perpendicular_baseline_m"].abs().max()
    if np.isfinite(longest):
        yield "longest perpendicular baseline", f"{longest:.0f} m"


def coherence(network: pd.DataFrame, reference: Mapping[str, Any] | None) -> pd.Series:
    """Mean coherence of each pair, as the network came with it or as inverting it measured; NaN where nobody did."""
    of_pairs = {**(reference or {}).get("pair_coherence", {}), **(reference or {}).get("pairs_left_out", {})}
    measured = pd.to_numeric(network["pair"].map(of_pairs), errors="coerce")
    return pd.to_numeric(network["mean_coherence"], errors="coerce").fillna(measured)


def caption(network: pd.DataFrame, reference: Mapping[str, Any] | None, *, linked: bool = False) -> str:
    """What the lines and their colours mean; `linked`: pairs are differences of linked phases."""
    kind = "network of linked phases" if linked else "small-baseline network"
    line = "the difference of two dates, unwrapped" if linked else "an interferogram"
    text = f"The {kind}: each dot an acquisition, each line {line}; the ring marks the first date, from which "
    text += "displacement counts."
    measured = coherence(network, reference).dropna()
    if len(measured):
        quality = "goodness of fit" if linked else "coherence"
        low, high = f"{measured.min():.2f}", f"{measured.max():.2f}"
        one = f" Mean {quality}: {low} in all of them."
        text += one if low == high else f" Colour: mean {quality}, from {low} (dark) to {high} (light)."
    dropped = network[~used(network, reference)]
    if len(dropped):
        named = ", ".join(dropped["pair"].astype(str).head(6)) + (" and more" if len(dropped) > 6 else "")
        text += f" Dashed: left out ({named})."
    return text


def chart_of(
    network: pd.DataFrame, stack: Mapping[str, Any], reference: Mapping[str, Any] | None, *, linked: bool = False
) -> str:
    """Dates against their perpendicular baselines, pairs as lines; a date of unknown baseline lies on the zero line."""
    dates, baselines = stack["dates"], stack["perpendicular_baselines"]
    heights = [baseline or 0.0 for baseline in baselines or [None] * len(dates)]
    days = (pd.to_datetime(dates) - pd.Timestamp(dates[0])).days.to_numpy(float)
    place = dict(zip(dates, zip(days, heights, strict=True), strict=True))
    colours, kept = _colours(coherence(network, reference)), used(network, reference)
    lines = [
        (*place[a], *place[b], "#8b979e" if not there else colour, "" if there else "3 3")
        for a, b, colour, there in zip(network["reference"], network["secondary"], colours, kept, strict=True)
        if a in place and b in place
    ]
    marks = np.unique(np.linspace(0, len(dates) - 1, min(4, len(dates))).round().astype(int))
    return chart(
        [
            Line("", list(days), heights, BLUE, markers=True, stroke=False),
            Line("", [days[0]], heights[:1], VERMILION, markers=True, stroke=False, ring=True),
        ],
        title="Network of linked phases" if linked else "Small-baseline network",
        x_label="date",
        y_label="perpendicular baseline (m)" if baselines else "perpendicular baseline not known",
        x_ticks={float(days[i]): dates[i][:7] for i in marks},
        segments=lines,
    )


def _colours(measured: pd.Series) -> list[str]:
    """A colour for each pair: dark where coherence is low; grey where it is not known."""
    steps = ramp(RAMP, 18)[PART]
    low, high = measured.min(), measured.max()
    share = (measured - low) / (high - low) if high > low else measured * 0
    return ["" if not np.isfinite(v) else steps[min(int(v * LEVELS), LEVELS - 1)] for v in share]


def corrected(reference: Mapping[str, Any] | None, network: pd.DataFrame | None) -> str:
    """Share of pixels to which triplet closure gave whole turns, of each interferogram, over the time it spans."""
    shares = (reference or {}).get("triplets", {}).get("corrected", {})
    if not any(shares.values()) or network is None:
        return ""
    spans = dict(zip(network["pair"], network["temporal_baseline_days"].astype(float), strict=True))
    named = [name for name in shares if name in spans]
    return chart(
        [Line("", [spans[n] for n in named], [100 * shares[n] for n in named], BLUE, markers=True, stroke=False)],
        title="Unwrapping errors corrected",
        x_label="days between the acquisitions",
        y_label="pixels corrected (%)",
    )
