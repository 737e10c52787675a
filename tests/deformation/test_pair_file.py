"""Unwrapped pairs as integers: what comes back is what went in, to less than its noise, and gaps stay gaps."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.pair_samples import read_pair
from slipmap.deformation import pair_file, sources
from slipmap.deformation.phase import TABLE_SIZE, wrap
from slipmap.deformation.sources import NetworkReader, Stored
from slipmap.deformation.stack import Pair
from slipmap.errors import InputError
from slipmap.io.grid import Grid

STEP, COARSE_STEP = 2 * np.pi / 65535, 2 * np.pi / 255


def grid_of(shape):
    return Grid("EPSG:32632", Affine(50, 0, 5e5, 0, -50, 5e6), shape[1], shape[0])


def write(path, phase, coherence, components=None, original=None):
    components = np.ones(phase.shape, np.uint32) if components is None else components
    bands = pair_file.encode(phase, coherence, components, phase if original is None else original)
    pair_file.write(path, grid_of(phase.shape), bands, {"REFERENCE_DATE": "2021-01-09"})
    return path


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([1.0, 30.0, 2000.0]))
def test_phase_turns_and_coherence_come_back(tmp_path_factory, seed, size):
    rng = np.random.default_rng(seed)
    shape = (9, 11)
    phase = rng.uniform(-size, size, shape).astype(np.float32)
    phase[0, :4] = np.pi, -np.pi, 3 * np.pi, 0  # where one turn ends
    coherence = rng.uniform(0, 1, shape).astype(np.float32)
    original = rng.uniform(-np.pi, np.pi, shape).astype(np.float32)
    components = rng.integers(0, 70000, shape)
    phase[2, 3], coherence[4, 5], coherence[6, 6], original[3, 3] = np.nan, np.nan, 0, np.nan
    path = write(tmp_path_factory.mktemp("pair") / "p.tif", phase, coherence, components, original)
    found = read_pair(path)
    gap = np.isnan(phase) | ~(coherence > 0)
    rounding = 2e-7 * size  # of float32
    assert gap.sum() == 3
    for values in (*found[:2], found[3]):
        np.testing.assert_array_equal(np.isnan(values), gap)
    known = ~gap
    assert np.abs(found[0] - phase)[known].max() <= STEP / 2 + rounding
    assert np.abs(found[1] - coherence)[known].max() <= 1e-3
    known[3, 3] = False
    assert np.abs(wrap(found[3] - original))[known].max() <= COARSE_STEP / 2 + 1e-6
    np.testing.assert_array_equal(np.nan_to_num(found[2])[known], np.minimum(components, 65535)[known])
    # What the inversion reads is the same to float32's last digits.
    source = Stored(str(path))
    read = np.empty((3, *shape), np.float32)
    source.fill(next(iter(grid_of(shape).blocks())), np.float32(0), read)
    for values, wanted in zip(read, (found[0], found[1], found[3]), strict=True):
        np.testing.assert_allclose(values, wanted, rtol=2e-7, atol=1e-6)


def test_the_weight_of_a_coherence_is_that_of_the_table():
    """Its steps are those of the tables of weights: stored or not, a coherence has the same entry."""
    assert pair_file.PARTS + 1 == TABLE_SIZE


def network_of(folder, arrays):
    """Files of pairs, (phase, coherence) each, and the pairs."""
    days = [date(2021, 1, 9) + timedelta(days=12 * k) for k in range(len(arrays) + 1)]
    pairs = [Pair(a, b, 0.0, {"reference": "", "secondary": ""}) for a, b in pairwise(days)]
    return pairs, [write(folder / f"{p.name}.tif", *values) for p, values in zip(pairs, arrays, strict=True)]


def test_sums_of_coherence_are_those_of_what_is_read(tmp_path):
    rng = np.random.default_rng(2)
    arrays = [rng.uniform(0.01, 1, (2, 300, 70)).astype(np.float32) for _ in range(4)]
    for k, (phase, _) in enumerate(arrays):
        phase[10 * k : 10 * k + 5] = np.nan
    pairs, files = network_of(tmp_path, arrays)
    reader = NetworkReader(pairs, files)
    assert reader.has_original
    for window in reader.grid.blocks(256):
        _, coherence, original = reader.read(window, original=True)
        assert original.shape == coherence.shape == (4, window.height, window.width)
        total, count, of_pairs, pixels = reader.sum_coherence(window)
        there = np.isfinite(coherence)
        np.testing.assert_array_equal(count, there.sum(axis=0))
        np.testing.assert_array_equal(pixels, there.sum(axis=(1, 2)))
        np.testing.assert_allclose(total, np.nansum(coherence, axis=0), rtol=1e-5)
        np.testing.assert_allclose(of_pairs, np.nansum(coherence, axis=(1, 2)), rtol=1e-5)


@pytest.mark.parametrize("kept", [0, 2**30])
def test_a_file_cut_short_is_named(tmp_path, monkeypatch, kept):
    """Whether the whole network is read at once or each block when it is needed."""
    monkeypatch.setattr(sources, "KEPT_BYTES", kept)
    rng = np.random.default_rng(3)
    pairs, files = network_of(tmp_path, [rng.uniform(0.01, 1, (2, 600, 300)).astype(np.float32)])
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=rf"{files[0].name}: .*made again"):
        reader = NetworkReader(pairs, files)
        for window in reader.grid.blocks():
            reader.read(window)


def test_offsets_are_taken_off_both_phases(tmp_path, monkeypatch):
    rng = np.random.default_rng(6)
    pairs, files = network_of(tmp_path, [rng.uniform(0.01, 1, (2, 40, 30)).astype(np.float32) for _ in range(3)])
    offsets = np.array([0.5, -2, 30], np.float32)
    window = next(iter(grid_of((40, 30)).blocks()))
    for kept in (0, 2**30):
        monkeypatch.setattr(sources, "KEPT_BYTES", kept)
        reader = NetworkReader(pairs, files)
        plain = [values.copy() for values in reader.read(window, original=True)]
        moved = reader.read(window, original=True, offsets=offsets)
        for k, taken in enumerate((offsets, 0 * offsets, offsets)):
            np.testing.assert_array_equal(moved[k], plain[k] - taken[:, None, None])


def test_a_pair_takes_at_most_five_bytes_a_pixel(tmp_path):
    """Noise of every phase, estimated coherences, turns along a ramp: nothing that compresses but the turns."""
    rng = np.random.default_rng(4)
    phase = rng.normal(0, 1, (512, 512)) + np.linspace(0, 60, 512)
    coherence = np.clip(rng.normal(0.5, 0.15, phase.shape), 0.01, 1)
    size = write(tmp_path / "p.tif", phase, coherence, original=rng.uniform(-3, 3, phase.shape)).stat().st_size
    assert size / phase.size < 5
