"""Components and phase are whirlwind's own, though its command line gives the one and we count the other."""

import numpy as np
import pytest
import whirlwind
from scipy.ndimage import gaussian_filter
from scipy.special import gammaln, hyp2f1

from slipmap.deformation import components
from slipmap.deformation.unwrapping import unwrap


def scene(seed, shape, looks):
    """Phase and coherence of hills under noise, with holes: NaN in both."""
    rng = np.random.default_rng(seed)
    coherence = np.clip(3 * gaussian_filter(rng.normal(size=shape), 4) + 0.48, 0.02, 1)
    spread = np.minimum(np.sqrt((1 - coherence**2) / (2 * looks)) / coherence, np.pi)
    phase = gaussian_filter(rng.normal(size=shape), 8) * 70 + rng.normal(size=shape) * spread
    phase = np.angle(np.exp(1j * phase))
    phase[gaussian_filter(rng.normal(size=shape), 5) < -0.1] = np.nan
    coherence[5:9, 50:90] = 0
    return phase.astype(np.float32), coherence.astype(np.float32)


@pytest.mark.parametrize(("seed", "shape", "looks"), [(0, (210, 260), 14.5), (1, (160, 301), 20.0)])
def test_phase_and_components_are_whirlwinds_own(seed, shape, looks):
    phase, coherence = scene(seed, shape, looks)
    valid = np.isfinite(phase) & (coherence > 0)
    interferogram = np.where(valid, np.exp(1j * np.nan_to_num(phase)), 0).astype(np.complex64)
    correlation = np.where(valid, coherence, 0).astype(np.float32)
    wanted, own = whirlwind.unwrap(interferogram, correlation, looks, mask=valid, conncomp_algorithm="linear")
    unwrapped, labels = unwrap(phase, coherence, looks)
    np.testing.assert_array_equal(np.isfinite(unwrapped), valid)
    turns = (unwrapped - wanted)[valid] / (2 * np.pi)
    assert np.abs(turns).max() < 1e-6
    assert own.max() >= 2
    # the odds of a step may lie at the limit to the last digit
    assert (labels != own).sum() <= 1e-4 * own.size
    assert labels.max() == own.max()


@pytest.mark.parametrize("looks", [1.0, 7.3, 60.0, 300.0])
def test_the_odds_are_those_of_the_density_of_the_phase(looks):
    """Lee et al. 1994, with Gauss's function as SciPy has it, summed by Gauss's rule."""

    def density(phase, coherence):
        beta = coherence * np.cos(phase)
        scale = looks * np.log1p(-(coherence**2)) - (looks + 0.5) * np.log1p(-(beta**2))
        first = np.sqrt(np.pi) * np.exp(gammaln(looks + 0.5) - gammaln(looks)) * beta * np.exp(scale)
        return (first + np.exp(scale) * hyp2f1(0.5 - looks, -0.5, 0.5, beta**2)) / (2 * np.pi)

    nodes, shares = np.polynomial.legendre.leggauss(200)
    table = components.costs(looks)
    for row in (0, 10, 25, 50):
        for column in (25, 100, 200, 250):
            half = column / 250 * np.pi / 2
            turned = half * (shares @ density(-np.pi + half * (1 + nodes), row / 100 * 0.999))
            if turned > 1e-11:  # below, the terms of the density cancel
                assert table[row, column] == pytest.approx(min(np.log((1 - turned) / turned), 50), rel=2e-3, abs=2e-4)


def test_small_components_are_left_out_and_the_largest_comes_first():
    labels = np.zeros((60, 60), np.int32)
    labels[:9, :11], labels[20:30, :10], labels[40:, :30] = 1, 2, 3
    found = components._largest_first(labels, 3, 3600)
    assert [found[0, 0], found[20, 0], found[40, 0]] == [0, 2, 1]  # 99, 100 and 600 pixels
    assert not components._largest_first(labels, 3, 10_000_000).any()  # 1000 are wanted of so many


def test_what_whirlwind_says_of_a_fault_is_told(capfd):
    with pytest.raises(RuntimeError, match=r"whirlwind: .*nlooks"):
        unwrap(np.zeros((40, 40), np.float32), np.full((40, 40), 0.5, np.float32), 0.5)
    assert capfd.readouterr().err == ""
