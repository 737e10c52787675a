"""Compare the classical models and the Landslide Risk Index: cross-validated, and on the held-out test blocks."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from slipmap.codes import BACKGROUND, LANDSLIDE, TEST, TRAINING
from slipmap.config.screening import ScreeningSettings
from slipmap.config.susceptibility import ClassicalSettings, ComparisonSettings, ModelName
from slipmap.errors import InputError
from slipmap.factors.names import rain_lags, require
from slipmap.io.atomic import write_table, write_text
from slipmap.jobs.processes import in_processes
from slipmap.patches.store import split_description
from slipmap.screening.decision import unusable
from slipmap.screening.layers import opened
from slipmap.screening.sampling import Sample, survey
from slipmap.screening.within import screened
from slipmap.susceptibility import figures
from slipmap.susceptibility.areas import AreaFiles, places, pool
from slipmap.susceptibility.autocorrelation import block_side
from slipmap.susceptibility.classical import LABELS, Classifier, create
from slipmap.susceptibility.crossvalidation import cross_validate_each, reliability, scores, summary, with_intervals
from slipmap.susceptibility.folds import check_folds
from slipmap.susceptibility.interval import Influence, influence
from slipmap.susceptibility.risk_model import RiskIndex
from slipmap.susceptibility.schemes import distances, divisions, ground

log = logging.getLogger(__name__)
Curves = dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]  # (scheme, model) → labels and probabilities
Makers = Mapping[str, Callable[[], Classifier]]  # model → what makes it, unfitted
MOST_GROUPS = 64  # of the mixed model; more would take minutes to fit


def run(
    areas: Mapping[str, AreaFiles],
    settings: ComparisonSettings | Mapping[str, object],
    folder: str | Path,
    selected: Sequence[str] | None = None,
    jobs: int = 1,
    screening: ScreeningSettings | Mapping[str, object] | None = None,
) -> pd.DataFrame:
    """Write the comparison of all models of `settings` to `folder`.

    Writes cross_validation.csv (every fold), cross_validation_summary.csv (mean and standard deviation over folds and
    the interval of the AUROC, for every scheme; ``default`` marks the scheme that judges at the distances of the map),
    distances.csv (`slipmap.susceptibility.distances.distance_table`), test_scores.csv (the columns of Zheng et al.
    2025, Table 2: learnt on training blocks, scored on test blocks, and how far these are independent; only where there
    is a split), calibration.csv, roc.csv, roc.png, calibration.png and sample.json.

    Cross-validation uses all labelled pixels, whatever their split: each is predicted by a model that has not seen its
    fold, of factors that were screened on the other folds. All samples are half landslides, half not; accuracy, Brier
    score and RMSE refer to that.

    Parameters
    ----------
    areas : the area, then those pooled with it; one entry is the rule.
    selected : factors that screening let through on training blocks, for the test; `settings.factors` overrides it;
        None: all.
    jobs : processes, each with some of the folds and models.
    screening : thresholds by which the folds screen for themselves; None: they take `selected`, which must then not
        have been chosen on the same pixels.

    Returns
    -------
    cross_validation_summary.csv as a table.

    Raises
    ------
    InputError : an unknown factor; classes that mean different things in two areas; too few blocks for the folds.

    Notes
    -----
    Memory holds the samples, once in each process, and one block of every factor. The numbers do not depend on `jobs`.
    """
    settings = ComparisonSettings.model_validate(settings)
    folder = Path(folder)
    first = next(iter(areas.values()))
    tested_names = model_factors(first.factors, settings, selected)
    screening = None if screening is None or settings.factors else ScreeningSettings.model_validate(screening)
    names = tested_names if screening is None else _candidates(areas, tested_names, screening)

    everywhere, area = pool(areas, _needed(names, first.factors, settings), settings, splits=None)
    check_folds(everywhere, settings.folds)
    found = ground(areas, everywhere, area, names, settings)
    divided = divisions(found, settings)
    far = distances(found, divided)
    default = str(far.scheme[far.default].iloc[0])

    def builders(names: Sequence[str]) -> dict[str, Callable[[], Classifier]]:
        return models(names, first.factors, everywhere.categories, settings)

    groups = area if len(areas) > 1 else grouped(everywhere, found.block.pixels)
    folds, curves, influences, kept = _cross_validations(builders, everywhere, groups, divided, names, screening, jobs)
    means = with_intervals(summary(folds), influences, everywhere.labels, found.blocks)
    means["default"] = means.scheme == default
    record = {
        "cross_validation": _statement(everywhere, "every labelled pixel") | {"default_scheme": default},
        "blocks": {
            "side_pixels": found.block.pixels,
            "range_m": None if np.isnan(found.block.range) else round(found.block.range, 1),
            "source": found.block.source,
        },
        "kept_in_folds": kept,
        "seed": settings.seed,
    }
    if all(files.split is not None for files in areas.values()):
        needed = _needed(tested_names, first.factors, settings)
        makers = models(tested_names, first.factors, everywhere.categories, settings, jobs)
        tested, test_curves, statements = _test(makers, areas, needed, settings)
        write_table(folder / "test_scores.csv", tested, index=False)
        curves |= test_curves
        record |= statements
    record |= {"factors": list(tested_names), "areas": list(areas)}
    write_table(folder / "cross_validation.csv", folds, index=False)
    write_table(folder / "cross_validation_summary.csv", means, index=False)
    write_table(folder / "distances.csv", far, index=False)
    _write_curves(curves, folder)
    write_text(folder / "sample.json", json.dumps(record, indent=2) + "\n")
    return means


def _candidates(areas: Mapping[str, AreaFiles], selected: Sequence[str], settings: ScreeningSettings) -> list[str]:
    """Factors that the folds screen: of those that all areas have, what has values enough; labels are not looked at."""
    first = next(iter(areas.values()))
    common = [name for name in first.factors if all(name in files.factors for files in areas.values())]
    with opened({name: first.factors[name] for name in common}, first.inventory, first.split) as layers:
        lacking = unusable(survey(layers, None), settings, named=())
    return [name for name in common if name not in lacking or name in selected]


def _needed(names: Sequence[str], factors: Mapping[str, object], settings: ComparisonSettings) -> list[str]:
    """Factors that a sample must hold: of every model, of the risk index, and the regions."""
    own = [name for model in settings.models for name in own_factors(model, names, factors, settings)]
    regions = [settings.regions] if settings.regions is not None else []
    require(regions, factors, "susceptibility.regions")
    return list(dict.fromkeys([*names, *own, *_index_factors(factors, settings), *regions]))


def _cross_validations(
    builders: Callable[[Sequence[str]], Makers],
    sample: Sample,
    groups: np.ndarray,
    divided: Mapping[str, Sequence[np.ndarray]],
    names: Sequence[str],
    screening: ScreeningSettings | None,
    jobs: int,
) -> tuple[pd.DataFrame, Curves, dict[tuple[str, str], list[Influence]], dict[str, int]]:
    """Every scheme, repeat and model.

    Returns
    -------
    Scores of every fold; labels and probabilities of the first repeats; what each AUROC owes to each pixel; and in how
    many folds each factor stayed.
    """
    tables = []
    curves: Curves = {}
    influences: dict[tuple[str, str], list[Influence]] = {}
    runs = [(scheme, repeat, fold) for scheme, repeats in divided.items() for repeat, fold in enumerate(repeats)]
    each = [(fold, number) for _, _, fold in runs for number in np.unique(fold)]
    asked = [(sample, fold != number, names, screening) for fold, number in each]
    stayed = list(in_processes(fold_factors, asked, jobs))
    kept = Counter(name for own in stayed for name in own)
    chosen = iter(stayed)
    makers = [{int(number): builders(next(chosen)) for number in np.unique(fold)} for _, _, fold in runs]
    work = [(number, models) for number, made in enumerate(makers) for models in _together(next(iter(made.values())))]
    work.sort(key=lambda one: -len(one[1]))  # what takes longest first, so that no core waits for it at the end
    given = []
    for number, models in work:
        builds = [{fold: own[model] for fold, own in makers[number].items()} for model in models]
        given.append((builds, sample, runs[number][2], groups))
    judged = in_processes(cross_validate_each, given, jobs)
    found = {
        (number, model): one
        for (number, models), several in zip(work, judged, strict=True)
        for model, one in zip(models, several, strict=True)
    }
    for number, (scheme, repeat, fold) in enumerate(runs):
        log.info("%s cross-validation %d", scheme, repeat + 1)
        for model in next(iter(makers[number].values())):
            table, probability = found[number, model]
            tables.append(table.assign(model=LABELS[model], scheme=scheme, repeat=repeat))
            influences.setdefault((scheme, LABELS[model]), []).append(influence(sample.labels, probability, fold))
            if repeat == 0:
                known = np.isfinite(probability)
                curves[scheme, LABELS[model]] = sample.labels[known], probability[known]
    table = pd.concat(tables, ignore_index=True)
    front = ["model", "scheme", "repeat"]
    counts = {name: kept[name] for name in names}
    return table[front + [c for c in table.columns if c not in front]], curves, influences, counts


def _together(models: Collection[str]) -> list[tuple[str, ...]]:
    """Models that one process judges: the additive ones together, since the mixed one begins with the other's fit."""
    additive = tuple(model for model in models if model in ("gam", "gamm"))
    alone: list[tuple[str, ...]] = [(model,) for model in models if model not in additive]
    return [additive, *alone] if additive else alone


