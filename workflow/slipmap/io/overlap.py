"""Whether data lie where a grid does, whatever their CRS."""

from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from slipmap.io.grid import Grid


def overlaps(crs: CRS, bounds: tuple[float, float, float, float], grid: Grid, margin: float = 0.0) -> bool:
    """Whether `bounds` in `crs` meet the area of `grid` and `margin` metres around it."""
    return any(
        bounds[0] <= box[2] and bounds[2] >= box[0] and bounds[1] <= box[3] and bounds[3] >= box[1]
        for part in area_bounds(grid, crs, margin)
        for box in (part, *(_turned(part, turn) for turn in ((-360, 360) if crs.is_geographic else ())))
    )


def area_bounds(grid: Grid, crs: CRS, margin: float = 0.0) -> list[tuple[float, float, float, float]]:
    """Bounds of the area in `crs`, with `margin` metres around it: two boxes where 180 degrees runs through it.

    Notes
    -----
    The area goes to the data's CRS, not the reverse: the ends of the world have no place in a UTM zone.
    """
    left, bottom, right, top = grid.bounds
    wide = (left - margin, bottom - margin, right + margin, top + margin)
    west, south, east, north = transform_bounds(CRS.from_user_input(grid.crs), crs, *wide)
    if crs.is_geographic and west > east:
        return [(west, south, 180.0, north), (-180.0, south, east, north)]
    return [(west, south, east, north)]


def _turned(box: tuple[float, float, float, float], degrees: float) -> tuple[float, float, float, float]:
    return box[0] + degrees, box[1], box[2] + degrees, box[3]
