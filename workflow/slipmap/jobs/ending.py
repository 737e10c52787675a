"""What a run that succeeded ends with: where the report is, its verdict and its first numbers."""

import csv
from collections.abc import Iterable
from pathlib import Path

MOST = 3  # numbers of each report


def ending(reports: Iterable[str]) -> str:
    """Lines on each report that is there: its path, its verdict and up to `MOST` numbers of its first screen.

    Parameters
    ----------
    reports : paths of the reports; beside each lie ``tables/verdict.csv`` and
        ``tables/headline.csv``, if there is something to tell.
    """
    lines = []
    for report in map(Path, reports):
        if not report.is_file():
            continue
        lines.append(f"report: {report}")
        lines += [f"  {row['word']}. {row['reason']}" for row in _rows(report, "verdict")]
        lines += [f"  {row['value']} {row['label']}" for row in _rows(report, "headline")[:MOST]]
    return "\n".join(lines)


def _rows(report: Path, name: str) -> list[dict[str, str]]:
    """The rows of a table of the report; none where it is not there."""
    table = report.parent / "tables" / f"{name}.csv"
    if not table.is_file():
        return []
    with open(table, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
