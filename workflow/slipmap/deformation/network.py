"""The small-baseline network: which pairs, are they connected, what do they look like (Berardino et al. 2002)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from slipmap.config.deformation import NetworkSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import weak_points
from slipmap.deformation.layer import is_view
from slipmap.deformation.phase import critical_baseline
from slipmap.deformation.reading import read_stack
from slipmap.deformation.stack import (
    Acquisition,
    Pair,
    Radar,
    Stack,
    network_dates,
    save_network,
    save_stack,
)
from slipmap.errors import InputError
from slipmap.io.atomic import write_aside, write_text


def form_pairs(acquisitions: Sequence[Acquisition], max_days: float, max_baseline: float) -> list[Pair]:
    """Every pair of acquisitions within both thresholds, in order of date.

    Parameters
    ----------
    max_days : longest temporal baseline, days. max_baseline : longest perpendicular baseline, m.
    """
    pairs = []
    for i, first in enumerate(acquisitions):
        for second in acquisitions[i + 1 :]:
            baseline = second.perpendicular_baseline - first.perpendicular_baseline
            if (second.date - first.date).days <= max_days and abs(baseline) <= max_baseline:
                files = {"reference": first.file, "secondary": second.file}
                pairs.append(Pair(first.date, second.date, baseline, files))
    return pairs


def nearest_pairs(acquisitions: Sequence[Acquisition], neighbours: int) -> list[Pair]:
    """Each acquisition with the `neighbours` next ones: of linked phases short pairs suffice."""
    return [
        Pair(
            first.date,
            second.date,
            second.perpendicular_baseline - first.perpendicular_baseline,
            {"reference": first.file, "secondary": second.file},
        )
        for i, first in enumerate(acquisitions)
        for second in acquisitions[i + 1 : i + 1 + neighbours]
    ]


def subsets(pairs: Sequence[Pair], dates: Sequence[date]) -> list[list[date]]:
    """Connected subsets of `dates` in the graph of `pairs`, largest first."""
    parent = {d: d for d in dates}

    def root(d: date) -> date:
        while parent[d] != d:
            d = parent[d]
        return d

    for pair in pairs:
        parent[root(pair.reference)] = root(pair.secondary)
    groups: dict[date, list[date]] = {}
    for d in sorted(dates):
        groups.setdefault(root(d), []).append(d)
    return sorted(groups.values(), key=len, reverse=True)


def spanning_tree(pairs: Sequence[Pair], quality: Sequence[float]) -> set[str]:
    """Names of the pairs in the spanning tree (forest) of greatest total `quality` (Kruskal)."""
    parent: dict[date, date] = {}

    def root(d: date) -> date:
        parent.setdefault(d, d)
        while parent[d] != d:
            d = parent[d]
        return d

    kept = set()
    for index in sorted(range(len(pairs)), key=lambda i: -quality[i]):
        a, b = root(pairs[index].reference), root(pairs[index].secondary)
        if a != b:
            parent[a] = b
            kept.add(pairs[index].name)
    return kept


def drop_incoherent(pairs: Sequence[Pair], coherence: Sequence[float], threshold: float) -> list[Pair]:
    """Pairs whose mean coherence reaches `threshold`, and those of the spanning tree, which keep it connected."""
    tree = spanning_tree(pairs, coherence)
    return [p for p, c in zip(pairs, coherence, strict=True) if c >= threshold or p.name in tree]


def baselines_by_date(pairs: Sequence[Pair]) -> dict[date, float | None] | None:
    """Perpendicular baseline of each date relative to the first that is known (m), least squares over `pairs`.

    A date that no known baseline links to most of the others has None; all None is None.
    """
    dates = network_dates(pairs)
    given = [p for p in pairs if p.perpendicular_baseline is not None]
    linked = set(subsets(given, network_dates(given))[0]) if given else set()
    if 2 * len(linked) <= len(dates):
        return None
    known = [p for p in given if p.reference in linked]
    place = {day: k for k, day in enumerate(sorted(linked))}
    design = np.zeros((len(known), len(place)))
    for row, pair in enumerate(known):
        design[row, place[pair.secondary]] = 1
        design[row, place[pair.reference]] = -1
    values = np.array([p.perpendicular_baseline for p in known], float)
    solved = [0.0, *np.linalg.lstsq(design[:, 1:], values, rcond=None)[0].tolist()]
    return {day: solved[place[day]] if day in place else None for day in dates}


def baseline_limit(radar: Radar, settings: NetworkSettings) -> float:
    """Longest perpendicular baseline (m) of a pair that we form; infinite where the radar's geometry is unknown."""
    if radar.slant_range is None or radar.incidence is None or radar.bandwidth is None:
        return float("inf")
    critical = critical_baseline(radar.wavelength, radar.slant_range, radar.incidence, radar.bandwidth)
    return settings.max_critical_baseline_fraction * critical


