"""The paths of the layout of results, to compare with what rules make and documents name."""

import inspect
import re

from slipmap.config.layout import Results


def templates():
    """Every path of the layout under a place's folder, names in it replaced by {}."""
    here, found = Results("{}"), set()
    for name in sorted(vars(Results)):
        value = getattr(here, name)
        if name.startswith("_") or name in ("place", "beside", "folder"):
            continue
        found.add(value if isinstance(value, str) else value(*["{}"] * len(inspect.signature(value).parameters)))
    return {path.removeprefix("results/{}/") for path in found}


def is_one_of(path, known):
    """Whether `path` is one of the templates in `known`, its own names being anything."""
    return any(re.fullmatch(re.escape(one).replace(r"\{\}", "[^/]+"), path) for one in known)
