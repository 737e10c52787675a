"""Speed and memory against named peers, as ratios from one run on one machine: ``make bench``.

Each module has ``run() -> dict``: what was measured, by name, or ``{"left out": why}``. Nothing here is a test; a busy
machine only makes the numbers worse.
"""

import importlib
import json
import os
import pkgutil
import platform
from typing import Any

from slipmap.errors import InputError, nearest
from slipmap.memory import ask_for_large_pages, keep_arrays

# as every job does: processes that measure memory or time import this package
keep_arrays()
ask_for_large_pages()


def benchmarks() -> list[str]:
    """Names of the benchmarks: the modules of this package."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def run(what: list[str], repeat: int = 1) -> None:
    """Run the benchmarks named (all, if none is) and print each one's numbers as they come.

    With `repeat` each is run so many times, in rounds, and the smallest and the largest of each number are printed
    after every round.
    """
    known = benchmarks()
    for name in what:
        if name not in known:
            raise InputError(f"There is no benchmark '{name}'{nearest(name, known)}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    found: dict[str, list[object]] = {}
    for count in range(1, repeat + 1):
        for name in what or known:
            busy = f"{os.getloadavg()[0]:.1f}"  # about the number of other processes that wanted a core
            found.setdefault(name, []).append(importlib.import_module(f"benchmarks.{name}").run())
            print(f"\n{name}, {count} of {repeat} (load before: {busy})")
            print(json.dumps(ranges(found[name]), indent=2, default=str), flush=True)


def ranges(runs: list[Any]) -> object:
    """One record of several alike: numbers that differ become [smallest, largest], other values lists."""
    first = runs[0]
    if isinstance(first, dict):
        return {key: ranges([one[key] for one in runs if key in one]) for key in first}
    if all(one == first for one in runs):
        return first
    return [min(runs), max(runs)] if all(isinstance(one, int | float) for one in runs) else runs
