"""What `make install` compiles is what a first run calls: the same types, so that the run compiles nothing of it."""

import numpy as np

from helpers.speckle_stacks import coherence_of, speckle
from slipmap.config.deformation import PhaseLinkingSettings
from slipmap.deformation import closure, compile_ahead, pair_values, subsets
from slipmap.deformation.phase_linking import kernel, rate_field
from slipmap.deformation.phase_linking.block import link_block


def test_linking_needs_no_other_kernels_than_those_compiled_ahead():
    compile_ahead.compile_linking()
    kernels = [kernel.strip, rate_field._propagate]
    compiled = [list(one.signatures) for one in kernels]
    assert all(compiled)
    years = np.arange(12.0) / 10
    phases = np.zeros((40, 40, 1, 12))
    phases[14:26, 14:26] = 8 * years
    block = link_block(speckle(coherence_of(12), 40, 40, 4, phases=phases), PhaseLinkingSettings(), 4.0, years)
    assert block.rate.any()
    assert [list(one.signatures) for one in kernels] == compiled


def test_what_reads_pairs_is_compiled():
    compile_ahead.compile_pairs()
    readers = (pair_values.decode, pair_values.decode_original, pair_values.decode_linked, pair_values.add_coherence)
    assert all(one.signatures for one in (*readers, closure._count, subsets.join))
