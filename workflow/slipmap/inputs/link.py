"""Link real data into resources/{area}/, where the configs of the real areas look for them."""

from pathlib import Path

from slipmap.errors import InputError


def link(area: str, source: Path, resources: Path = Path("resources")) -> list[Path]:
    """Link every file in `source` (or in its subfolder `area`) into ``resources/{area}/``, subfolders as they are.

    Files are linked, not folders: a search through folders does not follow links. Links that are there already are
    left; nothing is copied and nothing of the user's is touched.

    Raises
    ------
    InputError : `source` is not a folder, is empty, or a file of another origin is in the way.
    """
    folder = source / area if (source / area).is_dir() else source
    if not folder.is_dir():
        raise InputError(f"--from {source} is not a folder; name the folder that holds the data of {area}.")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    if not files:
        raise InputError(f"--from {folder} is empty; name the folder that holds the data of {area}.")
    made = []
    for file in files:
        place = resources / area / file.relative_to(folder)
        if place.is_symlink() and place.resolve() == file.resolve():
            continue
        if place.exists() or place.is_symlink():
            raise InputError(f"{place} is there already and is not a link to {file}; move it away first.")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(file.resolve())
        made.append(place)
    return made
