"""What a run that succeeded ends with: where the report is, and its first numbers."""

import csv
from collections.abc import Iterable
from pathlib import Path

MOST = 3  # numbers of each report


def ending(reports: Iterable[str]) -> str:
    """Lines on each report that is there: its path and up to `MOST` numbers of its first screen.

    Parameters
    ----------
    reports : paths of the reports; beside each lies ``tables/headline.csv``, if there is something to tell.
    """
    lines = []
    for report in map(Path, reports):
        if not report.is_file():
            continue
        lines.append(f"report: {report}")
        table = report.parent / "tables" / "headline.csv"
        if table.is_file():
            with open(table, encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))[:MOST]
            lines += [f"  {row['value']} {row['label']}" for row in rows]
    return "\n".join(lines)
