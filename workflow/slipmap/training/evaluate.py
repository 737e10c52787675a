"""Score trained weights on the test patches of areas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from slipmap.codes import IGNORE
from slipmap.errors import InputError
from slipmap.io.atomic import write_text
from slipmap.models.base import SegmentationModel
from slipmap.patches import apart
from slipmap.patches.checks import check_tested, describe_independence
from slipmap.patches.dataset import StoredPatches
from slipmap.patches.normalisation import Statistics
from slipmap.patches.store import read_attributes
from slipmap.training.calibration import METHODS, calibration_of
from slipmap.training.losses import landslide_logit
from slipmap.training.metrics import ScoreHistogram, confusion, jsonable, mean_scores, scores
from slipmap.training.objects import ObjectCounts, boundary_counts, boundary_f1
from slipmap.training.weights import load_weights

BATCH = 16


def run(
    stores: list[Path], weights_folder: Path, out_json: Path, split: str = "test", learnt: Sequence[Path] = ()
) -> dict[str, Any]:
    """Score weights on the test patches of stores and write the scores as JSON.

    The file has, each named by how it was pooled: ``pooled_over_pixels`` (each labelled ground pixel counted once),
    ``mean_over_images`` (an image is a block of the split, or a picture of a published data set), ``boundary`` and
    ``objects``, all after the object stage of a method that has one; ``calibration`` has what each calibration does
    to the probabilities. The ``threshold`` was chosen on validation and is not fitted here. ``test_distance`` and
    ``test_distance_least`` are the median and least distance of test ground to training ground, m. Undefined scores
    are null.

    Parameters
    ----------
    stores
        Patch stores of the test areas.
    weights_folder
        Folder of one trained seed.
    out_json
        Where the scores go.
    split
        Patches that are scored.
    learnt
        Patch stores that the weights were trained on, to see that nothing of them is scored.

    Returns
    -------
    dict
        What the file holds.

    Raises
    ------
    InputError
        If the weights cannot be used, a store lacks a band that they need, or test patches show an image or ground
        that was learnt from.
    """
    check_tested(learnt, stores)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model, record = load_weights(weights_folder, device)
    patches = StoredPatches(stores, split, record["bands"], Statistics.from_dict(record["statistics"]))
    threshold = float(record["threshold"])
    histogram, rows = ScoreHistogram(), []
    before = record.get("ground_before", [])
    distances = [apart.to_training(learnt, store) for store in stores]
    total, edges, objects = np.zeros(4, np.int64), np.zeros(4, np.int64), ObjectCounts()
    pixel_area = abs(float(np.prod(record["pixel_size"]))) if record.get("pixel_size") else None
    shown = {"desc": "Scoring", "unit": "image", "total": _images(patches)}
    for logit, truth in tqdm(images(model, patches, device), **shown, disable=None):
        histogram.add(logit, truth)
        found = 1 / (1 + np.exp(-logit.astype(np.float64))) >= threshold
        found = model.object_stage(found & (truth != IGNORE))
        counts = confusion(truth, found)
        total += counts
        rows.append(scores(counts))
        edges += boundary_counts(truth, found)
        objects.add(truth, found)
    result = {
        "split": split,
        "stores": [str(store) for store in stores],
        "areas": [area for store in stores for area in read_attributes(store).get("areas", [])],
        "model": record["model"]["name"],
        "seed": record.get("seed"),
        "bands": record["bands"],
        "threshold": threshold,
        "threshold_from": "validation",
        "independence": [
            describe_independence(store) + apart.said(distance) + apart.check_seen(before, store)
            for store, distance in zip(stores, distances, strict=True)
        ],
        "test_distance": min((d["median"] for d in distances if d["median"] is not None), default=None),
        "test_distance_least": min((d["least"] for d in distances if d["least"] is not None), default=None),
        "images": len(rows),
        "pixels": int(total.sum()),
        "counts": dict(zip(("true_positive", "false_positive", "false_negative", "true_negative"), total, strict=True)),
        "pooled_over_pixels": {**scores(total), **histogram.summary()},
        "mean_over_images": mean_scores(rows),
        "boundary": boundary_f1(edges),
        "objects": objects.summary(pixel_area),
        "reliability": histogram.reliability(),
        "calibration_chosen": (record.get("calibration") or {}).get("chosen"),
        "calibration": calibrated_scores(histogram, weights_folder, record),
    }
    written: dict[str, Any] = jsonable(result)
    write_text(out_json, json.dumps(written, indent=1, allow_nan=False) + "\n")
    return written


def calibrated_scores(histogram: ScoreHistogram, folder: Path, record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What each calibration, fitted on validation ground, does to the probabilities of the test pixels.

    A calibration that cannot be fitted (isotonic without validation scores, or with one class alone) is left out.
    """
    p = np.clip(histogram.probability, 1e-12, 1 - 1e-12)
    logit = torch.from_numpy(np.log(p / (1 - p)).astype(np.float32))
    found = {}
    for method in METHODS:
        try:
            calibration = calibration_of(folder, record, method)
        except InputError:
            continue
        probability = calibration(logit).numpy().astype(np.float64)
        found[method] = {
            "brier": histogram.brier(probability),
            "expected_calibration_error": histogram.calibration_error(probability=probability),
            "reliability": histogram.reliability(probability=probability),
        }
    return found


def images(
    model: SegmentationModel, patches: StoredPatches, device: torch.device
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.uint8]]]:
    """Yield (logit, truth) of one image after another, patches of a block put together where they belong.

    Holds one image. Where patches overlap, a ground pixel has its label, and its score, in one of them only.
    """
    index = patches.index
    keys = _image_keys(patches)
    for _, numbers in index.groupby(keys, sort=True).indices.items():
        tops = index["row"].to_numpy()[numbers] if "row" in index else np.zeros(len(numbers), int)
        lefts = index["col"].to_numpy()[numbers] if "col" in index else np.zeros(len(numbers), int)
        top, left = tops.min(), lefts.min()
        height, width = patches.shape
        shape = (int(tops.max() - top) + height, int(lefts.max() - left) + width)
        logit, truth = np.zeros(shape, np.float32), np.full(shape, IGNORE, np.uint8)
        for where, (found, mask) in _predictions(model, patches, numbers, device):
            row, col = int(tops[where] - top), int(lefts[where] - left)
            own = mask != IGNORE
            logit[row : row + height, col : col + width][own] = found[own]
            truth[row : row + height, col : col + width][own] = mask[own]
        yield logit, truth


def _image_keys(patches: StoredPatches) -> list[Any]:
    index = patches.index
    keys = [index["store"]]
    for name in ("area", "block", "source"):
        if name in index:
            keys.append(index[name])
    return keys


def _images(patches: StoredPatches) -> int:
    return int(patches.index.groupby(_image_keys(patches)).ngroups)


@torch.inference_mode()
def _predictions(
    model: SegmentationModel, patches: StoredPatches, numbers: Sequence[int], device: torch.device
) -> Iterator[tuple[int, tuple[NDArray[np.float32], NDArray[np.uint8]]]]:
    for start in range(0, len(numbers), BATCH):
        chosen = numbers[start : start + BATCH]
        image, mask = patches.read(chosen)
        logit = landslide_logit(model(torch.from_numpy(image).to(device))).cpu().numpy()
        for offset in range(len(chosen)):
            yield start + offset, (logit[offset], mask[offset])
