"""The local shape of an elevation surface: gradient, aspect and curvature from a 3 × 3 window.

With x to the east and y to the north, p = ∂z/∂x, q = ∂z/∂y, r = ∂²z/∂x², s = ∂²z/∂x∂y, t = ∂²z/∂y².

Signs of the curvatures, all in 1/m (Florinsky 2016, *Digital Terrain Analysis in Soil Science and Geology*, ch. 2):

- profile curvature (of the normal section along the slope line) is positive where the slope is convex upward, so
  that flow speeds up; −(p²r + 2pqs + q²t) / ((p² + q²)(1 + p² + q²)^{3/2});
- plan curvature (of the contour line) is positive where flow diverges, on noses and spurs;
  −(q²r − 2pqs + p²t) / (p² + q²)^{3/2};
- tangential curvature (of the normal section across the slope line) has the sign of the plan curvature and stays
  finite on flat ground; −(q²r − 2pqs + p²t) / ((p² + q²)(1 + p² + q²)^{1/2});
- mean curvature is positive on hilltops; −((1 + q²)r − 2pqs + (1 + p²)t) / (2(1 + p² + q²)^{3/2}).
"""

from collections.abc import Sequence

import numpy as np
from numba import njit

ATTRIBUTES = (
    "elevation",
    "slope",
    "aspect",
    "aspect_sin",
    "aspect_cos",
    "plan_curvature",
    "profile_curvature",
    "mean_curvature",
    "tangential_curvature",
    "hillshade",
)
METHODS = ("zevenbergen_thorne", "horn")
_CODE = {name: code for code, name in enumerate(ATTRIBUTES)}
# arctan(x) / x on 0-1 as a polynomial in x², through the Chebyshev points
_ARCTAN = tuple(
    np.polynomial.Chebyshev.interpolate(lambda u: np.arctan(np.sqrt(u)) / np.sqrt(u), 10, domain=[0, 1])
    .convert(kind=np.polynomial.Polynomial)
    .coef.tolist()
)


def attributes(
    elevation: np.ndarray,
    names: Sequence[str],
    resolution: tuple[float, float],
    method: str = "zevenbergen_thorne",
    sun: tuple[float, float] = (315.0, 45.0),
    north: float = 0.0,
) -> np.ndarray:
    """Attributes of a surface at every pixel but the outermost ring.

    Parameters
    ----------
    elevation : (rows + 2, cols + 2) metres, NaN where unknown; row 0 is the northernmost.
    names : some of `ATTRIBUTES`.
    resolution : pixel size (x, y), metres.
    method : "zevenbergen_thorne" (Zevenbergen & Thorne 1987: central differences) or "horn" (Horn 1981: differences
        averaged over the three rows or columns with weights 1-2-1; the second derivatives r and t likewise, since
        Horn gives none; s is the same in both).
    sun : azimuth (clockwise from the grid's north) and altitude of the light for the hillshade, degrees.
    north : from the grid's north to true north, radians clockwise (`io.north.true_north`); aspects count from there.

    Returns
    -------
    (len(names), rows, cols) float32. elevation m; slope degrees; aspect degrees clockwise from north of the downslope
    direction, NaN where the ground is level; aspect_sin and aspect_cos of that angle (east and north component of the
    downslope direction), both 0 where level; curvatures 1/m with the signs above, 0 where level except the mean
    curvature; hillshade 0-1.

    Notes
    -----
    A pixel whose elevation is NaN is NaN. A missing neighbour (the edge of the data, a void) is taken by reflection
    through the centre (2 z5 − z opposite), or in a corner from the two sides beside it: exact on a plane. A contour
    sharper than one pixel cannot be seen on a grid, so plan curvature is limited to ±1/pixel.
    """
    unknown = [name for name in names if name not in _CODE]
    if unknown or method not in METHODS:
        raise ValueError(f"attributes {unknown} or method {method!r} unknown")
    rows, cols = elevation.shape[0] - 2, elevation.shape[1] - 2
    vector = ("aspect_sin", "aspect_cos")
    wanted = [*names, *(name for name in vector if set(vector) & set(names) and name not in names)]
    out = np.empty((len(wanted), rows, cols), np.float32)
    codes = np.array([_CODE[name] for name in wanted], np.int64)
    azimuth, altitude = np.radians(sun)
    light = (np.sin(azimuth) * np.cos(altitude), np.cos(azimuth) * np.cos(altitude), np.sin(altitude))
    second = any(name.endswith("_curvature") for name in names)
    _fill(
        np.ascontiguousarray(elevation, np.float32),
        float(resolution[0]),
        float(resolution[1]),
        method == "horn",
        second,
        codes,
        light,
        out,
    )
    _turn(dict(zip(wanted, out, strict=True)), north)
    return out[: len(names)]


