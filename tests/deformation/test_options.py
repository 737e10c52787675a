"""Every setting of the inversion reaches the numbers: the simulated stack of the chain, one option changed."""

import json

import numpy as np
import pytest
import xarray
from scipy.stats import linregress

from deformation.test_chain import DATES, GRID, SHAPE, STABLE, process, spoil, truth, write_stack
from slipmap.config.deformation import DeformationSettings
from slipmap.deformation import invert_network, reference
from slipmap.deformation.velocity import fit, time_model
from slipmap.io import raster

SPOILT = f"{DATES[9]:%Y%m%d}_{DATES[10]:%Y%m%d}"
PLAIN = dict(reference_point=STABLE, unwrapping_error_correction=False)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """As in the chain, one of its interferograms being noise of low coherence."""
    folder = tmp_path_factory.mktemp("options")
    write_stack(folder)
    spoil(folder, SPOILT, 0.25)
    return folder


def layer(folder, name):
    return raster.read(folder / f"{name}.tif", bands=1)


def test_weights_keep_a_noisy_interferogram_from_doing_harm(stack, tmp_path):
    velocity, _ = truth()
    off = {}
    for weights in ("variance", "coherence", "none"):
        difference = process(stack, tmp_path, weights=weights, **PLAIN) - velocity
        off[weights] = (difference - np.median(difference)).std()
    assert off["variance"] < off["coherence"] < off["none"]
    assert off["none"] > 1.2 * off["variance"]


def test_a_phase_of_low_coherence_is_a_gap_if_asked(stack, tmp_path):
    process(stack, tmp_path, **PLAIN)
    whole = layer(tmp_path, "interferograms_used")
    found = process(stack, tmp_path, min_coherence=0.3, **PLAIN)
    np.testing.assert_array_equal(layer(tmp_path, "interferograms_used"), whole - 1)
    # As if the noisy pair had been left out as a whole.
    left_out = process(stack, tmp_path, min_pair_coherence=0.3, **PLAIN)
    np.testing.assert_allclose(found, left_out, atol=1e-3)


def test_velocity_is_masked_if_asked(stack, tmp_path):
    limit = dict(min_temporal_coherence=0.975)
    assert np.isfinite(process(stack, tmp_path, **limit, **PLAIN)).all()
    found = process(stack, tmp_path, mask_velocity=True, **limit, **PLAIN)
    reliable = layer(tmp_path, "temporal_coherence") >= 0.975
    assert 0.02 < reliable.mean() < 0.98
    np.testing.assert_array_equal(np.isfinite(found), reliable)
    np.testing.assert_array_equal(layer(tmp_path, "mask") == 1, reliable)


def test_radius_of_the_reference(stack, tmp_path):
    for radius, pixels in ((0, 0), (200, 4)):
        found = process(stack, tmp_path, reference_radius=radius, dem_error=False, **PLAIN)
        point = json.loads((tmp_path / "reference.json").read_text())
        assert point["radius"] == pixels
        rows, cols = (slice(point[at] - pixels, point[at] + pixels + 1) for at in ("row", "col"))
        assert found[rows, cols].mean() == pytest.approx(0, abs=1e-3)
    assert abs(found[point["row"], point["col"]]) > 0.01


def test_reference_is_chosen_away_from_the_edge_and_where_all_pairs_see_it():
    coherence, share = np.full(SHAPE, 0.5), np.ones(SHAPE)
    coherence[:2] = 0.99
    coherence[20:27, 30:37], coherence[40:47, 60:67] = 0.8, 0.9
    share[40:47, 60:67] = 0.97
    for radius in (0, 2):
        point = reference.choose(GRID, coherence, share, radius)
        assert 20 + radius <= point.row < 27 - radius and 30 + radius <= point.col < 37 - radius
        assert point.how == "chosen" and point.mean_coherence == 0.8
    assert reference.choose(GRID, np.where(coherence == 0.99, 0.99, 0.0), share, 0).row < 2  # there is nothing else


def test_velocity_is_that_of_linregress():
    model = time_model(DATES)
    series = np.random.default_rng(1).normal(0, 3, (len(DATES), 5))
    for found, values in zip(fit(model, series)[1], series.T, strict=True):
        assert found == pytest.approx(linregress(model.design[:, 1], values).slope)


def test_bootstrap_replaces_the_formula(stack, tmp_path):
    process(stack, tmp_path, weights="none", **PLAIN)
    formula = layer(tmp_path, "velocity_std")
    moved = formula > 0  # the reference does not
    process(stack, tmp_path, weights="none", bootstrap=100, **PLAIN)
    ratio = layer(tmp_path, "velocity_std")[moved] / formula[moved]
    assert moved.mean() > 0.99
    assert np.median(ratio) == pytest.approx(1, abs=0.15) and ratio.std() > 0.02


def test_decorrelation_is_in_the_standard_deviation(stack, tmp_path):
    """Fewer looks mean noisier phases and a wider interval."""
    process(stack, tmp_path, **PLAIN)
    tables, medians = [tmp_path / name for name in ("network.csv", "stack.json")], []
    for looks in (5, 50):
        invert_network.run(*tables, [], DeformationSettings(**PLAIN), tmp_path, looks=looks)
        medians.append(np.median(layer(tmp_path, "velocity_std")))
    assert medians[0] > 1.05 * medians[1]


def test_annual_cycle_and_step_are_in_the_model_of_time(stack, tmp_path):
    """The velocity is that of least squares on the very series beside it."""
    step = DATES[12]
    found = process(stack, tmp_path, annual=True, steps=[step], dem_error=False, **PLAIN)
    t = np.array([(day - DATES[0]).days / 365.25 for day in DATES])
    columns = [np.ones_like(t), t, np.cos(2 * np.pi * t), np.sin(2 * np.pi * t), [day >= step for day in DATES]]
    with xarray.open_dataset(tmp_path / "timeseries.nc", engine="h5netcdf") as series:
        displacement = series["displacement"].values.astype(np.float64)
    solved = np.linalg.lstsq(np.stack(columns, axis=1).astype(float), displacement.reshape(len(t), -1), rcond=None)[0]
    np.testing.assert_allclose(found.ravel(), solved[1], atol=1e-2)
    assert np.abs(found - process(stack, tmp_path, dem_error=False, **PLAIN)).max() > 5
    assert np.isnan(layer(tmp_path, "dem_error")).all()


def test_what_is_removed_from_each_date(stack, tmp_path):
    terms = {}
    for name, options in {
        "none": {"deramp": "none"},
        "quadratic": {"deramp": "quadratic"},
        "all moves": {"moving_velocity": 0.01},
    }.items():
        process(stack, tmp_path, **options, **PLAIN)
        terms[name] = json.loads((tmp_path / "reference.json").read_text())["removed"]
    assert terms == {"none": [], "quadratic": ["1", "x", "y", "xx", "xy", "yy"], "all moves": []}
