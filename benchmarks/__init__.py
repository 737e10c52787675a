"""Speed and memory against named peers, as ratios from one run on one machine: ``make bench``.

Each module has ``run() -> dict``: what was measured, by name, or ``{"left out": why}``. Nothing here is a test; a busy
machine only makes the numbers worse.
"""

import importlib
import json
import os
import pkgutil
import platform

from slipmap.errors import InputError, nearest


def benchmarks() -> list[str]:
    """Names of the benchmarks: the modules of this package."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def run(what: list[str]) -> None:
    """Run the benchmarks named (all, if none is) and print each one's numbers as they come."""
    known = benchmarks()
    for name in what:
        if name not in known:
            raise InputError(f"There is no benchmark '{name}'{nearest(name, known)}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for name in what or known:
        print(f"\n{name}")
        print(json.dumps(importlib.import_module(f"benchmarks.{name}").run(), indent=2, default=str), flush=True)