def _turn(made: dict[str, np.ndarray], north: float) -> None:
    """Count the aspects from true north and no longer from the grid's, in place."""
    if "aspect" in made:
        made["aspect"][:] = (made["aspect"] - np.float32(np.degrees(north))) % np.float32(360)
    if "aspect_sin" in made:
        east, ahead = made["aspect_sin"], made["aspect_cos"]
        sine, cosine = np.float32(np.sin(north)), np.float32(np.cos(north))
        east[:], ahead[:] = east * cosine - ahead * sine, ahead * cosine + east * sine


@njit(nogil=True, cache=True, inline="always")
def _or_reflected(z: float, centre: float, opposite: float) -> float:
    """`z` where it is known, else the reflection of the opposite neighbour through the centre."""
    if z == z:
        return z
    if opposite == opposite:
        return 2 * centre - opposite
    return centre


@njit(nogil=True, cache=True, inline="always")
def _corner(z: float, centre: float, opposite: float, side: float, other: float) -> float:
    """A corner as `_or_reflected`, or from the plane through the centre and the two sides that meet in it."""
    if z == z:
        return z
    if opposite == opposite:
        return 2 * centre - opposite
    return side + other - centre


@njit(nogil=True, cache=True, inline="always")
def _differences(
    z1: float, z2: float, z3: float, z4: float, z5: float, z6: float, z7: float, z8: float, z9: float,
    dx: float, dy: float, horn: bool,
) -> tuple[float, float, float, float, float]:  # fmt: skip
    """p, q, r, s, t of one window."""
    s = (z3 + z7 - z1 - z9) / (4 * dx * dy)
    if horn:
        p = ((z3 + 2 * z6 + z9) - (z1 + 2 * z4 + z7)) / (8 * dx)
        q = ((z1 + 2 * z2 + z3) - (z7 + 2 * z8 + z9)) / (8 * dy)
        r = ((z1 - 2 * z2 + z3) + 2 * (z4 - 2 * z5 + z6) + (z7 - 2 * z8 + z9)) / (4 * dx * dx)
        t = ((z1 - 2 * z4 + z7) + 2 * (z2 - 2 * z5 + z8) + (z3 - 2 * z6 + z9)) / (4 * dy * dy)
    else:
        p = (z6 - z4) / (2 * dx)
        q = (z2 - z8) / (2 * dy)
        r = (z4 - 2 * z5 + z6) / (dx * dx)
        t = (z2 - 2 * z5 + z8) / (dy * dy)
    return p, q, r, s, t


@njit(nogil=True, cache=True, inline="always")
def _arctan(x: float) -> float:
    """Arc tangent of 0 ≤ x ≤ 1, radians, to 1e-9; unlike the library's, a loop over it becomes vector instructions."""
    u = x * x
    value: float = _ARCTAN[10]
    for k in range(9, -1, -1):
        value = value * u + _ARCTAN[k]
    return x * value


@njit(nogil=True, cache=True, error_model="numpy")
def _fill(
    z: np.ndarray, dx: float, dy: float, horn: bool, second: bool, codes: np.ndarray, light: tuple[float, float, float],
    out: np.ndarray,
) -> None:  # fmt: skip
    """Row by row: the derivatives of every pixel, then each attribute, in loops without branches or calls."""
    cols = out.shape[2]
    p, q, r, s, t = np.zeros(cols), np.zeros(cols), np.zeros(cols), np.zeros(cols), np.zeros(cols)
    for i in range(out.shape[1]):
        unknown = 0
        for j in range(cols):
            z1, z2, z3 = np.float64(z[i, j]), np.float64(z[i, j + 1]), np.float64(z[i, j + 2])
            z4, z5, z6 = np.float64(z[i + 1, j]), np.float64(z[i + 1, j + 1]), np.float64(z[i + 1, j + 2])
            z7, z8, z9 = np.float64(z[i + 2, j]), np.float64(z[i + 2, j + 1]), np.float64(z[i + 2, j + 2])
            total = z1 + z2 + z3 + z4 + z5 + z6 + z7 + z8 + z9
            unknown += total != total
            if second:
                p[j], q[j], r[j], s[j], t[j] = _differences(z1, z2, z3, z4, z5, z6, z7, z8, z9, dx, dy, horn)
            else:
                p[j], q[j], _, _, _ = _differences(z1, z2, z3, z4, z5, z6, z7, z8, z9, dx, dy, horn)
        if unknown > 0:
            _fill_beside_gaps(z, i, dx, dy, horn, p, q, r, s, t)
        for n in range(codes.size):
            _attribute(codes[n], z, i, p, q, r, s, t, 1 / max(dx, dy), light, out[n, i])
        if unknown > 0:
            for j in range(cols):
                if z[i + 1, j + 1] != z[i + 1, j + 1]:
                    out[:, i, j] = np.nan


