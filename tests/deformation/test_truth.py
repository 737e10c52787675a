"""Figures of simulated truth: coverage of intervals and DEM error, on rasters whose answers are known."""

import numpy as np
import pytest

from benchmarks import demo_intervals
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.report import deformation_truth

GRID = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 506000, 5004000))  # 600 x 400


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """Errors are normal; the standard deviation is told right on the left half and half as large on the right."""
    folder, rng = tmp_path_factory.mktemp("truth"), np.random.default_rng(0)
    truth = rng.normal(0, 5, GRID.shape)
    deviation = np.full(GRID.shape, 2.0)
    deviation[:, 300:] = 1.0
    dem_truth = rng.normal(0, 4, GRID.shape)
    mask = np.ones(GRID.shape)
    mask[:100] = 0
    fields = {
        "velocity": truth + rng.normal(0, 2, GRID.shape),
        "velocity_std": deviation,
        "mask": mask,
        "dem_error": 0.8 * dem_truth + 7 + rng.normal(0, 3, GRID.shape),
        "truth": truth,
        "dem_truth": dem_truth,
    }
    fields["velocity"][:100] += 1000  # ground that is not reliable does not count
    for name, values in fields.items():
        raster.write(folder / f"{name}.tif", GRID, values, bands=[name], units="1", long_name=name)
    return {name: folder / f"{name}.tif" for name in fields}


def test_coverage_is_that_of_the_normal_distribution(products):
    table = deformation_truth.interval_coverage(products, products["truth"]).set_index("nominal")
    assert table["pixels"].iloc[0] == 300 * 600
    # 95 % where the deviation is right, P(|z| < 0.98) = 67.3 % where it is half of that.
    assert table.loc[0.95, "measured"] == pytest.approx((0.95 + 0.6729) / 2, abs=0.003)
    assert table.loc[0.5, "measured"] == pytest.approx((0.5 + 0.2641) / 2, abs=0.003)


def test_dem_errors_by_class_have_their_slope_and_spread(products):
    table = deformation_truth.dem_errors(products, products["dem_truth"])
    # Of 7 m that the reference adds everywhere nothing is left.
    assert np.average(table["estimated"] - table["true"], weights=table["pixels"]) == pytest.approx(0, abs=1e-9)
    slope = np.polyfit(table["true"], table["estimated"], 1, w=np.sqrt(table["pixels"]))[0]
    assert slope == pytest.approx(0.8, abs=0.01)
    middle = table[table["true"].abs() < 3]
    np.testing.assert_allclose(middle["deviation"], np.hypot(3, 0.8 * 2 / np.sqrt(12)), rtol=0.05)


def test_charts_say_the_numbers(products):
    tables = {
        "velocity_intervals": deformation_truth.interval_coverage(products, products["truth"]),
        "dem_error_truth": deformation_truth.dem_errors(products, products["dem_truth"]),
    }
    captions = [made["caption"] for made in deformation_truth.charts(tables)]
    assert "95 % intervals hold the simulated truth at 81% of pixels" in captions[0] and "slope 0.80" in captions[1]
    assert deformation_truth.charts({}) == []


def test_areas_are_pooled_without_the_error_of_their_reference(tmp_path):
    """Two simulated areas: errors as large as their standard deviation says, but for a reference that is off in one."""
    rng, moving = np.random.default_rng(3), np.zeros(GRID.shape)
    moving[:, 400:] = -20.0
    for name, off in (("a", 0.0), ("b", 9.0)):
        folder, truth = tmp_path / name / "results/demo/deformation", tmp_path / name / "resources/demo/truth"
        deviation = np.where(moving < 0, 3.0, 2.0)
        error = rng.normal(0, deviation) + np.where(moving < 0, 1.5, 0.0)
        layers = {"velocity": moving + off + error, "velocity_std": deviation, "mask": np.ones(GRID.shape)}
        for layer, values in layers.items():
            raster.write(folder / f"{layer}.tif", GRID, values, bands=[layer], units="1", long_name=layer)
        raster.write(truth / "velocity_los.tif", GRID, moving, bands=["v"], units="mm/yr", long_name="truth")
    found = demo_intervals.judge([tmp_path / "a", tmp_path / "b"])
    still, movers = found["still"], found["movers"]
    assert (still["pixels"], movers["pixels"]) == (2 * 400 * 400, 2 * 400 * 200)
    assert still["held_95"] == pytest.approx(0.95, abs=0.005) and still["held_50"] == pytest.approx(0.5, abs=0.01)
    assert still["reliable"] == movers["reliable"] == 1 and found["all"]["pixels"] == 2 * GRID.width * GRID.height
    assert found["all"]["slope"] == pytest.approx(18.5 / 20, abs=0.005)  # 1.5 of 20 mm/yr are missing
    assert still["sigma_over_rms"] == pytest.approx(1, abs=0.01)
    assert movers["bias_of_speed"] == pytest.approx(-1.5, abs=0.05)  # towards zero
    assert movers["rms_error"] == pytest.approx(np.hypot(3, 1.5), abs=0.05)
