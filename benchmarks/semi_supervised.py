"""Whether unlabelled ground helps: a network that learns from its own confident predictions, beside one that does not.

``python -m benchmarks.semi_supervised STORE --seed 0`` takes a quarter of the training blocks of a patch store for
labelled and the others for unlabelled. A teacher learns from the labelled ones. A student starts from new weights and
learns from them and from the teacher's calibrated probabilities on the others, where they are at least 0.8 (landslide)
or at most 0.02 (other ground); the rest is ignored. Both take the same number of steps and are scored on the same test
ground. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import zarr

from slipmap.codes import IGNORE, LANDSLIDE
from slipmap.config.run import ExperimentSettings
from slipmap.patches.dataset import StoredPatches
from slipmap.patches.normalisation import Statistics
from slipmap.patches.store import read_index
from slipmap.training import evaluate, train
from slipmap.training.calibration import calibration_of
from slipmap.training.losses import landslide_logit
from slipmap.training.weights import load_weights

LABELLED = 0.25  # share of the training blocks
SURE, SURELY_NOT = 0.8, 0.02


STORE = Path("results/demo/patches/p64.zarr")  # of the demo, in the folder of its run


def run(store: Path = STORE, seed: int = 0, steps: int = 240) -> dict[str, object]:
    """What `compare` says of a patch store, by default that of the demo in the folder of its run."""
    if not store.is_dir():
        return {"left out": f"{store} is not here: run the demo first (make demo), or name a patch store"}
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        return dict(compare(store, seed, steps, Path(folder)))


def compare(store: Path, seed: int, steps: int, folder: Path) -> dict[str, float]:
    """F1 and average precision of teacher and student on test ground, and the share of landslide in the new labels."""
    index = read_index(store)
    training = index["split"] == "training"
    blocks = index.loc[training, "block"].unique()
    # whole landslides stay together: blocks with landslides and without are drawn alike
    rich = index[training].groupby("block")["landslide_pixels"].sum().sort_values(kind="stable").index.to_numpy()
    rng = np.random.default_rng(seed)
    step = round(1 / LABELLED)
    chosen = [int(rng.choice(rich[at : at + step])) for at in range(0, len(rich), step)]
    unlabelled = training & ~index["block"].isin(chosen)
    experiment = ExperimentSettings(
        dataset="d",
        train_areas=["demo"],
        model={"name": "unet", "options": {"width": 0.125}},
        training={"max_steps": steps, "batch_size": 8},
    )
    few = _copy(store, folder / "few.zarr", index.assign(sampled=index["sampled"] & ~unlabelled))
    teacher = folder / "teacher"
    train.run([few], None, experiment, seed, teacher)
    labels = _labels(store, teacher, np.flatnonzero(unlabelled))
    more = _copy(store, folder / "more.zarr", index)
    counts = index.copy()
    masks = zarr.open_group(more, mode="r+")["mask"]
    for number, mask in labels.items():
        masks[number] = mask
        counts.loc[number, ["landslide_pixels", "background_pixels", "ignored_pixels"]] = [
            (mask == value).sum() for value in (LANDSLIDE, 0, IGNORE)
        ]
    counts.to_parquet(more / "index.parquet", index=False)
    student = folder / "student"
    train.run([more], None, experiment, seed, student)
    found = {"seed": seed, "blocks": len(blocks), "labelled_blocks": len(chosen)}
    for name, place in (("teacher", teacher), ("student", student)):
        scored = evaluate.run([few], place, folder / f"{name}.json")["pooled_over_pixels"]
        found |= {f"{name}_f1": scored["f1"], f"{name}_average_precision": scored["average_precision"]}
    known = np.concatenate([mask[mask != IGNORE] for mask in labels.values()])
    return found | {"landslide_share": float((known == LANDSLIDE).mean()), "sure_pixels": int(known.size)}


def _copy(store: Path, to: Path, index: pd.DataFrame) -> Path:
    shutil.copytree(store, to)
    index.to_parquet(to / "index.parquet", index=False)
    return to


@torch.inference_mode()
def _labels(store: Path, teacher: Path, numbers: np.ndarray) -> dict[int, np.ndarray]:
    """Labels of the patches `numbers` of the store, by the teacher's calibrated probabilities."""
    model, record = load_weights(teacher)
    calibration = calibration_of(teacher, record, "best")
    patches = StoredPatches([store], "training", record["bands"], Statistics.from_dict(record["statistics"]))
    place = {int(patch): position for position, patch in enumerate(patches.index["patch"])}
    made = {}
    for number in map(int, numbers):
        if number not in place:
            continue
        image, mask = patches.read([place[number]])
        p = calibration(landslide_logit(model(torch.from_numpy(image)))).numpy()[0]
        label = np.full(p.shape, IGNORE, np.uint8)
        label[p >= SURE], label[p <= SURELY_NOT] = LANDSLIDE, 0
        made[number] = np.where(mask[0] == IGNORE, IGNORE, label).astype(np.uint8)
    return made


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=240, help="of the teacher and of the student")
    given = parser.parse_args()
    print(json.dumps(run(given.store, given.seed, given.steps), indent=1))


if __name__ == "__main__":
    main()
