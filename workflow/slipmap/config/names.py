"""Names of areas, data sets and experiments: each is a folder, a part of rule names and of file names."""

import re
from collections.abc import Iterable

from slipmap.config.layout import imported_datasets
from slipmap.config.recipes import RECIPES
from slipmap.config.run import RunSettings
from slipmap.errors import Faults, InputError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ROW = re.compile(r"table_.*_[0-9a-f]{8}")  # as slipmap.training.tables names the experiment of a row
_LONGEST = 100  # characters; a file's name may have 255 bytes
RESERVED = ("downloads", "published", "none")  # folders of resources/, and what a rule's wildcard is when there is none


def check_names(settings: RunSettings, source: str) -> None:
    """Raise `InputError` for names that are no folders of their own.

    Names of one kind must differ in more than case and signs: on some disks A and a are one folder, and rules are named
    with "_" for every sign.
    """
    faults = Faults()
    kinds = {
        "areas": (list(settings.areas), "an area"),
        "datasets": (list(settings.datasets), "a data set"),
        "experiments": (list(settings.experiments), "an experiment"),
    }
    for section, (names, what) in kinds.items():
        for name in names:
            faults.of(require_name, name, what, f"{source}: {section}")
        faults.of(_require_apart, names, f"{source}: {section}")
    for name in settings.experiments:
        faults.of(_require_no_row, name, f"{source}: experiments")
    for name in settings.datasets:
        faults.of(_require_no_cut, name, f"{source}: datasets")
    if not faults.found:
        faults.of(_require_apart, [*settings.areas, *imported_datasets(settings)], f"{source}: areas and data sets")
    faults.end()


def require_name(name: str, what: str, key: str) -> None:
    """Raise `InputError` unless `name` is safe as a folder and in the names of rules; `what` is "an area"."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise InputError(f"{key}: '{name}' is no name for {what}; begin with a letter, then letters, digits, - and _.")
    if name.lower() in RESERVED:
        raise InputError(f"{key}: the name '{name}' is one of slipmap's own ({', '.join(RESERVED)}); choose another.")


def _require_no_row(name: str, key: str) -> None:
    if _ROW.fullmatch(name):
        raise InputError(
            f"{key}: '{name}' may be the name of a row of a paper's table (config/tables), whose results would take "
            f"the place of yours; choose another."
        )


def _require_no_cut(name: str, key: str) -> None:
    if name in {f"table_{recipe}" for recipe in RECIPES}:  # as slipmap.training.tables names its patches
        raise InputError(f"{key}: '{name}' is the name of the patches of a paper's tables; choose another.")


def _require_apart(names: Iterable[str], key: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^a-z0-9]", "_", name.lower())
        if plain in seen and seen[plain] != name:
            raise InputError(
                f"{key}: the names '{seen[plain]}' and '{name}' differ only in case or signs, so that their files "
                f"would get in each other's way; rename one."
            )
        seen[plain] = name
