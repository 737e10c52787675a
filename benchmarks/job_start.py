"""CPU seconds until each script of the workflow calls the library: interpreter, what every job sets up, its imports.

The imports of `workflow/scripts/NAME.py` are run as its job runs them, in a process of its own; Snakemake's own start,
which is not ours, is left out.
"""

import ast
import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"
HEAVY = ("torch", "scipy", "pandas", "geopandas", "sklearn", "matplotlib", "numba", "pydantic")


def run(runs: int = 3) -> dict[str, object]:
    """Median CPU seconds of each script's start, and the heavy libraries that it imports."""
    return {name: start(name, runs) for name in names()}


def names() -> list[str]:
    """The scripts of the workflow."""
    return sorted(path.stem for path in SCRIPTS.glob("*.py"))


def imports(name: str) -> str:
    """The import statements of a script, those inside its `job` too, in order."""
    tree = ast.parse((SCRIPTS / f"{name}.py").read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(ast.unparse(node) for node in sorted(found, key=lambda node: node.lineno))


def imported(name: str) -> set[str]:
    """Top-level modules that are there once a script has imported what it calls."""
    code = f"{imports(name)}\nimport sys\nprint(*{{m.partition('.')[0] for m in sys.modules}})"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=_environment())
    return set(said.stdout.split())


def start(name: str, runs: int) -> dict[str, object]:
    """CPU seconds (median) of a script's start and the heavy libraries among its imports."""
    heavy = imported(name)  # the files are in the system's cache after this
    seconds = median(_cpu_seconds(imports(name)) for _ in range(runs))
    return {"CPU seconds": round(seconds, 2), "imports": [module for module in HEAVY if module in heavy]}


def _cpu_seconds(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=_environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _environment() -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "GDAL_NUM_THREADS")
    return os.environ | dict.fromkeys(names, "1") | {"MPLBACKEND": "Agg"}
