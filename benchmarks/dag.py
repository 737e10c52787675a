"""How long Snakemake takes to plan many areas and many experiments: ``slipmap bench dag``.

A dry run on simulated areas (their inputs need not exist), each experiment trained on three areas, all areas mapped.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

SIDE = 9600.0  # metres


def run(areas: int = 100, experiments: int = 30) -> dict[str, Any]:
    """Seconds and jobs of the dry run of `areas` × `experiments`, and the planning process's peak memory."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "run.yaml").write_text(yaml.safe_dump(many(areas, experiments)))
        start = time.perf_counter()
        done = subprocess.run(
            [
                *(Path(sys.executable).with_name("snakemake"), "--dry-run", "--quiet", "rules"),
                *("--snakefile", _snakefile(), "--directory", folder, "--configfile", folder / "run.yaml"),
                *("--cores", "2", "--resources", "gpu=1"),
            ],
            capture_output=True,
            text=True,
        )
        elapsed = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    jobs = re.search(r"^total\s+(\d+)", done.stdout + done.stderr, re.MULTILINE)
    return {"areas": areas, "experiments": experiments, "jobs": int(jobs[1]) if jobs else None, "seconds": elapsed}


def many(areas: int, experiments: int) -> dict[str, Any]:
    """A config of simulated areas side by side, each experiment trained on three of them, tested on one more."""
    names = [f"area_{number:03}" for number in range(areas)]
    return {
        "areas": {
            name: {
                "grid": {
                    "crs": "EPSG:32632",
                    "resolution": 12.5,
                    "bounds": _square(n % 10, n // 10),
                },
                "simulate": {"seed": n + 1},
            }
            for n, name in enumerate(names)
        },
        "datasets": {"p128": {"size": 128, "stride": 128}},
        "experiments": {
            f"experiment_{number:02}": {
                "dataset": "p128",
                "train_areas": [names[(number + k) % areas] for k in range(3)],
                "test_areas": [names[(number + 3) % areas]],
                "map_areas": names,
                "model": {"name": "unet"},
            }
            for number in range(experiments)
        },
    }


def _square(column: int, row: int) -> list[float]:
    west, south = 400000 + SIDE * column, 5000000 + SIDE * row
    return [west, south, west + SIDE, south + SIDE]


def _snakefile() -> Path:
    return Path(__file__).parents[1] / "Snakefile"
