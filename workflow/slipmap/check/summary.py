"""What a run will make of a config that is in order, and what it will not make and why."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from slipmap.config.layout import imported_datasets
from slipmap.config.products import mapped_areas
from slipmap.config.run import AreaSettings, RunSettings
from slipmap.errors import InputError
from slipmap.factors.names import factor_names
from slipmap.inputs import area_grid

_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)")
_MADE_OF = {
    "dem": "terrain and hydrology",
    "sentinel2": "reflectance and indices",
    "lithology": "lithology",
    "rainfall": "rain",
    "soil_moisture": "soil moisture",
}
_SHOWN = 10  # reasons
_DATED = {"Sentinel-1": ("sentinel1", "path"), "Sentinel-2": ("sentinel2", "path")}


def lines(settings: RunSettings, left_out: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The summary, a line each: areas with their grid, dates and factors, then experiments with their maps.

    Parameters
    ----------
    left_out : of each area, what `check.run.check_run` found that a run will leave out.
    """
    for name, area in settings.areas.items():
        yield from _area(name, area, settings)
        yield from _left_out(left_out.get(name, ()))
    for name in imported_datasets(settings):
        yield f"data set {name}: imported from {settings.datasets[name].source.path}"
    for name in settings.experiments:
        yield _experiment(name, settings)
    if not settings.experiments:
        yield "no experiment: no model is trained and no map is made, factors and deformation alone"


def _area(name: str, area: AreaSettings, settings: RunSettings) -> Iterator[str]:
    grid = area_grid.decide(area.grid, f"areas.{name}.grid")
    left, bottom, right, top = grid.bounds
    yield (
        f"area {name}: {(right - left) / 1000:.1f} x {(top - bottom) / 1000:.1f} km, {grid.width} x {grid.height} "
        f"pixels of {grid.resolution[0]:g} m, {grid.crs[:40]}"
    )
    if area.simulate:
        yield f"  simulated: {area.simulate.dates} dates of Sentinel-1, {area.simulate.scenes} scenes of Sentinel-2"
    for sensor, (section, part) in _DATED.items():
        path = getattr(getattr(area.inputs, section), part, None)
        if path and not area.simulate and (days := _dates(Path(path))):
            yield f"  {sensor}: {len(days)} date(s) from {days[0]} to {days[-1]} in {path}"
    try:
        factors = factor_names(area)
    except InputError:
        factors = []
    if factors:
        yield f"  {len(factors)} factors: {', '.join(factors)}"
    for missing, why in _not_made(name, area, settings, factors):
        yield f"  not made: {missing} ({why})"


def _left_out(reasons: Sequence[str]) -> Iterator[str]:
    for reason in reasons[:_SHOWN]:
        yield f"  left out: {reason}"
    if len(reasons) > _SHOWN:
        yield f"  left out: {len(reasons) - _SHOWN} more, for such reasons"


def _not_made(name: str, area: AreaSettings, settings: RunSettings, factors: list[str]) -> Iterator[tuple[str, str]]:
    if not factors:
        yield "factors", "no input from which one is made"
    if area.inputs.sentinel1 is None:
        yield "deformation rates", "no inputs.sentinel1"
    for key, what in _MADE_OF.items():
        if getattr(area.inputs, key) is None:
            yield what, f"no inputs.{key}"
    if area.inputs.inventory is None:
        yield "scores and training", "no inputs.inventory: a prediction area"
    if area.susceptibility is None:
        yield "susceptibility models", f"no areas.{name}.susceptibility"
    if settings.experiments and not any(name in mapped_areas(settings, one) for one in settings.experiments):
        yield "landslide maps", "no experiment maps it"


def _experiment(name: str, settings: RunSettings) -> str:
    experiment = settings.experiments[name]
    if experiment.weights:
        how = f"weights of {experiment.weights}"
    else:
        seeds = len(experiment.training.seeds)
        how = (
            f"{experiment.model.name} trained on {', '.join(experiment.train_areas)} ({experiment.training.epochs} "
            f"epochs, {seeds} seed{'s' * (seeds > 1)})"
        )
    tested = f", tested on {', '.join(experiment.test_areas)}" if experiment.test_areas else ", not tested"
    maps = mapped_areas(settings, name)
    mapped = f"maps of {', '.join(maps)}" if maps else "no map"
    return f"experiment {name}: {how}{tested}; {mapped}"


def _dates(path: Path) -> list[date]:
    """Days in the names of what lies at `path`, in order."""
    names = [path.name, *(entry.name for entry in path.rglob("*"))] if path.is_dir() else [path.name]
    found = set()
    for name in names:
        for year, month, day in _DAY.findall(name):
            try:
                found.add(date(int(year), int(month), int(day)))
            except ValueError:
                continue
    return sorted(found)
