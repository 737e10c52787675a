"""Compare the classical models and the Landslide Risk Index: cross-validated, and on the held-out test blocks."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from slipmap.codes import BACKGROUND, LANDSLIDE, TEST, TRAINING
from slipmap.config.susceptibility import ClassicalSettings, ComparisonSettings
from slipmap.errors import InputError
from slipmap.factors.names import rain_lags, require
from slipmap.io.atomic import write_table, write_text
from slipmap.patches.store import split_description
from slipmap.screening.layers import opened
from slipmap.screening.sampling import Sample, draw
from slipmap.susceptibility import figures
from slipmap.susceptibility.classical import LABELS, Classifier, RiskIndex, create
from slipmap.susceptibility.crossvalidation import (
    check_folds,
    cross_validate,
    random_folds,
    reliability,
    scores,
    spatial_folds,
    summary,
)

log = logging.getLogger(__name__)
Curves = dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]  # (scheme, model) → labels and probabilities


@dataclass(frozen=True)
class AreaFiles:
    """The rasters of one area: {factor: path}, the inventory and (where there is one) the split."""

    factors: Mapping[str, str | Path]
    inventory: str | Path
    split: str | Path | None = None


def area_files(
    names: Mapping[str, Sequence[str]],
    factors: Sequence[str | Path],
    inventories: Sequence[str | Path],
    splits: Sequence[str | Path],
) -> dict[str, AreaFiles]:
    """Sort the flat lists of a rule's inputs by area.

    Parameters
    ----------
    names : {area: its factors}, in the order of the inputs.
    factors : rasters of all areas, one after another.
    inventories, splits : one for each area.
    """
    rest = iter(factors)
    return {
        area: AreaFiles({name: next(rest) for name in own}, inventory, split)
        for (area, own), inventory, split in zip(names.items(), inventories, splits, strict=True)
    }


def read_selection(path: str | Path) -> list[str]:
    """The factors that screening let through (selection.json)."""
    return json.loads(Path(path).read_text(encoding="utf-8"))["factors"]


def run(
    areas: Mapping[str, AreaFiles],
    settings: ComparisonSettings | Mapping,
    folder: str | Path,
    selected: Sequence[str] | None = None,
    jobs: int = 1,
) -> pd.DataFrame:
    """Write the comparison of all models of `settings` to `folder`.

    Writes cross_validation.csv (every fold), cross_validation_summary.csv (mean and standard deviation over folds,
    random beside spatial), test_scores.csv (the columns of Zheng et al. 2025, Table 2: learnt on training blocks,
    scored on test blocks, and how far these are independent; only where there is a split), calibration.csv, roc.png,
    calibration.png and sample.json.

    Cross-validation uses all labelled pixels, whatever their split: each is predicted by a model that has not seen its
    fold. All samples are half landslides, half not; accuracy, Brier score and RMSE refer to that.

    Parameters
    ----------
    areas : the area, then those pooled with it; one entry is the rule.
    selected : factors that screening lets through; `settings.factors` overrides it; None: all.
    jobs : threads of the forest and of xgboost.

    Returns
    -------
    cross_validation_summary.csv as a table.

    Raises
    ------
    InputError : an unknown factor; classes that mean different things in two areas; too few blocks for the folds.

    Notes
    -----
    Memory holds the samples and one block of every factor.
    """
    settings = ComparisonSettings.model_validate(settings)
    folder = Path(folder)
    first = next(iter(areas.values()))
    names = model_factors(first.factors, settings, selected)
    own = [own_factors(model, names, first.factors, settings) for model in settings.models]
    needed = list(dict.fromkeys([*names, *(n for o in own for n in o), *_index_factors(first.factors, settings)]))

    everywhere, area = pool(areas, needed, settings, splits=None)
    check_folds(everywhere, settings.folds)
    builders = models(names, first.factors, everywhere.categories, settings, jobs)
    groups = area if len(areas) > 1 else everywhere.blocks(settings.block)
    folds, curves = _cross_validations(builders, everywhere, groups, settings)
    record = {"cross_validation": _statement(everywhere, "every labelled pixel"), "seed": settings.seed}
    if all(files.split is not None for files in areas.values()):
        tested, test_curves, statements = _test(builders, areas, needed, settings)
        write_table(folder / "test_scores.csv", tested, index=False)
        curves |= test_curves
        record |= statements
    record |= {"factors": list(names), "areas": list(areas)}
    means = summary(folds)
    write_table(folder / "cross_validation.csv", folds, index=False)
    write_table(folder / "cross_validation_summary.csv", means, index=False)
    _write_curves(curves, folder)
    write_text(folder / "sample.json", json.dumps(record, indent=2) + "\n")
    return means


def _cross_validations(
    builders: Mapping[str, Callable[[], Classifier]], sample: Sample, groups: np.ndarray, settings: ComparisonSettings
) -> tuple[pd.DataFrame, Curves]:
    """Scores of every fold of every model, random and spatial; labels and probabilities of the first repeat."""
    tables, curves = [], {}
    for scheme in ("random", "spatial"):
        for repeat in range(settings.repeats):
            seed = settings.seed + repeat
            if scheme == "random":
                fold = random_folds(sample, settings.folds, seed)
            else:
                fold = spatial_folds(sample, settings.folds, seed, settings.block, settings.spatial)
            for model, build in builders.items():
                log.info("%s cross-validation %d of %s", scheme, repeat + 1, LABELS[model])
                table, probability = cross_validate(build, sample, fold, groups)
                tables.append(table.assign(model=LABELS[model], scheme=scheme, repeat=repeat))
                if repeat == 0:
                    known = np.isfinite(probability)
                    curves[scheme, LABELS[model]] = sample.labels[known], probability[known]
    table = pd.concat(tables, ignore_index=True)
    front = ["model", "scheme", "repeat"]
    return table[front + [c for c in table.columns if c not in front]], curves


def _test(
    builders: Mapping[str, Callable[[], Classifier]],
    areas: Mapping[str, AreaFiles],
    needed: Sequence[str],
    settings: ComparisonSettings,
) -> tuple[pd.DataFrame, Curves, dict[str, object]]:
    """Scores of every model on test blocks, learnt on training blocks; labels and probabilities; both samples told."""
    training, area = pool(areas, needed, settings, splits=(TRAINING,))
    test, _ = pool(areas, needed, settings, splits=(TEST,))
    groups = area if len(areas) > 1 else training.blocks(settings.block)
    told = [split_description(files.split) for files in areas.values()]
    far = [float(split["test_distance"]) for split in told if "test_distance" in split]
    independence = {
        "Test distance (m)": min(far, default=np.nan),
        "Independence": "; ".join(dict.fromkeys(split["independence"] for split in told)),
    }
    rows, curves = [], {}
    for model, build in builders.items():
        fitted = build().fit(training, groups)
        probability = fitted.predict(test.columns(fitted.names))
        curves["test", LABELS[model]] = test.labels, probability
        row = scores(test.labels, probability, fitted.threshold)
        rows.append({"Model": LABELS[model], "Threshold": fitted.threshold} | table_2(row) | independence)
    statements = {"training": _statement(training, "training blocks"), "test": _statement(test, "test blocks")}
    return pd.DataFrame(rows), curves, statements


def _write_curves(curves: Curves, folder: Path) -> None:
    """calibration.csv and the figures of ROC and calibration."""
    found = [
        reliability(labels, probability).assign(scheme=scheme, model=model)
        for (scheme, model), (labels, probability) in curves.items()
    ]
    table = pd.concat(found, ignore_index=True)[["scheme", "model", "predicted", "observed", "pixels"]]
    write_table(folder / "calibration.csv", table, index=False)
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
    if settings.risk_index is not None:
        builders["lsi_without_rain"] = lambda: RiskIndex(settings.risk_index, rain=False)
        if settings.risk_index.rain is not None:
            builders["lsi"] = lambda: RiskIndex(settings.risk_index, rain=True)
    return builders


def maker(
    model: str,
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
    model: str, names: Sequence[str], factors: Mapping[str, object], settings: ClassicalSettings
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


def pool(
    areas: Mapping[str, AreaFiles],
    names: Sequence[str],
    settings: ClassicalSettings,
    splits: Sequence[int] | None,
) -> tuple[Sample, np.ndarray]:
    """One sample of all `areas`, and (pixels,) the number of the area that each pixel lies in.

    Rows of later areas are shifted so that no block spans two areas.
    """
    samples = []
    for area, files in areas.items():
        require(names, files.factors, f"areas.{area}: susceptibility")
        with opened({name: files.factors[name] for name in names}, files.inventory, files.split) as layers:
            samples.append(draw(layers, settings.sample, settings.seed, splits=splits))
    if len(samples) == 1:
        return samples[0], np.zeros(len(samples[0].labels), np.int64)
    for sample, area in zip(samples, areas, strict=True):
        if sample.categories != samples[0].categories:
            raise InputError(
                f"areas.{area}: the classes of {', '.join(sample.categories)} differ from those of "
                f"{next(iter(areas))}; areas can be pooled only with the same classes under the same numbers."
            )
    shift, rows = 0, []
    for sample in samples:
        rows.append(sample.rows + shift)
        shift += (int(sample.rows.max()) // settings.block + 2) * settings.block
    merged = replace(
        samples[0],
        values=np.concatenate([s.values for s in samples]),
        labels=np.concatenate([s.labels for s in samples]),
        rows=np.concatenate(rows),
        cols=np.concatenate([s.cols for s in samples]),
        population={k: sum(s.population[k] for s in samples) for k in samples[0].population},
    )
    return merged, np.repeat(np.arange(len(samples)), [len(s.labels) for s in samples])


def _statement(sample: Sample, source: str) -> dict[str, object]:
    return {
        "drawn_from": f"{source} with a value in every factor",
        "landslide_pixels": int((sample.labels == LANDSLIDE).sum()),
        "other_pixels": int((sample.labels == BACKGROUND).sum()),
        "of_landslide_pixels": int(sample.population.get(1, 0)),
        "of_other_pixels": int(sample.population.get(0, 0)),
    }
