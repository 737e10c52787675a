"""Medians of more values than memory holds: those of a histogram of fine steps."""

import numpy as np

STEP, FURTHEST = 0.02, 200.0  # mm/yr
NORMAL = 1.4826  # standard deviation of a normal distribution over its median absolute deviation


class Histogram:
    """Counts of values within ± `FURTHEST`, from which medians follow."""

    def __init__(self) -> None:
        self.edges = np.linspace(-FURTHEST, FURTHEST, round(2 * FURTHEST / STEP) + 1)
        self.counts = np.zeros(self.edges.size - 1, np.int64)

    def add(self, values: np.ndarray) -> None:
        """Count some values; those further away count at the ends."""
        self.counts += np.histogram(np.clip(values, -FURTHEST, FURTHEST), self.edges)[0]

    def median(self) -> float:
        """The median; NaN of nothing."""
        return _middle(self.edges, self.counts)

    def scatter(self) -> float:
        """Median absolute deviation from the median, as a standard deviation of normal values."""
        if not self.counts.any():
            return float("nan")
        away = np.abs(self.edges[:-1] + STEP / 2 - self.median())
        edges = np.arange(0, 2 * FURTHEST + STEP, STEP)
        return NORMAL * _middle(edges, np.histogram(away, edges, weights=self.counts)[0])

    def shares(self, width: float, furthest: float) -> tuple[list[float], list[float]]:
        """Middles of bins of `width` within ± `furthest` of the median, and the share of all values in each."""
        edges = self.median() + np.arange(-furthest, furthest + width / 2, width)
        found = np.histogram(self.edges[:-1] + STEP / 2, edges, weights=self.counts)[0] / max(self.counts.sum(), 1)
        return list((edges[:-1] + edges[1:]) / 2), list(found)


def _middle(edges: np.ndarray, counts: np.ndarray) -> float:
    below = np.concatenate([[0], np.cumsum(counts)])
    return float(np.interp(below[-1] / 2, below, edges)) if below[-1] else float("nan")
