"""A paper's table with our numbers beside the published ones, from the scores of its rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from slipmap.config.run import ExperimentSettings
from slipmap.config.tables import ColumnSettings, RowSettings, TableSettings, TablesRunSettings
from slipmap.io.atomic import write_aside, write_text
from slipmap.training.summary import distance_of, independence_of
from slipmap.training.tables import merged, our_factors, read_run, read_table, standing_for


def run(
    table: TableSettings,
    settings: TablesRunSettings,
    experiments: list[ExperimentSettings | None],
    results: list[list[Path]],
    weights: list[list[Path]],
    out_csv: Path,
    out_json: Path,
) -> pd.DataFrame:
    """Write a table of networks: our numbers, their spread over seeds, and the published ones.

    Parameters
    ----------
    table
        The table.
    settings
        On which data, how much reduced.
    experiments
        The experiment of each row; None where it is not run.
    results
        For each row, ``test_metrics.json`` of each seed.
    weights
        For each row, the folder of weights of each seed.
    out_csv
        One row for each row of the paper, three columns for each of its columns: ``{column}, published``,
        ``{column}, ours`` (mean over seeds) and ``{column}, spread`` (standard deviation; empty with one seed).
    out_json
        Title, paper, inputs, data, split and caveats of both, for whoever shows the table.
    """
    records = []
    for row, experiment, scored, folders in zip(table.rows, experiments, results, weights, strict=True):
        loaded = [json.loads(Path(path).read_text(encoding="utf-8")) for path in scored]
        costs = _costs(table, row) if experiment else {}
        ours = {
            heading: _ours(column, loaded, folders, costs) if experiment else []
            for heading, column in table.columns.items()
        }
        record = {"model": row.name, "experiment": experiment.model.name if experiment else ""}
        ground = {"test distance, ours": distance_of(loaded), "independence, ours": independence_of(loaded)}
        records.append(record | _cells(table, row, ours) | {"seeds": len(scored)} | ground | {"note": row.note})
    return _write(pd.DataFrame(records), _about(table, settings, experiments, results), out_csv, out_json)


def write_scores(
    table: TableSettings,
    settings: TablesRunSettings,
    scores: pd.DataFrame,
    ground: Mapping[str, Any],
    out_csv: Path,
    out_json: Path,
) -> pd.DataFrame:
    """Write a table without networks, as :func:`run` does.

    Parameters
    ----------
    table, settings
        See :func:`run`.
    scores
        Our numbers: a row for each `of`, a column for each score; what is not there stays empty.
    ground
        ``areas``, ``pixels``, ``test distance`` (m), ``independence``: what the numbers are of.
    out_csv, out_json
        See :func:`run`.
    """
    records = []
    for row in table.rows:
        known = row.of in scores.index
        ours = {}
        for heading, column in table.columns.items():
            (name,) = standing_for([column.score], settings)
            ours[heading] = [float(scores.loc[row.of, name])] if known and name in scores else []
        told = {"test distance, ours": ground["test distance"], "independence, ours": ground["independence"]}
        records.append(
            {"model": row.name, "experiment": row.of}
            | _cells(table, row, ours)
            | {"seeds": 1}
            | told
            | {"note": row.note if known else "Not made: the area has no such model or factor."}
        )
    about = _published(table) | {
        "ours": {
            "areas": ground["areas"],
            "dataset": "",
            "independence": ground["independence"],
            "images": 0,
            "pixels": ground["pixels"],
            "bands": our_factors(table.inputs, settings),
            "width": 1.0,
            "training": {"epochs": 0},
            "statement": f"{', '.join(ground['areas'])}, {ground['pixels']:,} labelled pixels, half of them landslide; "
            f"division of the ground: {ground['independence']}.",
        },
        "caveats": [*table.caveats, f"Our numbers are of other data ({', '.join(ground['areas'])})."],
    }
    return _write(pd.DataFrame(records), about, out_csv, out_json)


def run_files(
    definition: Path,
    run_file: Path,
    experiments: list[Mapping[str, Any] | None],
    results: list[list[str]],
    out_csv: Path,
    out_json: Path,
) -> pd.DataFrame:
    """As :func:`run`, from the table's file and plain data; weights lie where their experiment has its home area.

    Parameters
    ----------
    definition
        ``config/tables/{table}.yaml``.
    run_file
        ``config/tables.yaml``.
    experiments
        Settings of each row's experiment, or None.
    results
        For each row, ``results/{area}/experiments/{experiment}/seed_{seed}/test_metrics.json`` of each seed.
    out_csv, out_json
        See :func:`run`.
    """
    chosen = [ExperimentSettings.model_validate(record) if record else None for record in experiments]
    scored = [[Path(path) for path in paths] for paths in results]
    weights = []
    for experiment, paths in zip(chosen, scored, strict=True):
        home = experiment.train_areas[0] if experiment else ""  # a row that is not run has no results
        weights.append([path.parents[4] / home / Path(*path.parent.parts[-3:]) for path in paths])
    return run(read_table(definition), read_run(run_file), chosen, scored, weights, out_csv, out_json)


def _cells(
    table: TableSettings, row: RowSettings, ours: Mapping[str, Sequence[float | None]]
) -> dict[str, float | None]:
    """The three cells of each column of a row."""
    cells: dict[str, float | None] = {}
    for heading, column in table.columns.items():
        values = np.array([value for value in ours[heading] if value is not None], dtype=float) * column.scale
        cells[f"{heading}, published"] = row.published.get(heading)
        cells[f"{heading}, ours"] = values.mean() if values.size else np.nan
        cells[f"{heading}, spread"] = values.std(ddof=1) if values.size > 1 else np.nan
    return cells


def _write(frame: pd.DataFrame, about: Mapping[str, Any], out_csv: Path, out_json: Path) -> pd.DataFrame:
    with write_aside(out_csv) as aside:
        frame.to_csv(aside, index=False, float_format="%.6g")
    write_text(out_json, json.dumps(about, indent=1, ensure_ascii=False) + "\n")
    return frame


def _ours(
    column: ColumnSettings, scored: list[dict[str, Any]], folders: Iterable[Path], costs: Mapping[str, float]
) -> list[float | None]:
    group, _, score = column.score.partition(".")
    if group == "cost":
        return [costs[score]]
    if group == "history":
        return [_at_best_epoch(Path(folder), score) for folder in folders]
    return [result[group][score] for result in scored]


def _at_best_epoch(folder: Path, score: str) -> float:
    import pandas as pd

    best = json.loads((folder / "model.json").read_text(encoding="utf-8"))["best_epoch"]
    history = pd.read_csv(folder / "history.csv")
    return float(history.loc[history["epoch"] == best, score].iloc[0])


def _costs(table: TableSettings, row: RowSettings) -> dict[str, float]:
    """Return the costs that the table has columns for, of the row's model at its published size."""
    wanted = {c.score.removeprefix("cost.") for c in table.columns.values() if c.score.startswith("cost.")}
    at = table.cost
    if not wanted or at is None:
        return {}
    from slipmap.training import cost

    model = merged(table.shared, row.experiment or {}).get("model", {})
    name, options = model.get("name", "unet"), model.get("options", {})
    shape = (at.channels, at.size, at.size)
    found: dict[str, float] = {}
    if "parameters" in wanted:
        found["parameters"] = cost.parameters(name, at.channels, at.classes, options)
    if "flops" in wanted:
        found["flops"] = cost.flops(name, shape, at.classes, options) * at.flops_per_mac / 2
    if "images_per_second" in wanted:
        found["images_per_second"] = cost.images_per_second(name, shape, at.classes, options)
    return found


