"""What augmentation does to training patches, for the page."""

import hashlib
from collections.abc import Mapping
from typing import Any

from slipmap.report.comparison import picture
from slipmap.report.context import Context
from slipmap.report.sources import Experiment


def pictures(experiments: Mapping[str, Experiment]) -> list[Context]:
    """The pictures that the rule augmentation_figure drew, each once.

    Experiments that differ in model or bands alone have the same picture.
    """
    found: dict[str, Context] = {}
    for name, experiment in experiments.items():
        path = experiment.augmentation
        if path is None:
            continue
        key = hashlib.sha256(path.read_bytes()).hexdigest()
        entry = found.setdefault(key, {"uri": picture(path), "names": [], "used": experiment.settings.training.augment})
        entry["names"].append(name)
    return [{"uri": entry["uri"], "caption": _caption(entry)} for entry in found.values()]


def _caption(entry: Mapping[str, Any]) -> str:
    aside = "" if entry["used"].centerrep else " (for comparison only: the training did not use it)"
    return (
        f"Training patches of {', '.join(entry['names'])}, landslides outlined: as stored, with CenterRep "
        f"alone{aside}, and as training may see them. Validation and test patches are never changed."
    )
