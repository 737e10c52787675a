"""What the elevation and the landslides of an area are like, so that a wrong unit or outline shows before a run."""

from collections.abc import Iterator
from math import isfinite
from pathlib import Path

from slipmap.config.run import AreaSettings
from slipmap.io.grid import Grid

STEEP = 40.0  # degrees: threshold hillslopes have a median of 30 to 35 (Burbank et al. 1996, Nature 379, 505-510)
_NAMED = 6  # classes
FEW = 36  # landslides: three dozens
_STEEPER = 1.05  # slope of landslides over that of other ground, from which they are called steeper
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
    """The landslides in the area, their share of it and the slope there, and what is odd about them."""
    inputs = area.inputs
    path = inputs.inventory
    if area.simulate or not path or inputs.inventory_points or not Path(path).exists():
        return
    from slipmap.check.steepness import look
    from slipmap.inputs.inventory import count  # geopandas: only where there is an inventory

    found = count(path, grid, f"{key}.inputs.inventory", inputs.inventory_layer)
    seen = look(inputs.dem, path, inputs.inventory_layer, grid, f"{key}.inputs")
    if found is not None:
        share = f", {found.share:.2g} % of it" if found.share else ""
        yield f"  landslides: {found.inside} of {found.all} in the area{share} ({path})"
    else:
        patches = "landslides" if seen.patches is None else f"{seen.patches} patches of landslide pixels"
        yield f"  landslides: {patches} in the area, {seen.share:.2g} % of it ({path})"
    number = seen.patches if found is None else found.inside
    if number is not None and number < FEW:
        yield f"  warning: {number} landslide{'s' * (number != 1)} in {path}: fewer than {FEW} teach a network little"
    if isfinite(seen.on) and isfinite(seen.off):
        yield f"  slope: median {seen.on:.0f} degrees on landslides, {seen.off:.0f} on other ground"
        if seen.on < _STEEPER * seen.off:
            yield (
                f"  warning: the landslides in {path} are hardly steeper than other ground, if at all, and mostly they "
                f"are: do they and {inputs.dem} lie in the same place, and is each the right way up?"
            )
    if found is not None and found.points:
        yield (
            f"  warning: {found.points} of {found.inside} landslides are points in {path}: each becomes one pixel of "
            f"{grid.resolution[0]:g} m, and the ground beside it 'no landslide'; a network hardly learns outlines from "
            f"them. Polygons are better"
        )


def rocks(area: AreaSettings, key: str, grid: Grid) -> Iterator[str]:
    """The lithological classes in the area and the share of it that has one."""
    source = area.inputs.lithology
    if area.simulate or source is None or not Path(source.path).exists():
        return
    from slipmap.factors.lithology import look

    names, covered = look(source, grid, area.factors.lithology, f"{key}.inputs.lithology.path")
    some = ", ".join(names[:_NAMED]) + f" and {len(names) - _NAMED} more" * (len(names) > _NAMED)
    many = "es" * (len(names) != 1)
    yield f"  lithology: {len(names)} class{many} ({some}) on {covered:.0%} of the area ({source.path})"
