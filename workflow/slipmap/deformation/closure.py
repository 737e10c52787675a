"""Phase closure of triplets: how consistent a network's unwrapping is, and jumps of 2π mended by it."""

from collections.abc import Sequence

import numpy as np
from numba import njit, prange


def triplets(numbers: np.ndarray) -> np.ndarray:
    """Every closed triplet of the network.

    Parameters
    ----------
    numbers : (interferograms, 2) int, dates of each pair, the first smaller.

    Returns
    -------
    (triplets, 3) int64 : interferograms i→j, j→k and i→k with i < j < k; their closure is φ_ij + φ_jk − φ_ik.
    """
    index = {(int(a), int(b)): k for k, (a, b) in enumerate(numbers)}
    ahead: dict[int, list[int]] = {}
    for a, b in index:
        ahead.setdefault(a, []).append(b)
    found = [(index[a, b], index[b, c], index[a, c]) for a, b in index for c in ahead.get(b, ()) if (a, c) in index]
    return np.array(found, np.int64).reshape(-1, 3)


def integer_closure(phase: np.ndarray, triples: np.ndarray, tolerance: float = np.pi / 2) -> np.ndarray:
    """Whole turns by which each triplet fails to close, int8 (triplets, pixels).

    Parameters
    ----------
    phase : (interferograms, pixels), rad; NaN is a gap (closure 0).
    tolerance : a closure farther than this from a whole turn is noise and tells nothing (0 is returned).
    """
    a, b, c = (phase[triples[:, k]] for k in range(3))
    total = (a + b - c) / (2 * np.pi)
    turns = np.round(total)
    with np.errstate(invalid="ignore"):
        known = np.abs(total - turns) * 2 * np.pi < tolerance
    return np.where(known, turns, 0).astype(np.int8)


@njit(parallel=True, cache=True, nogil=True)
def _mend(closure, members, signs, count, coherence, turns):
    """Greedy search at each pixel: the turn that most lowers the sum of |closure|, until none lowers it."""
    triples, pixels = closure.shape
    pairs = turns.shape[0]
    for p in prange(pixels):
        wrong = 0
        for t in range(triples):
            wrong += abs(closure[t, p])
        rounds = 0
        while wrong > 0 and rounds < 4 * pairs:
            rounds += 1
            best, best_pair, best_turn = 0.0, -1, 0
            for k in range(pairs):
                for n in (-1, 1):
                    change = 0
                    for m in range(count[k]):
                        c = closure[members[k, m], p]
                        change += abs(c + signs[k, m] * n) - abs(c)
                    # Of equals the less coherent interferogram is the likelier to be wrong.
                    score = change + 0.5 * coherence[k, p]
                    if change < 0 and score < best:
                        best, best_pair, best_turn = score, k, n
            if best_pair < 0:
                break
            turns[best_pair, p] += best_turn
            for m in range(count[best_pair]):
                t = members[best_pair, m]
                c = closure[t, p]
                changed = c + signs[best_pair, m] * best_turn
                wrong += abs(changed) - abs(c)
                closure[t, p] = changed


def correct(phase: np.ndarray, coherence: np.ndarray, triples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whole turns that make the triplets close: the fewest that a greedy search finds at each pixel.

    An error in a pair that is in no triplet cannot be seen. An error that is in one triplet alone could be in any of
    its three pairs; the search takes the pair that breaks no other triplet, and of equals the least coherent.
    (Idea: Yunjun et al. 2019, section 3.2, there by regularised least squares over regions.)

    Parameters
    ----------
    phase, coherence : (interferograms, pixels) float32, rad and 0 … 1, NaN in gaps; phase relative to the reference.
    triples : (triplets, 3), from `triplets`.

    Returns
    -------
    turns : (interferograms, pixels) int8; the corrected phase is phase + 2π · turns.
    before, after : (pixels,) int: number of triplets that do not close.
    """
    turns = np.zeros(phase.shape, np.int8)
    closure = integer_closure(phase, triples)
    before = np.count_nonzero(closure, axis=0)
    wrong = np.flatnonzero(before)
    if len(wrong) == 0:
        return turns, before, before
    members, signs, count = _membership(triples, len(phase))
    part = np.ascontiguousarray(closure[:, wrong])
    mended = np.zeros((len(phase), len(wrong)), np.int8)
    quality = np.nan_to_num(coherence[:, wrong], nan=1.0).astype(np.float32)
    _mend(part, members, signs, count, quality, mended)
    turns[:, wrong] = mended
    after = before.copy()
    after[wrong] = np.count_nonzero(part, axis=0)
    return turns, before, after


def _membership(triples: np.ndarray, pairs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triplets that each pair is in, its sign in them, and how many they are."""
    lists: Sequence[list[tuple[int, int]]] = [[] for _ in range(pairs)]
    for t, triple in enumerate(triples):
        for pair, sign in zip(triple, (1, 1, -1), strict=True):
            lists[pair].append((t, sign))
    count = np.array([len(x) for x in lists], np.int64)
    members = np.zeros((pairs, max(1, count.max(initial=0))), np.int64)
    signs = np.zeros_like(members)
    for k, found in enumerate(lists):
        for m, (t, sign) in enumerate(found):
            members[k, m], signs[k, m] = t, sign
    return members, signs, count
