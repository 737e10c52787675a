"""`slipmap scale`: what a large area will take, stage by stage, as a page for people."""

import math
import os
import platform
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
        Later dates with which each is paired after phase linking; None: pairs by their temporal baseline.

    Raises
    ------
    InputError
        There is no such area.
    """
    if not (0 < square_km < math.inf and 0 < resolution < math.inf and dates > 1):
        raise InputError("give --km2 and --resolution above zero, and --dates of 2 or more.")
    days = [date(2020, 1, 1) + n * REPEAT for n in range(dates)]
    if neighbours is None:
        pairs = cost.pairs_within(days, NetworkSettings().max_temporal_baseline)
    else:
        pairs = cost.pairs_of_neighbours(dates, neighbours)
    return cost.Size(square_km * 1e6 / resolution**2, dates, pairs)


def page(results: str | Path, square_km: float, resolution: float, dates: int) -> str:
    """The cost of an area as Markdown, by the rates of the finished run in `results`, with what it rests on."""
    here, rates = cost.size_of(results), cost.measure(results)
    linked = math.ceil(here.pairs / here.dates) if cost.LINKED[0] in rates and here.dates else None
    wanted = size(square_km, resolution, dates, neighbours=linked)
    rows = cost.needs(rates, wanted)
    lines = [
        f"# What {square_km:,.0f} km² at {resolution:g} m with {dates} Sentinel-1 dates takes",
        "",
        f"Written by `slipmap scale {results} --km2 {square_km:g} --resolution {resolution:g} --dates {dates}` from "
        f"the benchmarks of a run of {here.pixels / 1e6:.2f} million pixels, {here.dates} dates and {here.pairs} "
        f"interferograms on {os.cpu_count()} cores ({platform.machine()}): {wanted.pixels / 1e6:,.0f} million pixels "
        f"and {wanted.pairs} interferograms here. Small jobs spend much of their time starting, which counts as if it "
        "grew with the area: large areas take less. Downloads and simulation are not counted.",
        "",
        "| stage | grows with | core hours | largest job there, MB | disk, GB |",
        "|---|---|---:|---:|---:|",
    ]
    for need in rows:
        lines.append(
            f"| {need.stage.name}{' (gpu: 1)' if need.stage.gpu else ''} | {need.stage.grows} | "
            f"{_number(need.core_hours)} | {_number(need.largest_job_mb)} | {_number(need.disk / 1e9)} |"
        )
    ran = [need for need in rows if not math.isnan(need.core_hours)]
    total, disk = sum(n.core_hours for n in ran), sum(n.disk for n in ran)
    lines += [f"| all | | {_number(total)} | | {_number(disk / 1e9)} |", ""]
    if len(ran) < len(rows):
        lines += ["A dash: the run had no such jobs, and the last line is without them.", ""]
    return "\n".join(lines)


def _number(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
