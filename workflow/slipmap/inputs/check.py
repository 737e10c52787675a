"""The DEM and the landslides of an area, looked at by the readers of the run: headers and some pixels."""

from pathlib import Path

from slipmap.config.run import AreaSettings
from slipmap.errors import Faults, InputError
from slipmap.io.grid import Grid


def check_ground(
    area: AreaSettings, key: str, grid: Grid, given: dict[str, Path], faults: Faults, *, voids: bool
) -> None:
    """Gather what is wrong with the DEM and the inventory.

    Parameters
    ----------
    key : ``areas.NAME.inputs``. given : files to look at, by their key under it; those that are fetched are not there.
    voids : refuse a DEM that leaves more of the area open than is allowed.
    """
    if path := given.get("dem"):
        faults.of(_dem, path, f"{key}.dem", area.factors.terrain.max_void if voids else 1.0, grid)
    if path := given.get("inventory"):
        faults.of(_inventory, path, f"{key}.inventory", area, grid)


def require_file(path: Path, key: str) -> None:
    """Raise `InputError` if `path` is a folder where one file is wanted; a file geodatabase is one."""
    if path.is_dir() and path.suffix.lower() != ".gdb":
        raise InputError(f"{key}: {path} is a folder; name the file in it.")


def _dem(path: Path, key: str, max_void: float, grid: Grid) -> None:
    from slipmap.inputs.rasters import elevation

    require_file(path, key)
    elevation(path, grid, key, max_void)


def _inventory(path: Path, key: str, area: AreaSettings, grid: Grid) -> None:
    from slipmap.inputs import inventory  # geopandas takes half a second, which a simulated area need not pay

    require_file(path, key)
    inventory.check(path, grid, key, area.inputs.inventory_points, area.inputs.inventory_layer)
