"""A field of rates that suits each pixel's own likelihood and its neighbours': belief propagation on the grid.

The least of Σ cost(rate) + Σ min(`BEND` (rate − neighbour's)², `BREAK`) over pixels and pairs of neighbours is sought
by min-sum messages (Felzenszwalb & Huttenlocher 2006): a likelihood has many peaks, of which the neighbours tell the
right one, and a break in the field costs no more than `BREAK`.
"""

import numba
import numpy as np

from slipmap.arrays import Floats, Integers
from slipmap.parallel import each

BEND = 0.2  # per (rad/yr)²
BREAK = 30.0
ROUNDS = 6  # each carries a pixel's likelihood by one pixel
BAND = 24  # rows at a time: messages take four times the room of the likelihoods


def smooth_rates(cost: np.ndarray, near: np.ndarray, tried: np.ndarray, threads: int = 1) -> np.ndarray:
    """Rate of each pixel, (pixels,) float32.

    Parameters
    ----------
    cost : float32 (pixels, rates), less the logarithm of the likelihood. tried : (rates,), evenly spaced.
    near : bool (rows, cols), where the pixels are, row by row.
    """
    rows, upto = len(near), np.r_[0, np.cumsum(near.sum(axis=1))]  # pixels before each row
    result = np.empty(len(cost), np.float32)

    def smooth(first: int) -> None:
        last = min(first + BAND, rows)
        above, below = max(0, first - ROUNDS), min(rows, last + ROUNDS)  # what messages bring
        found = _smooth_band(cost[upto[above] : upto[below]], near[above:below], tried)
        result[upto[first] : upto[last]] = found[upto[first] - upto[above] :][: upto[last] - upto[first]]

    each(smooth, range(0, rows, BAND), threads)
    return result


def _smooth_band(cost: np.ndarray, near: np.ndarray, tried: np.ndarray) -> np.ndarray:
    """As `smooth_rates`, at once."""
    number = np.full((near.shape[0] + 2, near.shape[1] + 2), -1, np.int64)
    inner = number[1:-1, 1:-1]
    inner[near] = np.arange(len(cost))
    shifted = (number[:-2, 1:-1], number[2:, 1:-1], number[1:-1, :-2], number[1:-1, 2:])
    neighbours = np.stack([part[near] for part in shifted], axis=1)  # above, below, left, right
    step = np.float32(tried[1] - tried[0])
    belief = _propagate(np.ascontiguousarray(cost, np.float32), neighbours, step)
    at = np.clip(belief.argmin(axis=1), 1, len(tried) - 2)
    before, least, after = (belief[np.arange(len(at)), at + k] for k in (-1, 0, 1))
    bend = before - 2 * least + after
    aside = np.where(bend > 0, 0.5 * (before - after) / np.where(bend > 0, bend, 1), 0)
    return np.asarray(tried[at] + step * np.clip(aside, -1, 1), np.float32)


@numba.njit(cache=True, nogil=True)
def _propagate(cost: Floats, neighbours: Integers, step: np.float32) -> Floats:
    """Cost and all messages, (pixels, rates), after `ROUNDS` rounds, each message the mean of its old and new value."""
    pixels, labels = cost.shape
    messages = np.zeros((4, pixels, labels), np.float32)
    total = cost.copy()
    here, there = np.empty(labels, np.float32), np.empty(labels, np.float32)
    sent = np.empty(labels, np.float32)
    for _ in range(ROUNDS):
        for p in range(pixels):
            for side in (1, 3):  # the two messages of a pair of neighbours ask for nothing but each other and `total`
                q = neighbours[p, side]
                if q < 0:
                    continue
                to_p, to_q = messages[side, p], messages[side - 1, q]
                _send(total[q], to_q, to_p, step, sent, here)
                _send(total[p], to_p, to_q, step, sent, there)
                to_p[:], to_q[:] = here, there
        for p in range(pixels):
            for k in range(labels):
                total[p, k] = cost[p, k] + messages[0, p, k] + messages[1, p, k] + messages[2, p, k] + messages[3, p, k]
    return total


@numba.njit(cache=True, nogil=True)
def _send(total: Floats, back: Floats, before: Floats, step: np.float32, sent: Floats, out: Floats) -> None:
    """The message of a pixel that knows `total`, of which `back` is from the receiver, after the message `before`."""
    labels = len(total)
    reach = min(labels - 1, int(np.sqrt(BREAK / BEND) / step))
    least = np.float32(np.inf)
    for k in range(labels):
        sent[k] = total[k] - back[k]
        out[k] = sent[k]
        least = min(least, sent[k])
    for d in range(1, reach + 1):
        price = np.float32(BEND) * (np.float32(d) * step) ** 2
        for k in range(labels - d):  # two loops: each does several rates at once
            out[k + d] = min(out[k + d], sent[k] + price)
        for k in range(labels - d):
            out[k] = min(out[k], sent[k + d] + price)
    most = least + np.float32(BREAK)
    mean = np.float32(0)
    for k in range(labels):
        out[k] = min(out[k], most)
        mean += out[k]
    mean /= np.float32(labels)
    for k in range(labels):
        out[k] = np.float32(0.5) * (before[k] + out[k] - mean)
