"""The page *Input formats*, its part on patch data sets: written from what the importers say of themselves.

``python -m slipmap.patches.importing.page docs/input_formats.md`` makes it again.
"""

import sys

from slipmap.io import marks
from slipmap.patches import importers
from slipmap.patches.importing.importer import Importer

MARK = "importers"


def section() -> str:
    """Markdown: for each format its files, bands, labels and split, what is checked, where it comes from."""
    return "\n".join(_format(importers.load(name)) for name in importers.own_formats())


def _format(importer: Importer) -> str:
    settings = ", ".join(f"`{key}`" for key in importer.settings) or "none"
    lines = [
        f"### {importer.title[0].upper()}{importer.title[1:]}",
        "",
        f"`format: {importer.name}`. Source: {importer.source}.",
        "",
        "| what | file names |",
        "| --- | --- |",
        *(f"| {what} | {names} |" for what, names in importer.files.items()),
        "",
        f"- Bands: {importer.bands}.",
        f"- Labels: {importer.classes}.",
        f"- Split: {importer.split}.",
        f"- Checked: {importer.checks}.",
        f"- Keys of its own: {settings}.",
        f"- Download: {_download(importer)}.",
        "",
    ]
    return "\n".join(lines)


def _download(importer: Importer) -> str:
    if importer.published is not None:
        host = importer.published.host.replace("_", " ").title()
        return f"`resources/published/{importer.name}` is fetched ({host}, `{importer.published.identifier}`)"
    return f"by hand; {importer.by_hand}" if importer.by_hand else "none; the files are yours"


if __name__ == "__main__":
    marks.rewrite(sys.argv[1:], MARK, section())
