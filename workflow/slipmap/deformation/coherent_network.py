"""How coherent a network is: at each pixel and in each pair, and which pairs are left out for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slipmap.arrays import Doubles
from slipmap.deformation.network import drop_incoherent
from slipmap.deformation.sources import NetworkReader
from slipmap.deformation.stack import Pair
from slipmap.errors import InputError
from slipmap.io.grid import BLOCK

# Of phase and coherence together, read at a time: whole tiles of the files, since a part of a tile takes as long to
# decode as the whole.
BLOCK_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Coherence:
    """Mean coherence of the network: of each pixel, (rows, cols) float32, and of each pair, (pairs,) float64.

    `share` is the share of interferograms with data at each pixel, (rows, cols) float32.
    """

    of_pixels: np.ndarray
    share: np.ndarray
    of_pairs: Doubles


def block_side(pairs: int) -> int:
    """Side of the blocks in which a network of so many pairs is read, pixels."""
    side: int = BLOCK
    while side > 64 and pairs * side * side * 8 > BLOCK_BYTES:
        side //= 2
    return side


def coherent_network(
    pairs: list[Pair], unwrapped: Sequence[str | Path], threshold: float | None, linked: Sequence[str | Path] = ()
) -> tuple[list[Pair], NetworkReader, Coherence, dict[str, float]]:
    """The pairs that are coherent enough, their files and coherence; mean coherence of the pairs left out, by name.

    Parameters
    ----------
    unwrapped, linked : files of the pairs that were unwrapped here, and of linked phases (`NetworkReader`).
    threshold : least mean coherence of a pair, below which it stays only where the network would fall apart; None: 0.
    """
    reader = NetworkReader(pairs, unwrapped, linked)
    coherence = _mean_coherence(reader)
    if threshold is None:
        return pairs, reader, coherence, {}
    kept = drop_incoherent(pairs, coherence.of_pairs.tolist(), threshold)
    names = {pair.name for pair in kept}
    means = {pair.name: float(mean) for pair, mean in zip(pairs, coherence.of_pairs, strict=True)}
    left_out = {name: round(mean, 4) for name, mean in means.items() if name not in names}
    bridges = [name for name in sorted(names) if means[name] < threshold]
    print(f"min_pair_coherence: {len(left_out)} of {len(pairs)} pairs are left out, their mean coherence is too low")
    for name, mean in left_out.items():
        print(f"left out: {name}, mean coherence {mean:.3f}")
    for name in bridges:
        print(f"kept, since the network would fall apart: {name}, mean coherence {means[name]:.3f}")
    if left_out:
        reader = NetworkReader(kept, unwrapped, linked)
        coherence = _mean_coherence(reader)
    return kept, reader, coherence, left_out


def _mean_coherence(reader: NetworkReader) -> Coherence:
    grid, pairs = reader.grid, len(reader.sources)
    mean, share = (np.zeros(grid.shape, np.float32) for _ in range(2))
    total, count = np.zeros(pairs), np.zeros(pairs)
    for window in grid.blocks(block_side(pairs)):
        summed, number, of_pairs, there = reader.sum_coherence(window)
        place = window.toslices()
        share[place] = number / pairs
        mean[place] = summed / np.maximum(number, 1)
        total += of_pairs
        count += there
    if not mean.any():
        raise InputError(
            f"{reader.sources[0].paths[-1]} and the other coherences are zero wherever there is phase; "
            "fetch the files again."
        )
    return Coherence(mean, share, total / np.maximum(count, 1))
