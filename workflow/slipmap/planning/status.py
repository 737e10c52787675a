"""`slipmap status` and `slipmap open`: how far the areas of a folder are, and their reports."""

import csv
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from slipmap.config.layout import Results
from slipmap.errors import InputError, nearest
from slipmap.jobs.runs import PROGRESS, STATE
from slipmap.jobs.stages import STAGES, stage_of_rule


@dataclass
class Cost:
    """What the finished jobs of a stage took: their number, core seconds, the largest job's memory in MB."""

    jobs: int = 0
    core_seconds: float = 0.0
    memory: float = 0.0


def page(wanted: Sequence[str] = (), root: str | Path = ".") -> str:
    """Whether a run works in `root`; of each area its stages, what they took, and its report.

    Raises
    ------
    InputError : an area that has no results.
    """
    root = Path(root)
    places = areas(root)
    for name in wanted:
        if name not in places:
            raise InputError(f"results/ has no area '{name}'{nearest(name, places)}")
    lines = [running(root)]
    if not places:
        lines.append("no results here yet: 'slipmap run' makes the demo, 'slipmap run CONFIG' your area.")
    for name in wanted or places:
        lines += _area(name, root)
    return "\n".join(lines)


def areas(root: Path) -> list[str]:
    """Names of the places that have results."""
    return sorted(path.name for path in (root / "results").glob("*") if path.is_dir() and not path.name.startswith("."))


def running(root: Path) -> str:
    """Which process works in `root` and how far it is, or that none does."""
    state = root / STATE
    try:
        fd = os.open(state / "run.lock", os.O_RDONLY)
    except OSError:
        return "No run works here."
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = json.loads((state / "run.json").read_text()) if (state / "run.json").is_file() else {}
        who = f"A run works here: process {owner.get('pid', '?')} on {owner.get('host', 'this machine')}."
        shown = state / PROGRESS
        return f"{who}\n{shown.read_text(encoding='utf-8').strip()}" if shown.is_file() else who
    else:
        return "No run works here."
    finally:
        os.close(fd)


def costs(results: Path) -> dict[str, Cost]:
    """Stage → cost, from the benchmarks that Snakemake writes beside the results; stages in the order of the work."""
    found: dict[str, Cost] = defaultdict(Cost)
    for path in sorted((results / Results.benchmarks).rglob("*.tsv")):
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        cost = found[_stage(path.relative_to(results / Results.benchmarks).parts[0].removesuffix(".tsv"))]
        cost.jobs += 1
        for row in rows:
            cost.core_seconds += _number(row.get("cpu_time"))
            cost.memory = max(cost.memory, _number(row.get("max_rss")))
    return {stage: found[stage] for stage in sorted(found, key=_order)}


def _order(stage: str) -> int:
    return STAGES.index(stage) if stage in STAGES else len(STAGES)


def _stage(name: str) -> str:
    """Stage of a benchmark: its name begins with that of its rule."""
    rules = stage_of_rule()
    fits = [rule for rule in rules if name == rule or name.startswith(f"{rule}_")]
    return rules[max(fits, key=len)] if fits else "other"


def _number(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        return 0.0  # "NA", of a job that was over before it was looked at


def _area(name: str, root: Path) -> list[str]:
    results = root / "results" / name
    found = costs(results)
    lines = ["", name]
    lines += [f"  {stage:15} {_told(cost)}" for stage, cost in found.items()]
    if found:
        whole = Cost(
            sum(cost.jobs for cost in found.values()),
            sum(cost.core_seconds for cost in found.values()),
            max(cost.memory for cost in found.values()),
        )
        lines.append(f"  {'together':15} {_told(whole)}")
    report = root / Results(name).report
    if report.is_file():
        made = datetime.fromtimestamp(report.stat().st_mtime)
        lines.append(f"  report: {Results(name).report}, of {made:%Y-%m-%d %H:%M} ('slipmap open {name}')")
    else:
        newest = max((root / Results(name).logs).rglob("*.log"), key=lambda p: p.stat().st_mtime, default=None)
        log = f"; the last log is {newest.relative_to(root)}" if newest else ""
        lines.append(f"  no report yet{log}")
    return lines


def _told(cost: Cost) -> str:
    jobs = f"{cost.jobs} job{'s' if cost.jobs != 1 else ''}"
    return f"{jobs:>9}  {_time(cost.core_seconds):>10} of one core  {cost.memory:6,.0f} MB at most"


def _time(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def show(area: str | None = None, root: str | Path = ".") -> str:
    """Open a report in the browser, if there is one to open it; return what to say.

    Raises
    ------
    InputError : no report, or several and no area named.
    """
    root = Path(root)
    reports = [name for name in areas(root) if (root / Results(name).report).is_file()]
    if not reports:
        raise InputError("no report here yet; 'slipmap run' makes one, 'slipmap status' tells how far it is.")
    if area is not None and area not in reports:
        raise InputError(f"results/ has no report of '{area}'{nearest(area, reports)}")
    if area is None and len(reports) > 1:
        raise InputError(f"there are several reports; name one: slipmap open {' | '.join(reports)}.")
    path = (root / Results(area or reports[0]).report).resolve()
    opener = next((name for name in ("xdg-open", "open") if shutil.which(name)), None)
    if opener is None or (
        sys.platform != "darwin" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    ):
        return f"no browser can be opened from here; open {path.as_uri()} in yours"
    subprocess.Popen([opener, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    return f"opened {path}"
