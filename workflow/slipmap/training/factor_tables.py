"""Papers' tables without networks: collinearity of the factors, and risk models on test ground."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from slipmap.codes import TRAINING
from slipmap.config.screening import ScreeningSettings
from slipmap.config.susceptibility import ComparisonSettings
from slipmap.patches.store import split_description
from slipmap.screening import collinearity, layers, sampling
from slipmap.susceptibility import compare
from slipmap.susceptibility.areas import AreaFiles
from slipmap.training.table_results import write_scores
from slipmap.training.tables import our_factors, read_run, read_table

#: Risk models by the rows of a table of susceptibility; the index is not among the models that learn.
INDEX = ("lsi_without_rain", "lsi")


def run(
    definition: Path,
    run_file: Path,
    area: str,
    files: AreaFiles,
    screening: ScreeningSettings | Mapping[str, Any],
    susceptibility: ComparisonSettings | Mapping[str, Any] | None,
    out_csv: Path,
    out_json: Path,
    jobs: int = 1,
) -> pd.DataFrame:
    """Write a table of screening or of risk models, of the paper's factors alone.

    Parameters
    ----------
    definition, run_file
        ``config/tables/{table}.yaml`` and ``config/tables.yaml``.
    area, files
        Name and rasters of the area; `files` holds all factors that the table and the risk index need.
    screening
        How many pixels are drawn, and with which seed.
    susceptibility
        Sample, seed, options of the models and the risk index; None: the models' defaults, and no index.
    out_csv, out_json
        See :func:`slipmap.training.table_results.run`.
    jobs
        Threads of the forest and of xgboost.
    """
    table, settings = read_table(definition), read_run(run_file)
    names = our_factors(table.inputs, settings)
    if table.kind == "screening":
        scores, ground = collinear(names, files, ScreeningSettings.model_validate(screening))
    else:
        chosen = ComparisonSettings.model_validate(susceptibility or {})
        wanted = [row.of for row in table.rows if row.of not in INDEX]
        chosen = chosen.model_copy(update={"models": wanted, "factors": names, "with_areas": []})
        scores, ground = risk_models(area, files, chosen, jobs)
    return write_scores(table, settings, scores, {"areas": [area], **ground}, out_csv, out_json)


def collinear(names: list[str], files: AreaFiles, settings: ScreeningSettings) -> tuple[pd.DataFrame, dict[str, Any]]:
    """VIF and tolerance of some factors on training ground: rows VIF and TOL, a column for each factor."""
    chosen = {name: files.factors[name] for name in names}
    with layers.opened(chosen, files.inventory, files.split) as stack:
        sample = sampling.draw(stack, settings.sample, settings.seed, splits=(TRAINING,))
    columns = collinearity.design(sample.values, sample.names, list(sample.categories))
    ground = {"pixels": len(sample.labels), "test distance": float("nan"), "independence": "training ground alone"}
    return collinearity.variance_inflation(columns), ground


def risk_models(
    area: str, files: AreaFiles, settings: ComparisonSettings, jobs: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Scores on test ground of models learnt on training ground: a row for each model, under its name in the config."""
    if files.split is None:
        raise ValueError(f"{area} has no split, and so no test ground")
    scores = compare.on_test_ground({area: files}, settings, jobs)
    told = split_description(files.split)
    ground = {"pixels": int(scores.attrs["pixels"]), "independence": told["independence"]}
    return scores, ground | {"test distance": float(told.get("test_distance", "nan"))}
