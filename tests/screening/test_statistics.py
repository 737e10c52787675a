"""Screening statistics against scipy, statsmodels and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from statsmodels.stats.outliers_influence import variance_inflation_factor

from slipmap.config.screening import ScreeningSettings
from slipmap.screening import collinearity, components, correlation, decision, importance
from slipmap.screening.sampling import Sample
from slipmap.screening.within import screened

NAMES = ["elevation", "slope", "ndvi", "twi"]


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    rng = np.random.default_rng(3)
    mixing = np.array([[2.0, 0.8, 0, 0], [0, 1, -0.7, 0.2], [0, 0, 0.3, 0], [0, 0, 0, 4]])
    return (rng.normal(size=(600, 4)) @ mixing + [1500, 20, 0.4, 8]).astype(np.float32)


@pytest.fixture(scope="module")
def classes() -> np.ndarray:
    return np.random.default_rng(4).integers(1, 5, 600).astype(np.float32)


def as_sample(values: np.ndarray, labels: np.ndarray, names: list[str], categories: dict | None = None) -> Sample:
    at = np.arange(len(values))
    return Sample(values, labels, at // 40 * 30, at % 40 * 30, tuple(names), categories or {})


def test_correlations_are_those_of_scipy(values: np.ndarray) -> None:
    pearson, spearman = correlation.pearson(values, NAMES), correlation.spearman(values, NAMES)
    for i, one in enumerate(NAMES):
        for j, other in enumerate(NAMES):
            assert pearson.loc[one, other] == pytest.approx(
                scipy.stats.pearsonr(values[:, i], values[:, j]).statistic, abs=1e-6
            )
    np.testing.assert_allclose(spearman, scipy.stats.spearmanr(values).statistic, atol=1e-12)


def test_spearman_gives_ties_their_mean_rank() -> None:
    values = np.array([[1, 3], [1, 3], [2, 1], [3, 2], [3, 2]], float)
    np.testing.assert_allclose(
        correlation.spearman(values, ["a", "b"]).loc["a", "b"],
        scipy.stats.spearmanr(values[:, 0], values[:, 1]).statistic,
    )


def test_vif_is_that_of_statsmodels_with_intercept_and_the_inverse_correlation(values: np.ndarray) -> None:
    table = collinearity.variance_inflation(collinearity.design(values, NAMES))
    exog = np.column_stack([np.ones(len(values)), values.astype(float)])
    expected = [variance_inflation_factor(exog, i + 1) for i in range(4)]
    np.testing.assert_allclose(table.loc["VIF"], expected, rtol=1e-6)
    inverse = np.linalg.inv(np.corrcoef(values.astype(float), rowvar=False))
    np.testing.assert_allclose(table.loc["VIF"], np.diag(inverse), rtol=1e-6)
    np.testing.assert_allclose(table.loc["TOL"], 1 / np.array(expected), rtol=1e-6)
    assert list(table.index[:2]) == ["VIF", "TOL"] and list(table.columns) == NAMES  # Li et al., Table 2


def test_generalised_vif_is_the_ratio_of_determinants(values: np.ndarray, classes: np.ndarray) -> None:
    """Fox and Monette (1992): GVIF = det R11 det R22 / det R, written out with dummy variables."""
    related = np.where(values[:, 0] > 1500, 1, classes).astype(np.float32)
    both = np.column_stack([values, related])
    names = [*NAMES, "lithology"]
    table = collinearity.variance_inflation(collinearity.design(both, names, ["lithology"]))
    dummies = np.column_stack([related == c for c in (2, 3, 4)]).astype(float)
    whole = np.corrcoef(np.column_stack([dummies, values.astype(float)]), rowvar=False)
    det = np.linalg.det
    assert table.loc["VIF", "lithology"] == pytest.approx(
        det(whole[:3, :3]) * det(whole[3:, 3:]) / det(whole), rel=1e-6
    )
    assert table.loc["DF", "lithology"] == 3
    assert table.loc["VIF_PER_DF", "lithology"] == pytest.approx(table.loc["VIF", "lithology"] ** (1 / 3))
    slope = collinearity.design(both, names, ["lithology"])["slope"][:, 0]
    exog = np.column_stack([np.ones(len(values)), slope, np.delete(values, 1, axis=1).astype(float), dummies])
    assert table.loc["VIF", "slope"] == pytest.approx(variance_inflation_factor(exog, 1), rel=1e-6)


def test_exact_combination_has_infinite_vif_and_leaves_the_others_finite(values: np.ndarray) -> None:
    dependent = np.column_stack([values, values[:, 0] + 3 * values[:, 1]])
    table = collinearity.variance_inflation(collinearity.design(dependent, [*NAMES, "sum"]))
    assert np.isinf(table.loc["VIF", ["elevation", "slope", "sum"]]).all()
    assert (table.loc["TOL", ["elevation", "slope", "sum"]] == 0).all()
    without = collinearity.variance_inflation(collinearity.design(values, NAMES))
    assert table.loc["VIF", "twi"] == pytest.approx(without.loc["VIF", "twi"], rel=1e-5)


@pytest.mark.parametrize("scaling", ["minmax", "standard"])
def test_components_are_those_of_scikit_learn(values: np.ndarray, scaling: str) -> None:
    table = components.principal_components(values, NAMES, scaling)
    v = values.astype(float)
    scaled = (v - v.min(0)) / (v.max(0) - v.min(0)) if scaling == "minmax" else (v - v.mean(0)) / v.std(0, ddof=1)
    reference = PCA().fit(scaled)
    np.testing.assert_allclose(table.variance, reference.explained_variance_, rtol=1e-8)
    np.testing.assert_allclose(table.share, reference.explained_variance_ratio_, rtol=1e-8)
    np.testing.assert_allclose(np.abs(table[NAMES]), np.abs(reference.components_), atol=1e-7)
    assert table.cumulative.iloc[-1] == pytest.approx(1)


def test_importances_are_those_of_scikit_learn(values: np.ndarray) -> None:
    labels = (values[:, 1] + np.random.default_rng(0).normal(size=600) > 20).astype(np.uint8)
    sample = as_sample(values, labels, NAMES)
    table = importance.importances(sample, trees=30, permutations=3, seed=5).set_index("factor")
    options = {"min_samples_leaf": 3, "class_weight": "balanced", "random_state": 5}
    whole = RandomForestClassifier(30, **options).fit(values, labels)
    np.testing.assert_allclose(table.gini[NAMES], whole.feature_importances_)
    learn, judge = importance.hold_out(sample, 0.3, 5)
    assert not set(sample.blocks(importance.BLOCK)[learn]) & set(sample.blocks(importance.BLOCK)[judge])
    part = RandomForestClassifier(30, **options).fit(values[learn], labels[learn])
    expected = permutation_importance(
        part, values[judge], labels[judge], scoring="roc_auc", n_repeats=3, random_state=5
    )
    np.testing.assert_allclose(table.permutation[NAMES], expected.importances_mean)
    in_threads = importance.importances(sample, trees=30, permutations=3, seed=5, jobs=2).set_index("factor")
    pd.testing.assert_frame_equal(in_threads, table)
    slope = values[:, 1]
    pairs = (slope[labels == 1][:, None] > slope[labels == 0]).mean()  # the AUC is the share of rightly ordered pairs
    assert table.auc["slope"] == pytest.approx(pairs, abs=1e-6)
    assert table.index[0] == "slope" and table.permutation.idxmax() == "slope"


def test_what_decides_of_some_factors_is_their_importance_among_all(values: np.ndarray) -> None:
    labels = (values[:, 1] + np.random.default_rng(0).normal(size=600) > 20).astype(np.uint8)
    sample = as_sample(values, labels, NAMES)
    options = {"trees": 30, "permutations": 3, "seed": 5}
    every = importance.importances(sample, **options).set_index("factor")
    some = importance.deciding(sample, ["twi", "slope"], **options).set_index("factor")
    assert some.permutation[["slope", "twi"]].tolist() == every.permutation[["slope", "twi"]].tolist()
    assert some.permutation[["elevation", "ndvi"]].isna().all()
    assert some.gini.isna().all()  # their permutation importance differs, so nothing else is needed
    alike = as_sample(values * [0, 1, 0, 1], labels, NAMES)  # elevation and ndvi without effect, so equal
    tied = importance.deciding(alike, ["elevation", "ndvi"], **options).set_index("factor")
    assert tied.permutation[["elevation", "ndvi"]].tolist() == [0, 0]
    pd.testing.assert_series_equal(
        tied.gini[NAMES], importance.importances(alike, **options).set_index("factor").gini[NAMES]
    )


@pytest.mark.parametrize(("keep", "least"), [([], None), (["twin"], None), (["twin", "slope"], None), ([], 0.001)])
def test_a_fold_drops_what_the_importance_of_all_factors_drops(
    values: np.ndarray, keep: list[str], least: float | None
) -> None:
    """Folds ask for no more importance than a decision hangs on; the decision is that of the whole table."""
    noise = np.random.default_rng(0).normal(size=(2, 600))
    labels = (values[:, 1] + noise[0] > 20).astype(np.uint8)
    twins = np.column_stack([values[:, 1] + 0.1 * noise[1], -values[:, 2]])  # of slope nearly, of ndvi exactly
    names = [*NAMES, "twin", "mirror"]
    sample = as_sample(np.hstack([values, twins]).astype(np.float32), labels, names)
    settings = ScreeningSettings(trees=30, permutations=3, keep=keep, min_importance=least)
    ranked = importance.importances(sample, trees=30, permutations=3, seed=settings.seed)
    pearson = correlation.pearson(sample.values, names)
    dropped = decision.decide(pearson, collinearity.design(sample.values, names, []), ranked, settings)
    assert dropped
    assert screened(sample, settings) == [name for name in names if name not in dropped]


def test_importance_of_classes_is_one_number(values: np.ndarray, classes: np.ndarray) -> None:
    labels = (classes >= 3).astype(np.uint8)  # the class code alone decides
    sample = as_sample(np.column_stack([values, classes]), labels, [*NAMES, "lithology"], {"lithology": {1: "marl"}})
    table = importance.importances(sample, trees=30, permutations=3, seed=5, shap=True).set_index("factor")
    assert table.gini.sum() == pytest.approx(1)
    assert table.gini.idxmax() == table.permutation.idxmax() == table.shap.idxmax() == "lithology"
    assert table.permutation["lithology"] > 0.3


def test_shap_values_add_up_to_the_margin(values: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Local accuracy, the property that defines SHAP: contributions and bias sum to the model's output."""
    import xgboost

    seen = {}
    original = xgboost.Booster.predict

    def spy(self: xgboost.Booster, data: xgboost.DMatrix, **options: object) -> np.ndarray:
        out = original(self, data, **options)
        if options.get("pred_contribs"):
            seen["contributions"], seen["margin"] = out, original(self, data, output_margin=True)
        return out

    monkeypatch.setattr(xgboost.Booster, "predict", spy)
    labels = (values[:, 1] > 20).astype(np.uint8)
    mean = importance.mean_shap(as_sample(values, labels, NAMES), trees=10, seed=0)
    np.testing.assert_allclose(seen["contributions"].sum(axis=1), seen["margin"], atol=1e-4)
    np.testing.assert_allclose(mean, np.abs(seen["contributions"][:, :-1]).mean(axis=0), rtol=1e-5)


