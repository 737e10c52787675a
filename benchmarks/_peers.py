"""Other programs to measure against, in a Python environment of their own (``make bench`` makes it)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

RESULT = "RESULT "  # begins the line of JSON that a measured process prints


def find_peer() -> str | None:
    """Interpreter with MintPy and SNAPHU: SLIPMAP_PEER_PYTHON, else .venv-peer in the working directory, else None."""
    return _interpreter("SLIPMAP_PEER_PYTHON", ".venv-peer")


def find_dolphin() -> str | None:
    """Interpreter with dolphin: SLIPMAP_DOLPHIN_PYTHON, else .venv-dolphin in the working directory, else None."""
    return _interpreter("SLIPMAP_DOLPHIN_PYTHON", ".venv-dolphin")


def _interpreter(variable: str, folder: str) -> str | None:
    made = Path(folder) / "bin/python"
    return os.environ.get(variable) or (str(made) if made.exists() else None)


def measured(python: str, code: str, *arguments: object, folder: Path, **environment: str) -> Any:
    """What `code` prints after `RESULT`, run by an interpreter in `folder`; ours finds these benchmarks there."""
    command = [str(Path(python).absolute()), "-c", code, *map(str, arguments)]
    given = os.environ | environment
    if python == sys.executable:
        given["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), given.get("PYTHONPATH")]))
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=given)
    if done.returncode:
        raise SystemExit(f"{python} failed in {folder}:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
    line = next(line for line in done.stdout.splitlines() if line.startswith(RESULT))
    return json.loads(line.removeprefix(RESULT))


def peak_memory() -> float:
    """Largest memory of this process so far, MiB (Linux: `ru_maxrss` would remember the process that started it)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
