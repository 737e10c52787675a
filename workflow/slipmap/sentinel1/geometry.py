"""Between the ground and the radar: range–Doppler equations on zero-Doppler geometry, both ways.

A ground point P is imaged at the azimuth time t at which (P − S(t)) · V(t) = 0, at the range R = |P − S(t)|, with S and
V the satellite's position and velocity in the Earth-fixed frame (Curlander & McDonough 1991, chapter 8).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numba
import numpy as np
from pyproj import Transformer

from slipmap.arrays import Doubles
from slipmap.io.grid import Grid
from slipmap.sentinel1.orbits import LocalOrbit, Orbit

_DEGREE = 5  # of the ground's polynomials: 10 km then err by less than a micrometre
_ORBIT_DEGREE = 5
_GEODETIC = Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)
_EARTH_FIXED = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
MAX_SPAN = 12_000.0  # m, longest side of a part of the ground that has one set of polynomials


def earth_fixed(longitude: Doubles | float, latitude: Doubles | float, height: Doubles | float) -> Doubles:
    """Earth-fixed positions (…, 3), m, of degrees and ellipsoidal heights (m)."""
    return np.stack(_EARTH_FIXED.transform(longitude, latitude, height), axis=-1)


def geodetic(points: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Longitude, latitude (degrees) and ellipsoidal height (m) of Earth-fixed `points` (…, 3)."""
    return _GEODETIC.transform(points[..., 0], points[..., 1], points[..., 2])


