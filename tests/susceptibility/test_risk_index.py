"""Landslide Risk Index: hand-computed cases, its limits, rain, weights, classes and maps."""

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pydantic import ValidationError
from scipy.stats import ConstantInputWarning, spearmanr

from slipmap.config.susceptibility import RainSettings, RiskIndexSettings
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.susceptibility import risk_map
from slipmap.susceptibility.risk_index import (
    ROLES,
    TABLE_1,
    best_threshold,
    rain_multiplier,
    risk_index,
    spearman_weights,
    unit_range,
    weighted_sum,
)

GRID = Grid("EPSG:32632", Affine(10, 0, 0, 0, -10, 0), 70, 60)


def test_rain_multiplier_by_hand() -> None:
    """P twice and D thrice the reference: 2^1.2 · 3^0.8 = 2.29740 · 2.40822."""
    assert rain_multiplier(10, 6, 5, 2) == pytest.approx(2.29740 * 2.40822, rel=1e-5)
    assert rain_multiplier(5, 2, 5, 2) == 1
    assert rain_multiplier(0, 6, 5, 2) == 0 == rain_multiplier(5, 0, 5, 2)
    with pytest.raises(ValueError, match="cannot be negative"):
        rain_multiplier(np.array([1.0, -1.0]), 2, 5, 2)


def test_index_by_hand() -> None:
    """0.25·0.8 + 0.15·0.5 − 0.2·0.6 + 0.2·0.3 + 0.1·0.4 + 0.1·0.2 = 0.275; σ(0.275) = 0.568320."""
    x = np.array([0.8, 0.5, 0.6, 0.3, 0.4, 0.2])
    assert weighted_sum(x) == pytest.approx(0.275)
    assert risk_index(x) == pytest.approx(0.568320, abs=5e-7)
    assert risk_index(x, rain=2.0) == pytest.approx(1 / (1 + np.exp(-0.55)))


def test_limits_without_rain() -> None:
    """models.md §5: weights sum to 0.6, the argument is at least −0.2, LSI lies in about [0.45, 0.69]."""
    assert sum(TABLE_1.values()) == pytest.approx(0.6)
    corners = np.array(np.meshgrid(*[[0, 1]] * 6)).reshape(6, -1)
    assert weighted_sum(corners).min() == pytest.approx(-0.2) and weighted_sum(corners).max() == pytest.approx(0.8)
    index = risk_index(corners)
    assert index.min() == pytest.approx(0.4502, abs=5e-5) and index.max() == pytest.approx(0.6900, abs=5e-5)


def test_no_rain_is_one_half_everywhere() -> None:
    """P or D = 0: R = 0 and every pixel is "medium", whatever its slope."""
    x = np.random.default_rng(0).random((6, 4, 5))
    np.testing.assert_array_equal(risk_index(x, rain=rain_multiplier(np.zeros((4, 5)), 3.0, 5, 2)), 0.5)


def test_each_factor_pushes_the_way_of_its_weight() -> None:
    base = np.full(6, 0.5)
    for i, role in enumerate(ROLES):
        more = base.copy()
        more[i] = 0.9
        assert (risk_index(more) > risk_index(base)) == (role != "ndvi")


def test_more_rain_only_raises_what_is_above_one_half() -> None:
    high, low = np.array([1, 1, 0, 1, 1, 1.0]), np.array([0, 0, 1, 0, 0, 0.0])
    assert risk_index(high, rain=3) > risk_index(high) and risk_index(low, rain=3) < risk_index(low)


def test_unit_range_clips_and_keeps_nan() -> None:
    np.testing.assert_allclose(unit_range(np.array([-5, 0, 5, 20, np.nan]), 0, 10), [0, 0, 0.5, 1, np.nan])
    np.testing.assert_allclose(unit_range(np.array([3.0, np.nan]), 3, 3), [0, np.nan])


def test_spearman_weights_have_the_sum_and_the_signs() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(500, 6))
    labels = (values[:, 0] - values[:, 2] + rng.normal(size=500) > 0).astype(int)
    values[:, 5] = 1.0  # constant: no correlation, no weight
    with pytest.warns(ConstantInputWarning):
        weights = spearman_weights(values, labels)
    assert sum(abs(w) for w in weights.values()) == pytest.approx(1) and weights["ndbi"] == 0
    assert weights["slope"] > 0 > weights["ndvi"]
    ratio = spearmanr(values[:, 0], labels).statistic / spearmanr(values[:, 2], labels).statistic
    assert weights["slope"] / weights["ndvi"] == pytest.approx(ratio)


def test_best_threshold_is_the_best_of_all() -> None:
    rng = np.random.default_rng(3)
    index = rng.random(200).round(2)
    labels = (index + rng.normal(scale=0.3, size=200) > 0.6).astype(int)
    tried = [np.mean((index >= t) == (labels == 1)) for t in np.append(np.unique(index), 2)]
    assert np.mean((index >= best_threshold(index, labels)) == (labels == 1)) == pytest.approx(max(tried))
    assert (index < best_threshold(index, np.zeros(200, int))).all()


def test_reference_rain_is_required() -> None:
    with pytest.raises(ValidationError, match="reference_intensity"):
        RainSettings(reference_duration=1)
    with pytest.raises(ValidationError, match="weights must name all"):
        RiskIndexSettings(weights={"slope": 1.0})


