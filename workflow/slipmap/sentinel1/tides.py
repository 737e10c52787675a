"""Solid-earth tides of degree 2 (IERS Conventions 2010, eq. 7.5): up to 0.4 m, smooth over hundreds of kilometres.

Sun and Moon come from the series of Montenbruck & Gill (2000, section 3.3.2), good to a few arc minutes: 0.3 % of the
tide, a millimetre. Ocean and pole tides are left out.
"""

import numpy as np
from pyproj import Transformer

from slipmap.arrays import Doubles
from slipmap.io.grid import Grid
from slipmap.sentinel1.geometry import earth_fixed
from slipmap.sentinel1.orbits import LocalOrbit

H2, L2 = 0.6078, 0.0847  # Love and Shida numbers
EARTH_RADIUS = 6_378_136.6  # m
MOON, SUN = 0.0123000371, 332_946.0482  # masses over that of the Earth
_OBLIQUITY = np.radians(23.43929111)
_J2000 = np.datetime64("2000-01-01T12:00:00").astype("M8[ns]")
_ARCSECOND = np.pi / 180 / 3600


def displacement(points: Doubles, time: np.datetime64) -> Doubles:
    """Displacement (n, 3) of Earth-fixed `points` (n, 3), m, at a UTC time."""
    radius = np.linalg.norm(points, axis=1, keepdims=True)
    up = points / radius
    total = np.zeros_like(points)
    for body, mass in zip(sun_and_moon(time), (SUN, MOON), strict=True):
        distance = np.linalg.norm(body)
        towards = body / distance
        cosine = up @ towards
        size = mass * EARTH_RADIUS**4 / distance**3
        radial = H2 * (1.5 * cosine**2 - 0.5)
        total += size * (radial[:, None] * up + 3 * L2 * cosine[:, None] * (towards[None, :] - cosine[:, None] * up))
    return total


def sun_and_moon(time: np.datetime64) -> tuple[Doubles, Doubles]:
    """Earth-fixed positions of Sun and Moon, m, at a UTC time; angles refer to the equinox of date."""
    days = float((time.astype("M8[ns]") - _J2000) / np.timedelta64(1, "ns")) / 86_400e9
    century = days / 36_525
    sidereal = np.radians((280.46061837 + 360.98564736629 * days) % 360)
    return _earth_fixed(*_sun(century), sidereal), _earth_fixed(*_moon(century), sidereal)


def _sun(century: float) -> tuple[float, float, float]:
    """Longitude, latitude (rad) and distance (m)."""
    anomaly = np.radians(357.5256 + 35_999.049 * century)
    longitude = np.radians(282.94 + 1.3972 * century) + anomaly
    longitude += (6892 * np.sin(anomaly) + 72 * np.sin(2 * anomaly)) * _ARCSECOND
    distance = (149.619 - 2.499 * np.cos(anomaly) - 0.021 * np.cos(2 * anomaly)) * 1e9
    return longitude, 0.0, distance


def _moon(century: float) -> tuple[float, float, float]:
    mean, ours, suns, node, elongation = (
        np.radians(start + rate * century)
        for start, rate in (
            (218.31617, 481_267.88088),  # mean longitude
            (134.96292, 477_198.86753),  # mean anomaly
            (357.52543, 35_999.04944),  # mean anomaly of the Sun
            (93.27283, 483_202.01873),  # mean distance from the ascending node
            (297.85027, 445_267.11135),  # mean elongation from the Sun
        )
    )
    terms = (
        (22640, ours),
        (769, 2 * ours),
        (-4586, ours - 2 * elongation),
        (2370, 2 * elongation),
        (-668, suns),
        (-412, 2 * node),
        (-212, 2 * ours - 2 * elongation),
        (-206, ours + suns - 2 * elongation),
        (192, ours + 2 * elongation),
        (-165, suns - 2 * elongation),
        (148, ours - suns),
        (-125, elongation),
        (-110, ours + suns),
        (-55, 2 * node - 2 * elongation),
    )
    apart = sum(size * np.sin(angle) for size, angle in terms) * _ARCSECOND
    slope = node + apart + (412 * np.sin(2 * node) + 541 * np.sin(suns)) * _ARCSECOND
    latitude = 18520 * np.sin(slope) - 526 * np.sin(node - 2 * elongation) + 44 * np.sin(ours + node - 2 * elongation)
    latitude += -31 * np.sin(-ours + node - 2 * elongation) - 25 * np.sin(-2 * ours + node)
    latitude += -23 * np.sin(suns + node - 2 * elongation) + 21 * np.sin(-ours + node)
    latitude += 11 * np.sin(-suns + node - 2 * elongation)
    distance = 385_000 - 20_905 * np.cos(ours) - 3_699 * np.cos(2 * elongation - ours) - 2_956 * np.cos(2 * elongation)
    distance += -570 * np.cos(2 * ours) + 246 * np.cos(2 * ours - 2 * elongation) - 205 * np.cos(suns - 2 * elongation)
    distance += -171 * np.cos(ours + 2 * elongation) - 152 * np.cos(ours + suns - 2 * elongation)
    return mean + apart, latitude * _ARCSECOND, distance * 1e3


def _earth_fixed(longitude: float, latitude: float, distance: float, sidereal: float) -> Doubles:
    x = np.cos(latitude) * np.cos(longitude)
    y = np.cos(latitude) * np.sin(longitude)
    z = np.sin(latitude)
    y, z = np.cos(_OBLIQUITY) * y - np.sin(_OBLIQUITY) * z, np.sin(_OBLIQUITY) * y + np.cos(_OBLIQUITY) * z
    turn = np.array([[np.cos(sidereal), np.sin(sidereal)], [-np.sin(sidereal), np.cos(sidereal)]])
    return distance * np.array([*(turn @ (x, y)), z])


def line_of_sight_tide(grid: Grid, epoch: np.datetime64, local: LocalOrbit, time: float) -> Doubles:
    """Displacement towards the satellite, m (rows, cols), at `time` (s after `epoch`); linear between the corners."""
    corners = np.array([0, grid.width, 0, grid.width]), np.array([0, 0, grid.height, grid.height])
    x, y = grid.coordinates(*corners)
    longitude, latitude = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(x, y)
    points = earth_fixed(longitude, latitude, np.zeros(4))
    look = local.state(time)[0] - points
    look /= np.linalg.norm(look, axis=1, keepdims=True)
    moved = np.einsum("nk,nk->n", displacement(points, epoch + np.timedelta64(round(time * 1e9), "ns")), look)
    down = ((np.arange(grid.height) + 0.5) / grid.height)[:, None]
    across = ((np.arange(grid.width) + 0.5) / grid.width)[None, :]
    top, bottom = (np.asarray(moved[k] * (1 - across) + moved[k + 1] * across, float) for k in (0, 2))
    return top * (1 - down) + bottom * down
