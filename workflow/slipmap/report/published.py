"""The results tables of the papers beside what the same rows gave here (``make tables``)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from slipmap.report.context import Context
from slipmap.report.tabular import plain, table
from slipmap.training.tables import written


@dataclass(frozen=True)
class Published:
    """One table, as `slipmap.training.tables` writes it.

    Parameters
    ----------
    numbers : one row for each row of the paper; columns "{heading}, published", "{heading}, ours", "{heading}, spread".
    about : title, paper, data and split of both, caveats, columns.
    """

    numbers: pd.DataFrame
    about: Mapping[str, Any]


def read(folder: str | Path) -> dict[str, Published]:
    """The tables in `folder` (``results/{area}/tables``) by name; none where they were not made."""
    return {
        path.stem: Published(pd.read_csv(path), json.loads(path.with_suffix(".json").read_text(encoding="utf-8")))
        for path in written(folder)
    }


def section(tables: Mapping[str, Published], *, simulated: bool) -> list[Context]:
    """What the page says of each table: title, data of both sides, the numbers in pairs, notes and caveats."""
    return [_block(name, published, simulated) for name, published in tables.items()]


def _block(name: str, published: Published, simulated: bool) -> Context:
    numbers, about = published.numbers, published.about
    theirs, ours = about["published"], about["ours"]
    head, decimals = ["model"], {}
    for heading, column in about["columns"].items():
        decimals[heading] = column["decimals"]
        head += [f"{heading}, published", f"{heading}, ours"]
    rows = []
    for _, row in numbers.iterrows():
        cells = [str(row["model"])]
        for heading, digits in decimals.items():
            cells += [plain(row[f"{heading}, published"], digits), _ours(row, heading, digits)]
        rows.append(cells)
    notes = numbers.dropna(subset=["note"])
    return {
        "name": name,
        "title": about["title"],
        "paper": about["paper"],
        "data": [
            f"Published: {theirs['data']} {theirs['split']}{_inputs(theirs.get('inputs') or {})}",
            f"Ours: {'simulated ' if simulated else ''}{ours['statement']}",
        ],
        "table": table(head, rows, numeric=range(1, len(head))),
        "notes": [f"{row['model']}: {row['note']}" for _, row in notes.iterrows()],
        "caveats": list(about["caveats"]),
    }


def _inputs(inputs: Mapping[str, Any]) -> str:
    """What the paper's models saw, as far as it says."""
    said = [
        f"{len(inputs['factors'])} bands" if inputs.get("factors") else "",
        f"images of {inputs['size']} pixels" if inputs.get("size") else "",
        f"normalised by {inputs['normalisation']}" if inputs.get("normalisation") else "",
        f"dropout {inputs['dropout']:g}" if inputs.get("dropout") is not None else "",
    ]
    said = [text for text in said if text]
    return f" Inputs as the paper has them: {', '.join(said)}." if said else ""


def _ours(row: pd.Series, heading: str, digits: int) -> str:
    value, spread = row[f"{heading}, ours"], row[f"{heading}, spread"]
    shown = plain(value, digits)
    return f"{shown} ± {plain(spread, digits)}" if np.isfinite(spread) else shown