@njit(nogil=True, cache=True, error_model="numpy")
def _fill_beside_gaps(
    z: np.ndarray, i: int, dx: float, dy: float, horn: bool,
    p: np.ndarray, q: np.ndarray, r: np.ndarray, s: np.ndarray, t: np.ndarray,
) -> None:  # fmt: skip
    """The derivatives of row `i` where a neighbour is unknown."""
    for j in range(p.size):
        z5 = np.float64(z[i + 1, j + 1])
        a1, a2, a3 = np.float64(z[i, j]), np.float64(z[i, j + 1]), np.float64(z[i, j + 2])
        a4, a6 = np.float64(z[i + 1, j]), np.float64(z[i + 1, j + 2])
        a7, a8, a9 = np.float64(z[i + 2, j]), np.float64(z[i + 2, j + 1]), np.float64(z[i + 2, j + 2])
        total = a1 + a2 + a3 + a4 + a6 + a7 + a8 + a9
        if z5 != z5 or total == total:
            continue
        z2, z8 = _or_reflected(a2, z5, a8), _or_reflected(a8, z5, a2)
        z4, z6 = _or_reflected(a4, z5, a6), _or_reflected(a6, z5, a4)
        z1, z9 = _corner(a1, z5, a9, z2, z4), _corner(a9, z5, a1, z8, z6)
        z3, z7 = _corner(a3, z5, a7, z2, z6), _corner(a7, z5, a3, z8, z4)
        p[j], q[j], r[j], s[j], t[j] = _differences(z1, z2, z3, z4, z5, z6, z7, z8, z9, dx, dy, horn)


@njit(nogil=True, cache=True, error_model="numpy")
def _attribute(
    code: int, z: np.ndarray, i: int, p: np.ndarray, q: np.ndarray, r: np.ndarray, s: np.ndarray, t: np.ndarray,
    sharpest: float, light: tuple[float, float, float], out: np.ndarray,
) -> None:  # fmt: skip
    """One attribute of the pixels of row `i`."""
    degrees = 180 / np.pi
    for j in range(out.size):
        g2 = p[j] * p[j] + q[j] * q[j]
        if code == 0:
            out[j] = z[i + 1, j + 1]
        elif code == 1:
            steepness = np.sqrt(g2)
            angle = _arctan(min(steepness, 1 / steepness))
            out[j] = (np.pi / 2 - angle if steepness > 1 else angle) * degrees
        elif code == 2:
            east, north = abs(p[j]), abs(q[j])
            angle = _arctan(min(east, north) / max(east, north))
            angle = np.pi / 2 - angle if east > north else angle  # from the meridian
            angle = np.pi - angle if q[j] > 0 else angle  # downslope is to the south
            angle = 2 * np.pi - angle if p[j] > 0 and angle > 0 else angle  # and to the west
            out[j] = angle * degrees if g2 > 0 else np.nan
        elif code == 3:
            out[j] = -p[j] / np.sqrt(g2) if g2 > 0 else 0.0
        elif code == 4:
            out[j] = -q[j] / np.sqrt(g2) if g2 > 0 else 0.0
        elif code == 5:
            bend = -(q[j] * q[j] * r[j] - 2 * p[j] * q[j] * s[j] + p[j] * p[j] * t[j]) / (g2 * np.sqrt(g2))
            out[j] = min(max(bend, -sharpest), sharpest) if g2 > 0 else 0.0
        elif code == 6:
            bend = p[j] * p[j] * r[j] + 2 * p[j] * q[j] * s[j] + q[j] * q[j] * t[j]
            out[j] = -bend / (g2 * (1 + g2) * np.sqrt(1 + g2)) if g2 > 0 else 0.0
        elif code == 7:
            bend = (1 + q[j] * q[j]) * r[j] - 2 * p[j] * q[j] * s[j] + (1 + p[j] * p[j]) * t[j]
            out[j] = -bend / (2 * (1 + g2) * np.sqrt(1 + g2))
        elif code == 8:
            bend = q[j] * q[j] * r[j] - 2 * p[j] * q[j] * s[j] + p[j] * p[j] * t[j]
            out[j] = -bend / (g2 * np.sqrt(1 + g2)) if g2 > 0 else 0.0
        elif code == 9:
            out[j] = max(0.0, (light[2] - p[j] * light[0] - q[j] * light[1]) / np.sqrt(1 + g2))
