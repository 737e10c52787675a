"""The page *Input formats*, its part on Sentinel-1: written from what the readers say of themselves."""

import sys

from slipmap.deformation import readers
from slipmap.deformation.reader import Reader
from slipmap.io import marks

MARK = "readers"
_ROLES = {"interferogram": "wrapped phase", "unwrapped": "unwrapped phase", "components": "connected components"}


def section() -> str:
    """Markdown: for each format what is read, file names, units, signs, what is checked."""
    return "\n".join(_format(readers.load(name)) for name in readers.own_formats())


def _format(reader: Reader) -> str:
    rows = [f"| {_ROLES.get(role, role)} | {_names(names)} |" for role, names in sorted(reader.files.items())]
    geometry = getattr(reader, "geometry", {})
    levels = [f"`{level}`" for level in reader.levels]
    rows += [f"| {role.replace('_', ' ')} | {_names(names)} |" for role, names in sorted(geometry.items())]
    lines = [
        f"### {reader.title}",
        "",
        f"`format: {reader.name}`, level {' or '.join(levels)}. Layout: {reader.source}.",
        "",
        "| what | file names |",
        "| --- | --- |",
        *rows,
        "",
        f"- Units: {reader.units}.",
        f"- Sign: {reader.sign}.",
        f"- Read beside it: {reader.beside}.",
        f"- Checked: {reader.checks}.",
        "",
    ]
    return "\n".join(lines)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    marks.rewrite(sys.argv[1:], MARK, section())