def fold_factors(
    sample: Sample, learn: np.ndarray, names: Sequence[str], screening: ScreeningSettings | None
) -> list[str]:
    """Factors that the models of one fold use: screened on the pixels `learn` that they learn from."""
    if screening is None or len(np.unique(sample.labels[learn])) < 2:
        return list(names)
    return screened(sample.take(learn).select(names), screening)


def _test(
    builders: Makers,
    areas: Mapping[str, AreaFiles],
    needed: Sequence[str],
    settings: ComparisonSettings,
) -> tuple[pd.DataFrame, Curves, dict[str, dict[str, object]]]:
    """Scores of every model on test blocks, learnt on training blocks; labels and probabilities; both samples told."""
    training, area = pool(areas, needed, settings, splits=(TRAINING,))
    test, _ = pool(areas, needed, settings, splits=(TEST,))
    groups = mixed_groups(training, area, areas, settings)
    told = [split_description(files.split) for files in areas.values() if files.split is not None]
    far = [float(split["test_distance"]) for split in told if "test_distance" in split]
    independence = {
        "Test distance (m)": min(far, default=np.nan),
        "Independence": "; ".join(dict.fromkeys(split["independence"] for split in told)),
    }
    rows: list[dict[str, object]] = []
    curves: Curves = {}
    for model, build in builders.items():
        fitted = build().fit(training, groups)
        probability = fitted.predict(test.columns(fitted.names))
        curves["test", LABELS[model]] = test.labels, probability
        row = scores(test.labels, probability, fitted.threshold)
        rows.append({"Model": LABELS[model], "Threshold": fitted.threshold} | table_2(row) | independence)
    statements = {"training": _statement(training, "training blocks"), "test": _statement(test, "test blocks")}
    return pd.DataFrame(rows), curves, statements