def _published(table: TableSettings) -> dict[str, Any]:
    """What the paper says of its table."""
    inputs = table.inputs.model_dump(mode="json")
    return {
        "paper": table.paper,
        "title": table.title,
        "kind": table.kind,
        "published": {"data": table.published_data, "split": table.published_split, "inputs": inputs},
        "columns": {heading: column.model_dump() for heading, column in table.columns.items()},
    }


def _about(
    table: TableSettings,
    settings: TablesRunSettings,
    experiments: list[ExperimentSettings | None],
    results: list[list[Path]],
) -> dict[str, Any]:
    first = next(json.loads(Path(paths[0]).read_text(encoding="utf-8")) for paths in results if paths)
    chosen = next(experiment for experiment in experiments if experiment)
    width = chosen.model.options.get("width", 1.0)
    size = f"at {width:g} of their published width" if width != 1 else "at their published size"
    seeds = max(len(paths) for paths in results)
    runs = f"mean and standard deviation of {seeds} seeds where there is a ±" if seeds > 1 else "one seed"
    return _published(table) | {
        "ours": {
            "areas": first["areas"],
            "dataset": chosen.dataset,
            "independence": independence_of([first]),
            "images": first["images"],
            "pixels": first["pixels"],
            "bands": first["bands"],
            "width": width,
            "training": chosen.training.model_dump(mode="json"),
            "statement": f"{', '.join(first['areas'])}, {first['images']} test images of {first['pixels']:,} labelled "
            f"pixels; division of the ground: {independence_of([first])}. Models {size}, {chosen.training.epochs} "
            f"epochs at most; {runs}.",
        },
        "caveats": [
            *table.caveats,
            *settings.changes,
            f"Our numbers are of other data ({', '.join(first['areas'])}) and of models {size}; they compare the rows "
            f"with each other, not with the published numbers.",
        ],
    }
