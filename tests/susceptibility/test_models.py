"""Classical models: against their libraries, on simulated truth, and cross-validated at random and in space."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from affine import Affine
from scipy.special import expit, logit
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score

from slipmap.config.susceptibility import RiskIndexSettings, SusceptibilitySettings
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.screening.sampling import Sample
from slipmap.susceptibility import additive, areas, compare, maps
from slipmap.susceptibility.additive import AdditiveModel, MixedAdditiveModel, best_of
from slipmap.susceptibility.classical import FrequencyRatio, create
from slipmap.susceptibility.crossvalidation import cross_validate, reliability, scores
from slipmap.susceptibility.folds import block_folds, check_folds, random_folds
from slipmap.susceptibility.risk_model import RiskIndex

MODELS = ["svm", "random_forest", "xgboost", "gam", "gamm", "logistic", "frequency_ratio"]
FAST = {"random_forest": {"n_estimators": 60}, "xgboost": {"n_estimators": 60}, "gam": {"smoothing": [1.0]}}


def simulated(n: int = 800, seed: int = 0) -> Sample:
    """Simulated pixels: the log-odds are linear in slope, humped in elevation, and differ by rock."""
    rng = np.random.default_rng(seed)
    slope, elevation, noise = rng.normal(25, 8, n), rng.uniform(0, 1000, n), rng.normal(size=n)
    rock = rng.integers(1, 4, n)
    logit = 0.25 * (slope - 25) + 3 * np.cos((elevation - 500) / 250) - 1 + np.array([0, 1.5, -1.5])[rock - 1]
    labels = (rng.random(n) < expit(logit)).astype(np.uint8)
    values = np.column_stack([slope, elevation, noise, rock]).astype(np.float32)
    at = rng.choice(400 * 400, n, replace=False)
    categories = {"lithology": {1: "marl", 2: "flysch", 3: "granite"}}
    return Sample(values, labels, at // 400, at % 400, ("slope", "elevation", "noise", "lithology"), categories)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return simulated()


@pytest.mark.parametrize("name", MODELS)
def test_every_model_finds_what_was_put_in(name: str, sample: Sample) -> None:
    """AUC on unseen pixels near that of the true probabilities (0.88); with shuffled labels near one half."""
    unseen = simulated(2000, seed=1)
    model = create(name, sample.names, ["lithology"], options=FAST.get(name)).fit(sample, sample.blocks(100))
    probability = model.predict(unseen.values)
    assert probability.shape == (2000,) and probability.min() >= 0 and probability.max() <= 1
    assert roc_auc_score(unseen.labels, probability) > (0.75 if name == "logistic" else 0.82)
    rng = np.random.default_rng(3)
    shuffled = Sample(
        sample.values, rng.permutation(sample.labels), sample.rows, sample.cols, sample.names, sample.categories
    )
    blind = create(name, sample.names, ["lithology"], options=FAST.get(name)).fit(shuffled)
    assert abs(roc_auc_score(unseen.labels, blind.predict(unseen.values)) - 0.5) < 0.15
    odd = unseen.values.copy()
    odd[:, 3] = 9  # a class that nobody has seen
    assert np.isfinite(model.predict(odd)).all()


def test_a_forest_adds_its_trees_up_in_one_order_whatever_the_threads(sample: Sample) -> None:
    """Votes that are added up as threads end differ in the last digit from run to run."""
    fitted = create("random_forest", sample.names, jobs=2, options={"n_estimators": 60}).fit(sample)
    values = fitted.pipeline[0].transform(sample.columns(sample.names))
    total = np.zeros((len(values), 2))
    for tree in fitted.pipeline[-1].estimators_:
        total += tree.predict_proba(values.astype(np.float32))
    for _ in range(5):
        np.testing.assert_array_equal(fitted.predict(sample.columns(sample.names)), (total / 60)[:, 1])


@pytest.mark.filterwarnings("ignore:overflow encountered in exp:RuntimeWarning")  # statsmodels' own
def test_logistic_regression_is_that_of_statsmodels(sample: Sample) -> None:
    numbers = sample.select(["slope", "elevation", "noise"])
    model = create("logistic", numbers.names).fit(numbers)
    v = numbers.values.astype(float)
    exog = sm.add_constant((v - v.mean(axis=0)) / v.std(axis=0))
    reference = sm.Logit(sample.labels.astype(float), exog).fit(disp=0)
    np.testing.assert_allclose(model.predict(numbers.values), reference.predict(exog), atol=1e-4)


def test_gam_with_endless_smoothing_is_logistic_regression(sample: Sample) -> None:
    """A second-derivative penalty leaves straight lines free: the limit of a GAM is the linear model."""
    numbers = sample.select(["slope", "noise"])
    gam = create("gam", numbers.names, options={"smoothing": [1e7]}).fit(numbers)
    linear = create("logistic", numbers.names).fit(numbers)
    np.testing.assert_allclose(gam.predict(numbers.values), linear.predict(numbers.values), atol=0.01)


def test_gam_follows_a_hump_and_can_be_kept_rising(sample: Sample) -> None:
    def curve(**options: object) -> np.ndarray:
        model = create("gam", sample.names, ["lithology"], options=options).fit(sample)
        line = np.tile(np.float32([25, 0, 0, 1]), (50, 1))
        line[:, 1] = np.linspace(20, 980, 50)
        return model.predict(line)

    free, rising = curve(), curve(monotonic=["elevation"])
    assert 15 < free.argmax() < 35
    assert (np.diff(rising) > -1e-6).all()


def test_mixed_model_finds_the_groups_and_predicts_without_them() -> None:
    """Simulated random intercepts of sd 1.5 in 12 groups: correlated with the fitted ones, shrunken, mean near 0."""
    rng = np.random.default_rng(8)
    group = rng.integers(0, 12, 3000)
    effect = rng.normal(scale=1.5, size=12)
    slope = rng.normal(size=3000)
    labels = (rng.random(3000) < expit(slope + effect[group])).astype(np.uint8)
    model = MixedAdditiveModel(["slope"], smoothing=[10.0]).fit_arrays(slope[:, None], labels, group)
    fitted = np.array([model.random_effects[g] for g in range(12)])
    assert np.corrcoef(fitted, effect)[0, 1] > 0.95 and fitted.std() <= effect.std() * 1.1
    assert abs(fitted.mean()) < 0.1
    grid = np.linspace(-2, 2, 9)[:, None]
    plain = MixedAdditiveModel(["slope"], smoothing=[10.0]).fit_arrays(slope[:, None], labels)
    mixed_slope, plain_slope = (np.polyfit(grid[:, 0], logit(m.predict(grid)), 1)[0] for m in (model, plain))
    assert mixed_slope == pytest.approx(1, abs=0.15)
    assert plain_slope < mixed_slope - 0.1  # without the groups the effect of slope is flattened


def test_mixed_model_begins_with_the_fit_of_an_additive_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smooths of the same pixels and options are fitted once, and others again; the results are those without."""
    rng = np.random.default_rng(9)
    values, group = rng.normal(size=(300, 2)), rng.integers(0, 4, 300)
    labels = (rng.random(300) < expit(values[:, 0])).astype(np.uint8)
    fitted: list[tuple[int, ...]] = []

    def count(design: np.ndarray, *given: object) -> object:
        fitted.append(design.shape)
        return best_of(design, *given)

    def mixed(precision: float = 1.0) -> np.ndarray:
        model = MixedAdditiveModel(["a", "b"], smoothing=[1.0, 10.0], precision=[precision])
        return model.fit_arrays(values, labels, group).predict(values)

    def plain(labels: np.ndarray, smoothing: float = 10.0) -> np.ndarray:
        return AdditiveModel(["a", "b"], smoothing=[1.0, smoothing]).fit_arrays(values, labels).predict(values)

    monkeypatch.setattr(additive, "best_of", count)
    monkeypatch.setattr(additive, "_fitted", {})
    alone = mixed()
    assert fitted == [(300, 2), (300, 6)]
    again = plain(labels)
    assert len(fitted) == 2
    additive._fitted.clear()
    np.testing.assert_array_equal(plain(labels), again)
    np.testing.assert_array_equal(mixed(), alone)
    assert fitted[2:] == [(300, 2), (300, 6)]
    plain(1 - labels)
    plain(labels, smoothing=100.0)
    assert len(fitted) == 6  # of other labels, and of other options
    np.testing.assert_array_equal(plain(labels), again)  # the mixed model has not changed what it began with


