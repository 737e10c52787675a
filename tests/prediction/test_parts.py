"""A map made in parts is the map made at once; calibration, dropout and classes against other sources."""

import json

import numpy as np
import pytest
import rasterio
import torch
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from slipmap.codes import probability_class_names
from slipmap.config.prediction import PredictionSettings
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.models import create_model
from slipmap.patches.normalisation import BandStatistics, Statistics
from slipmap.prediction import map_files, mosaic
from slipmap.prediction.ensemble import Ensemble
from slipmap.prediction.tiles import Tiling
from slipmap.training.calibration import Calibration, calibration_of, isotonic
from slipmap.training.weights import save_record, save_weights

BANDS = ("slope", "ndvi")
SETTINGS = PredictionSettings(tile=32, overlap=0.5, flips=False)


def trained(folder, seed=0, threshold=0.4, temperature=1.7, statistics=None):
    """A small network with random weights, saved as training saves one."""
    torch.manual_seed(seed)
    model = create_model("unet", 2, 1, width=0.125)
    save_weights(folder / "weights.safetensors", model.state_dict())
    statistics = statistics or Statistics(
        "zscore", tuple(BandStatistics(name, units="1", count=9, mean=0.5, std=0.3) for name in BANDS)
    )
    made = {"name": "unet", "in_channels": 2, "classes": 1, "options": {"width": 0.125}}
    save_record(
        folder,
        {"model": made, "bands": list(BANDS), "statistics": statistics.as_dict(), "threshold": threshold,
         "temperature": temperature, "calibration": {"chosen": "temperature"}, "pixel_size": [10.0, 10.0]},
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    folder = tmp_path_factory.mktemp("area")
    grid = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 500000 + 10 * 75, 5000000 + 10 * 131))
    rng = np.random.default_rng(5)
    factors = {}
    for name in BANDS:
        values = rng.uniform(0, 1, grid.shape).astype(np.float32)
        values[40:44, 20:50] = np.nan
        factors[name] = folder / f"{name}.tif"
        raster.write(factors[name], grid, values, bands=[name], units="1", long_name=name)
    return grid, factors, [trained(folder / "seed_0"), trained(folder / "seed_1", seed=1, threshold=0.5)]


def outputs(folder):
    names = ("probability", "uncertainty", "classes", "probability_class")
    return map_files.Outputs(**{name: folder / f"{name}.tif" for name in names})


@pytest.fixture(scope="module")
def whole(area, tmp_path_factory):
    grid, factors, weights = area
    made = outputs(tmp_path_factory.mktemp("whole"))
    mosaic.run(factors, weights, grid, SETTINGS, made, progress=False)
    return made


@pytest.mark.parametrize("parts", [2, 3, 40])
def test_parts_put_together_are_the_whole_byte_for_byte(area, whole, tmp_path, parts):
    grid, factors, weights = area
    files = [tmp_path / f"{part}.tif" for part in range(parts)]
    for part, path in enumerate(files):
        mosaic.run_part(factors, weights, grid, SETTINGS, path, part=part, parts=parts, progress=False)
    made = outputs(tmp_path)
    map_files.gather(files[::-1], grid, SETTINGS, made)
    for name in ("probability", "uncertainty", "classes", "probability_class"):
        assert getattr(made, name).read_bytes() == getattr(whole, name).read_bytes(), name


@pytest.mark.parametrize("overlap", [0, 9, 16, 24, 30])
def test_the_shares_of_an_area_cover_it_once_whatever_the_overlap(overlap):
    tiling = Tiling(131, 75, 32, overlap)
    for parts in (1, 2, 5, 200):
        rows = [tiling.rows(tiling.share(part, parts)) for part in range(parts)]
        covered = [row for first, last in rows for row in range(first, last)]
        assert covered == list(range(131))
    for tile_row in range(1, tiling.tile_rows):  # what `reach` leaves out does not overlap
        before = tile_row - tiling.reach - 1
        assert before < 0 or tiling.start(before) + tiling.tile <= tiling.start(tile_row)


