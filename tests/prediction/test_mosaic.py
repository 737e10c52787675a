"""The map has no seam: what a model says of a pixel does not depend on where tiles lie."""

import numpy as np
import pytest
import torch

from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches.normalisation import BandStatistics, Statistics
from slipmap.prediction.ensemble import Ensemble
from slipmap.prediction.mosaic import strips
from slipmap.prediction.reader import FactorReader
from slipmap.prediction.tiles import Tiling, reflected
from slipmap.training.calibration import Calibration

STATISTICS = Statistics("zscore", (BandStatistics("slope", units="degrees", count=9, mean=0.0, std=1.0),)).as_dict()


def area(tmp_path, height, width, holes=True):
    grid = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000 - 10 * height, 500000 + 10 * width, 5000000))
    values = np.random.default_rng(height * width).uniform(0.05, 0.95, grid.shape).astype(np.float32)
    if holes:
        values[height // 3 : height // 3 + 2, width // 2 :] = np.nan
    path = tmp_path / "slope.tif"
    raster.write(path, grid, values, bands=["slope"], units="degrees", long_name="slope")
    return grid, values, path


def mosaic(grid, path, predictor, tile, overlap):
    mean = np.full(grid.shape, -1.0)
    spread = np.full(grid.shape, -1.0)
    count = np.zeros(grid.shape, int)
    with FactorReader({"slope": path}, ["slope"], STATISTICS, grid) as reader:
        for strip in strips(reader, predictor, Tiling(*grid.shape, tile, overlap)):
            rows, cols = strip.window.toslices()
            mean[rows, cols], spread[rows, cols] = strip.mean, strip.spread
            count[rows, cols] += 1
    assert (count == 1).all(), "every pixel exactly once"
    return mean, spread


def identity(tiles):
    return tiles[:, 0], tiles[:, 0] ** 2


SIZES = [(64, 64, 32, 16), (131, 77, 48, 20), (20, 300, 64, 32), (17, 13, 64, 40), (100, 101, 32, 0), (1, 50, 32, 8)]


@pytest.mark.parametrize(("height", "width", "tile", "overlap"), SIZES)
def test_a_model_that_returns_its_input_gives_the_input_back(tmp_path, height, width, tile, overlap):
    grid, values, path = area(tmp_path, height, width)
    mean, spread = mosaic(grid, path, identity, tile, overlap)
    np.testing.assert_allclose(mean, values, rtol=3e-7)  # nodata holes included
    assert np.nanmax(spread) < 1e-3


@pytest.mark.parametrize(("height", "width", "tile", "overlap"), SIZES)
def test_a_constant_model_gives_a_constant_map(tmp_path, height, width, tile, overlap):
    grid, values, path = area(tmp_path, height, width)
    constant = 0.3
    mean, _ = mosaic(grid, path, lambda t: (torch.full_like(t[:, 0], constant),) * 2, tile, overlap)
    known = np.isfinite(values)
    assert np.unique(mean[known].astype(np.float32)).tolist() == [np.float32(constant)]
    assert np.isnan(mean[~known]).all()


def test_a_local_model_sees_the_same_ground_whatever_the_tiles(tmp_path):
    """A 5 × 5 mean needs its neighbours: with enough overlap the map equals the filter run over the whole area."""
    from scipy.ndimage import uniform_filter

    grid, values, path = area(tmp_path, 90, 110, holes=False)

    def blur(tiles):
        mean = torch.nn.functional.avg_pool2d(tiles, 5, 1, 2, count_include_pad=False)[:, 0]
        # tile edges lack context: a real model's do too, and the blend must not let them through undamped
        return mean, mean**2

    expected = uniform_filter(values, 5, mode="mirror")
    fine, _ = mosaic(grid, path, blur, 64, 48)
    error_fine = np.abs(fine - expected).max()
    coarse, _ = mosaic(grid, path, blur, 64, 0)
    assert error_fine < 0.25 * np.abs(coarse - expected).max()


def test_weights_are_positive_and_sum_to_one_where_tiles_meet():
    tiling = Tiling(500, 500, 64, 24)
    line = tiling.window()[32]
    assert (tiling.window() > 0).all()
    np.testing.assert_allclose(line[-24:] + line[:24], 1.0, atol=1e-6)


@pytest.mark.parametrize("length", [1, 2, 5, 40])
def test_reflection_is_numpys(length):
    line = np.arange(length)
    padded = np.pad(line, 30, mode="reflect") if length > 1 else np.zeros(61, int)
    np.testing.assert_array_equal(line[reflected(-30, length + 60, length)], padded)


def test_spread_is_the_standard_deviation_over_members(tmp_path):
    grid, _, path = area(tmp_path, 40, 40, holes=False)

    class Fixed(torch.nn.Module):
        def __init__(self, p):
            super().__init__()
            self.logit = float(np.log(p / (1 - p)))

        def forward(self, x):
            return torch.full_like(x[:, :1], self.logit)

    members = [(Fixed(0.2), Calibration()), (Fixed(0.6), Calibration())]
    mean, spread = mosaic(grid, path, Ensemble(members, flips=True), 32, 16)
    np.testing.assert_allclose(mean, 0.4, atol=1e-6)
    np.testing.assert_allclose(spread, 0.2, atol=1e-6)


def test_mirrored_views_are_mirrored_back(tmp_path):
    grid, values, path = area(tmp_path, 40, 56, holes=False)

    class Logit(torch.nn.Module):
        def forward(self, x):
            return torch.logit(x)

    mean, spread = mosaic(grid, path, Ensemble([(Logit(), Calibration())], flips=True), 32, 16)
    np.testing.assert_allclose(mean, values, atol=1e-5)
    assert spread.max() < 1e-2


def test_missing_factor_and_other_units_are_sentences(tmp_path):
    grid, _, path = area(tmp_path, 20, 20)
    with pytest.raises(InputError, match="need the factor 'slope', which this area does not have"):
        FactorReader({"aspect": path}, ["slope"], STATISTICS, grid)
    radians = tmp_path / "radians.tif"
    raster.write(radians, grid, np.zeros(grid.shape, np.float32), bands=["slope"], units="radians", long_name="slope")
    with pytest.raises(InputError, match="is in radians, but the weights were trained with 'slope' in degrees"):
        FactorReader({"slope": radians}, ["slope"], STATISTICS, grid)
    shifted = Grid.from_bounds("EPSG:32632", 10, (500010, 5000000 - 200, 500210, 5000000))
    with pytest.raises(InputError, match="does not lie on the area's grid"):
        FactorReader({"slope": path}, ["slope"], STATISTICS, shifted)
