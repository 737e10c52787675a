"""Scores of pixels: counts at a threshold, and what needs the whole range of probabilities.

Every function works on sums that can be added over patches, blocks and processes, so that memory does not grow
with the area. An undefined score (a precision with nothing found, say) is NaN, never a silent zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slipmap.codes import BACKGROUND, LANDSLIDE

LOGIT_LIMIT = 16.0
BINS = 1 << 16
CALIBRATION_BINS = 15


def confusion(truth: ArrayLike, found: ArrayLike) -> NDArray[np.int64]:
    """Count pixels by truth and finding.

    Parameters
    ----------
    truth
        uint8: 1 landslide, 0 background, 255 ignored.
    found
        bool, same shape.

    Returns
    -------
    ndarray
        int64 (true positives, false positives, false negatives, true negatives).
    """
    truth, found = np.asarray(truth), np.asarray(found, dtype=bool)
    positive, negative = truth == LANDSLIDE, truth == BACKGROUND
    return np.array(
        [
            np.count_nonzero(positive & found),
            np.count_nonzero(negative & found),
            np.count_nonzero(positive & ~found),
            np.count_nonzero(negative & ~found),
        ],
        dtype=np.int64,
    )


def scores(counts: ArrayLike) -> dict[str, float]:
    """Return every score that follows from the four counts.

    Parameters
    ----------
    counts
        (TP, FP, FN, TN), landslide being positive; see :func:`confusion`.

    Returns
    -------
    dict
        ``precision``, ``recall``, ``f1``, ``iou`` of the landslide class; ``mean_f1`` and ``miou``, means over
        landslide and background; ``macro_precision``, ``macro_recall`` (means over both classes) and
        ``f1_of_macro``, the harmonic mean of those two (what EMR-HRNet calls F1); ``overall_accuracy``;
        ``kappa`` (Cohen 1960); ``dice``, which is the same number as ``f1``. NaN where undefined.
    """
    tp, fp, fn, tn = (float(count) for count in np.asarray(counts))
    total = tp + fp + fn + tn
    precision, recall = _ratio(tp, tp + fp), _ratio(tp, tp + fn)
    f1, background_f1 = _ratio(2 * tp, 2 * tp + fp + fn), _ratio(2 * tn, 2 * tn + fp + fn)
    iou, background_iou = _ratio(tp, tp + fp + fn), _ratio(tn, tn + fp + fn)
    macro_precision = (precision + _ratio(tn, tn + fn)) / 2
    macro_recall = (recall + _ratio(tn, tn + fp)) / 2
    accuracy = _ratio(tp + tn, total)
    chance = _ratio((tp + fp) * (tp + fn) + (fn + tn) * (fp + tn), total**2)
    return {
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "mean_f1": (f1 + background_f1) / 2,
        "iou": iou,
        "miou": (iou + background_iou) / 2,
        "dice": f1,
        "macro_precision": macro_precision,
        "macro_recall": macro_recall,
        "f1_of_macro": _ratio(2 * macro_precision * macro_recall, macro_precision + macro_recall),
        "overall_accuracy": accuracy,
        "kappa": _ratio(accuracy - chance, 1 - chance),
    }


def mean_scores(rows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Return the mean of each score over images, leaving out images where it is undefined, and how many counted.

    Returns
    -------
    dict
        Each score's mean, and under ``images_counted`` the number of images behind each.
    """
    names = list(rows[0]) if rows else []
    table = {name: np.array([row[name] for row in rows], dtype=float) for name in names}
    defined = {name: values[~np.isnan(values)] for name, values in table.items()}
    means = {name: float(values.mean()) if values.size else float("nan") for name, values in defined.items()}
    return {**means, "images_counted": {name: int(values.size) for name, values in defined.items()}}


