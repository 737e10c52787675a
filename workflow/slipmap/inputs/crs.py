"""How far an area's projected CRS distorts lengths at its place."""

import math
from collections.abc import Sequence

from rasterio.crs import CRS

from slipmap.errors import InputError
from slipmap.io.grid import Grid

LARGEST_ERROR = 0.01  # of the scale at the centre: every slope, area and distance is wrong by as much


def require_true_scale(grid: Grid, key: str, stated: Sequence[float] | None = None) -> None:
    """Raise `InputError` where a metre of the grid's CRS is more than 1 % off a metre on the ground, at its centre.

    `stated` are the bounds as the user wrote them, for the message.
    """
    crs, written = CRS.from_user_input(grid.crs), list(stated or grid.bounds)
    left, bottom, right, top = grid.bounds
    if crs.is_projected and max(map(abs, grid.bounds)) <= 360:
        raise InputError(
            f"{key}.bounds: {written} look like degrees, and {grid.crs} is in metres; give them in metres of "
            f"{grid.crs}, or use 'slipmap new-area --bbox', which takes degrees."
        )
    scales = point_scales(grid.crs, (left + right) / 2, (bottom + top) / 2)
    if scales is None:
        raise InputError(
            f"{key}.bounds: {[round(v) for v in written]} lie outside the ground that {grid.crs} covers; give "
            f"[left, bottom, right, top] in its metres, or the UTM zone of the area as grid.crs."
        )
    worst = max(scales, key=lambda scale: abs(scale - 1))
    if abs(worst - 1) > LARGEST_ERROR:
        raise InputError(
            f"{key}: a metre of {grid.crs} is {1 / worst:.3g} m on the ground at the centre of the area, so slopes and "
            f"areas would be wrong; use the UTM zone of the area as grid.crs (EPSG:326NN north, EPSG:327NN south), or "
            f"correct grid.bounds."
        )


def point_scales(crs: str, x: float, y: float) -> tuple[float, float] | None:
    """Largest and smallest scale of a projection (metres of the map for a metre of ground) at a point of the map.

    None where the point is not on the map.
    """
    from pyproj import Proj
    from pyproj.exceptions import ProjError

    try:
        projection = Proj(crs)
        longitude, latitude = projection(x, y, inverse=True, errcheck=True)
        factors = projection.get_factors(longitude, latitude, errcheck=True)
    except ProjError:
        return None
    scales = factors.tissot_semimajor, factors.tissot_semiminor
    return scales if all(map(math.isfinite, (longitude, latitude, *scales))) else None
