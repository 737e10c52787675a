"""The config that a command takes where it is given none: what lies in the current folder."""

from pathlib import Path

from slipmap.config.yaml_file import read_yaml
from slipmap.errors import InputError

USUAL = "config/config.yaml"


def configs(folder: str | Path = ".") -> dict[Path, set[str]]:
    """Config files of `folder`, config/config.yaml first, each with the names of its areas and data sets."""
    found = {}
    for path in (Path(folder) / USUAL, *sorted(Path(folder).glob("*.y*ml"))):
        try:
            record = read_yaml(path) if path.is_file() else {}
        except (InputError, OSError):
            continue  # some other YAML
        named = [record.get(key) for key in ("areas", "datasets")] if isinstance(record, dict) else []
        names = {str(name) for part in named if isinstance(part, dict) for name in part}
        if names:
            found[path] = names
    return found


def only(area: str | None = None, option: str = "CONFIG", folder: str | Path = ".") -> str:
    """The one config of `folder`; the usual one wins. With `area`, the one in which it stands.

    Parameters
    ----------
    option : how the command is given a config, for the message.

    Raises
    ------
    InputError : there is none, or several.
    """
    found = [path for path, names in configs(folder).items() if area is None or area in names]
    if area is None and found and found[0] == Path(folder) / USUAL:
        found = found[:1]
    if len(found) == 1:
        return str(found[0])
    what = f"that has area '{area}'" if area else "in this folder"
    if not found:
        raise InputError(f"there is no config {what}; give one: {option} ('slipmap init' writes one).")
    raise InputError(f"there are several configs {what}: {', '.join(map(str, found))}; name one: {option}.")


def require_none(usual: str | Path, folder: str | Path = ".") -> None:
    """Refuse a run that is given no config where `folder` has some, of which `usual`, the demo's, does not count.

    Raises
    ------
    InputError : the folder has a config.
    """
    own = [str(path) for path in configs(folder) if path.resolve() != Path(usual).resolve()]
    if own:
        raise InputError(
            f"no config is given, and this folder has {', '.join(own)}; give it: slipmap run {own[0]} (run the "
            "simulated demo in an empty folder)."
        )
