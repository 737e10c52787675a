"""Scores of shapes: how well boundaries are met, and how many landslides of which size are found."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slipmap.codes import IGNORE, LANDSLIDE

EIGHT = np.ones((3, 3), bool)


def boundary(shape: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of a shape that touch, by a side, a pixel outside it (the image's border is no outside)."""
    edge: NDArray[np.bool_] = shape & ~ndimage.binary_erosion(shape, border_value=1)
    return edge


def boundary_counts(truth: NDArray[np.uint8], found: NDArray[np.bool_], tolerance: float = 2.0) -> NDArray[np.int64]:
    """Count boundary pixels that have a boundary pixel of the other map near them.

    Parameters
    ----------
    truth
        uint8 (height, width): 1, 0, 255. Ignored pixels are background for the shapes, and boundary pixels beside
        them are not counted.
    found
        bool (height, width).
    tolerance
        Distance in pixels that still counts as met.

    Returns
    -------
    ndarray
        (found boundary pixels met, found boundary pixels, true ones met, true ones), int64; sums over images pool.
    """
    ignored = truth == IGNORE
    counts = ~ndimage.binary_dilation(ignored, EIGHT)
    drawn, real = boundary(found & ~ignored) & counts, boundary(truth == LANDSLIDE) & counts
    met = [
        np.count_nonzero(a & (ndimage.distance_transform_edt(~b) <= tolerance)) if b.any() else 0
        for a, b in ((drawn, real), (real, drawn))
    ]
    return np.array([met[0], np.count_nonzero(drawn), met[1], np.count_nonzero(real)], dtype=np.int64)


def boundary_f1(counts: NDArray[np.int64], tolerance: float = 2.0) -> dict[str, float]:
    """Return boundary precision, recall and F1 (Csurka et al., BMVC 2013) from :func:`boundary_counts`."""
    met_found, found, met_true, true = (float(count) for count in counts)
    precision = met_found / found if found else float("nan")
    recall = met_true / true if true else float("nan")
    both = precision + recall
    f1 = 2 * precision * recall / both if both > 0 else (float("nan") if np.isnan(both) else 0.0)
    return {"precision": precision, "recall": recall, "f1": f1, "tolerance_pixels": tolerance}


@dataclass
class ObjectCounts:
    """How many landslides are found, by size, and how many found objects are on a landslide.

    A landslide (8-connected) counts as found when at least `overlap` of its pixels are found. A found object counts
    as right when it holds a landslide pixel at all. Objects are cut where images end.

    Attributes
    ----------
    edges
        Upper bounds of the classes of size, pixels; the last class is open.
    """

    edges: tuple[int, ...] = (4, 16, 64, 256)
    overlap: float = 0.5
    landslides: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    detected: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    objects: int = 0
    right: int = 0

    def __post_init__(self) -> None:
        self.landslides = np.zeros(len(self.edges) + 1, np.int64)
        self.detected = np.zeros(len(self.edges) + 1, np.int64)

    def add(self, truth: NDArray[np.uint8], found: NDArray[np.bool_]) -> None:
        """Count the objects of one image."""
        real = truth == LANDSLIDE
        numbered, count = ndimage.label(real, EIGHT)
        if count:
            labels = np.arange(1, count + 1)
            size = ndimage.sum_labels(real, numbered, labels)
            hit = ndimage.sum_labels(found & real, numbered, labels)
            kind = np.searchsorted(self.edges, size, side="left")
            np.add.at(self.landslides, kind, 1)
            np.add.at(self.detected, kind, (hit >= self.overlap * size).astype(np.int64))
        drawn = found & (truth != IGNORE)
        numbered, count = ndimage.label(drawn, EIGHT)
        if count:
            self.objects += count
            self.right += int((ndimage.maximum(real, numbered, np.arange(1, count + 1)) > 0).sum())

    def summary(self, pixel_area: float | None = None) -> dict[str, object]:
        """Return detection rates; `pixel_area` in m² adds the classes' bounds in m²."""
        total = int(self.landslides.sum())
        classes = []
        for number, (count, hit) in enumerate(zip(self.landslides, self.detected, strict=True)):
            low = self.edges[number - 1] + 1 if number else 1
            high = self.edges[number] if number < len(self.edges) else None
            row = {
                "pixels_from": low,
                "pixels_to": high,
                "landslides": int(count),
                "detected": int(hit),
                "detection_rate": hit / count if count else float("nan"),
            }
            if pixel_area is not None:
                row |= {"m2_from": low * pixel_area, "m2_to": None if high is None else high * pixel_area}
            classes.append(row)
        return {
            "landslides": total,
            "detected": int(self.detected.sum()),
            "detection_rate": self.detected.sum() / total if total else float("nan"),
            "found_objects": self.objects,
            "found_objects_on_a_landslide": self.right,
            "object_precision": self.right / self.objects if self.objects else float("nan"),
            "overlap_that_counts": self.overlap,
            "by_size": classes,
        }
