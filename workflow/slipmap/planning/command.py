"""The command `slipmap new-area`: its arguments checked, its config written, what it says."""

import argparse
import re
from datetime import date
from pathlib import Path

from slipmap.checkout import CONFIG
from slipmap.config.acquire import KINDS
from slipmap.config.inputs import GridSettings
from slipmap.config.load import read_config
from slipmap.config.names import require_name
from slipmap.config.yaml_file import read_yaml
from slipmap.errors import InputError
from slipmap.fetch.check import advice
from slipmap.fetch.web import Web
from slipmap.planning import new_area as planning
from slipmap.planning.cost import read_rates


def new_area(options: argparse.Namespace, web: Web | None = None) -> str:
    """Write the config that `options` ask for; what to tell the user."""
    name = options.name
    require_name(name, "an area", "new-area")
    if options.weights and options.fine_tune:
        raise InputError("--weights maps and --fine-tune trains; give one of the two.")
    path = Path(options.out or f"config/areas/{name}.yaml")
    planning.require_free(path, overwrite=options.force)
    _require_unused(name, path)
    if options.simulated is not None:
        if options.simulated < 0:
            raise InputError(f"--simulated {options.simulated} is no seed; give 0 or more.")
        if options.dates or options.archive:
            raise InputError("--simulated takes no --dates and no --archive; leave them out.")
        plan = planning.plan_simulated(
            name, options.simulated, read_config(options.source), inventory=not options.weights
        )
    else:
        plan = _real(options, web)
    if options.weights:
        planning.add_weights(plan, name, options.weights)
    if options.fine_tune:
        planning.add_fine_tuning(plan, name, options.fine_tune, options.source)
    settings = planning.write(plan, path, overwrite=options.force)
    grid = settings.areas[name].grid
    lines = [f"wrote {path}: {grid.crs}, {_size(grid)} at {grid.resolution:g} m", *plan.notes, *advice(settings)]
    if plan.need:
        lines.append(
            f"about {plan.need.download / 1e9:.1f} GB to download, {plan.need.disk / 1e9:.1f} GB of disk, "
            f"{plan.need.core_hours:.1f} core hours (without training)"
        )
    return "\n".join(lines)


def _require_unused(name: str, path: Path) -> None:
    """Raise `InputError` where another config has an area of that name, whose results the new one would overwrite."""
    for folder in dict.fromkeys((Path("config"), CONFIG)):
        for other in (folder / "config.yaml", *sorted((folder / "areas").glob("*.yaml"))):
            if other.is_file() and other.resolve() != path.resolve() and name in (read_yaml(other).get("areas") or {}):
                raise InputError(
                    f"new-area: the name '{name}' exists already as an area of {other}, and results/{name}/ would "
                    f"be of both; choose another name."
                )


def _real(options: argparse.Namespace, web: Web | None) -> planning.Plan:
    if not options.dates:
        raise InputError("--dates is missing; give the first and the last date, YYYY-MM-DD YYYY-MM-DD.")
    try:
        start, end = (date.fromisoformat(text) for text in options.dates)
    except ValueError as error:
        raise InputError(f"--dates {' '.join(options.dates)}: {error}; write YYYY-MM-DD.") from None
    if end < start:
        raise InputError(f"--dates {start} {end}: the first is after the last; swap them.")
    if start > date.today():
        raise InputError(f"--dates {start} {end} lie in the future; give earlier ones.")
    bbox = tuple(options.bbox) if options.bbox else planning.read_polygon(options.polygon)
    if options.archive and not Path(options.archive).is_dir():
        raise InputError(f"--archive {options.archive} is not a folder; correct the path of your archive.")
    services = dict(_service(text) for text in options.service)
    client = None if options.offline or options.archive else web or Web(tries=2, timeout=(10.0, 30.0))
    return planning.plan_real(
        options.name,
        bbox,
        start,
        end,
        resolution=options.resolution,
        archive=options.archive,
        services=services,
        web=client,
        rates=read_rates(options.rates),
    )


def _service(text: str) -> tuple[str, str]:
    kind, equals, address = text.partition("=")
    if kind not in KINDS or not equals or not address:
        raise InputError(f"--service {text}: write KIND=ADDRESS, with a kind of {', '.join(KINDS)}.")
    if kind != "sentinel1" and not re.match(r"https?://\w", address):  # ASF's is a host name
        raise InputError(f"--service {text}: {address} is no address of a web service; begin it with https://.")
    return kind, address


def _size(grid: GridSettings) -> str:
    if grid.bounds is None:
        raise ValueError("a new area's grid is given by bounds")
    left, bottom, right, top = grid.bounds
    return f"{(right - left) / 1000:.1f} x {(top - bottom) / 1000:.1f} km"
