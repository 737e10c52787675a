"""Memory and speed of the network inversion on a stack far larger than the memory that it may take: 3000 × 3000.

Writes 12.5 GB into the folder for temporary files (TMPDIR). Its own benchmark, since that takes minutes.
"""

import shutil
import tempfile
from pathlib import Path

from benchmarks._stack import make_stack
from benchmarks.deformation import file_to_file

LIMIT_MIB = 2048


def run(size: int = 3000, dates: int = 60, ahead: int = 3) -> dict[str, object]:
    """One process, once: pixels/s from file to file and its peak memory."""
    needed = size**2 * 4 * (2 * ahead * dates + 2 * dates)
    with tempfile.TemporaryDirectory() as name:
        if shutil.disk_usage(name).free < 1.2 * needed:
            return {
                "skipped": f"{needed / 1e9:.0f} GB of disk are needed in {name}; set TMPDIR to a folder that has them"
            }
        stack = Path(name) / "inputs" / "ifgramStack.h5"
        stack.parent.mkdir()
        truth = make_stack(stack, size, dates, ahead)
        found = file_to_file(stack, truth, processes=1, runs=2)
        found["stack_GB"] = round(stack.stat().st_size / 1e9, 1)
        return found | {"limit_MiB": LIMIT_MIB, "within_limit": found["peak_MiB"] <= LIMIT_MIB}
