"""Pages of which a part is written by the code: it stands between two marks, and is made again in place."""

from collections.abc import Iterable
from pathlib import Path


def between(page: str, name: str, section: str) -> str:
    """`page` with `section` between ``<!-- name: begin -->`` and ``<!-- name: end -->``.

    Raises
    ------
    ValueError : the page lacks a mark.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in page or end not in page:
        raise ValueError(f"the page has no {begin} and {end}")
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{section}{end}{after}"


def rewrite(paths: Iterable[str], name: str, section: str) -> None:
    """Write `section` between the marks called `name` of the files at `paths`."""
    for path in map(Path, paths):
        path.write_text(between(path.read_text(encoding="utf-8"), name, section), encoding="utf-8")