def normals(longitude: Doubles, latitude: Doubles) -> Doubles:
    """Unit normals of the ellipsoid (…, 3), outward."""
    lon, lat = np.radians(longitude), np.radians(latitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def to_radar(points: Doubles, orbit: Orbit, start: float, stop: float) -> tuple[Doubles, Doubles]:
    """Backward geocoding of scattered points: azimuth time (s) and slant range (m) of each.

    Parameters
    ----------
    points : (n, 3) Earth-fixed, m. orbit : state vectors. start, stop : span (s) of the pass that images them.

    Notes
    -----
    Every point uses the state vectors nearest to its own time. Newton's method; two or three steps.
    """
    points = np.asarray(points, float)
    coarse = orbit.local(start, stop)
    times = _newton(points, coarse, np.full(len(points), (start + stop) / 2))
    ranges = np.empty(len(points))
    for here, local in _parts(times, orbit):
        times[here] = _newton(points[here], local, times[here])
        ranges[here] = np.linalg.norm(points[here] - local.state(times[here])[0], axis=1)
    return times, ranges


def _parts(times: Doubles, orbit: Orbit) -> Iterator[tuple[Doubles, LocalOrbit]]:
    """Which of `times` lie between the same two state vectors, and the polynomial there."""
    part = np.clip(np.searchsorted(orbit.times, times), 1, len(orbit.times) - 1)
    for which in np.unique(part):
        middle = float(orbit.times[which - 1 : which + 1].mean())
        yield part == which, orbit.local(middle, middle)


def _newton(points: Doubles, local: LocalOrbit, times: Doubles) -> Doubles:
    for _ in range(20):
        position, velocity = local.state(times)
        _, later = local.state(times + 0.5)
        _, earlier = local.state(times - 0.5)
        look = points - position
        miss = np.einsum("nk,nk->n", look, velocity)
        slope = np.einsum("nk,nk->n", look, later - earlier) - np.einsum("nk,nk->n", velocity, velocity)
        step = miss / slope
        times = times - step
        if np.abs(step).max() < 1e-10:
            break
    return times


def to_ground(times: Doubles, ranges: Doubles | float, heights: Doubles | float, orbit: Orbit) -> Doubles:
    """Forward geocoding: Earth-fixed points (n, 3) right of the track, at given ellipsoidal heights.

    Parameters
    ----------
    times : azimuth times, s. ranges : slant ranges, m. heights : m. All (n,).

    Notes
    -----
    Newton's method on three equations: range, zero Doppler, height above the ellipsoid. It begins on a sphere.
    """
    times, ranges, heights = (np.asarray(a, float) for a in np.broadcast_arrays(times, ranges, heights))
    orbit.require(float(times.min()), float(times.max()))
    position, velocity = np.empty((len(times), 3)), np.empty((len(times), 3))
    for here, local in _parts(times, orbit):
        position[here], velocity[here] = local.state(times[here])
    along = velocity / np.linalg.norm(velocity, axis=1, keepdims=True)
    distance = np.linalg.norm(position, axis=1)
    up = position / distance[:, None]
    up -= np.einsum("nk,nk->n", up, along)[:, None] * along
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    right = np.cross(along, up)
    radius = np.linalg.norm(earth_fixed(*geodetic(position)[:2], heights), axis=1)
    cosine = (distance**2 + ranges**2 - radius**2) / (2 * distance * ranges)
    cosine = np.clip(cosine, -1, 1)
    points: Doubles = position + ranges[:, None] * (np.sqrt(1 - cosine**2)[:, None] * right - cosine[:, None] * up)
    for _ in range(20):
        longitude, latitude, height = geodetic(points)
        look = points - position
        found = np.linalg.norm(look, axis=1)
        miss = np.stack([found - ranges, np.einsum("nk,nk->n", look, along), height - heights], axis=1)
        slopes = np.stack([look / found[:, None], along, normals(longitude, latitude)], axis=1)
        step = np.linalg.solve(slopes, miss[..., None])[..., 0]
        points = points - step
        if np.abs(step).max() < 1e-7:
            break
    return points


@dataclass(frozen=True)
class Ground:
    """Earth-fixed position of grid points as polynomials: P(x, y, h) = P₀(x, y) + h N(x, y).

    Parameters
    ----------
    base, normal : (3, n, n) coefficients of powers of u (columns) and v (rows), both −1 … 1 over the part.
    """

    base: Doubles
    normal: Doubles

    @classmethod
    def of(cls, grid: Grid) -> "Ground":
        """The ground under `grid` (pixel centres), which is at most `MAX_SPAN` on a side in metres."""
        nodes = np.cos(np.pi * (np.arange(_DEGREE + 3) + 0.5) / (_DEGREE + 3))
        u, v = np.meshgrid(nodes, nodes)
        x, y = grid.coordinates((u + 1) / 2 * grid.width, (v + 1) / 2 * grid.height)
        longitude, latitude = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(x, y)
        powers = np.polynomial.polynomial.polyvander2d(u.ravel(), v.ravel(), [_DEGREE, _DEGREE])
        fits = []
        for values in (earth_fixed(longitude, latitude, np.zeros_like(longitude)), normals(longitude, latitude)):
            solved = np.linalg.lstsq(powers, values.reshape(-1, 3), rcond=None)[0]
            fits.append(np.ascontiguousarray(solved.T.reshape(3, _DEGREE + 1, _DEGREE + 1)))  # (axis, u, v)
        return cls(*fits)


def orbit_numbers(local: LocalOrbit, start: float, stop: float) -> Doubles:
    """The orbit over `start` … `stop` (some seconds) for compiled code: middle, scale, then 3 × 6 coefficients.

    A polynomial of degree 5 through Chebyshev nodes of the given one: over ±5 s it differs by less than 1 nm, over
    ±15 s by less than 1 µm.
    """
    middle, scale = (start + stop) / 2, max((stop - start) / 2, 0.5)
    u = np.cos(np.pi * (np.arange(_ORBIT_DEGREE + 4) + 0.5) / (_ORBIT_DEGREE + 4))
    vander = np.polynomial.polynomial.polyvander(u, _ORBIT_DEGREE)
    fit = np.linalg.lstsq(vander, local.state(middle + scale * u)[0], rcond=None)[0]
    return np.concatenate([[middle, scale], fit.T.ravel()])


@numba.njit(inline="always")
def zero_doppler(orbit: Doubles, x: float, y: float, z: float, u: float) -> tuple[float, float]:
    """Scaled time u of closest approach to (x, y, z), and the range (m); begins at `u`. `orbit` of `orbit_numbers`."""
    square = 0.0
    for _ in range(8):
        miss = 0.0
        slope = 0.0
        square = 0.0
        for axis in range(3):
            o = 2 + 6 * axis
            c0, c1, c2, c3, c4, c5 = orbit[o], orbit[o + 1], orbit[o + 2], orbit[o + 3], orbit[o + 4], orbit[o + 5]
            p = c0 + u * (c1 + u * (c2 + u * (c3 + u * (c4 + u * c5))))
            v = c1 + u * (2 * c2 + u * (3 * c3 + u * (4 * c4 + u * 5 * c5)))
            a = 2 * c2 + u * (6 * c3 + u * (12 * c4 + u * 20 * c5))
            look = (x if axis == 0 else y if axis == 1 else z) - p
            miss += look * v
            slope += look * a - v * v
            square += look * look
        step = miss / slope
        u -= step
        if abs(step) < 1e-7:  # the range at the last position is then exact to 1e-9 m, the time to much less
            break
    return u, np.sqrt(square)


@numba.njit(parallel=True, cache=True)
def locate(base: Doubles, normal: Doubles, heights: Doubles, orbit: Doubles, times: Doubles, ranges: Doubles) -> None:
    """Backward geocoding of a part of a grid: fills `times` (s after the orbit's middle) and `ranges` (m).

    Parameters
    ----------
    base, normal : of `Ground`. heights : (rows, cols) float32, ellipsoidal, m; NaN gives NaN.
    orbit : of `orbit_numbers`. times, ranges : (rows, cols) float64, written.
    """
    rows, cols = heights.shape
    n = base.shape[1]
    for i in numba.prange(rows):
        v = (2 * i + 1) / rows - 1
        line = np.zeros((6, n))
        for axis in range(3):  # the polynomials along this row
            for k in range(n):
                p = 0.0
                q = 0.0
                for m in range(n - 1, -1, -1):
                    p = p * v + base[axis, k, m]
                    q = q * v + normal[axis, k, m]
                line[axis, k] = p
                line[3 + axis, k] = q
        t = 0.0
        for j in range(cols):
            h = heights[i, j]
            if not np.isfinite(h):
                times[i, j] = np.nan
                ranges[i, j] = np.nan
                continue
            u = (2 * j + 1) / cols - 1
            x, y, z = line[0, n - 1], line[1, n - 1], line[2, n - 1]
            e, f, g = line[3, n - 1], line[4, n - 1], line[5, n - 1]
            for k in range(n - 2, -1, -1):
                x = x * u + line[0, k]
                y = y * u + line[1, k]
                z = z * u + line[2, k]
                e = e * u + line[3, k]
                f = f * u + line[4, k]
                g = g * u + line[5, k]
            t, r = zero_doppler(orbit, x + h * e, y + h * f, z + h * g, t)
            times[i, j] = t * orbit[1]
            ranges[i, j] = r


def look_angles(
    points: Doubles, longitude: Doubles, latitude: Doubles, orbit: Orbit, times: Doubles
) -> tuple[Doubles, Doubles]:
    """Unit vectors from ground points to the satellite (n, 3: east, north, up) and incidence angles (degrees, n).

    Parameters
    ----------
    points : (n, 3) Earth-fixed, m, at `longitude`, `latitude` (degrees). times : when each is imaged, s.
    """
    look = np.empty_like(points)
    for here, local in _parts(times, orbit):
        look[here] = local.state(times[here])[0] - points[here]
    look /= np.linalg.norm(look, axis=1, keepdims=True)
    lon, lat = np.radians(longitude), np.radians(latitude)
    east = look[:, 1] * np.cos(lon) - look[:, 0] * np.sin(lon)
    outward = look[:, 0] * np.cos(lon) + look[:, 1] * np.sin(lon)
    north = look[:, 2] * np.cos(lat) - outward * np.sin(lat)
    up = outward * np.cos(lat) + look[:, 2] * np.sin(lat)
    return np.stack([east, north, up], axis=1), np.degrees(np.arccos(np.clip(up, -1, 1)))


@numba.njit(parallel=True, cache=True)
def locate_points(points: Doubles, orbit: Doubles, times: Doubles, ranges: Doubles) -> None:
    """As `locate`, for Earth-fixed `points` (n, 3)."""
    for i in numba.prange(len(points)):
        t, r = zero_doppler(orbit, points[i, 0], points[i, 1], points[i, 2], 0.0)
        times[i] = t * orbit[1]
        ranges[i] = r