def _ranking(**falls: float) -> pd.DataFrame:
    return pd.DataFrame({"factor": list(falls), "gini": list(falls.values()), "permutation": list(falls.values())})


def test_the_less_important_of_a_correlated_pair_goes(values: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    twin = values[:, 1] + rng.normal(scale=0.05, size=600)
    both = np.column_stack([values, twin]).astype(np.float32)
    names = [*NAMES, "slope_smooth"]
    columns, r = collinearity.design(both, names), correlation.pearson(both, names)
    ranking = _ranking(elevation=0.1, slope=0.2, ndvi=0.1, twi=0.1, slope_smooth=0.3)
    dropped = decision.decide(r, columns, ranking, ScreeningSettings(max_vif=1e6))
    assert list(dropped) == ["slope"] and "correlated with slope_smooth" in dropped["slope"]
    dropped = decision.decide(r, columns, ranking, ScreeningSettings(max_vif=1e6, keep=["slope"]))
    assert list(dropped) == ["slope_smooth"] and "which must stay" in dropped["slope_smooth"]


def test_perfect_collinearity_has_a_sentence_even_with_the_loosest_limits(values: np.ndarray) -> None:
    both = np.column_stack([values, -2 * values[:, 0] + 7, values[:, 1] + values[:, 3]]).astype(np.float32)
    names = [*NAMES, "depth", "sum"]
    columns, r = collinearity.design(both, names), correlation.pearson(both, names)
    ranking = _ranking(elevation=0.3, slope=0.2, ndvi=0.1, twi=0.1, depth=0.2, sum=0.0)
    dropped = decision.decide(r, columns, ranking, ScreeningSettings(max_correlation=1, max_vif=1e8))
    assert dropped.pop("depth").startswith("It is perfectly collinear with elevation (r = -1.000)")
    assert len(dropped) == 1 and "exact linear combination" in next(iter(dropped.values()))


def test_vif_is_recomputed_after_each_factor_that_goes(values: np.ndarray) -> None:
    """a + b + noise inflates three factors; once one of them has gone the other two are sound."""
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 600))
    three = np.column_stack([a, b, a + b + rng.normal(scale=0.1, size=600)])
    names = ["a", "b", "c"]
    columns, r = collinearity.design(three, names), correlation.pearson(three, names)
    assert (collinearity.variance_inflation(columns).loc["VIF"] > 10).all()
    dropped = decision.decide(r, columns, _ranking(a=0.1, b=0.1, c=0.1), ScreeningSettings())
    assert len(dropped) == 1 and "variance inflation factor" in next(iter(dropped.values()))


def test_least_importance_is_a_criterion_only_on_request(values: np.ndarray) -> None:
    columns, r = collinearity.design(values, NAMES), correlation.pearson(values, NAMES)
    ranking = _ranking(elevation=0.3, slope=0.2, ndvi=0.1, twi=-0.01)
    assert decision.decide(r, columns, ranking, ScreeningSettings(max_vif=100)) == {}
    dropped = decision.decide(r, columns, ranking, ScreeningSettings(max_vif=100, min_importance=0.0))
    assert list(dropped) == ["twi"]
