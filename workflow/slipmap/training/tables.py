"""The papers' results tables: rows as experiments, with the inputs and the recipe of each paper.

Nothing here imports torch, so that the workflow reads the tables in no time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from slipmap.config.patches import PatchSettings
from slipmap.config.run import ExperimentSettings
from slipmap.config.tables import PaperInputs, RowSettings, TableSettings, TablesRunSettings
from slipmap.config.yaml_file import SAFE
from slipmap.errors import InputError, nearest

Checked = TypeVar("Checked", bound=BaseModel)


@dataclass(frozen=True)
class Cut:
    """How areas are cut for the tables of one recipe.

    Attributes
    ----------
    factors : the areas' own, in the paper's order.
    patches : size, stride, normalisation.
    """

    factors: tuple[str, ...]
    patches: PatchSettings


@dataclass(frozen=True)
class Tables:
    """Tables to run, and the experiments that their rows are.

    Attributes
    ----------
    tables : name of the file → table.
    experiments : name → settings; rows that are the same experiment share one.
    rows : table → name of each row's experiment (None: not run).
    cuts : name of the data set → how areas are cut for it; none with a public data set.
    settings : on which data, how much reduced.
    """

    tables: dict[str, TableSettings]
    experiments: dict[str, ExperimentSettings]
    rows: dict[str, list[str | None]]
    cuts: dict[str, Cut]
    settings: TablesRunSettings

    def of_kind(self, *kinds: str) -> list[str]:
        """Names of the tables of some kinds."""
        return [name for name, table in self.tables.items() if table.kind in kinds]


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
        If a file is not a table, a row is no experiment, or two tables of one recipe have other inputs.
    """
    settings = read_run(run_file)
    tables = {path.stem: read_table(path) for path in sorted(Path(folder).glob("*.yaml"))}
    for name in settings.tables or ():
        if name not in tables:
            raise InputError(f"{run_file}: tables names a table '{name}'{nearest(name, tables)}")
    if settings.tables is not None:
        tables = {name: tables[name] for name in settings.tables}
    rows: dict[str, list[str | None]] = {}
    found: dict[str, dict[str, Any]] = {}
    cuts: dict[str, Cut] = {}
    for name, table in tables.items():
        rows[name] = []
        if table.kind != "networks":
            continue
        if settings.dataset is None:
            cut = Cut(tuple(our_factors(table.inputs, settings)), _patches(table.inputs, settings))
            if cuts.setdefault(_dataset(table, settings), cut) != cut:
                raise InputError(
                    f"Table {name}: its factors or normalisation differ from another table's of the recipe "
                    f"{table.recipe}; give the tables of one recipe the same."
                )
        for row in table.rows:
            if row.experiment is None:
                rows[name].append(None)
                continue
            key, record = _experiment(table, row, settings)
            known = found.setdefault(key, record | {"seeds": set()})
            known["seeds"] |= set(settings.seeds if row.headline else settings.seeds[:1])
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
    return Tables(tables, experiments, rows, cuts, settings)


def our_factors(inputs: PaperInputs, settings: TablesRunSettings) -> list[str]:
    """The areas' factors that stand for a paper's, each once."""
    return standing_for(inputs.factors, settings)


def standing_for(names: Iterable[str], settings: TablesRunSettings) -> list[str]:
    """What the areas have in the place of factors that a table names, each once."""
    return list(dict.fromkeys(own for name in names for own in settings.stands_for.get(name, [name])))


def _patches(inputs: PaperInputs, settings: TablesRunSettings) -> PatchSettings:
    given = {"normalisation": inputs.normalisation} if inputs.normalisation else {}
    return settings.patches.model_copy(update=given)


def _dataset(table: TableSettings, settings: TablesRunSettings) -> str:
    return settings.dataset or f"table_{table.recipe}"


def _experiment(table: TableSettings, row: RowSettings, settings: TablesRunSettings) -> tuple[str, dict[str, Any]]:
    """Return name and settings of a row's experiment; the name follows from the settings."""
    record = merged(table.shared, row.experiment or {})
    record = merged({"training": {"recipe": table.recipe}, "model": {"classes": table.inputs.classes or 1}}, record)
    record = merged(record, {"training": dict(settings.training)})
    if "loss" in settings.training:
        record["training"]["loss"] = dict(settings.training["loss"])  # a sum of losses is replaced, not added to
    name = record["model"].get("name", "unet")
    if settings.width is not None:
        record = merged(record, {"model": {"options": {"width": settings.width}}})
    record = merged(record, {"model": {"options": settings.options.get(name, {})}})
    factors = None if settings.dataset else our_factors(table.inputs, settings)
    if "exclude" in record:
        record["exclude"] = standing_for(record["exclude"], settings)
    record |= {
        "dataset": _dataset(table, settings),
        "factors": factors,
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


def read_table(path: Path) -> TableSettings:
    """A table's file, ``config/tables/{table}.yaml``."""
    return _checked(TableSettings, path)


def read_run(path: str | Path) -> TablesRunSettings:
    """The file that says on what the tables are run, ``config/tables.yaml``."""
    return _checked(TablesRunSettings, Path(path))


def _checked(model: type[Checked], path: Path) -> Checked:
    if not path.is_file():
        raise InputError(f"{path} does not exist; restore it from the repository.")
    try:
        return model.model_validate(yaml.load(path.read_text(encoding="utf-8"), SAFE))
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML ({error.problem}); correct it.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        hint = nearest(str(first["loc"][-1]), model.model_fields) if first["type"] == "extra_forbidden" else "."
        raise InputError(f"{path}: {where}: {first['msg']}{hint}") from None
