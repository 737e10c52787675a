"""What the elevation and the landslides of an area are like, so that a wrong unit or outline shows before a run."""

from collections.abc import Iterator
from pathlib import Path

from slipmap.config.run import AreaSettings
from slipmap.io.grid import Grid

STEEP = 40.0  # degrees: threshold hillslopes have a median of 30 to 35 (Burbank et al. 1996, Nature 379, 505-510)
_COARSE = 1.5  # a DEM's pixel over the grid's, from which its derivatives are interpolated


def elevation(area: AreaSettings, key: str, grid: Grid) -> Iterator[str]:
    """The range and the median slope of the DEM as the run will read them, and what is odd about them.

    Parameters
    ----------
    key : ``areas.NAME``, for messages. grid : of the area.
    """
    path = area.inputs.dem
    if area.simulate or not path or not Path(path).is_file():
        return
    from slipmap.inputs.rasters import describe_heights

    found = describe_heights(path, grid, f"{key}.inputs.dem")
    unit = f"the file says '{found.unit}'" if found.unit else "the file says no unit: taken for metres"
    yield f"  elevation: {found.low:.0f} to {found.high:.0f} m, median slope {found.slope:.0f} degrees ({unit})"
    if found.slope > STEEP:
        yield (
            f"  warning: half of the ground in {path} is steeper than {found.slope:.0f} degrees, and hardly any valley "
            f"is steeper than {STEEP:.0f}; are its heights metres? If not, say their unit (gdal_edit.py -units ft)"
        )
    fine = max(grid.resolution)
    if found.pixel > _COARSE * fine:
        yield (
            f"  note: {path} has pixels of {found.pixel:.3g} m and the grid of {fine:g} m: curvature and wetness are "
            f"interpolated, and show nothing smaller than {found.pixel:.3g} m"
        )


def landslides(area: AreaSettings, key: str, grid: Grid) -> Iterator[str]:
    """How many landslides of the file lie in the area and what share of it they take; that points are a pixel each."""
    inputs = area.inputs
    path = inputs.inventory
    if area.simulate or not path or inputs.inventory_points or not Path(path).exists():
        return
    from slipmap.inputs.inventory import count  # geopandas: only where there is an inventory

    found = count(path, grid, f"{key}.inputs.inventory", inputs.inventory_layer)
    if found is None:
        return
    share = f", {found.share:.2g} % of it" if found.share else ""
    yield f"  landslides: {found.inside} of {found.all} in the area{share} ({path})"
    if found.points:
        yield (
            f"  warning: {found.points} of {found.inside} landslides are points in {path}: each becomes one pixel of "
            f"{grid.resolution[0]:g} m, and the ground beside it 'no landslide'; a network hardly learns outlines from "
            f"them. Polygons are better"
        )
