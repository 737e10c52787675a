"""Linked phases through torch are the kernel's; without a GPU asking for one is one sentence."""

import numpy as np
import pytest

from deformation.test_phase_linking_driver import days_of, linking, write_slcs
from helpers.speckle_stacks import coherence_of, speckle
from slipmap.deformation.interferogram import window_weights
from slipmap.deformation.phase_linking import driver, on_device
from slipmap.deformation.phase_linking.link import link
from slipmap.errors import InputError


@pytest.fixture
def on_torchs_cpu(monkeypatch):
    """What runs on a GPU runs on torch's CPU device."""
    original = on_device.phases
    monkeypatch.setattr(on_device, "phases", lambda *given, **options: original(*given, **options, device="cpu"))


@pytest.mark.parametrize("estimator", ["emi", "evd"])
@pytest.mark.parametrize("some", [False, True])
def test_torch_gives_what_the_kernel_gives(on_torchs_cpu, estimator, some):
    samples = speckle(coherence_of(16), 20, 36)
    samples[3, :, 20:] = np.nan
    samples[0, 12:] = 0
    samples[:, :4, :8] = 0
    chosen = np.random.default_rng(0).random((25, 20, 36)) < 0.7 if some else None
    weights, found = window_weights(5, "triangular"), []
    for device in ("cpu", "gpu"):
        found.append(link(samples, weights, estimator=estimator, chosen=chosen, looks=4.0, device=device))
    ours, theirs = found
    apart = np.angle(ours.phasors * theirs.phasors.conj() + 0)  # of minus zero it would be half a turn
    assert (np.sqrt(np.mean(apart**2, axis=0)) <= 1e-3).mean() >= 0.995
    np.testing.assert_array_equal(np.abs(ours.phasors) > 0.5, np.abs(theirs.phasors) > 0.5)
    np.testing.assert_allclose(theirs.fit, ours.fit, atol=1e-3)
    np.testing.assert_allclose(theirs.bound, ours.bound, rtol=5e-3, atol=1e-4)
    np.testing.assert_allclose(theirs.blend, ours.blend, atol=1e-6)


def test_blend_is_raised_alike(on_torchs_cpu):
    samples, weights = speckle(coherence_of(24, 20.0, 0.4, 0.0), 12, 32, looks=2), window_weights(3, "plain")
    ours, theirs = (link(samples, weights, regularisation=0.05, bound=False, device=d) for d in ("cpu", "gpu"))
    assert (ours.blend > 0.06).mean() > 0.1
    assert (np.abs(theirs.blend - ours.blend) < 1e-5).mean() > 0.99  # float32: a pivot may lie just at the limit


def test_without_a_gpu_it_is_one_sentence(tmp_path):
    files = write_slcs(tmp_path / "slc", speckle(coherence_of(3), 8, 20), days_of(3))
    with pytest.raises(InputError, match="device is gpu, but torch finds none here; set it to cpu"):
        driver.run(files, linking(device="gpu"), tmp_path / "linked")
