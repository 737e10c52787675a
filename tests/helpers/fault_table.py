"""The table of docs/faults.md: each row is written by the test that made the fault happen."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = """# Faults, and what they cost

Each row was written by a test that made the fault happen and then gave the same command again (`make test-faults`;
the row of the cluster by `make test-slurm`). "Lost" compares every raster with those of a run that nothing disturbed,
byte for byte. [A new study area](fetch.md#how-a-download-is-made) says how a download resumes,
[From a laptop to a cluster](cluster.md) how a run resumes on a cluster. In this table every process has the number
4711, and every service the address https://service.

| fault | what the user saw | what was lost |
|---|---|---|
"""


def sentence(output: str) -> str:
    """What slipmap said of the fault in the output of a run, without what differs from one test run to the next."""
    said = re.search(r"^slipmap[:,] .*(\n\S.*)?", output, re.MULTILINE)
    assert said, output[-3000:]
    plain = re.sub(r"/tmp/\S*?/(?=results|resources)", "", said[0].replace("\n", " "))
    plain = re.sub(r"/tmp/[^\s;:,]+", "/your/folder", plain)
    plain = re.sub(r"process \d+ on \S+\)", "process 4711 on host)", plain)
    plain = re.sub(r"http://127\.0\.0\.1:\d+/(\S*/)?", "https://service/…/", plain)
    return plain.replace("127.0.0.1", "service")


def record(fault: str, seen: str, lost: str) -> None:
    """Write the row of `fault`, in place of the one it had."""
    rows = {}
    if PAGE.exists():
        for line in PAGE.read_text(encoding="utf-8").splitlines():
            if line.startswith("| ") and not line.startswith("| fault |"):
                rows[line.split(" | ")[0][2:]] = line
    rows[fault] = f"| {fault} | {seen.replace('|', '/')} | {lost} |"
    PAGE.write_text(HEAD + "\n".join(rows[name] for name in sorted(rows)) + "\n", encoding="utf-8")
