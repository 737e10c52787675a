"""Tiny simulated patch stores for the tests of training."""

from pathlib import Path

import numpy as np
from scipy import ndimage

from slipmap.config.patches import PatchSettings
from slipmap.patches import writer
from slipmap.patches.normalisation import BandStatistics, Statistics

BANDS = ("velocity", "slope", "B4", "lithology")
CLASSES = {1: "clay", 2: "granite", 5: "marl"}


def tiny_store(
    path: Path,
    patches: tuple[int, int, int] = (8, 4, 4),
    size: int = 16,
    seed: int = 0,
    area: str = "simulated",
    broken: int | None = None,
) -> Path:
    """Write simulated patches: a landslide is a disc that moves (velocity) and is bare (B4); some noise besides.

    Every third patch has no landslide. A strip of each mask is ignored. Training patch `broken` holds infinity.
    """
    random = np.random.default_rng(seed)
    with writer.create(path, len(BANDS), (size, size)) as store:
        for split, count in zip(("training", "validation", "test"), patches, strict=True):
            for number in range(count):
                image, mask = _patch(random, size, landslide=number % 3 != 2)
                if split == "training" and number == broken:
                    image[1] = np.inf
                store.add(
                    image,
                    mask,
                    mask != 255,
                    area=area,
                    split=split,
                    row=0,
                    col=number * size,
                    block=number,
                    source="simulated",
                    parent=-1,
                    augmentation="",
                    sampled=True,
                )
        statistics = Statistics(
            "zscore",
            (
                BandStatistics("velocity", units="mm/yr", optional=True, count=99, mean=-3.0, std=10.0),
                BandStatistics("slope", units="degree", count=99, mean=20.0, std=5.0),
                BandStatistics("B4", count=99, mean=0.1, std=0.05),
                BandStatistics("lithology", kind="categorical", classes=CLASSES, count=99),
            ),
        )
        store.describe(
            statistics,
            PatchSettings(size=size, stride=size),
            areas=[area],
            pixel_size=[12.5, 12.5],
            crs="EPSG:32632",
            split={"method": "blocks", "independence": "spatial blocks"},
        )
    return path


def _patch(random: np.random.Generator, size: int, landslide: bool) -> tuple[np.ndarray, np.ndarray]:
    mask = np.zeros((size, size), np.uint8)
    if landslide:
        y, x = random.integers(3, size - 3, 2)
        rows, cols = np.mgrid[:size, :size]
        mask[(rows - y) ** 2 + (cols - x) ** 2 <= 9] = 1
    image = np.stack(
        [
            random.normal(0, 3, mask.shape) - 20 * mask,
            ndimage.gaussian_filter(random.normal(20, 15, mask.shape), 2),
            random.normal(0.08, 0.02, mask.shape) + 0.06 * mask,
            random.choice(list(CLASSES), mask.shape),
        ]
    ).astype(np.float32)
    image[0, :, 0] = np.nan  # velocity is missing along one edge
    mask[0] = 255
    return image, mask
