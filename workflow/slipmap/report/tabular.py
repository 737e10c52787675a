"""Tables as the template wants them."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from slipmap.report.charts import number
from slipmap.report.context import Context


def table(
    head: Sequence[str], rows: Iterable[Sequence[object]], numeric: Sequence[int] = (), paths: Sequence[int] = ()
) -> Context:
    """Headings and rows; `numeric` columns are set flush right, `paths` in a typewriter face that may break."""
    return {"head": list(head), "rows": [list(row) for row in rows], "numeric": set(numeric), "paths": set(paths)}


def from_frame(frame: pd.DataFrame, digits: int = 4) -> Context:
    """A table of numbers and words as it is."""
    frame = frame.copy()
    for column in frame.select_dtypes("bool").columns:
        frame[column] = frame[column].map({True: "yes", False: "no"})
    numeric = [i for i, c in enumerate(frame.columns) if pd.api.types.is_numeric_dtype(frame[c])]
    rows = [
        ["–" if value != value or value is None else number(value, digits) if i in numeric else str(value)
         for i, value in enumerate(row)]
        for row in frame.itertuples(index=False)
    ]  # fmt: skip
    return table([str(c).replace("_", " ") for c in frame.columns], rows, numeric)


def without_repeats(table: pd.DataFrame, column: str) -> tuple[pd.DataFrame, str]:
    """A table, and what a column of it says where that is one thing in all rows: then the column is left out."""
    if column not in table or table[column].nunique(dropna=False) != 1:
        return table.copy(), ""
    return table.drop(columns=column), f"Division of the ground: {table[column].iloc[0]}."


def hectares(square_metres: float) -> str:
    """An area in hectares, with three digits or so."""
    size = square_metres / 1e4
    return f"{plain(size, 2 if size < 10 else 1 if size < 100 else 0)} ha"


def plain(value: float, digits: int) -> str:
    """A number with so many digits after the point, or a dash where there is none."""
    return f"{value:,.{digits}f}".replace(",", "\u202f").replace("-", "−") if np.isfinite(value) else "–"


def percent(share: float) -> str:
    """A share (0 to 1) in percent, with a digit after the point where it is below ten."""
    if share != share:
        return "an unknown share"
    text = f"{100 * share:.1f}" if 0 < share < 0.0995 else f"{100 * share:.0f}"
    return f"{text}\u202f%"


def with_spread(value: float, spread: float, digits: int) -> str:
    """A number ± its standard deviation, without what is not known of the two."""
    return f"{plain(value, digits)} ± {plain(spread, digits)}" if np.isfinite([value, spread]).all() else (
        plain(value, digits)
    )  # fmt: skip


def degrees(latitude: float, longitude: float, digits: int) -> str:
    """A place as text: "44.32718° N, 11.58695° E"."""
    ends = ("N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W")
    return ", ".join(f"{abs(v):.{digits}f}° {end}" for v, end in zip((latitude, longitude), ends, strict=True))
