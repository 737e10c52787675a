"""`slipmap scale`: what a large area will take, stage by stage, as a page for people."""

import math
import os
import platform
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from slipmap.config.deformation import NetworkSettings
from slipmap.errors import InputError
from slipmap.planning import cost

REPEAT = timedelta(days=12)  # of one Sentinel-1 satellite


def size(square_km: float, resolution: float, dates: int, *, neighbours: int | None = None) -> cost.Size:
    """An area of `square_km` at `resolution` (m) with so many Sentinel-1 dates, one every twelve days.

    Parameters
    ----------
    neighbours
        Later dates with which each is paired after phase linking; None: phases are not linked.

    Raises
    ------
    InputError
        There is no such area.
    """
    if not (0 < square_km < math.inf and 0 < resolution < math.inf and dates > 1):
        raise InputError("give --km2 and --resolution above zero, and --dates of 2 or more.")
    days = [date(2020, 1, 1) + n * REPEAT for n in range(dates)]
    formed = cost.pairs_within(days, NetworkSettings().max_temporal_baseline)
    linked = cost.pairs_of_neighbours(dates, neighbours) if neighbours else 0
    return cost.Size(square_km * 1e6 / resolution**2, dates, formed, linked)


def page(results: str | Path, square_km: float, resolution: float, dates: int, *, estimator: str | None = None) -> str:
    """The cost of an area as Markdown, by the rates of the finished run in `results`, with what it rests on.

    Parameters
    ----------
    estimator
        "phase_linking" or "sbas" alone, of a run that has both; None: all that the run has.
    """
    here, rates = cost.size_of(results), cost.measure(results)
    neighbours = math.ceil(here.linked / here.dates) if here.linked and here.dates else None
    wanted = size(square_km, resolution, dates, neighbours=neighbours)
    rows = cost.needs(rates, wanted, without=_without(estimator, rates, results))
    names = {need.stage.name for need in rows}
    pairs = [f"{size.linked} pairs of linked phases" for size in (here, wanted) if cost.LINKED[0] in names]
    formed = [f"{size.pairs} interferograms" for size in (here, wanted) if cost.SBAS[0] in names]
    before, now = (" and ".join(part[n] for part in (pairs, formed) if part) for n in (0, 1))
    chosen = f" --estimator {estimator}" if estimator else ""
    lines = [
        f"# What {square_km:,.0f} km² at {resolution:g} m with {dates} Sentinel-1 dates takes",
        "",
        f"Written by `slipmap scale {results} --km2 {square_km:g} --resolution {resolution:g} --dates {dates}{chosen}` "
        f"from the benchmarks of a run of {here.pixels / 1e6:.2f} million pixels, {here.dates} dates, {before} on "
        f"{os.cpu_count()} cores ({platform.machine()}): {wanted.pixels / 1e6:,.0f} million pixels and {now} here. "
        "Small jobs spend much of their time starting. That time is counted as if it grew with the area, so a large "
        "area takes less. Downloads and simulation are not counted. A run deletes nothing, so its disk is fullest at "
        "the end.",
        "",
        "| stage | grows with | core hours | largest job there, MB | disk, GB |",
        "|---|---|---:|---:|---:|",
    ]
    for need in rows:
        lines.append(
            f"| {need.stage.name}{' (gpu: 1)' if need.stage.gpu else ''} | {need.stage.growth} | "
            f"{_number(need.core_hours)} | {_number(need.largest_job_mb)} | {_number(need.disk / 1e9)} |"
        )
    ran = [need for need in rows if not math.isnan(need.core_hours)]
    total, disk = sum(n.core_hours for n in ran), sum(n.disk for n in ran)
    lines += [f"| all | | {_number(total)} | | {_number(disk / 1e9)} |", ""]
    if len(ran) < len(rows):
        lines += ["A dash: the run had no such jobs, and the last line is without them.", ""]
    return "\n".join(lines)


def _without(estimator: str | None, rates: Mapping[str, cost.Rate], results: str | Path) -> tuple[str, ...]:
    """The stages of the other estimator."""
    if estimator is None:
        return ()
    own, other = (cost.LINKED, cost.SBAS) if estimator == "phase_linking" else (cost.SBAS, cost.LINKED)
    if own[0] not in rates:
        raise InputError(f"{results} was not run by {estimator}; run it with deformation.estimator: {estimator}.")
    return other


def _number(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
