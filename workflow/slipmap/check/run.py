"""Look at every input before any work starts: seconds now instead of an error after hours."""

from pathlib import Path

from slipmap.check.experiments import check_experiment, check_factors
from slipmap.check.files import RASTER_SUFFIXES, check_scenes, check_series, check_single, check_vector
from slipmap.config.layout import PUBLISHED, imported_datasets, input_files
from slipmap.config.run import AreaSettings, RunSettings
from slipmap.errors import InputError
from slipmap.fetch.check import check_fetch
from slipmap.inputs import area_grid, inventory
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches.buffer import buffer_pixels
from slipmap.sentinel1 import check as check_sentinel1

NEAR = 5000.0  # metres beyond the area within which roads and faults count (slipmap.factors.proximity)


def check_run(settings: RunSettings) -> None:
    """Raise `InputError` for the first thing in `settings` that cannot work.

    No pixel is decoded, but those of an inventory raster. Nothing heavy is imported: Snakemake runs this whenever it
    plans the work.
    """
    factors = {}
    for name, area in settings.areas.items():
        factors[name] = check_factors(name, area)
        check_area(name, area)
    for name in imported_datasets(settings):
        path = Path(settings.datasets[name].source.path)
        if not path.is_dir() and not _is_fetched(path):
            raise InputError(
                f"datasets.{name}.source.path: {path} is not a folder; correct the path or put the data there."
            )
        if path.is_dir() and settings.datasets[name].source.format == "folder":
            from slipmap.patches.importers import folder  # what other configs need not pay

            try:
                folder.check(settings.datasets[name].source)
            except InputError as error:
                raise InputError(f"datasets.{name}: {error}") from None
    for name in settings.experiments:
        check_experiment(name, settings, factors)


def _is_fetched(path: Path) -> bool:
    """Whether the rule published_data makes the folder."""
    if path.parent != Path(PUBLISHED):
        return False
    from slipmap.fetch.published import DATA_SETS  # costs a second, which other configs need not pay

    return path.name in DATA_SETS


def check_area(name: str, area: AreaSettings) -> Grid:
    """Check the grid and the inputs of one area; return its grid."""
    grid = area_grid.decide(area.grid, f"areas.{name}.grid")
    buffer_pixels(area.split, grid, f"areas.{name}.split")
    if area.simulate:
        return grid  # the simulator makes the files
    if area.inputs.sentinel1 and area.inputs.sentinel1.level == "safe":
        check_sentinel1.needed_for_geocoding(area, f"areas.{name}", grid)
    fetched = check_fetch(name, area, grid)
    for key, path in input_files(area.inputs).items():
        if key.partition(".")[0] in fetched:
            continue  # the files are fetched
        _check_input(key, f"areas.{name}.inputs.{key}", Path(path), area, grid)
    return grid


def _check_input(what: str, key: str, path: Path, area: AreaSettings, grid: Grid) -> None:
    inputs = area.inputs
    if not path.exists():
        raise InputError(
            f"{key}: {path} does not exist; correct the path or put the data there (README, 'Your own area')."
        )
    stage = what.partition(".")[0]
    if stage == "sentinel1" and inputs.sentinel1.level == "safe":
        if what == "sentinel1.path":
            check_sentinel1.check_raw(area, key, grid)
    elif stage == "sentinel1" and inputs.sentinel1.level == "slc" and check_sentinel1.looks_raw(path):
        raise InputError(f"{key}: {path} holds raw SAFE products; set inputs.sentinel1.level: safe.")
    elif stage == "sentinel1":
        from slipmap.deformation.check import check as check_deformation  # its imports take a while

        if inputs.sentinel1.level == "slc":
            check_scenes(path, key, grid)
        check_deformation(area, key, grid)
    elif stage == "sentinel2":
        check_scenes(path, key, grid)
    elif stage in ("rainfall", "soil_moisture"):
        check_series(path, key, grid)
    elif stage in ("roads", "faults"):
        check_vector(path, key, grid, margin=NEAR)
    elif stage == "lithology" and path.suffix.lower() not in RASTER_SUFFIXES:
        check_vector(path, key, grid, attribute=inputs.lithology.attribute or "")  # classes need an attribute
    elif stage == "inventory":
        check_single(path, key)
        inventory.check(path, grid, key, inputs.inventory_points)
    else:
        check_single(path, key)
        raster.check(path, key, overlaps=grid)
        for band in inputs.ready_factors.bands if stage == "ready_factors" else ():
            raster.band_index(path, band)