def test_frequency_ratio_by_hand_is_relative_to_the_population() -> None:
    """2 of 4 landslides and 1 of 4 others in class 2, drawn from 4 and 400 pixels: FR = 0.5 / (102 / 404)."""
    values = np.float32([[1], [1], [2], [2], [1], [1], [1], [2]])
    labels = np.uint8([1, 1, 1, 1, 0, 0, 0, 0])
    labels[[2, 3]] = 1
    sample = Sample(values, labels, np.arange(8), np.arange(8), ("rock",), {"rock": {1: "a", 2: "b"}}, {0: 400, 1: 4})
    model = FrequencyRatio(["rock"]).fit(sample)
    assert model.index(np.float32([[2]]))[0] == pytest.approx(0.5 / (102 / 404))
    assert model.index(np.float32([[7]]))[0] == 1  # unseen: no evidence


def test_scores_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    labels, probability = rng.integers(0, 2, 300), rng.random(300)
    got = scores(labels, probability, 0.4)
    assert got["accuracy"] == pytest.approx(accuracy_score(labels, probability >= 0.4))
    assert got["auc"] == pytest.approx(roc_auc_score(labels, probability))
    assert got["brier"] == pytest.approx(brier_score_loss(labels, probability))
    assert got["rmse"] == pytest.approx(brier_score_loss(labels, probability) ** 0.5)
    assert np.isnan(scores(np.ones(3), np.ones(3) / 2)["auc"])


