"""Look at every input before any work starts: seconds now instead of an error after hours."""

from datetime import date
from pathlib import Path

from slipmap.check import areas as across
from slipmap.check.experiments import check_experiment, check_factors
from slipmap.check.files import check_scenes
from slipmap.config.layout import PUBLISHED, imported_datasets, input_files
from slipmap.config.run import AreaSettings, RunSettings
from slipmap.deformation.found import Found
from slipmap.errors import Faults, InputError
from slipmap.factors.check import check_sources
from slipmap.fetch.check import check_fetch
from slipmap.inputs import area_grid
from slipmap.inputs.check import check_ground
from slipmap.io.grid import Grid
from slipmap.motion.earlier import check_earlier
from slipmap.patches import importers
from slipmap.patches.buffer import buffer_pixels
from slipmap.sentinel1 import check as check_sentinel1


def check_run(settings: RunSettings, *, planning: bool = False) -> dict[str, Found]:
    """Raise one `InputError` for all that cannot work in `settings`, a sentence on each line.

    The readers of the run open what the config names and look at headers and some pixels; nothing heavy is imported
    for inputs that are not there: Snakemake runs this whenever it plans the work.

    Parameters
    ----------
    planning : of a run that may need only part of the area: voids of the DEM are left to the jobs that need it.

    Returns
    -------
    What the Sentinel-1 data of each area are like, as far as there are some.
    """
    faults = Faults()
    factors: dict[str, list[str]] = {}
    grids: dict[str, Grid] = {}
    classes: dict[str, list[str]] = {}
    seen: dict[str, Found] = {}
    for name, area in settings.areas.items():
        names = faults.of(check_factors, name, area)
        found = _look_at_area(name, area, names or [], faults, seen, voids=not planning)
        if names is not None:
            factors[name] = names
        if found is not None:
            grids[name], rocks = found
            if rocks is not None:
                classes[name] = rocks
    for name in imported_datasets(settings):
        faults.of(_check_imported, name, settings)
    faults.of(across.check_patches, settings, grids)
    for name in settings.experiments:
        if set(settings.areas) == set(factors):  # an experiment is checked against factors that are in order
            faults.of(check_experiment, name, settings, factors)
        faults.of(across.check_classes, settings, name, factors, classes)
    faults.end()
    return seen


def check_area(name: str, area: AreaSettings) -> None:
    """Raise one `InputError` for all that cannot work in one area."""
    faults = Faults()
    _look_at_area(name, area, faults.of(check_factors, name, area) or [], faults, {})
    faults.end()


def _check_imported(name: str, settings: RunSettings) -> None:
    """The data set's importer looks at its folder, where it is there already."""
    key, source = f"datasets.{name}", settings.datasets[name].source
    if source is None:
        return
    path = Path(source.path)
    try:
        importer = importers.load(source.format)
    except InputError as error:
        raise InputError(f"{key}.source.format: {error}") from None
    if not path.is_dir() and not _is_fetched(path):
        raise InputError(f"{key}.source.path: {path} is not a folder; correct the path or put the data there.")
    if path.is_dir():
        try:
            importer.check(source)
        except InputError as error:
            said = str(error)
            raise InputError(f"{key}.{said}" if said.startswith("source.") else f"{key}: {said}") from None


def _is_fetched(path: Path) -> bool:
    """Whether the rule published_data makes the folder."""
    known = path.parent == Path(PUBLISHED) and path.name in importers.formats()
    return known and importers.load(path.name).published is not None


def _look_at_area(
    name: str,
    area: AreaSettings,
    factors: list[str],
    faults: Faults,
    seen: dict[str, Found],
    *,
    voids: bool = True,
) -> tuple[Grid, list[str] | None] | None:
    """The grid of an area and its lithological classes as far as they are known; what is wrong goes to `faults`.

    What the Sentinel-1 data are like goes to `seen`.
    """
    key = f"areas.{name}"
    grid = faults.of(area_grid.decide, area.grid, f"{key}.grid")
    if grid is None:
        return None  # without a grid no file can be looked at
    faults.of(buffer_pixels, area.split, grid, f"{key}.split")
    if area.changes is not None:
        faults.of(check_earlier, area.changes.earlier, grid, f"{key}.changes.earlier")
    if area.simulate:
        return grid, None  # the simulator makes the files
    sentinel1 = area.inputs.sentinel1
    if sentinel1 and sentinel1.level == "safe":
        faults.of(check_sentinel1.needed_for_geocoding, area, key, grid)
    fetched = faults.of(check_fetch, name, area, grid) or []
    given: dict[str, Path] = {}
    for part, text in input_files(area.inputs).items():
        if part.partition(".")[0] in fetched:
            continue  # the files are fetched
        if faults.of(_require_there, Path(text), f"{key}.inputs.{part}"):
            given[part] = Path(text)
    if sentinel1 and (path := given.get("sentinel1.path")):
        seen[name] = faults.of(_check_sentinel1, area, path, f"{key}.inputs.sentinel1.path", grid) or Found()
        if area.event is not None:
            faults.of(_check_event, area, key)
        if (delays := given.get("delays")) and seen[name].dates:
            faults.of(_check_delays, area, delays, f"{key}.inputs.delays", grid, seen[name].dates)
    check_ground(area, f"{key}.inputs", grid, given, faults, voids=voids)
    whole = all(part in given for part in input_files(area.inputs) if part.startswith("sentinel2"))
    for part, path in given.items():
        if part.startswith("sentinel2") and not faults.of(_overlaps, path, f"{key}.inputs.{part}", grid):
            whole = False
    if not whole:
        given = {part: path for part, path in given.items() if not part.startswith("sentinel2")}
    return grid, check_sources(area, f"{key}.inputs", grid, given, factors, faults)


def _require_there(path: Path, key: str) -> bool:
    if not path.exists():
        looked = "" if path.is_absolute() else f" (paths count from the current folder: it is {Path.cwd() / path})"
        raise InputError(f"{key}: {path} does not exist{looked}; correct the path, or put the data there.")
    return True


def _overlaps(path: Path, key: str, grid: Grid) -> bool:
    check_scenes(path, key, grid)
    return True


def _check_event(area: AreaSettings, key: str) -> None:
    from slipmap.event.check import check_event  # its imports take a while

    check_event(area, key)


def _check_delays(area: AreaSettings, path: Path, key: str, grid: Grid, dates: list[date]) -> bool:
    """Delays of all dates that cover the interferograms (which are on the area's grid, of raw products)."""
    from slipmap.deformation.check import data_grid
    from slipmap.deformation.weather_delays import find

    assert area.inputs.sentinel1 is not None
    find(path, dates, grid if area.inputs.sentinel1.level == "safe" else data_grid(area.inputs.sentinel1), key)
    return True


def _check_sentinel1(area: AreaSettings, path: Path, key: str, grid: Grid) -> Found:
    level = area.inputs.sentinel1.level if area.inputs.sentinel1 else None
    if level == "safe":
        return Found(dates=check_sentinel1.check_raw(area, key, grid), format="SAFE")
    if level == "slc" and check_sentinel1.looks_raw(path):
        raise InputError(f"{key}: {path} holds raw SAFE products; set inputs.sentinel1.level: safe.")
    from slipmap.deformation.check import check as check_deformation  # its imports take a while

    if level == "slc":
        check_scenes(path, key, grid)
    return check_deformation(area, key, grid)
