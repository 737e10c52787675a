"""Look at every input before any work starts: seconds now instead of an error after hours."""

from pathlib import Path

from slipmap import raster
from slipmap.config.inputs import PointSettings
from slipmap.config.run import AreaSettings, RunSettings
from slipmap.errors import InputError
from slipmap.grid import Grid
from slipmap.inputs import area_grid, inventory
from slipmap.inputs.layout import input_files

RASTER_SUFFIXES = (".tif", ".tiff", ".vrt", ".img")


def check_run(settings: RunSettings) -> None:
    """Raise `InputError` for the first thing in `settings` that cannot work (no pixel is decoded)."""
    for name, area in settings.areas.items():
        check_area(name, area)
    for name, experiment in settings.experiments.items():
        if experiment.weights and not (Path(experiment.weights) / "seed_0").is_dir():
            _check_weights(Path(experiment.weights), f"experiments.{name}.weights")


def check_area(name: str, area: AreaSettings) -> Grid:
    """Check the grid and the inputs of one area; return its grid."""
    grid = area_grid.decide(area.grid, f"areas.{name}.grid")
    if area.simulate:
        return grid  # the simulator makes the files
    for key, path in input_files(area.inputs).items():
        _check_input(f"areas.{name}.inputs.{key}", Path(path), grid, area.inputs.inventory_points)
    return grid


def _check_input(key: str, path: Path, grid: Grid, points: PointSettings | None = None) -> None:
    if not path.exists():
        raise InputError(
            f"{key}: {path} does not exist; correct the path or put the data there (README, 'Your own area')."
        )
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if file.is_file() and not file.name.startswith(".")]
        if not files:
            raise InputError(f"{key}: the folder {path} is empty; put the data there.")
        for file in files:
            if file.suffix.lower() in RASTER_SUFFIXES:
                raster.check(file, key)
    elif path.suffix.lower() in RASTER_SUFFIXES:
        raster.check(path, key, overlaps=grid)
    if key.endswith(".inventory"):
        inventory.check(path, grid, key, points)


def _check_weights(folder: Path, key: str) -> None:
    if not folder.is_dir():
        raise InputError(f"{key}: {folder} does not exist; train that experiment first or correct the path.")
    if not any(folder.glob("seed_*/model.json")) and not (folder / "model.json").is_file():
        raise InputError(f"{key}: {folder} holds no trained model (model.json); name the folder of an experiment.")