def test_a_missing_part_and_other_weights_are_sentences(area, tmp_path):
    grid, factors, weights = area
    files = [tmp_path / f"{part}.tif" for part in range(3)]
    for part, path in enumerate(files):
        mosaic.run_part(factors, weights, grid, SETTINGS, path, part=part, parts=3, progress=False)
    with pytest.raises(InputError, match=r"rows from .* on are missing"):
        map_files.gather([files[0], files[2]], grid, SETTINGS, outputs(tmp_path))
    with pytest.raises(InputError, match="make the missing parts"):
        map_files.gather(files[:2], grid, SETTINGS, outputs(tmp_path))
    mosaic.run_part(factors, weights[:1], grid, SETTINGS, files[1], part=1, parts=3, progress=False)
    with pytest.raises(InputError, match="other weights or settings"):
        map_files.gather(files, grid, SETTINGS, outputs(tmp_path))
    shifted = Grid.from_bounds("EPSG:32632", 10, (500010, 5000000, 500010 + 10 * 75, 5000000 + 10 * 131))
    with pytest.raises(InputError, match="a part of another area"):
        map_files.gather(files, shifted, SETTINGS, outputs(tmp_path))


def test_factors_in_another_order_give_the_same_map(area, whole, tmp_path):
    """Bands are found by name: the order in which an area lists its factors says nothing."""
    grid, factors, weights = area
    made = outputs(tmp_path)
    mosaic.run(dict(reversed(factors.items())), weights, grid, SETTINGS, made, progress=False)
    assert made.probability.read_bytes() == whole.probability.read_bytes()


def test_probability_carries_overviews_and_its_statistics(whole):
    values = raster.read(whole.probability, bands=1)
    known = values[np.isfinite(values)].astype(np.float64)
    with rasterio.open(whole.probability) as source:
        tags = {name: float(value) for name, value in source.tags(1).items() if name.startswith("STATISTICS_")}
    for name, value in (("MINIMUM", known.min()), ("MAXIMUM", known.max()), ("MEAN", known.mean())):
        assert tags[f"STATISTICS_{name}"] == pytest.approx(value, abs=1e-9), name
    assert tags["STATISTICS_STDDEV"] == pytest.approx(known.std(), abs=1e-9)
    assert not whole.probability.with_suffix(".tif.aux.xml").exists()


def test_the_settings_of_the_map_arrive(area, tmp_path):
    """Tiles that do not overlap are not blended: a pixel's logit is divided by the temperature, or it is not."""
    grid, factors, weights = area
    logits, settings = {}, {"tile": 32, "overlap": 0.0, "flips": False, "probability_breaks": [0.5]}
    for method in ("none", "temperature"):
        (tmp_path / method).mkdir()
        made, chosen = outputs(tmp_path / method), PredictionSettings(calibration=method, **settings)
        mosaic.run(factors, weights[:1], grid, chosen, made, progress=False)
        p = raster.read(made.probability, bands=1)
        logits[method] = np.log(p / (1 - p))
        assert raster.read_classes(made.probability_class) == {1: "low", 2: "high"}
        known = np.isfinite(p)
        np.testing.assert_array_equal(raster.read(made.probability_class, bands=1)[known], 1 + (p >= 0.5)[known])
    np.testing.assert_allclose(logits["none"], 1.7 * logits["temperature"], atol=1e-4)
    with pytest.raises(InputError, match="dropout_samples is 3, but unet was trained without dropout"):
        mosaic.run(factors, weights, grid, PredictionSettings(dropout_samples=3), outputs(tmp_path), progress=False)


def test_crs_transform_nodata_and_meaning_survive(area, whole):
    grid, factors, _ = area
    missing = np.isnan(raster.read(factors["slope"], bands=1))
    for name in ("probability", "uncertainty", "classes", "probability_class"):
        path = getattr(whole, name)
        assert Grid.from_raster(path).matches(grid)
        assert (np.isnan(raster.read(path, bands=1)) == missing).all()
        with rasterio.open(path) as source:
            assert source.tags()["calibration"] == "temperature" and source.tags()["weights"] == "2"
    assert raster.read_classes(whole.probability_class) == {1: "low", 2: "medium", 3: "high"}


