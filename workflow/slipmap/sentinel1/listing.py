"""The dates of a stack and their SAFE products, as a file: small, since every job of the workflow reads it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipmap.io.atomic import write_text


def save(dates: Mapping[str, Sequence[str]], path: str | Path) -> None:
    """Write {date (YYYYMMDD): [products]} as JSON."""
    write_text(path, json.dumps(dates, indent=2) + "\n")


def load(path: str | Path) -> dict[str, list[str]]:
    """Read what `save` wrote: {date: [products]}, in order of date."""
    found: dict[str, list[str]] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found
