"""Offline augmentation: changed copies of training patches, written beside them."""

from collections.abc import Sequence

import numpy as np

from slipmap.config.patches import PatchSettings
from slipmap.patches.augmentation import augment
from slipmap.patches.writer import PatchWriter

_TRIES = 20


def add_copies(patches: PatchWriter, bands: Sequence[str], settings: PatchSettings) -> None:
    """Append augmented copies until training has `settings.augmentation_factor` times its patches.

    Every copy has a parent among the training patches in use, and only training has copies: they are made after the
    split. (EMR-HRNet made 5720 of Bijie's 770 before it, Sensors 2024, 24, 3677, §3.1, so that copies of test images
    were trained on.)

    Notes
    -----
    Holds one patch and what the writer holds.
    """
    parents = [r for r in patches.records if r["split"] == "training" and r["sampled"]]
    wanted = round(len(parents) * settings.augmentation_factor) - len(parents)
    if wanted <= 0:
        return
    copies = np.full(len(parents), wanted // len(parents))
    rng = np.random.default_rng([settings.seed, 1])
    copies[rng.permutation(len(parents))[: wanted % len(parents)]] += 1
    for parent, count in zip(parents, copies, strict=True):
        image, mask, valid = patches.read(parent["patch"])
        made: set[tuple[str, ...]] = set()
        for number in range(count):
            draw = np.random.default_rng([settings.seed, parent["patch"], number])
            for _ in range(_TRIES):  # no copy that changes nothing, none twice while there are others
                changed, labels, done = augment(image, mask, bands, settings.augmentation, draw)
                if done and tuple(done) not in made:
                    break
            made.add(tuple(done))
            inherited = {key: value for key, value in parent.items() if key not in patches.computed}
            known = _turned_alike(valid, done)
            patches.add(
                np.ascontiguousarray(changed),
                np.ascontiguousarray(labels),
                known,
                **inherited | {"parent": parent["patch"], "augmentation": "+".join(done) or "copy"},
            )


def _turned_alike(valid: np.ndarray, done: Sequence[str]) -> np.ndarray:
    if "mirror" in done:
        valid = valid[:, ::-1]
    quarters = next((int(name[4:]) // 90 for name in done if name.startswith("turn")), 0)
    return np.ascontiguousarray(np.rot90(valid, quarters))
