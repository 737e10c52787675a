"""Compile linking and reading of pairs ahead of first use (make install); numba keeps the result beside the source."""

import numpy as np

from slipmap.config.deformation import PhaseLinkingSettings
from slipmap.deformation import closure, pair_values, subsets
from slipmap.deformation.phase_linking import motion
from slipmap.deformation.phase_linking.block import link_block

SIDE, EDGE = 48, 20  # pixels: of the block; before the ground that moves


def compile_linking() -> None:
    """Link a small block of which a part moves, so that its rates are looked for too."""
    years = np.arange(float(motion.LEAST_DATES)) / 6
    samples = np.ones((len(years), SIDE, SIDE, 4), np.complex64)
    moving = slice(EDGE, SIDE - EDGE)
    samples[:, moving, moving] = np.exp(6j * years)[:, None, None, None]
    block = link_block(samples, PhaseLinkingSettings(), 4.0, years)
    if not block.rate.any():
        raise RuntimeError("the ground that moves was not found, so that its kernels were not compiled")


def compile_pairs() -> None:
    """Decode a few pixels, count a triplet that closes, and join series."""
    stored, values = np.ones(8, np.uint16), np.ones(8, np.float32)
    pair_values.decode(stored, stored, stored, np.float32(0), values, values)
    pair_values.decode_original(stored, np.float32(0), values)
    pair_values.decode_linked(stored, stored, stored, values, np.float32(0), values, values)
    pair_values.add_coherence(stored, np.zeros(8, np.int32), np.zeros(8, np.int32))
    closure.open_triplets(np.ones((3, 8), np.float32), np.array([[0, 1, 2]]))
    subsets.join(np.ones((3, 8)), np.ones((3, 8), np.int16), np.vander(np.arange(3.0), 2, increasing=True))