@pytest.fixture
def factors(tmp_path: Path) -> dict[str, Path]:
    rng = np.random.default_rng(5)
    units = {"slope": 40, "elevation": 900, "ndvi": 1, "ndwi": 1, "soil_moisture": 0.4, "ndbi": 1, "rain": 12}
    paths = {}
    for name, scale in units.items():
        array = (rng.random(GRID.shape) * scale).astype(np.float32)
        array[:2, :2] = np.nan
        paths[name] = tmp_path / f"{name}.tif"
        raster.write(paths[name], GRID, array, bands=[name], units="1", long_name=name)
    return paths


def _uint8(path: Path, array: np.ndarray) -> Path:
    raster.write(path, GRID, array, bands=[path.stem], units="1", long_name=path.stem, dtype="uint8")
    return path


def _map(factors: dict[str, Path], tmp_path: Path, **options: object) -> tuple[np.ndarray, np.ndarray]:
    settings = {key: options.pop(key) for key in list(options) if key not in ("inventory", "split")}
    risk_map.map_risk_index(factors, settings, tmp_path / "lsi.tif", tmp_path / "class.tif", **options)
    return raster.read(tmp_path / "lsi.tif", bands=1), raster.read(tmp_path / "class.tif", bands=1)


def test_map_equals_the_equation_on_the_whole_array(factors: dict[str, Path], tmp_path: Path) -> None:
    rain = {"intensity": "rain", "duration": 4.0, "reference_intensity": 5.0, "reference_duration": 2.0}
    index, classes = _map(factors, tmp_path, rain=rain, classes=4, breaks="quantile")
    arrays = {name: raster.read(path, bands=1).astype(float) for name, path in factors.items()}
    order = ["slope", "elevation", "ndvi", "ndwi", "soil_moisture", "ndbi"]
    scaled = [(arrays[n] - np.nanmin(arrays[n])) / (np.nanmax(arrays[n]) - np.nanmin(arrays[n])) for n in order]
    r = (arrays["rain"] / 5) ** 1.2 * 2**0.8
    expected = 1 / (1 + np.exp(-r * np.tensordot([0.25, 0.15, -0.2, 0.2, 0.1, 0.1], scaled, 1)))
    np.testing.assert_allclose(index, expected, rtol=2e-6)
    assert np.isnan(index[:2, :2]).all() and np.isnan(classes[:2, :2]).all()
    shares = np.bincount(classes[np.isfinite(classes)].astype(int), minlength=5)[1:] / np.isfinite(classes).sum()
    np.testing.assert_allclose(shares, 0.25, atol=0.02)
    for one, other in zip(range(1, 4), range(2, 5), strict=True):
        assert np.nanmax(index[classes == one]) <= np.nanmin(index[classes == other])


def test_ranges_come_from_training_pixels_and_the_rest_is_clipped(factors: dict[str, Path], tmp_path: Path) -> None:
    split = np.where(np.indices(GRID.shape)[1] < 35, 0, 2).astype(np.uint8)
    label = np.random.default_rng(0).integers(0, 2, GRID.shape).astype(np.uint8)
    given = {"inventory": _uint8(tmp_path / "i.tif", label), "split": _uint8(tmp_path / "s.tif", split)}
    before, _ = _map(factors, tmp_path, **given)
    slope = raster.read(factors["slope"], bands=1)
    slope[:, 40:] *= 100  # test ground far outside the range of training
    raster.write(factors["slope"], GRID, slope, bands=["slope"], units="degrees", long_name="slope")
    after, _ = _map(factors, tmp_path, **given)
    np.testing.assert_array_equal(before[:, :40], after[:, :40])
    assert np.nanmax(after) < 0.6900 + 1e-4  # clipped: the limit holds


def test_classes_by_fixed_breaks(factors: dict[str, Path], tmp_path: Path) -> None:
    index, classes = _map(factors, tmp_path, breaks="fixed", fixed_breaks=[0.53, 0.58])
    np.testing.assert_array_equal(classes[index > 0.58], 3)
    np.testing.assert_array_equal(classes[index <= 0.53], 1)
    assert raster.read_classes(tmp_path / "class.tif") == {1: "low", 2: "medium", 3: "high"}


def test_bad_input_is_one_sentence(factors: dict[str, Path], tmp_path: Path) -> None:
    fewer = {name: path for name, path in factors.items() if name != "ndwi"}
    with pytest.raises(InputError, match=r"susceptibility.risk_index names 'ndwi'.*did you mean"):
        _map(fewer, tmp_path)
    with pytest.raises(InputError, match="weights is spearman, but the area has no inventory"):
        _map(factors, tmp_path, weights="spearman")
    raster.write(factors["ndbi"], GRID, np.full(GRID.shape, 2.0), bands=["a"], units="1", long_name="a")
    with pytest.raises(InputError, match=r"'ndbi' is constant.*risk_index.ranges.ndbi"):
        _map(factors, tmp_path)
    raster.write(factors["rain"], GRID, np.full(GRID.shape, -1.0), bands=["a"], units="1", long_name="a")
    rain = {"intensity": "rain", "duration": 4.0, "reference_intensity": 5.0, "reference_duration": 2.0}
    with pytest.raises(InputError, match="cannot be negative; correct the rainfall"):
        _map(factors, tmp_path, rain=rain, ranges={"ndbi": (0, 4)})