def test_classes_follow_from_the_probability(whole):
    p = raster.read(whole.probability, bands=1)
    with rasterio.open(whole.probability) as source:
        threshold = float(source.tags()["threshold"])
    known = np.isfinite(p)
    # thresholds 0.4 and 0.5 were chosen before the logit is divided by 1.7
    expected = np.mean([expit(np.log(t / (1 - t)) / 1.7) for t in (0.4, 0.5)])
    assert threshold == pytest.approx(expected, abs=1e-6)
    np.testing.assert_array_equal(raster.read(whole.classes, bands=1)[known], (p >= threshold)[known])
    np.testing.assert_array_equal(
        raster.read(whole.probability_class, bands=1)[known], 1 + (p >= 1 / 3)[known].astype(int) + (p >= 2 / 3)[known]
    )


def test_calibration_does_not_change_which_pixels_are_landslide():
    """One member: the class map before and after calibration is the same, whatever the method."""
    rng = np.random.default_rng(2)
    logit = torch.from_numpy(rng.normal(-1, 2, 5000).astype(np.float32))
    edges = np.linspace(-12, 12, 129)
    landslide = np.histogram(rng.normal(1, 1.5, 2000), edges)[0].astype(float)
    background = np.histogram(rng.normal(-2, 1.5, 9000), edges)[0].astype(float)
    for calibration in (Calibration(temperature=2.5), isotonic(edges[:-1], edges[1:], background, landslide)):
        for threshold in (0.1, 0.35, 0.7):
            raw = torch.sigmoid(logit) >= threshold
            assert (raw == (calibration(logit) >= calibration.threshold(threshold))).float().mean() > 0.999


def test_isotonic_calibration_is_sklearns_and_makes_probabilities_frequencies():
    rng = np.random.default_rng(8)
    logit = rng.normal(-1, 2, 200_000)
    truth = rng.random(logit.size) < expit(3 * logit + 1)  # overconfident the other way
    edges = np.linspace(-12, 12, 241)
    counts = [np.histogram(logit[truth == kind], edges)[0].astype(float) for kind in (False, True)]
    calibration = isotonic(edges[:-1], edges[1:], *counts)
    calibrated = calibration(torch.from_numpy(logit.astype(np.float32))).numpy()
    reference = IsotonicRegression(out_of_bounds="clip").fit(logit, truth.astype(float)).predict(logit)
    assert np.abs(calibrated - reference).mean() < 0.01
    for low in (0.1, 0.4, 0.7):
        here = (calibrated >= low) & (calibrated < low + 0.2)
        assert truth[here].mean() == pytest.approx(calibrated[here].mean(), abs=0.02)
    assert (np.diff(calibration(torch.linspace(-6, 6, 500)).numpy()) > 0).all()


def test_isotonic_without_its_scores_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match=r"validation_scores.csv does not exist, and isotonic"):
        calibration_of(tmp_path, {}, "isotonic")
    with pytest.raises(InputError, match="lacks landslide pixels or others"):
        isotonic(np.zeros(1), np.ones(1), np.ones(1), np.zeros(1))


class Dropping(torch.nn.Module):
    """Half of the input's channels, doubled: mean 1 and variance 1 for input 1 in one channel of dropout 0.5."""

    def __init__(self, p=0.5):
        super().__init__()
        self.drop = torch.nn.Dropout(p)
        self.norm = torch.nn.BatchNorm2d(1)

    def forward(self, x):
        return self.norm(self.drop(x))


def test_dropout_gives_its_mean_and_spread_and_the_same_each_time():
    model = Dropping().eval()
    ensemble = Ensemble([(model, lambda logit: logit)], flips=False, dropout_samples=400)
    tiles = torch.ones(2, 1, 8, 8)
    before = model.norm.running_mean.clone()
    state = torch.random.get_rng_state()
    mean, square = ensemble(tiles)
    assert mean.mean() == pytest.approx(1.0, abs=0.02)
    assert (square - mean**2).mean() == pytest.approx(1.0, abs=0.02)
    again, _ = ensemble(tiles)
    assert torch.equal(mean, again) and not model.drop.training
    assert torch.equal(model.norm.running_mean, before), "only dropout is switched on"
    assert torch.equal(torch.random.get_rng_state(), state), "nobody else's random numbers move"


def test_dropout_of_a_model_without_it_is_a_sentence():
    with pytest.raises(InputError, match="was trained without dropout"):
        Ensemble([(Dropping(p=0.0), lambda logit: logit)], flips=True, dropout_samples=4)


