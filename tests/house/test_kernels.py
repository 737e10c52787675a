"""Compiled code gives one result, whether numba has just compiled it or has found it in its cache."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import slipmap

LIBRARY = Path(slipmap.__file__).parent

# a program of its own for each: numba compiles the first time and loads the second
PROGRAM = """
import hashlib, numpy as np
from slipmap.sentinel1.tops import multiply_carrier
rng = np.random.default_rng(0)
pixels = rng.standard_normal((40, 666), np.float32).view(np.complex64)
numbers = np.array([100, 1800, -1e-3, 5.3e-3, -2300, 4e5, 1e7, 1e9, 0, 5.3e-3, 12, 3e4, 1e6, 0, 0])
multiply_carrier(pixels, numbers, 99.0, 2.05e-3, 5.3e-3, 1.55e-8, -1.0)
print(sum(multiply_carrier.stats.cache_hits.values()), hashlib.sha256(pixels).hexdigest())
"""


def test_compiled_just_now_is_as_loaded_from_the_cache(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(LIBRARY.parent)}
    (hits, compiled), (more, loaded) = (
        subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
        ).stdout.split()
        for _ in range(2)
    )
    assert (hits, more) == ("0", "1")
    assert loaded == compiled


def test_no_kernel_is_free_to_reorder_its_sums():
    """With `fastmath` LLVM reorders sums and assumes that no number is NaN: a parallel kernel is optimised once where
    it is compiled, twice where it comes from the cache, with other last digits; and a test for NaN is left out."""
    keywords = [
        (path.name, node.lineno)
        for path in LIBRARY.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword) and node.arg == "fastmath"
    ]
    assert keywords == []
