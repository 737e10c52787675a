"""What averaging over neighbours hides of motion: its share of the velocity's standard deviation."""

import numpy as np
import pytest
import xarray
from scipy import ndimage

from deformation.test_chain import SHAPE, process, write_stack
from slipmap.deformation import averaging, coherent_network
from slipmap.deformation.interferogram import triangle, weighted_sum
from slipmap.deformation.stack import Pair
from slipmap.io import raster

TRIANGLE = triangle(3)


def averaged(velocity, rng, looks=4, noise=2.0):
    """Velocity as an average over neighbours finds it: speckle's power weighs, as it does in an interferogram.

    A resolution cell of Sentinel-1 is about 20 m long along the track, wider than a pixel of 12.5 m, and speckle moves
    its centre: what the window averages is smooth already.
    """
    power = rng.gamma(looks, 1 / looks, velocity.shape)
    velocity = ndimage.gaussian_filter(velocity, (0.75, 0.5))
    error = rng.normal(0, noise, velocity.shape)
    one = TRIANGLE / TRIANGLE.sum()
    return weighted_sum(power * velocity, one) / weighted_sum(power, one) + weighted_sum(error, one)


def slides(rng, side=240):
    """Movers of 5 to 60 mm/yr with edges of two pixels, a few pixels across, on ground that stands still."""
    velocity = np.zeros((side, side))
    rows, cols = np.mgrid[:side, :side]
    for _ in range(40):
        row, col = rng.uniform(8, side - 8, 2)
        distance = np.hypot((rows - row) / rng.uniform(3, 8), (cols - col) / rng.uniform(3, 8))
        velocity -= rng.uniform(5, 60) * np.clip((1 - distance) * 2, 0, 1)
    return velocity


@pytest.mark.parametrize("seed", [1, 2])
def test_intervals_hold_the_truth_of_movers_and_of_still_ground(seed):
    rng = np.random.default_rng(seed)
    truth = slides(rng)
    found = averaged(truth, rng)
    noise = 2.0**2 * (np.sum(TRIANGLE**2) / TRIANGLE.sum() ** 2) ** 2
    total = np.sqrt(noise + averaging.spread(found, np.full(truth.shape, noise), TRIANGLE))
    moving, still = np.abs(truth) > 10, truth == 0
    away = np.abs(found - truth)
    assert np.mean(away[moving] <= 1.96 * np.sqrt(noise)) < 0.75  # noise alone does not explain the movers' errors
    assert np.mean(away[moving] <= 1.96 * total[moving]) >= 0.85
    assert 0.93 <= np.mean(away[still] <= 1.96 * total[still]) <= 0.97
    assert np.median(total[still]) <= 1.1 * np.sqrt(noise)


@pytest.mark.parametrize("window", [3, 5, 7])
def test_noise_alone_spreads_inside_the_window_as_foretold(window):
    rng, weights = np.random.default_rng(0), triangle(window)
    one = weights / weights.sum()
    noise = weighted_sum(rng.normal(0, 1, (300, 300)), one)
    mean, square = (weighted_sum(a, one) for a in (noise, noise**2))
    inner = slice(window, -window)
    share = (square - mean**2)[inner, inner].mean() / noise[inner, inner].var()
    assert averaging.independence(weights) == pytest.approx(share, rel=0.02)


def test_of_a_plane_the_spread_is_the_gradient_times_the_windows_width():
    """Weights 1 2 1 have the variance ½ px²: the spread of a gradient g is g²/2."""
    plane = np.tile(7.0 * np.arange(12.0), (9, 1))
    found = averaging.spread(plane, np.zeros(plane.shape), TRIANGLE)
    np.testing.assert_allclose(found[1:-1, 1:-1], 7.0**2 / 2)


def test_missing_neighbours_hide_nothing():
    velocity, noise = np.zeros((5, 5)), np.ones((5, 5))
    velocity[2, 3], noise[2, 3] = np.nan, np.nan
    assert (averaging.spread(velocity, noise, TRIANGLE) == 0).all()
    assert (averaging.spread(np.eye(5) * 9, noise, averaging.NOTHING) == 0).all()


def test_weights_are_those_of_whoever_averaged():
    def pair(**files):
        return [Pair(None, None, None, files)]

    assert averaging.weights_of(pair(reference="a", secondary="b"), 3, None).tolist() == [1, 2, 1]
    assert averaging.weights_of(pair(unwrapped="a"), 3, None).tolist() == [1]
    linked = pair(reference="a", secondary="b")
    assert averaging.weights_of(linked, 3, (5, "triangular")).tolist() == [1, 2, 3, 2, 1]
    assert averaging.weights_of(linked, 3, (5, "plain")).tolist() == [1] * 5


def test_products_hold_it_and_blocks_make_no_difference(tmp_path, monkeypatch):
    folder = tmp_path / "stack"
    write_stack(folder)

    def layers():
        return [
            raster.read(tmp_path / f"{name}.tif", bands=1) for name in ("velocity", "velocity_std", "averaging_std")
        ]

    process(folder, tmp_path, dem_error=False)
    _, alone, nothing = layers()
    assert nothing.max() == 0
    monkeypatch.setattr(averaging, "weights_of", lambda *given: TRIANGLE)
    process(folder, tmp_path, dem_error=False)
    _, total, hidden = layers()
    np.testing.assert_allclose(total, np.hypot(alone, hidden), rtol=1e-5)
    rows, cols = np.mgrid[: SHAPE[0], : SHAPE[1]]
    away = np.hypot(rows - 30, cols - 50)
    assert hidden[(away > 3) & (away < 8)].min() > 2 and np.median(hidden[away > 20]) < 0.5
    monkeypatch.setattr(coherent_network, "BLOCK_BYTES", 1)  # blocks of 64 pixels
    process(folder, tmp_path, dem_error=False, max_reference_distance=1.0, mask_velocity=True)
    masked, total, hidden = layers()
    assert np.isnan(masked).any() and np.isfinite(hidden).all()
    with xarray.open_dataset(tmp_path / "timeseries.nc", engine="h5netcdf") as series:
        velocity, noise = (series[name].values.astype(float) for name in ("velocity", "noise_std"))
    expected = averaging.spread(velocity, noise**2, TRIANGLE)
    np.testing.assert_allclose(hidden, np.sqrt(expected), atol=1e-4)
    np.testing.assert_allclose(total, np.sqrt(noise**2 + expected), rtol=1e-5)
