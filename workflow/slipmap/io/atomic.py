"""Write aside, then rename: a file under its final name is always whole."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from slipmap.jobs import runs

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def write_aside(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success rename it to `path`, on failure remove it.

    Works for files and for folders (a Zarr store, say). The suffix of `path` is kept so that libraries which
    choose a format by suffix still do.

    Raises
    ------
    SupersededError
        when the run that this job belongs to has ended, so that an orphaned job cannot touch results.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    runs.remove(aside)
    try:
        yield aside
        runs.require_current()
        if path.is_dir():
            runs.remove(path)  # a folder cannot be replaced in one step
        os.replace(aside, path)
    finally:
        runs.remove(aside)


def copy(source: str | Path, path: str | Path) -> None:
    """Copy a file to `path`, whole or not at all."""
    with write_aside(path) as aside:
        shutil.copyfile(source, aside)


def write_table(path: str | Path, table: "pd.DataFrame", *, digits: int = 6, **options: object) -> None:
    """Write a table as CSV, whole or not at all, with so many significant digits; `options` are `to_csv`'s."""
    with write_aside(path) as aside:
        table.to_csv(aside, float_format=f"%.{digits}g", lineterminator="\n", **options)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` (UTF-8), whole or not at all."""
    with write_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")
