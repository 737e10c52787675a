"""The papers' results tables: rows as experiments, our numbers beside the published ones.

Nothing here imports torch but `run`, so that the workflow reads the tables in no time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from pydantic import ValidationError

from slipmap.config.recipes import RECIPES
from slipmap.config.run import ExperimentSettings
from slipmap.config.tables import ColumnSettings, RowSettings, TableSettings, TablesRunSettings
from slipmap.errors import InputError, nearest
from slipmap.io.atomic import write_aside, write_text
from slipmap.training.summary import distance_of, independence_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tables:
    """Tables to run, and the experiments that their rows are.

    Attributes
    ----------
    tables : name of the file → table.
    experiments : name → settings; rows that are the same experiment share one.
    rows : table → name of each row's experiment (None: not run).
    settings : on which data, how much reduced.
    """

    tables: dict[str, TableSettings]
    experiments: dict[str, ExperimentSettings]
    rows: dict[str, list[str | None]]
    settings: TablesRunSettings


def load(folder: str | Path, run_file: str | Path) -> Tables:
    """Read every table of `folder`, as `run_file` says to run them.

    Parameters
    ----------
    folder
        ``config/tables``: one YAML file for each table.
    run_file
        ``config/tables.yaml``: data, width, training settings that win, seeds.

    Raises
    ------
    InputError
        If a file is not a table, or a row is no experiment.
    """
    settings = _checked(TablesRunSettings, Path(run_file))
    tables = {path.stem: _checked(TableSettings, path) for path in sorted(Path(folder).glob("*.yaml"))}
    for key, names in (("tables", settings.tables or ()), ("seeds", settings.seeds)):
        for name in names:
            if name not in tables:
                raise InputError(f"{run_file}: {key} names a table '{name}'{nearest(name, tables)}")
    if settings.tables is not None:
        tables = {name: tables[name] for name in settings.tables}
    rows: dict[str, list[str | None]] = {}
    found: dict[str, dict[str, Any]] = {}
    for name, table in tables.items():
        rows[name] = []
        for row in table.rows:
            if row.experiment is None:
                rows[name].append(None)
                continue
            key, record = _experiment(table, row, settings)
            seeds = settings.seeds.get(name, [0])
            known = found.setdefault(key, record | {"seeds": set()})
            known["seeds"] |= set(seeds)
            rows[name].append(key)
    experiments = {}
    for key, record in found.items():
        record["training"]["seeds"] = sorted(record.pop("seeds"))
        try:
            experiments[key] = ExperimentSettings.model_validate(record)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            users = [name for name, keys in rows.items() if key in keys]
            raise InputError(f"Table {users[0]}: {where} of a row: {first['msg']}; correct the file.") from None
    return Tables(tables, experiments, rows, settings)


def _experiment(table: TableSettings, row: RowSettings, settings: TablesRunSettings) -> tuple[str, dict[str, Any]]:
    """Return name and settings of a row's experiment; the name follows from the settings."""
    record = merged(table.shared, row.experiment or {})
    record = merged(record, {"training": dict(settings.training)})
    if "loss" in settings.training:
        record["training"]["loss"] = dict(settings.training["loss"])  # a sum of losses is replaced, not added to
    if settings.width is not None:
        record = merged(record, {"model": {"options": {"width": settings.width}}})
    name = record.get("model", {}).get("name", "unet")
    record = merged(record, {"model": {"options": settings.options.get(name, {})}})
    record |= {
        "dataset": settings.dataset,
        "train_areas": list(settings.train_areas),
        "test_areas": list(settings.test_areas),
        "map_areas": [],
    }
    digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:8]
    return f"table_{name}_{digest}", record


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` laid on it, section by section; neither is changed."""
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def run(
    table: TableSettings,
    experiments: list[ExperimentSettings | None],
    results: list[list[Path]],
    weights: list[list[Path]],
    out_csv: Path,
    out_json: Path,
) -> pd.DataFrame:
    """Write a table: our numbers, their spread over seeds, and the published ones.

    Parameters
    ----------
    table
        The table.
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
        Title, paper, data, split and caveats of both, for whoever shows the table.
    """
    import pandas as pd

    records = []
    for row, experiment, scored, folders in zip(table.rows, experiments, results, weights, strict=True):
        record: dict[str, Any] = {"model": row.name, "experiment": experiment.model.name if experiment else ""}
        loaded = [json.loads(Path(path).read_text(encoding="utf-8")) for path in scored]
        costs = _costs(table, row) if experiment else {}
        for heading, column in table.columns.items():
            values = _ours(column, loaded, folders, costs) if experiment else []
            values = np.array([value for value in values if value is not None], dtype=float) * column.scale
            record[f"{heading}, published"] = row.published.get(heading)
            record[f"{heading}, ours"] = values.mean() if values.size else np.nan
            record[f"{heading}, spread"] = values.std(ddof=1) if values.size > 1 else np.nan
        ground = {"test distance, ours": distance_of(loaded), "independence, ours": independence_of(loaded)}
        records.append(record | {"seeds": len(scored)} | ground | {"note": row.note})
    frame = pd.DataFrame(records)
    with write_aside(out_csv) as aside:
        frame.to_csv(aside, index=False, float_format="%.6g")
    write_text(out_json, json.dumps(_about(table, experiments, results), indent=1, ensure_ascii=False) + "\n")
    return frame


def run_files(
    definition: Path,
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
    experiments
        Settings of each row's experiment, or None.
    results
        For each row, ``results/{area}/experiments/{experiment}/seed_{seed}/test_metrics.json`` of each seed.
    out_csv, out_json
        See :func:`run`.
    """
    chosen = [record and ExperimentSettings.model_validate(record) for record in experiments]
    weights = []
    for experiment, paths in zip(chosen, results, strict=True):
        folders = [Path(path).parent for path in paths]
        weights.append([folder.parents[3] / experiment.train_areas[0] / Path(*folder.parts[-3:]) for folder in folders])
    return run(_checked(TableSettings, definition), chosen, results, weights, out_csv, out_json)


def written(folder: str | Path) -> list[Path]:
    """The tables that lie in `folder` (``results/{area}/tables``), as :func:`run` wrote them: the CSV of each."""
    return [path for path in sorted(Path(folder).glob("*.csv")) if path.with_suffix(".json").is_file()]


def digest(folder: str | Path) -> str:
    """SHA-256 of the tables in `folder`: a report that shows other ones is out of date."""
    whole = hashlib.sha256()
    for path in written(folder):
        for part in (path, path.with_suffix(".json")):
            whole.update(part.name.encode() + b"\0" + part.read_bytes())
    return whole.hexdigest()


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
    if not wanted:
        return {}
    from slipmap.training import cost

    at = table.cost
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


def _about(
    table: TableSettings, experiments: list[ExperimentSettings | None], results: list[list[Path]]
) -> dict[str, Any]:
    first = next(json.loads(Path(paths[0]).read_text(encoding="utf-8")) for paths in results if paths)
    chosen = next(experiment for experiment in experiments if experiment)
    width = chosen.model.options.get("width", 1.0)
    return {
        "paper": table.paper,
        "title": table.title,
        "published": {"data": table.published_data, "split": table.published_split, "inputs": _inputs(table)},
        "ours": {
            "areas": first["areas"],
            "dataset": chosen.dataset,
            "independence": independence_of([first]),
            "images": first["images"],
            "pixels": first["pixels"],
            "bands": first["bands"],
            "width": width,
            "training": chosen.training.model_dump(mode="json"),
        },
        "caveats": [
            *table.caveats,
            f"Our numbers are of other data ({', '.join(first['areas'])}) and "
            + (
                f"of models at {width:g} of their published width"
                if width != 1
                else "of models at their published size"
            )
            + "; they compare the rows with each other, not with the published numbers.",
        ],
        "columns": {heading: column.model_dump() for heading, column in table.columns.items()},
    }


def _inputs(table: TableSettings) -> dict[str, Any] | None:
    """What the paper trains on, by its recipe."""
    recipe = (table.shared.get("training") or {}).get("recipe")
    return asdict(RECIPES[recipe].inputs) if recipe else None


def _checked(model: type, path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"{path} does not exist; restore it from the repository.")
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML ({error.problem}); correct it.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        hint = nearest(str(first["loc"][-1]), model.model_fields) if first["type"] == "extra_forbidden" else "."
        raise InputError(f"{path}: {where}: {first['msg']}{hint}") from None
