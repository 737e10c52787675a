"""What a finished run of the demo took, all jobs and all files: `python -m benchmarks.demo_cost results/demo`.

The cost model is tested against it: tests/planning/demo_measured.json is what this prints. Simulating the raw data is
not counted. A run deletes nothing of its results, so that they are largest at its end.
"""

import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path

from slipmap.config.layout import Results
from slipmap.planning import cost

NOT_COUNTED = ("simulate",)


def run(results: Path = Path("results/demo")) -> dict[str, object]:
    """Size of the run; core seconds of all its jobs; bytes of all its files."""
    if not (results / Results.benchmarks).is_dir():
        return {"left out": "the demo has not been run here (make demo)"}
    seconds = 0.0
    for path in (results / Results.benchmarks).rglob("*.tsv"):
        with open(path, encoding="utf-8", newline="") as file:
            rows = [] if path.stem in NOT_COUNTED else list(csv.DictReader(file, delimiter="\t"))
        seconds += sum(float(row["cpu_time"]) for row in rows if row["cpu_time"] not in ("NA", "-"))
    return {
        "source": f"make demo; python -m benchmarks.demo_cost {results}",
        "size": asdict(cost.size_of(results)),
        "experiments": len(list((results / "maps").glob("*/"))),
        "core_seconds": round(seconds, 1),
        "peak_bytes": sum(path.stat().st_size for path in results.rglob("*") if path.is_file()),
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1] if len(sys.argv) > 1 else "results/demo")), indent=2))
