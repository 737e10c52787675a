"""Screening of an area's factors: from rasters to the tables and the list of factors that go on."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from slipmap.codes import BACKGROUND, LANDSLIDE
from slipmap.config.screening import ScreeningSettings
from slipmap.errors import InputError
from slipmap.io.atomic import write_table, write_text
from slipmap.screening import (
    collinearity,
    components,
    correlation,
    decision,
    frequency,
    importance,
    layers,
    sampling,
)


def run(
    factors: Mapping[str, str | Path] | Sequence[str | Path],
    inventory: str | Path,
    split: str | Path,
    settings: ScreeningSettings | Mapping[str, object],
    folder: str | Path,
    jobs: int = 1,
    named: Collection[str] | None = None,
) -> list[str]:
    """Screen factors on the training pixels alone and write the tables to `folder`.

    Writes correlation.csv (Pearson), spearman.csv, vif.csv (all usable factors; layout of Li et al. 2024, Table 2),
    vif_selected.csv (those that stay), importance.csv, pca.csv, frequency_ratio.csv (with weight of evidence),
    decision.csv and selection.json. Every number comes from the sample that selection.json states: pixels where split
    is 0, the label is known and every usable factor has a value; frequency ratios count all training pixels, in
    classes cut on the sample. Factors of classes (uint8 rasters) have no correlation or component: their codes are
    not numbers; they take part in VIF as GVIF and in importance.

    Parameters
    ----------
    factors : {name: raster}, or rasters named by their file names; one band each, all on one grid.
    inventory : uint8, 1 landslide, 0 not, 255 unknown.
    split : uint8, 0 training, 1 validation, 2 test, 255 left out.
    settings : ScreeningSettings, or its mapping.
    folder : where the tables go.
    jobs : threads of the forest.
    named : factors that the config asks for by name: a constant or empty one of these stops the run, another is dropped
        with the reason. None: all.

    Returns
    -------
    Names of the factors that stay, in the order given.

    Raises
    ------
    InputError : rasters on different grids; a constant or empty factor that is `named` (unless dropped); no landslide
        to learn from.

    Notes
    -----
    Memory holds the sample and one block of every factor, whatever the area's size.
    """
    settings = ScreeningSettings.model_validate(settings)
    folder = Path(folder)
    with layers.opened(factors, inventory, split) as stack:
        names = list(stack.names)
        coverage = sampling.survey(stack)
        if not any(c.pixels for c in coverage.values()):
            raise InputError(
                f"{split}: no labelled pixel lies in a training block; check the split's ratios and the inventory."
            )
        dropped = decision.unusable(coverage, settings, names if named is None else named)
        usable = [name for name in names if name not in dropped]
        if not usable:
            raise InputError("screening: no factor can be used; see factors/coverage.csv and correct the inputs.")
        sample = sampling.draw(stack, settings.sample, settings.seed, names=usable)
        divided = frequency.divide(sample, settings.classes, settings.class_breaks)
        counts = frequency.count(stack, divided)

    judged = _judge(sample, settings, jobs)
    dropped |= judged.dropped
    selected = [name for name in names if name not in dropped]
    _write_tables(folder, judged, selected)
    decided = decision.table(names, dropped, _remarks(selected, sample, settings))
    write_table(folder / "decision.csv", decided, index=False)
    write_table(folder / "frequency_ratio.csv", frequency.table(divided, counts), index=False)
    record = _record(sample, coverage, selected, dropped, settings)
    write_text(folder / "selection.json", json.dumps(record, indent=2) + "\n")
    return selected


@dataclass(frozen=True)
class _Judged:
    """What the sample says of its factors, and which it drops with the reason."""

    pearson: pd.DataFrame
    spearman: pd.DataFrame
    columns: Mapping[str, np.ndarray]
    ranked: pd.DataFrame
    principal: pd.DataFrame
    dropped: dict[str, str]


def _judge(sample: sampling.Sample, settings: ScreeningSettings, jobs: int) -> _Judged:
    numbers = sample.columns(sample.continuous)
    pearson = correlation.pearson(numbers, sample.continuous)
    spearman = correlation.spearman(numbers, sample.continuous)
    columns = collinearity.design(sample.values, sample.names, list(sample.categories))
    ranked = importance.importances(
        sample,
        trees=settings.trees,
        permutations=settings.permutations,
        seed=settings.seed,
        jobs=jobs,
        shap=settings.shap,
    )
    deciding = pearson if settings.correlation == "pearson" else spearman
    return _Judged(
        pearson=pearson,
        spearman=spearman,
        columns=columns,
        ranked=ranked,
        principal=components.principal_components(numbers, sample.continuous, settings.pca_scaling),
        dropped=decision.decide(deciding, columns, ranked, settings),
    )


def _write_tables(folder: Path, judged: _Judged, selected: Sequence[str]) -> None:
    left = {name: judged.columns[name] for name in selected}
    write_table(folder / "correlation.csv", judged.pearson, index_label="factor")
    write_table(folder / "spearman.csv", judged.spearman, index_label="factor")
    write_table(folder / "vif.csv", collinearity.variance_inflation(judged.columns), index_label="statistic")
    write_table(folder / "vif_selected.csv", collinearity.variance_inflation(left), index_label="statistic")
    write_table(folder / "importance.csv", judged.ranked, index=False)
    write_table(folder / "pca.csv", judged.principal, index=False)


def _record(
    sample: sampling.Sample,
    coverage: Mapping[str, Any],
    selected: Sequence[str],
    dropped: Mapping[str, str],
    settings: ScreeningSettings,
) -> dict[str, Any]:
    """What selection.json says."""
    return {
        "factors": selected,
        "dropped": dropped,
        "sample": {
            "drawn_from": "training blocks (split 0), known label, a value in every usable factor",
            "seed": settings.seed,
            "training_pixels": next(iter(coverage.values())).pixels,
            "complete_landslide_pixels": sample.population[LANDSLIDE],
            "complete_other_pixels": sample.population[BACKGROUND],
            "landslide_pixels": int((sample.labels == LANDSLIDE).sum()),
            "other_pixels": int((sample.labels == BACKGROUND).sum()),
        },
        "coverage": {name: round(c.share, 6) for name, c in coverage.items()},
    }


def _remarks(selected: Sequence[str], sample: sampling.Sample, settings: ScreeningSettings) -> dict[str, str]:
    remarks = {name: "Kept because screening.keep names it." for name in selected if name in settings.keep}
    for name in sample.categories:
        remarks.setdefault(
            name,
            "It passes every threshold (classes: GVIF in place of VIF; no correlation, since codes are not numbers).",
        )
    return remarks
