"""Pictures that other rules drew, for the page: what augmentation does to training patches, how models compare."""

import base64
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from slipmap.report.sources import Experiment


def pictures(experiments: Mapping[str, Experiment]) -> list[dict]:
    """The pictures that the rule augmentation_figure drew, each once.

    Experiments that differ in model or bands alone have the same picture.
    """
    found: dict[str, dict] = {}
    for name, experiment in experiments.items():
        path = experiment.augmentation
        if path is None:
            continue
        key = hashlib.sha256(path.read_bytes()).hexdigest()
        entry = found.setdefault(key, {"uri": _uri(path), "names": [], "used": experiment.settings.training.augment})
        entry["names"].append(name)
    return [{"uri": entry["uri"], "caption": _caption(entry)} for entry in found.values()]


def comparison(found: Mapping[str, Path]) -> list[dict]:
    """The comparison of models as pictures: test images with what each found, and the maps of all on one scale."""
    captions = {
        "predictions.png": "Images of test ground: the image, the inventory, and what each experiment got right, "
        "called falsely, and missed.",
        "maps.png": "The maps of all models, on one scale.",
    }
    return [{"uri": _uri(found[name]), "caption": text} for name, text in captions.items() if name in found]


def _caption(entry: Mapping) -> str:
    aside = "" if entry["used"].centerrep else ", which is shown for comparison and not used"
    return (
        f"Training patches of {', '.join(entry['names'])}, landslides outlined: as stored, with CenterRep "
        f"alone{aside}, and as training may see them. Validation and test patches are never changed."
    )


def _uri(path: Path) -> str:
    out = io.BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").save(out, "WEBP", quality=80, method=4)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"
