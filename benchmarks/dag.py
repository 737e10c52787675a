"""How long Snakemake takes to plan many areas and many experiments: ``slipmap bench dag``.

A dry run on simulated areas (their inputs need not exist), each experiment trained on three areas, all areas mapped.
``python -m benchmarks.dag FOLDER CONFIG`` takes the dry run of a config in the folder of its run instead.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

SIDE = 9600.0  # metres


def run(areas: int = 100, experiments: int = 30) -> dict[str, Any]:
    """Seconds (on the clock, of the CPU) and jobs of the dry run of `areas` × `experiments`; Snakemake's own share.

    That is the CPU time of a dry run of as many jobs of rules that ask nothing of our code, of which all is made.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "run.yaml").write_text(yaml.safe_dump(many(areas, experiments)))
        said, elapsed, cpu = _planned(folder, Path(__file__).parents[1] / "Snakefile", folder / "run.yaml")
    found = re.search(r"^total\s+(\d+)", said, re.MULTILINE)
    jobs = int(found[1]) if found else 0
    result = {"areas": areas, "experiments": experiments, "jobs": jobs, "seconds": elapsed, "CPU seconds": cpu}
    return result | {"CPU seconds of Snakemake alone": alone(jobs)}


def planned(folder: str, config: str) -> dict[str, float]:
    """Of the dry run of a config in the folder of its run, and of Snakemake alone for 181 jobs, the demo's."""
    cpu = _planned(Path(folder).resolve(), Path(__file__).parents[1] / "Snakefile", Path(config).resolve())[2]
    return {"CPU seconds": cpu, "CPU seconds of Snakemake alone": alone(181)}


def alone(jobs: int, rules: int = 60) -> float:
    """CPU seconds of a dry run of as many jobs, all made, of plain rules that each ask for the one before."""
    each = max(1, jobs // rules)
    made = f"[f'r{{k}}_{{i}}.a' for k in range({rules}) for i in range({each})]"
    text = f"rule all:\n    default_target: True\n    input: {made}\n"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "script.py").write_text("")
        for k in range(rules):
            before = f'"r{k - 1}_{{i}}.a"' if k else "[]"
            text += (
                f"rule r{k}:\n    input: {before}\n    output: 'r{k}_{{i}}.a', 'r{k}_{{i}}.b'\n"
                f"    wildcard_constraints: i=r'\\d+'\n    log: 'log{k}_{{i}}'\n    benchmark: 'benchmark{k}_{{i}}'\n"
                "    params: x=lambda wildcards: 1\n    resources: mem_mb=1000\n    script: 'script.py'\n"
            )
            for path in (folder / f"r{k}_{i}.{end}" for i in range(each) for end in "ab"):
                path.touch()
                os.utime(path, (1e9 + k, 1e9 + k))
        (folder / "Snakefile").write_text(text)
        return _planned(folder, folder / "Snakefile")[2]


def _planned(folder: Path, snakefile: Path, config: Path | None = None) -> tuple[str, float, float]:
    """What a dry run says, and its seconds on the clock and of the CPU."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("snakemake"), "--dry-run", "--quiet", "rules", "--cores", "2"),
            *("--resources", "gpu=1", "--snakefile", snakefile, "--directory", folder),
            *(("--configfile", config) if config else ()),
        ],
        capture_output=True,
        text=True,
    )
    after, elapsed = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout + done.stderr, round(elapsed, 2), round(cpu, 2)


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


if __name__ == "__main__":
    print(planned(*sys.argv[1:]))