def choose_pairs(stack: Stack, settings: NetworkSettings) -> list[Pair]:
    """The network of `stack`: pairs formed within the thresholds, or the supplied ones.

    Raises
    ------
    InputError : fewer than two dates or no pair; a network that is not connected (unless the config allows subsets).
    """
    limit = baseline_limit(stack.radar, settings)
    if stack.acquisitions:
        if len(stack.acquisitions) < 2:
            raise InputError(
                f"inputs.sentinel1.path: only one SLC ({stack.acquisitions[0].file}); give SLCs of two dates or more."
            )
        if settings.estimator == "phase_linking":
            return nearest_pairs(stack.acquisitions, settings.nearest_neighbours)
        pairs = form_pairs(stack.acquisitions, settings.max_temporal_baseline, limit)
        dates = [a.date for a in stack.acquisitions]
    else:
        pairs, dates = stack.pairs, network_dates(stack.pairs)
        if settings.threshold_supplied:
            pairs = [
                p
                for p in pairs
                if p.days <= settings.max_temporal_baseline and abs(p.perpendicular_baseline or 0) <= limit
            ]
    if not pairs:
        raise InputError(
            "deformation.max_temporal_baseline and max_critical_baseline_fraction leave no pair of the "
            f"{len(dates)} dates; raise them."
        )
    parts = subsets(pairs, dates)
    if len(parts) > 1 and not settings.allow_subsets:
        gap = "; ".join(f"{p[0]} to {p[-1]} ({len(p)})" for p in parts[:4])
        raise InputError(
            f"deformation: the network falls into {len(parts)} subsets ({gap}); raise "
            f"deformation.max_temporal_baseline or max_critical_baseline_fraction, or set "
            f"deformation.allow_subsets to join them by the model of motion."
        )
    return pairs


def run(
    sentinel1: Sentinel1Settings,
    settings: NetworkSettings,
    network_csv: str | Path,
    network_png: str | Path,
    stack_json: str | Path,
    files: Sequence[str | Path] | None = None,
    views: str | Path | None = None,
) -> list[Pair]:
    """Read the files' headers, choose the pairs, write network.csv, stack.json and the network plot.

    `files` are the SLCs of the stack, where not all in the folder count. Into the folder `views` (else ``views`` beside
    `network_csv`) go virtual rasters of what cannot be read from its file as it stands: cut, scaled, inside HDF5.
    """
    stack = read_stack(sentinel1, files)
    for line in stack.left_out:
        print(f"left out: {line}")
    for line in stack.notes:
        print(f"note: {line}")
    folder = Path(views or Path(network_csv).parent / "views")
    if views:
        folder.mkdir(parents=True, exist_ok=True)
    stack = _with_views(stack, folder)
    pairs = choose_pairs(stack, settings)
    dates = network_dates(pairs)
    by_date = baselines_by_date(pairs)
    for line in weak_points.notes(pairs, stack.radar, by_date):
        print(f"note: {line}")
    parts = subsets(pairs, dates)
    save_network(network_csv, pairs, stack.pairs_left_out)
    save_stack(
        stack_json,
        stack,
        dates=[str(d) for d in dates],
        perpendicular_baselines=[by_date[d] for d in dates] if by_date else None,
        subsets=[[str(d) for d in part] for part in parts],
        max_perpendicular_baseline=baseline_limit(stack.radar, settings) if stack.radar.bandwidth else None,
    )
    plot(network_png, pairs, by_date)
    print(f"{len(pairs)} pairs of {len(dates)} dates in {len(parts)} connected subset(s), {stack.format} files")
    return pairs


def _with_views(stack: Stack, folder: Path) -> Stack:
    """`stack` with its views written to files in `folder`."""

    def written(name: str, files: dict[str, str]) -> dict[str, str]:
        for role, place in files.items():
            if is_view(place):
                write_text(folder / f"{name}_{role}.vrt", place)
        return {role: str(folder / f"{name}_{role}.vrt") if is_view(p) else p for role, p in files.items()}

    pairs = [replace(pair, files=written(pair.name, pair.files)) for pair in stack.pairs]
    return replace(stack, pairs=pairs, geometry=written("geometry", stack.geometry))


def plot(path: str | Path, pairs: Sequence[Pair], by_date: dict[date, float | None] | None) -> None:
    """Draw the network: time against perpendicular baseline, one line for each pair."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    metres = {d: (by_date or {}).get(d) or 0.0 for d in network_dates(pairs)}
    for pair in pairs:
        ends = [pair.reference, pair.secondary]
        axes.plot(np.array(ends, "M8[D]"), [metres[d] for d in ends], color="0.55", linewidth=0.8, zorder=1)
    axes.scatter(np.array(list(metres), "M8[D]"), list(metres.values()), color="tab:blue", zorder=2)
    axes.set_ylabel("perpendicular baseline (m)")
    axes.set_title(f"{len(pairs)} interferograms, {len(metres)} dates")
    with write_aside(path) as aside:
        FigureCanvasAgg(figure).print_png(str(aside))  # type: ignore[no-untyped-call]  # matplotlib has no types there
