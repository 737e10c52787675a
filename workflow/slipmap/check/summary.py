"""What a run will make of a config that is in order, and what it will not make and why."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from slipmap.check import ground, images
from slipmap.check.products import products
from slipmap.config.inputs import Sentinel2Settings
from slipmap.config.layout import imported_datasets
from slipmap.config.products import mapped_areas
from slipmap.config.run import AreaSettings, RunSettings
from slipmap.deformation.found import Found
from slipmap.errors import InputError
from slipmap.factors.names import factor_names
from slipmap.inputs import area_grid

_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)")
_SHOWN = 10  # reasons
_UNASKED = re.compile(r"no (inputs|areas|deformation|susceptibility|prediction)\.")  # a key that is not there


def lines(settings: RunSettings, seen: Mapping[str, Found], *, every: bool = False) -> Iterator[str]:
    """The summary, a line each: areas with their grid, dates and products, then experiments with their maps.

    Parameters
    ----------
    seen : what `check.run.check_run` found of each area's Sentinel-1 data.
    every : a line with the reason for every product that is not made, also those not asked for.
    """
    for name, area in settings.areas.items():
        found = seen.get(name, Found())
        yield from _area(name, area, settings, found, every)
        yield from _some("left out", found.left_out)
        yield from _some("note", found.notes)
    for name in imported_datasets(settings):
        if source := settings.datasets[name].source:
            yield f"data set {name}: imported from {source.path}"
    for name in settings.experiments:
        yield _experiment(name, settings)
    if not settings.experiments:
        yield "no experiment: no model is trained and no map is made, factors and deformation alone"


def _area(name: str, area: AreaSettings, settings: RunSettings, found: Found, every: bool) -> Iterator[str]:
    grid = area_grid.decide(area.grid, f"areas.{name}.grid")
    left, bottom, right, top = grid.bounds
    yield (
        f"area {name}: {(right - left) / 1000:.1f} x {(top - bottom) / 1000:.1f} km, {grid.width} x {grid.height} "
        f"pixels of {grid.resolution[0]:g} m, {grid.crs[:40]}"
    )
    if area.simulate:
        yield f"  simulated: {area.simulate.dates} dates of Sentinel-1, {area.simulate.scenes} scenes of Sentinel-2"
    yield from _acquisitions(area, found)
    yield from ground.elevation(area, f"areas.{name}", grid)
    yield from ground.landslides(area, f"areas.{name}", grid)
    yield from images.lines(area, f"areas.{name}", grid)
    yield from ground.rocks(area, f"areas.{name}", grid)
    try:
        factors = factor_names(area)
    except InputError:
        factors = []
    if factors:
        yield f"  {len(factors)} factors: {', '.join(factors)}"
    told = list(products(name, settings, factors, found))
    made = [what for what, why in told if not why]
    yield f"  made: {'; '.join(made)}"
    plain = [what for what, why in told if _UNASKED.match(why)] if not every else []
    for what, why in told:
        if why and what not in plain:
            yield f"  not made: {what} ({why})"
    if plain:
        yield f"  not made, since not asked for or without their inputs: {'; '.join(plain)} (--all says why)"


def _acquisitions(area: AreaSettings, found: Found) -> Iterator[str]:
    radar, optical = area.inputs.sentinel1, area.inputs.sentinel2
    if area.simulate:
        return
    if radar:
        days = found.dates or _dates(Path(radar.path))
        pairs = f", {found.pairs} interferograms" if found.pairs else ""
        kind = f" ({found.format})" if found.format else ""
        if days:
            yield f"  Sentinel-1: {len(days)} date(s) from {days[0]} to {days[-1]}{pairs} in {radar.path}{kind}"
        else:
            yield f"  Sentinel-1: level {radar.level} in {radar.path}{kind}"
    for part in ("path", "before", "after"):
        place = getattr(optical, part, None)
        if optical is not None and place and Path(place).exists():
            yield _scenes(optical, part, place)


def _scenes(optical: Sentinel2Settings, part: str, place: str) -> str:
    """How many dates the scenes of a place have, of those that count."""
    from slipmap.factors.scenes import find_scenes, within  # rasterio: only where there are scenes

    scenes = find_scenes(place, optical, (), f"inputs.sentinel2.{part}")
    if part == "path":
        scenes = within(scenes, optical.start, optical.end, "inputs.sentinel2")
    days = sorted({scene.date for scene in scenes if scene.date})
    undated = [scene.name for scene in scenes if not scene.date]
    told = [f"{len(days)} date(s) from {days[0]} to {days[-1]} in {place}"] if days else []
    if undated:
        others = f" and {len(undated) - 1} more have" if len(undated) > 1 else " has"
        told.append(f"{undated[0]}{others} no date (YYYYMMDD) in the name; only start and end would need one")
    return f"  Sentinel-2: {'; '.join(told)}"


def _some(what: str, sentences: Sequence[str]) -> Iterator[str]:
    for sentence in sentences[:_SHOWN]:
        yield f"  {what}: {sentence}"
    if len(sentences) > _SHOWN:
        yield f"  {what}: {len(sentences) - _SHOWN} more like these"


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
