"""Static tropospheric delay of a standard atmosphere."""

import numpy as np

from slipmap.arrays import Doubles, Floats, Real

_SEA_LEVEL = 1013.25  # hPa
_WET = 0.1  # m, zenith wet delay at sea level, mean of mid latitudes
_WET_HEIGHT = 2000.0  # m, scale height of water vapour


def zenith_delay(height: Real, latitude: float) -> Doubles:
    """Zenith delay, m, at ellipsoidal (or orthometric: 50 m are 1 cm) `height`, m, and `latitude`, degrees.

    Hydrostatic part after Saastamoinen (1972) with the pressure of the ICAO standard atmosphere, plus a wet part of
    0.1 m that falls by 1/e in 2 km.
    """
    h: Doubles = np.clip(np.asarray(height, float), -500, 9000)
    pressure: Doubles = _SEA_LEVEL * (1 - 2.25577e-5 * h) ** 5.25588
    gravity: Doubles = 1 - 0.00266 * np.cos(2 * np.radians(latitude)) - 2.8e-7 * h
    return 0.0022768 * pressure / gravity + _WET * np.exp(-h / _WET_HEIGHT)


def slant_delay(
    heights: Real, ranges: Doubles, latitude: float, earth_radius: float, satellite_radius: float
) -> Floats:
    """Delay along the line of sight, float32 (rows, cols), m: zenith delay over the cosine of the incidence angle.

    Parameters
    ----------
    heights, ranges : (rows, cols), m. earth_radius, satellite_radius : distance from the Earth's centre of the
        ellipsoid here and of the satellite, m; the incidence angle follows from the triangle.
    """
    ground = earth_radius + heights
    cosine = (satellite_radius**2 - ground**2 - ranges**2) / (2 * ground * ranges)
    return (zenith_delay(heights, latitude) / cosine).astype(np.float32)