def logit_bins(logit: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the bin of each logit: `BINS` equal steps from -`LOGIT_LIMIT` to `LOGIT_LIMIT`, clipped."""
    scaled = (np.clip(logit, -LOGIT_LIMIT, LOGIT_LIMIT) + LOGIT_LIMIT) * (BINS / (2 * LOGIT_LIMIT))
    bins: NDArray[np.int64] = np.minimum(scaled.astype(np.int64), BINS - 1)
    return bins


@dataclass
class ScoreHistogram:
    """How many landslide and background pixels got which logit: enough for every score over all thresholds.

    Held in memory: two int64 arrays of `BINS` numbers. Logits are told apart to 0.0005, so that curves differ from
    those of the single pixels by less than 0.001 in any score; the Brier score and the calibration error are exact
    for the middle of the bin.

    Attributes
    ----------
    positive, negative
        Counts by bin, int64 of shape (`BINS`,).
    """

    positive: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    negative: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))

    def add(self, logit: NDArray[np.floating], truth: NDArray[np.integer]) -> None:
        """Count pixels; `truth` is 1, 0 or 255 (ignored), in any shape that `logit` has too."""
        bins = logit_bins(np.asarray(logit))
        truth = np.asarray(truth)
        self.positive += np.bincount(bins[truth == LANDSLIDE], minlength=BINS)
        self.negative += np.bincount(bins[truth == BACKGROUND], minlength=BINS)

    @property
    def probability(self) -> NDArray[np.float64]:
        """Probability at the middle of each bin."""
        middle = (np.arange(BINS) + 0.5) * (2 * LOGIT_LIMIT / BINS) - LOGIT_LIMIT
        probability: NDArray[np.float64] = 1 / (1 + np.exp(-middle))
        return probability

    def counts(self) -> NDArray[np.int64]:
        """Return (TP, FP, FN, TN), shape (`BINS`, 4): row i calls landslide what lies in bin i or above."""
        hit = self.positive[::-1].cumsum()[::-1]
        false = self.negative[::-1].cumsum()[::-1]
        return np.stack([hit, false, self.positive.sum() - hit, self.negative.sum() - false], axis=1)

    def best_threshold(self, score: str = "f1") -> tuple[float, float]:
        """Return the probability from which pixels are called landslide so that the score is highest, and the score.

        Parameters
        ----------
        score
            ``"f1"`` or ``"iou"``; both are highest at the same threshold.

        Returns
        -------
        tuple
            (threshold, score); (0.5, NaN) when there is no landslide pixel.
        """
        if not self.positive.any():
            return 0.5, float("nan")
        tp, fp, fn, _ = self.counts().T.astype(float)
        f1 = 2 * tp / (2 * tp + fp + fn)
        held = self.positive + self.negative > 0
        best = int(np.argmax(np.where(held, f1, -1.0)))
        # Between this bin and the next lower one that holds a pixel any threshold does the same: take the middle.
        occupied = np.flatnonzero(held[:best])
        lower = occupied[-1] + 1 if occupied.size else best
        edge = (lower + best) / 2 * (2 * LOGIT_LIMIT / BINS) - LOGIT_LIMIT
        value = f1[best] if score == "f1" else f1[best] / (2 - f1[best])
        return float(1 / (1 + np.exp(-edge))), float(value)

    def auc(self) -> float:
        """Return the area under the ROC curve: the chance that a landslide pixel outranks a background pixel."""
        positives, negatives = int(self.positive.sum()), int(self.negative.sum())
        below = np.concatenate([[0], self.negative.cumsum()[:-1]])
        outranked = (self.positive * (below + self.negative / 2.0)).sum()
        return _ratio(float(outranked), float(positives) * negatives)

    def average_precision(self) -> float:
        """Return the area under the precision–recall curve as the sum of precision times step of recall."""
        tp, fp, _, _ = self.counts().T.astype(float)
        precision = np.divide(tp, tp + fp, out=np.zeros_like(tp), where=tp + fp > 0)
        return _ratio(float((precision * self.positive).sum()), float(self.positive.sum()))

    def brier(self, probability: NDArray[np.float64] | None = None) -> float:
        """Return the mean squared difference of probability and truth (Brier 1950).

        Parameters
        ----------
        probability
            Of each bin, after calibration; None: the sigmoid of its logit. So in the two methods below.
        """
        p = self.probability if probability is None else probability
        total = float(self.positive.sum() + self.negative.sum())
        return _ratio(float((self.positive * (1 - p) ** 2 + self.negative * p**2).sum()), total)

    def calibration_error(self, bins: int = CALIBRATION_BINS, probability: NDArray[np.float64] | None = None) -> float:
        """Return the expected calibration error: |mean probability - share of landslide|, weighted by pixels.

        Parameters
        ----------
        bins
            Equally wide bins of probability (Guo et al., ICML 2017, eq. 3: 15).
        """
        table = self.reliability(bins, probability)
        gap = np.abs(table["probability"] - table["share"])
        total = table["pixels"].sum()
        return _ratio(float(np.nansum(gap * table["pixels"])), float(total))

    def reliability(
        self, bins: int = CALIBRATION_BINS, probability: NDArray[np.float64] | None = None
    ) -> dict[str, NDArray[np.number]]:
        """Return mean ``probability``, ``share`` of landslide and number of ``pixels`` in bins of probability."""
        p = self.probability if probability is None else probability
        where = np.minimum((p * bins).astype(int), bins - 1)
        pixels = np.bincount(where, self.positive + self.negative, bins)
        hits = np.bincount(where, self.positive, bins)
        mass = np.bincount(where, (self.positive + self.negative) * p, bins)
        with np.errstate(invalid="ignore"):
            return {"probability": mass / pixels, "share": hits / pixels, "pixels": pixels}

    def summary(self) -> dict[str, float]:
        """Return ``auc_roc``, ``average_precision``, ``brier`` and ``expected_calibration_error``."""
        return {
            "auc_roc": self.auc(),
            "average_precision": self.average_precision(),
            "brier": self.brier(),
            "expected_calibration_error": self.calibration_error(),
        }


def temperature(histogram: ScoreHistogram) -> float:
    """Return the temperature T for which sigmoid(logit / T) has the least log loss (Guo et al., ICML 2017, §4.2).

    Returns 1 where there are not both classes.
    """
    from scipy.optimize import minimize_scalar

    if not (histogram.positive.any() and histogram.negative.any()):
        return 1.0
    p = histogram.probability
    logit = np.log(p / (1 - p))

    def log_loss(log_t: float) -> float:
        scaled = logit / np.exp(log_t)
        return float(
            (histogram.positive * np.logaddexp(0, -scaled) + histogram.negative * np.logaddexp(0, scaled)).sum()
        )

    return float(np.exp(minimize_scalar(log_loss, bounds=(-4, 4), method="bounded").x))


def jsonable(value: Any) -> Any:
    """Return a copy that JSON can hold: NaN and infinity become None, NumPy numbers become Python's."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [jsonable(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value


def _ratio(above: float, below: float) -> float:
    return above / below if below else float("nan")
