"""An earlier run of an area, with which the present one is compared: on the same grid, against the same ground."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from slipmap.config.layout import Results
from slipmap.deformation.stack import load_network, network_dates
from slipmap.errors import InputError
from slipmap.io.grid import Grid

KEY = "changes.earlier"


@dataclass(frozen=True)
class Earlier:
    """What is compared with: the folder of an earlier run's results of the area, and its last date."""

    folder: Path
    last: date

    def file(self, relative: str) -> Path:
        """A file of the earlier run."""
        return self.folder / relative


def check_earlier(folder: str | Path, grid: Grid, key: str = KEY) -> Path:
    """The folder of an earlier run, whose files are there and whose area's grid is `grid`; else `InputError`."""
    place = Path(folder)
    for name in (Results.grid, Results.velocity, Results.reference, Results.network, Results.active_areas):
        if not (place / name).exists():
            raise InputError(f"{key}: there is no {name} in {place}; give the folder of an earlier run of this area.")
    if not Grid.load(place / Results.grid).matches(grid):
        raise InputError(f"{key}: the run in {place} is on another grid; run those dates again with the present grid.")
    return place


def open_earlier(folder: str | Path, grid: Grid, velocity: str | Path, reference: str | Path) -> Earlier:
    """The earlier run of an area, which must be on the same grid and against the same ground.

    Parameters
    ----------
    folder : as ``results/AREA`` was. grid : of the area now. velocity, reference : velocity.tif and reference.json now.

    Raises
    ------
    InputError : a file is missing, another grid, another reference.
    """
    place, key = check_earlier(folder, grid), KEY
    if not Grid.from_raster(place / Results.velocity).matches(Grid.from_raster(velocity)):
        raise InputError(
            f"{key}: the velocity in {place} is on another grid than the present one; run those dates again with the "
            f"same deformation.slc_looks and files."
        )
    then, now = (json.loads(Path(path).read_text("utf-8")) for path in (place / Results.reference, reference))
    if [then[name] for name in ("row", "col", "radius")] != [now[name] for name in ("row", "col", "radius")]:
        raise InputError(
            f"{key}: the run in {place} has another reference ({then['longitude']:.5f}, {then['latitude']:.5f}); set "
            f"deformation.reference_point to it, and reference_radius too, and run again."
        )
    return Earlier(place, network_dates(load_network(place / Results.network))[-1])
