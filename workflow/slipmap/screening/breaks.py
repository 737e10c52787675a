"""Where a continuous factor, or an index, is cut into classes."""

from collections.abc import Sequence

import numba
import numpy as np


def class_breaks(values: np.ndarray, classes: int, method: str, fixed: Sequence[float] | None = None) -> np.ndarray:
    """Inner breaks of `classes` classes; class i holds breaks[i-1] < value <= breaks[i].

    Parameters
    ----------
    values : (n,) finite sample.
    method : "quantile" (equal numbers), "jenks" (least variance within classes), "equal" (equal intervals) or
        "fixed" (the breaks given in `fixed`).

    Returns
    -------
    Ascending distinct breaks; fewer than ``classes - 1`` where `values` has too few distinct ones.
    """
    values = np.asarray(values, np.float64)
    if method == "fixed":
        return np.asarray(sorted(fixed or ()), np.float64)
    if method == "quantile":
        breaks = np.quantile(values, np.arange(1, classes) / classes)
    elif method == "equal":
        breaks = np.linspace(values.min(), values.max(), classes + 1)[1:-1]
    elif method == "jenks":
        breaks = natural_breaks(values, classes)
    else:
        raise ValueError(f"class breaks '{method}': known are quantile, jenks, equal, fixed")
    breaks = np.unique(breaks)
    return np.asarray(breaks[breaks < values.max()])


def classify(values: np.ndarray, breaks: np.ndarray) -> np.ndarray:
    """Class of each value, 0 to len(breaks); -1 where `values` is not finite. Same shape, int."""
    index = np.searchsorted(breaks, values, side="left")
    return np.where(np.isfinite(values), index, -1)


def natural_breaks(values: np.ndarray, classes: int) -> np.ndarray:
    """Natural breaks (Jenks 1967), the exact optimum of Fisher (1958).

    Returns
    -------
    The largest value of every class but the last: the ``classes - 1`` breaks of least variance within classes.
    """
    distinct, counts = np.unique(np.asarray(values, np.float64), return_counts=True)
    last = _fisher(distinct, counts.astype(np.float64), min(classes, len(distinct)))
    return np.asarray(distinct[last[:-1]])


@numba.njit(cache=True)
def _fisher(values: np.ndarray, weights: np.ndarray, classes: int) -> np.ndarray:
    """Index of the last value in each class of the partition with the least weighted sum of squares.

    Where the best last class of the first j values begins does not fall as j grows, so each row of the dynamic
    programme is found by divide and conquer: classes · n log n steps.
    """
    n = len(values)
    shifted = values - values.mean()  # against cancellation in the running sums of squares
    w = np.zeros(n + 1)
    s = np.zeros(n + 1)
    q = np.zeros(n + 1)
    for i in range(n):
        w[i + 1] = w[i] + weights[i]
        s[i + 1] = s[i] + weights[i] * shifted[i]
        q[i + 1] = q[i] + weights[i] * shifted[i] ** 2
    cost = np.full((classes, n), np.inf)
    first = np.zeros((classes, n), np.int64)
    for j in range(n):
        cost[0, j] = q[j + 1] - s[j + 1] ** 2 / w[j + 1]
    for k in range(1, classes):
        stack = [(k, n - 1, k, n - 1)]  # values low..high, whose last class begins in least..most
        while len(stack) > 0:
            low, high, least, most = stack.pop()
            if low > high:
                continue
            j = (low + high) // 2
            for i in range(max(k, least), min(j, most) + 1):
                within = (q[j + 1] - q[i]) - (s[j + 1] - s[i]) ** 2 / (w[j + 1] - w[i])
                if cost[k - 1, i - 1] + within < cost[k, j]:
                    cost[k, j] = cost[k - 1, i - 1] + within
                    first[k, j] = i
            stack.append((low, j - 1, least, first[k, j]))
            stack.append((j + 1, high, first[k, j], most))
    ends = np.empty(classes, np.int64)
    j = n - 1
    for k in range(classes - 1, -1, -1):
        ends[k] = j
        j = first[k, j] - 1
    return ends
