"""The package of ``tests/plugin_package`` as if pip had installed it, in a folder of the test's own."""

import shutil
import tomllib
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "plugin_package"


def install(folder: Path) -> Path:
    """Put a copy of the package and what pip notes of it into `folder`; return the folder, for the Python path."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE / "slipmap_example", folder / "slipmap_example", ignore=ignored)
    note = folder / f"slipmap_example-{project['version']}.dist-info"
    note.mkdir()
    (note / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
    )
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (note / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