def test_bad_weights_and_areas_are_sentences(area, tmp_path):
    grid, factors, weights = area
    made = outputs(tmp_path)
    other = Statistics("zscore", tuple(BandStatistics(n, units="1", count=9, mean=0.1, std=0.3) for n in BANDS))
    strange = trained(tmp_path / "strange", statistics=other)
    with pytest.raises(InputError, match="was trained on other bands or statistics"):
        mosaic.run(factors, [weights[0], strange], grid, SETTINGS, made)
    record = json.loads((strange / "model.json").read_text())
    del record["statistics"]
    (strange / "model.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="has no 'statistics'"):
        mosaic.run(factors, [strange], grid, SETTINGS, made)
    coarse = Grid.from_bounds("EPSG:32632", 25, (500000, 5000000, 501000, 5001000))
    with pytest.raises(InputError, match=r"trained on pixels of 10 m and this area has 25 m; set the area's"):
        mosaic.run(factors, weights, coarse, SETTINGS, made)
    empty = {}
    for name in BANDS:
        empty[name] = tmp_path / f"{name}.tif"
        nothing = np.full(grid.shape, np.nan, np.float32)
        raster.write(empty[name], grid, nothing, bands=[name], units="1", long_name=name)
    with pytest.raises(InputError, match="No pixel of the area has every factor"):
        mosaic.run(empty, weights, grid, SETTINGS, made, progress=False)
    assert not made.probability.exists(), "no half-made map is left"


def test_breaks_must_rise_between_0_and_1():
    assert probability_class_names(5)[0] == "very low"
    for bad in ([0.6, 0.3], [0.0, 0.5], [0.5, 1.0]):
        with pytest.raises(ValueError, match="must rise and lie between 0 and 1"):
            PredictionSettings(probability_breaks=bad)


def test_the_map_of_mirrored_terrain_is_the_mirrored_map(tmp_path):
    """Test-time augmentation turns the aspect with the ground: a slope that faced east faces west in the mirror."""
    names = ("elevation", "aspect_sin", "aspect_cos", "aspect")
    torch.manual_seed(3)
    model = create_model("unet", 4, 1, width=0.125)
    save_weights(tmp_path / "weights.safetensors", model.state_dict())
    bands = tuple(BandStatistics(n, units="1", count=9, mean=m, std=s) for n, m, s in zip(
        names, (0.5, 0.2, -0.1, 170.0), (0.3, 0.6, 0.7, 100.0), strict=True
    ))  # fmt: skip
    made = {"name": "unet", "in_channels": 4, "classes": 1, "options": {"width": 0.125}}
    record = {"model": made, "bands": list(names), "statistics": Statistics("zscore", bands).as_dict()}
    record |= {"temperature": 1.0, "calibration": {"chosen": "temperature"}}
    save_record(tmp_path, record | {"threshold": 0.5, "pixel_size": [10.0, 10.0]})
    grid = Grid.from_bounds("EPSG:32632", 10, (0, 0, 640, 640))
    r, c = np.mgrid[:64, :64] / 64
    surface = 4 * r + 3 * c + np.sin(5 * r + 3 * c)
    maps = []
    for number, ground in enumerate((surface, surface[:, ::-1], surface[::-1])):
        south, east = np.gradient(ground)
        east, north = -east / np.hypot(south, east), south / np.hypot(south, east)
        values = dict(zip(names, (ground, east, north, np.degrees(np.arctan2(east, north)) % 360), strict=True))
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, field in values.items():
            raster.write(folder / f"{name}.tif", grid, field.astype(np.float32), bands=[name], units="1", long_name="")
        factors = {name: folder / f"{name}.tif" for name in names}
        settings = PredictionSettings(tile=64, overlap=0.0, flips=True)
        mosaic.run(factors, [tmp_path], grid, settings, outputs(folder), progress=False)
        maps.append(raster.read(folder / "probability.tif", bands=1))
    np.testing.assert_allclose(maps[1], maps[0][:, ::-1], atol=1e-5)
    np.testing.assert_allclose(maps[2], maps[0][::-1], atol=1e-5)
    assert np.ptp(maps[0]) > 1e-3
