"""What a job keeps of the memory that it has freed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipmap.memory import ask_for_large_pages

CODE = """
import contextlib, resource, sys
from types import SimpleNamespace
from slipmap.jobs.job import job
rule = SimpleNamespace(threads=1, resources={}, log=[sys.argv[2] + "/log.txt"], output=[], rule="any")
with job(rule) if sys.argv[1] == "job" else contextlib.nullcontext():
    import numpy as np
    for _ in range(3):
        np.ones(2**23)  # 64 MiB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(2**23)
    given = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(given)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nothing is changed elsewhere")
def test_arrays_of_a_job_take_the_pages_of_those_before(tmp_path: Path) -> None:
    """The kernel counts pages that it gives: 64 MiB are 16,384 small ones or 32 large ones, and none if kept."""
    given = {
        how: int(subprocess.run([sys.executable, "-c", CODE, how, tmp_path], check=True, capture_output=True).stdout)
        for how in ("job", "plain")
    }
    assert given["job"] < 32 < 10 * 32 <= given["plain"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, "glibc.malloc.hugetlb=1"),
        ("glibc.malloc.tcache_count=0", "glibc.malloc.tcache_count=0:glibc.malloc.hugetlb=1"),
        ("glibc.malloc.hugetlb=0", "glibc.malloc.hugetlb=0"),  # the user's own choice
    ],
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nothing is changed elsewhere")
def test_large_pages_are_asked_for_once(given: str | None, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if given is not None:
        monkeypatch.setenv("GLIBC_TUNABLES", given)
    ask_for_large_pages()
    ask_for_large_pages()
    assert os.environ["GLIBC_TUNABLES"] == wanted
