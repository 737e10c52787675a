"""Closures and eigenvalues of Γ, written on request, against NumPy's in float64."""

import numpy as np
import pytest
import rasterio

from deformation.test_phase_linking_driver import days_of, linking, write_slcs
from helpers.speckle_stacks import coherence_of, matrix_of, speckle
from slipmap.deformation.interferogram import window_weights
from slipmap.deformation.phase_linking import driver
from slipmap.deformation.phase_linking.spectrum import described
from slipmap.io import raster


def closure_of(gamma):
    """Root mean square of the closures of dates next to each other, by interferogram phases."""
    phase = np.angle(gamma)
    found = [np.exp(1j * (phase[k, k + 1] + phase[k + 1, k + 2] + phase[k + 2, k])) for k in range(len(gamma) - 2)]
    return np.sqrt(np.mean(np.angle(found) ** 2))


@pytest.mark.parametrize("some", [False, True])
def test_they_are_those_of_each_pixels_matrix(some, monkeypatch):
    monkeypatch.setattr("slipmap.deformation.phase_linking.spectrum.BAND_BYTES", 40_000)  # bands of a few rows
    samples, weights = speckle(coherence_of(9, 24.0, 0.6, 0.1), 11, 14), window_weights(5, "triangular")
    chosen = np.random.default_rng(0).random((25, 11, 14)) < 0.7 if some else None
    closure, largest = described(samples, weights, chosen, closure=0, eigenvalues=3)
    assert closure.shape == (11, 14) and largest.shape == (3, 11, 14)
    for r in range(11):
        for c in range(14):
            gamma = matrix_of(samples, weights, r, c, chosen)
            np.testing.assert_allclose(largest[:, r, c], np.linalg.eigvalsh(gamma)[::-1][:3], rtol=1e-4)
            assert closure[r, c] == pytest.approx(closure_of(gamma), abs=1e-3)


def test_one_look_closes_and_ground_that_one_scatterer_explains_has_one_eigenvalue():
    one = np.ones(1, np.float32)
    closure, largest = described(speckle(np.eye(7), 4, 5, looks=1), one, None, closure=0, eigenvalues=2)
    np.testing.assert_allclose(closure, 0, atol=1e-5)
    np.testing.assert_allclose(largest[0], 7, rtol=1e-5)
    np.testing.assert_allclose(largest[1], 0, atol=1e-5)


def test_a_date_without_data_counts_in_neither():
    samples, weights = speckle(coherence_of(8), 6, 9), window_weights(3, "plain")
    alone = described(samples[:7], weights, None, closure=0, eigenvalues=3)
    samples[7] = np.nan
    with_gap = described(samples, weights, None, closure=0, eigenvalues=3)
    for found, expected in zip(with_gap, alone, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4)
    samples[:6] = 0
    assert np.isnan(described(samples, weights, None, closure=0, eigenvalues=0)[0]).all()


def test_they_are_written_when_asked_for(tmp_path):
    samples, days = speckle(coherence_of(4, 24.0, 0.6, 0.1), 24, 30), days_of(4)
    samples[:, :, :6] = 0
    files = write_slcs(tmp_path / "slc", samples, days)
    driver.run(files, linking(closure=True, eigenvalues=5), tmp_path / "linked")
    closure, largest = described(samples, window_weights(5, "triangular"), None, closure=0, eigenvalues=4)
    ground = np.isfinite(raster.read(tmp_path / "linked/quality.tif", bands=1))
    assert ground[:, 6:].all() and not ground[:, :4].any()
    written = raster.read(tmp_path / "linked/closure.tif")
    np.testing.assert_allclose(np.squeeze(written), np.where(ground, closure, np.nan), atol=1e-4)
    np.testing.assert_allclose(
        raster.read(tmp_path / "linked/eigenvalues.tif"), np.where(ground, largest, np.nan), rtol=1e-4
    )
    with rasterio.open(tmp_path / "linked/eigenvalues.tif") as source:
        assert source.descriptions == ("eigenvalue_1", "eigenvalue_2", "eigenvalue_3", "eigenvalue_4")  # of 4 dates
    driver.run(files, linking(), tmp_path / "plain")
    assert {file.name for file in (tmp_path / "linked").iterdir()} - {"closure.tif", "eigenvalues.tif"} == {
        file.name for file in (tmp_path / "plain").iterdir()
    }