def on_test_ground(areas: Mapping[str, AreaFiles], settings: ComparisonSettings, jobs: int = 1) -> pd.DataFrame:
    """Scores on test blocks of models learnt on training blocks, without any cross-validation.

    Parameters
    ----------
    areas, settings, jobs : see `run`; `settings.factors` are the models' factors.

    Returns
    -------
    The columns of test_scores.csv; a row for each model, under its name in the config; ``attrs["pixels"]`` says of how
    many pixels.
    """
    first = next(iter(areas.values()))
    names = model_factors(first.factors, settings, None)
    needed = _needed(names, first.factors, settings)
    training, _ = pool(areas, needed, settings, splits=(TRAINING,))
    builders = models(names, first.factors, training.categories, settings, jobs)
    table, curves, _ = _test(builders, areas, needed, settings)
    table.index = pd.Index(builders)
    table.attrs["pixels"] = len(next(iter(curves.values()))[0])
    return table


def mixed_groups(
    sample: Sample, area: np.ndarray, areas: Mapping[str, AreaFiles], settings: ClassicalSettings
) -> np.ndarray:
    """(pixels,) groups of the mixed model: the area, or within one area the blocks."""
    if len(areas) > 1:
        return area
    pixel = float(np.mean(next(iter(areas.values())).resolution))
    return grouped(sample, block_side(sample, places(sample, area, areas), pixel, settings.block).pixels)