def test_reliability_of_calibrated_predictions_is_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(20_000)
    table = reliability(rng.random(20_000) < probability, probability)
    np.testing.assert_allclose(table.observed, table.predicted, atol=0.04)
    assert table.pixels.sum() == 20_000 and len(table) == 10


def test_spatial_validation_sees_through_a_model_of_place() -> None:
    """Labels that clump in space and factors that only say where: random folds flatter, spatial folds do not."""
    rng = np.random.default_rng(4)
    at = rng.choice(400 * 400, 1500, replace=False)
    rows, cols = np.divmod(at, 400)
    clump = rng.integers(0, 2, (10, 10))[rows // 40, cols // 40]
    values = np.column_stack([rows, cols]).astype(np.float32)
    sample = Sample(values, clump.astype(np.uint8), rows, cols, ("northing", "easting"))

    def auc(fold: np.ndarray) -> float:
        build = lambda: create("random_forest", sample.names, options=FAST["random_forest"])  # noqa: E731
        table, probability = cross_validate(dict.fromkeys(fold, build), sample, fold)
        assert np.isfinite(probability).all() and table.pixels.sum() == 1500
        return float(table.auc.mean())

    assert auc(random_folds(sample, 5, 0)) > 0.9
    assert auc(block_folds(sample, 5, 0, 40)) < 0.7


def test_risk_index_as_a_model_takes_its_threshold_from_the_sample() -> None:
    rng = np.random.default_rng(6)
    roles = ["slope", "elevation", "ndvi", "ndwi", "soil_moisture", "ndbi"]
    values = rng.random((400, 6)).astype(np.float32)
    labels = (values[:, 0] - values[:, 2] > 0).astype(np.uint8)
    sample = Sample(values, labels, np.arange(400), np.arange(400), tuple(roles))
    model = RiskIndex(RiskIndexSettings(), rain=False).fit(sample)
    assert model.names == tuple(roles) and 0.45 < model.threshold < 0.69 and model.threshold != 0.5
    assert scores(labels, model.predict(values), model.threshold)["accuracy"] > 0.7
    better = RiskIndex(RiskIndexSettings(weights="spearman"), rain=False).fit(sample)
    assert roc_auc_score(labels, better.predict(values)) > roc_auc_score(labels, model.predict(values))


GRID = Grid("EPSG:32632", Affine(10, 0, 0, 0, -10, 0), 120, 100)


@pytest.fixture
def area(tmp_path: Path) -> areas.AreaFiles:
    """A simulated area on rasters, with a split."""
    rng = np.random.default_rng(12)
    rows, cols = np.indices(GRID.shape)
    arrays = {
        "slope": 25 + 10 * np.sin(rows / 7) * np.cos(cols / 9) + rng.normal(size=GRID.shape),
        "elevation": 500 + 2.0 * rows + rng.normal(scale=30, size=GRID.shape),
    }
    arrays["elevation"][:5, :5] = np.nan
    chance = expit((arrays["slope"] - 28) / 3)
    classes = {
        "lithology": (1 + cols // 30 % 3, {1: "marl", 2: "flysch", 3: "granite"}),
        "inventory": (rng.random(GRID.shape) < chance, {0: "stable", 1: "landslide"}),
        "split": (np.where((rows // 25 + cols // 30) % 3 == 0, 2, 0), {0: "training", 2: "test"}),
    }
    for name, array in arrays.items():
        raster.write(tmp_path / f"{name}.tif", GRID, array, bands=[name], units="1", long_name=name)
    for name, (array, names) in classes.items():
        raster.write(
            tmp_path / f"{name}.tif", GRID, array.astype(np.uint8), bands=[name], units="1", long_name=name,
            dtype="uint8", categories=names,
        )  # fmt: skip
    factors = {name: tmp_path / f"{name}.tif" for name in ("slope", "elevation", "lithology")}
    return areas.AreaFiles(factors, tmp_path / "inventory.tif", tmp_path / "split.tif")


def _settings(**options: object) -> SusceptibilitySettings:
    given = {"models": ["random_forest", "logistic", "gamm"], "sample": 400, "folds": 3, "block": 25}
    given["options"] = {"random_forest": {"n_estimators": 20}, "gamm": {"smoothing": [1.0], "precision": [1.0]}}
    return SusceptibilitySettings(**given | options)


def test_tables_and_figures_of_an_area(area: areas.AreaFiles, tmp_path: Path) -> None:
    out = tmp_path / "out"
    means = compare.run({"demo": area}, _settings(), out)
    assert {path.name for path in out.iterdir()} == {
        "cross_validation.csv", "cross_validation_summary.csv", "test_scores.csv", "calibration.csv", "roc.png",
        "roc.csv", "calibration.png", "sample.json", "distances.csv",
    }  # fmt: skip
    folds = pd.read_csv(out / "cross_validation.csv")
    schemes = {"random", "blocks", "kmeans", "knndm"}
    assert len(folds) == 3 * 4 * 3 and set(folds.scheme) == schemes
    far = pd.read_csv(out / "distances.csv").set_index("scheme")
    assert set(far.index) == {"prediction", *schemes} and far.default.sum() == 1
    assert means.default.sum() == 3 and set(means.scheme[means.default]) == {far.w.idxmin()}
    assert ((means.auc_low < means.auc) & (means.auc < means.auc_high)).all()
    table = pd.read_csv(out / "test_scores.csv")
    scored = ["Accuracy", "AUC", "MSE (Brier score)", "RMSE"]
    assert list(table.columns) == ["Model", "Threshold", *scored, "Test distance (m)", "Independence"]
    assert (table.AUC > 0.7).all() and len(means) == 12
    first = (out / "cross_validation.csv").read_bytes(), (out / "roc.png").read_bytes()
    compare.run({"demo": area}, _settings(), out, jobs=2)  # on two processes: the same numbers
    assert first == ((out / "cross_validation.csv").read_bytes(), (out / "roc.png").read_bytes())


def test_too_few_points_for_the_folds_are_one_sentence(sample: Sample) -> None:
    landslides, others = (np.flatnonzero(sample.labels == label) for label in (1, 0))
    for few in (sample.take(np.r_[landslides[:4], others[:9]]), sample.take(np.r_[landslides[:9], others[:4]])):
        with pytest.raises(InputError, match=r"susceptibility.folds is 5, but there are only 4 "):
            check_folds(few, 5)
        check_folds(few, 4)
        random_folds(few, 4, 0)
    alone = sample.take(np.r_[landslides[:6], others[:6]])
    with pytest.raises(InputError, match="no fold can be judged"):
        build = lambda: create("logistic", ["slope"])  # noqa: E731
        cross_validate({0: build, 1: build}, alone.select(["slope"]), (alone.labels == 1).astype(int))


def test_test_pixels_do_not_reach_the_fit(area: areas.AreaFiles, tmp_path: Path) -> None:
    """Leakage: what stands on test ground changes neither the map of training ground nor the sample."""
    maps.map_susceptibility({"demo": area}, _settings(), "random_forest", tmp_path / "before.tif")
    test = raster.read(area.split, bands=1) == 2
    label = raster.read(area.inventory, bands=1)
    label[test] = 1 - label[test]
    slope = raster.read(area.factors["slope"], bands=1)
    slope[test] = 90
    raster.write(area.factors["slope"], GRID, slope, bands=["slope"], units="degrees", long_name="slope")
    raster.write(area.inventory, GRID, label.astype(np.uint8), bands=["i"], units="1", long_name="i", dtype="uint8")
    maps.map_susceptibility({"demo": area}, _settings(), "random_forest", tmp_path / "after.tif")
    before, after = (raster.read(tmp_path / f"{name}.tif", bands=1) for name in ("before", "after"))
    np.testing.assert_array_equal(before[~test], after[~test])
    assert (before[test] != after[test]).any()
    assert np.isnan(before[:5, :5]).all() and np.nanmax(before) <= 1


def test_scores_on_test_blocks_are_of_models_that_have_not_seen_them(area: areas.AreaFiles, tmp_path: Path) -> None:
    """With every label on test ground turned round, such models rank the same pixels exactly the wrong way round."""
    settings = _settings(models=["logistic", "frequency_ratio"], folds=2)
    compare.run({"demo": area}, settings, tmp_path / "before")
    test = raster.read(area.split, bands=1) == 2
    label = raster.read(area.inventory, bands=1)
    label[test] = 1 - label[test]
    raster.write(area.inventory, GRID, label.astype(np.uint8), bands=["i"], units="1", long_name="i", dtype="uint8")
    compare.run({"demo": area}, settings, tmp_path / "after")
    before, after = (pd.read_csv(tmp_path / name / "test_scores.csv").AUC for name in ("before", "after"))
    np.testing.assert_allclose(after, 1 - before, atol=1e-9)


def test_areas_are_pooled_with_a_random_effect_of_each(area: areas.AreaFiles, tmp_path: Path) -> None:
    pair = {"one": area, "other": area}
    merged, number = areas.pool(pair, ["slope", "lithology"], _settings(), splits=(0,))
    assert np.bincount(number).tolist() == [400, 400]
    assert not set(merged.blocks(25)[number == 0]) & set(merged.blocks(25)[number == 1])
    maps.map_susceptibility(pair, _settings(), "gamm", tmp_path / "map.tif")
    assert np.nanmax(raster.read(tmp_path / "map.tif", bands=1)) > 0.6


def test_unknown_factor_and_other_classes_are_one_sentence(area: areas.AreaFiles, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"susceptibility.factors names 'slop', .* did you mean 'slope'"):
        compare.run({"demo": area}, _settings(factors=["slop"]), tmp_path / "out")
    with pytest.raises(InputError, match=r"susceptibility.risk_index names 'ndvi'"):
        compare.run({"demo": area}, _settings(risk_index=RiskIndexSettings()), tmp_path / "out")
    rock = raster.read(area.factors["lithology"], bands=1).astype(np.uint8)
    other = tmp_path / "other.tif"
    raster.write(other, GRID, rock, bands=["l"], units="1", long_name="l", dtype="uint8", categories={1: "tuff"})
    second = areas.AreaFiles({**area.factors, "lithology": other}, area.inventory, area.split)
    with pytest.raises(InputError, match=r"areas.two: the classes of lithology differ from those of one"):
        areas.pool({"one": area, "two": second}, ["slope", "lithology"], _settings(), None)


def test_a_map_says_where_it_applies(area: areas.AreaFiles, tmp_path: Path) -> None:
    """Slopes of 89° in one corner, which no training pixel has: outside there and hardly anywhere else."""
    slope = raster.read(area.factors["slope"], bands=1)
    slope[80:, 90:] = 89
    label = raster.read(area.inventory, bands=1)
    label[80:, 90:] = 255
    raster.write(area.factors["slope"], GRID, slope, bands=["slope"], units="degrees", long_name="slope")
    raster.write(area.inventory, GRID, label.astype(np.uint8), bands=["i"], units="1", long_name="i", dtype="uint8")
    outputs = {role: tmp_path / role for role in ("index", "mask", "shares")}
    maps.map_susceptibility({"demo": area}, _settings(), "logistic", tmp_path / "m.tif", applicability=outputs)
    mask, found = raster.read(outputs["mask"], bands=1), raster.read(tmp_path / "m.tif", bands=1)
    np.testing.assert_array_equal(np.isnan(mask), np.isnan(found))
    assert (mask[80:, 90:] == 0).all() and np.nanmean(mask[:80]) > 0.9


@pytest.mark.parametrize("side", [2, 5, 40])
def test_groups_of_the_mixed_model_are_whole_blocks_and_few(sample: Sample, side: int) -> None:
    groups, fine = compare.grouped(sample, side), sample.blocks(side)
    assert len(np.unique(groups)) <= compare.MOST_GROUPS
    for block in np.unique(fine):  # a block is never torn apart
        assert len(np.unique(groups[fine == block])) == 1
    if len(np.unique(fine)) <= compare.MOST_GROUPS:
        np.testing.assert_array_equal(groups, fine)
