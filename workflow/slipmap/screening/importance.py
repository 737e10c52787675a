"""What each factor contributes: Gini and permutation importance of a random forest, SHAP on request."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline

from slipmap.parallel import each
from slipmap.screening.encoding import encoder, owners
from slipmap.screening.sampling import Sample

BLOCK = 64  # pixels on a side of the blocks that are held out together


def forest(sample: Sample, trees: int, seed: int, jobs: int = 1) -> Pipeline:
    """An unfitted random forest on the factors of `sample`, both classes of equal weight."""
    return make_pipeline(
        encoder(sample.names, list(sample.categories), standardise=False),
        RandomForestClassifier(trees, min_samples_leaf=3, class_weight="balanced", random_state=seed, n_jobs=jobs),
    )


def gini(fitted: Pipeline, sample: Sample) -> np.ndarray:
    """(factors,) mean decrease of Gini impurity, sum 1; the columns of one factor's classes are added up."""
    columns = owners(fitted[0], sample.names)
    return np.bincount(columns, fitted[-1].feature_importances_, minlength=len(sample.names))


def importances(
    sample: Sample, *, trees: int, permutations: int, seed: int, jobs: int = 1, shap: bool = False
) -> pd.DataFrame:
    """Importance of every factor, most important first.

    The forest learns from 70 % of the blocks (`BLOCK` pixels on a side) of the sample; permutation importance, the
    mean fall in AUC when a factor's values are shuffled (all its classes together), is measured on the rest, since
    on its own training pixels a forest finds every factor important. Gini importance is that of a forest on the whole
    sample.

    Returns
    -------
    Columns ``factor``, ``gini``, ``permutation``, ``permutation_std``, ``auc`` (of the factor alone, with no model:
    above 0.5 landslides have the larger values; empty for classes), and ``shap`` (mean |SHAP|, log-odds) on request.
    """
    whole = forest(sample, trees, seed, jobs).fit(sample.values, sample.labels)
    fall = falls(sample, sample.names, trees=trees, permutations=permutations, seed=seed, jobs=jobs)
    table = pd.DataFrame(
        {
            "factor": list(sample.names),
            "gini": gini(whole, sample),
            "permutation": fall.mean(axis=1),
            "permutation_std": fall.std(axis=1),
            "auc": [
                np.nan if name in sample.categories else roc_auc_score(sample.labels, sample.column(name))
                for name in sample.names
            ],
        }
    )
    if shap:
        table["shap"] = mean_shap(sample, trees, seed)
    return table.sort_values(["gini", "factor"], ascending=[False, True], ignore_index=True)


def deciding(sample: Sample, of: Collection[str], *, trees: int, permutations: int, seed: int) -> pd.DataFrame:
    """What `decision.decide` needs to choose among the factors `of`, without what it does not look at.

    Returns
    -------
    Columns ``factor``, ``permutation`` and ``gini`` as in `importances`, a row for every factor of `sample`: NaN for
    those not in `of`, and Gini importance only where two of them have the same permutation importance.
    """
    asked = [name for name in sample.names if name in of]
    fall = falls(sample, asked, trees=trees, permutations=permutations, seed=seed).mean(axis=1)
    table = pd.DataFrame({"factor": list(sample.names), "permutation": np.nan, "gini": np.nan})
    table.loc[table.factor.isin(asked), "permutation"] = fall
    if len(np.unique(fall)) < len(fall):
        table["gini"] = gini(forest(sample, trees, seed).fit(sample.values, sample.labels), sample)
    return table


def falls(sample: Sample, of: Sequence[str], *, trees: int, permutations: int, seed: int, jobs: int = 1) -> np.ndarray:
    """Permutation importance of the factors `of`, (factors, permutations): see `importances`."""
    learn, judge = hold_out(sample, 0.3, seed)
    part = forest(sample, trees, seed, jobs).fit(sample.values[learn], sample.labels[learn])
    part[-1].set_params(n_jobs=1)  # threads add the trees' votes up in any order: the last digit would depend on it
    columns = [sample.names.index(name) for name in of]
    return permutation(part, sample.values[judge], sample.labels[judge], permutations, seed, columns, jobs)


def permutation(
    fitted: Pipeline,
    values: np.ndarray,
    labels: np.ndarray,
    repeats: int,
    seed: int,
    columns: Sequence[int],
    jobs: int = 1,
) -> np.ndarray:
    """Fall of the AUC when the values of a factor are shuffled (Breiman 2001), (factors, repeats).

    The numbers of scikit-learn's ``permutation_importance`` with the same seed. It asks the forest once for every
    shuffle, which costs more for so few pixels than the trees do; here the forest is asked once for every factor.

    Parameters
    ----------
    columns : those of `values` that are shuffled, one by one. jobs : factors at a time, each in a thread.
    """
    whole = roc_auc_score(labels, fitted.predict_proba(values)[:, 1])
    # every factor is shuffled alike, and a shuffle goes on from the one before
    state = np.random.RandomState(np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1))
    order, orders = np.arange(len(labels)), []
    moved = order.copy()
    for _ in range(repeats):
        state.shuffle(order)
        moved = moved[order]
        orders.append(moved)
    drawn = np.concatenate(orders)

    def fall(column: int) -> list[float]:
        shuffled = np.tile(values, (repeats, 1))
        shuffled[:, column] = values[drawn, column]
        found = fitted.predict_proba(shuffled)[:, 1].reshape(repeats, -1)
        return [whole - roc_auc_score(labels, one) for one in found]

    return np.array(each(fall, columns, jobs)).reshape(-1, repeats)


def hold_out(sample: Sample, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (learn, judge) that divide `sample` by blocks, both classes on both sides.

    Where the blocks cannot do that (a small area, few landslides) pixels are drawn at random, class by class.
    """
    groups = sample.blocks(BLOCK)
    if len(np.unique(groups)) >= 2:
        splitter = GroupShuffleSplit(20, test_size=share, random_state=seed)
        for learn, judge in splitter.split(sample.values, sample.labels, groups):
            if all(len(np.unique(sample.labels[part])) == 2 for part in (learn, judge)):
                return learn, judge
    rare = np.bincount(sample.labels, minlength=2).min()
    every = np.arange(len(sample.labels))
    if rare < 2:
        return every, every
    return tuple(train_test_split(every, test_size=share, random_state=seed, stratify=sample.labels))


def mean_shap(sample: Sample, trees: int, seed: int) -> np.ndarray:
    """(factors,) mean |SHAP| of a gradient-boosted model: exact TreeSHAP (Lundberg et al. 2020) as xgboost has it.

    Log-odds; the SHAP values of one factor's classes are added before the absolute value.
    """
    import xgboost

    columns = encoder(sample.names, list(sample.categories), standardise=False)
    encoded = columns.fit_transform(sample.values)
    model = xgboost.XGBClassifier(
        n_estimators=trees, max_depth=4, learning_rate=0.1, subsample=0.8, random_state=seed, n_jobs=1
    ).fit(encoded, sample.labels)
    values = model.get_booster().predict(xgboost.DMatrix(encoded), pred_contribs=True)[:, :-1]
    of = owners(columns, sample.names)
    per_factor = np.stack([values[:, of == i].sum(axis=1) for i in range(len(sample.names))], axis=1)
    return np.asarray(np.abs(per_factor).mean(axis=0))