def grouped(sample: Sample, side: int) -> np.ndarray:
    """(pixels,) groups of the mixed model: blocks of `side` pixels, or of the least multiple that makes few enough.

    The time that the model takes to fit grows with the cube of their number.
    """
    multiple = 1
    while len(np.unique(groups := sample.blocks(multiple * side))) > MOST_GROUPS:
        multiple += 1
    return groups


def _write_curves(curves: Curves, folder: Path) -> None:
    """calibration.csv and the figures of ROC and calibration."""
    found = [
        reliability(labels, probability).assign(scheme=scheme, model=model)
        for (scheme, model), (labels, probability) in curves.items()
    ]
    table = pd.concat(found, ignore_index=True)[["scheme", "model", "predicted", "observed", "pixels"]]
    write_table(folder / "calibration.csv", table, index=False)
    write_table(folder / "roc.csv", figures.roc_table(curves), index=False)
    figures.roc(curves, folder / "roc.png")
    figures.calibration(table, folder / "calibration.png")


def table_2(row: Mapping[str, float]) -> dict[str, float]:
    """Scores under the column heads of Zheng et al. (2025), Table 2, with the RMSE that its MSE seems to be."""
    return {
        "Accuracy": row["accuracy"],
        "AUC": row["auc"],
        "MSE (Brier score)": row["brier"],
        "RMSE": row["rmse"],
    }


def models(
    names: Sequence[str],
    factors: Mapping[str, object],
    categories: Mapping[str, object],
    settings: ComparisonSettings,
    jobs: int = 1,
) -> dict[str, Callable[[], Classifier]]:
    """Makers of every model of `settings`, the risk index without and with rain last."""
    builders: dict[str, Callable[[], Classifier]] = {
        model: maker(model, own_factors(model, names, factors, settings), categories, settings, jobs)
        for model in settings.models
    }
    index = settings.risk_index
    if index is not None:
        builders["lsi_without_rain"] = lambda: RiskIndex(index, rain=False)
        if index.rain is not None:
            builders["lsi"] = lambda: RiskIndex(index, rain=True)
    return builders


def maker(
    model: ModelName,
    names: Sequence[str],
    categories: Mapping[str, object],
    settings: ClassicalSettings,
    jobs: int = 1,
) -> Callable[[], Classifier]:
    """What makes one model of the factors `names` (see `own_factors`), as often as it is called."""
    categorical = [name for name in names if name in categories]
    options = settings.options.get(model)
    return lambda: create(model, names, categorical, options=options, seed=settings.seed, jobs=jobs)


def own_factors(
    model: ModelName, names: Sequence[str], factors: Mapping[str, object], settings: ClassicalSettings
) -> list[str]:
    """Factors of one model: `names` and, where it looks at rain over time, what it needs besides."""
    if model == "rainfall_history":
        lags = rain_lags(factors)
        if not lags:
            raise InputError(
                "susceptibility.models names rainfall_history, which reads the rain of single days; add rain_lag_0, "
                "rain_lag_1, ... to factors.extra (they need inputs.rainfall with dates)."
            )
        return [*(name for name in names if name not in lags), *lags]
    if model == "stability_margin":
        rain = (settings.options.get(model) or {}).get("rain", "rainfall")
        require([rain], factors, "susceptibility.options.stability_margin.rain")
        return list(dict.fromkeys([*names, rain]))
    return list(names)


def model_factors(
    factors: Mapping[str, object], settings: ClassicalSettings, selected: Sequence[str] | None
) -> list[str]:
    """Factors that the models use: those the settings name, else those selected, else all; checked to exist."""
    names = list(settings.factors or selected or factors)
    require(names, factors, "susceptibility.factors")
    return names


def _index_factors(factors: Mapping[str, object], settings: ComparisonSettings) -> list[str]:
    if settings.risk_index is None:
        return []
    names = list(settings.risk_index.names)
    require(names, factors, "susceptibility.risk_index")
    return names


def _statement(sample: Sample, source: str) -> dict[str, object]:
    return {
        "drawn_from": f"{source} with a value in every factor",
        "landslide_pixels": int((sample.labels == LANDSLIDE).sum()),
        "other_pixels": int((sample.labels == BACKGROUND).sum()),
        "of_landslide_pixels": int(sample.population.get(1, 0)),
        "of_other_pixels": int(sample.population.get(0, 0)),
    }
