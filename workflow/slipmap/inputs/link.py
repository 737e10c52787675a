"""Link real data into resources/{area}/, where the configs of the real areas look for them."""

from pathlib import Path

from slipmap.errors import InputError


def link(area: str, source: Path, resources: Path = Path("resources")) -> list[Path]:
    """Link every file and folder in `source` (or in its subfolder named `area`) into ``resources/{area}/``.

    Links that are there already are left; nothing is copied and nothing of the user's is touched.

    Raises
    ------
    InputError : `source` is not a folder, is empty, or a file of another origin is in the way.
    """
    folder = source / area if (source / area).is_dir() else source
    if not folder.is_dir():
        raise InputError(f"--from {source} is not a folder; name the folder that holds the data of {area}.")
    entries = sorted(folder.iterdir())
    if not entries:
        raise InputError(f"--from {folder} is empty; name the folder that holds the data of {area}.")
    target = resources / area
    target.mkdir(parents=True, exist_ok=True)
    made = []
    for entry in entries:
        place = target / entry.name
        if place.is_symlink() and place.resolve() == entry.resolve():
            continue
        if place.exists() or place.is_symlink():
            raise InputError(f"{place} is there already and is not a link to {entry}; move it away first.")
        place.symlink_to(entry.resolve())
        made.append(place)
    return made
