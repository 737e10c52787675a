"""What a network learnt from: some training pixels as raw values, kept beside its weights."""

from pathlib import Path

import numpy as np
import pandas as pd

from slipmap.codes import IGNORE
from slipmap.io.atomic import write_table
from slipmap.patches.dataset import StoredPatches

PIXELS, PATCHES = 1000, 250


def write_ground(patches: StoredPatches, path: str | Path) -> None:
    """Write about `PIXELS` labelled pixels of training patches: ``fold`` and a column of raw values for each band.

    Pixels of one block of the split, or one image, have one fold; where there is one alone, pixels of one patch, or of
    one quarter of the columns of the only patch. Patches are taken at even steps; of each the same
    number of pixels, drawn with a fixed seed.
    """
    rng = np.random.default_rng(0)
    keys = [patches.index[name] for name in ("store", "area", "block", "source") if name in patches.index]
    fold = patches.index.groupby(keys, sort=True).ngroup().to_numpy()
    if fold.max() == 0:
        fold = np.arange(len(patches))
    numbers = np.unique(np.linspace(0, len(patches) - 1, min(PATCHES, len(patches))).astype(int))
    rows: list[np.ndarray] = []
    folds: list[int] = []
    for number in numbers:
        image, mask = patches.raw(int(number))
        at = np.flatnonzero(mask != IGNORE)
        at = rng.permutation(at)[: max(1, PIXELS // len(numbers))]
        rows.append(image.reshape(len(image), -1)[:, at].T)
        width = image.shape[-1]
        folds += [int(fold[number])] * len(at) if len(patches) > 1 else (4 * (at % width) // width).tolist()
    table = pd.DataFrame(np.concatenate(rows), columns=patches.bands)
    table.insert(0, "fold", folds)
    write_table(Path(path), table, index=False)
