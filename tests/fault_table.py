"""The table of docs/faults.md: each row is written by the test that made the fault happen."""

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "faults.md"
HEAD = """# Faults, and what they cost

Each row was written by a test that made the fault happen and then gave the same command again (`make test-faults`;
the row of the cluster by `make test-slurm`). "Lost" compares every raster with those of a run that nothing disturbed,
byte for byte. How downloads fail and go on is in [acquisition.md](acquisition.md).

| fault | what the user saw | what was lost |
|---|---|---|
"""


def record(fault: str, seen: str, lost: str) -> None:
    """Write the row of `fault`, in place of the one it had."""
    rows = {}
    if PAGE.exists():
        for line in PAGE.read_text(encoding="utf-8").splitlines():
            if line.startswith("| ") and not line.startswith("| fault |"):
                rows[line.split(" | ")[0][2:]] = line
    rows[fault] = f"| {fault} | {seen.replace('|', '/')} | {lost} |"
    PAGE.write_text(HEAD + "\n".join(rows[name] for name in sorted(rows)) + "\n", encoding="utf-8")
