"""Static tropospheric delay of a standard atmosphere."""

import numpy as np

_SEA_LEVEL = 1013.25  # hPa
_WET = 0.1  # m, zenith wet delay at sea level, mean of mid latitudes
_WET_HEIGHT = 2000.0  # m, scale height of water vapour


def zenith_delay(height: np.ndarray, latitude: float) -> np.ndarray:
    """Zenith delay, m, at ellipsoidal (or orthometric: 50 m are 1 cm) `height`, m, and `latitude`, degrees.

    Hydrostatic part after Saastamoinen (1972) with the pressure of the ICAO standard atmosphere, plus a wet part of
    0.1 m that falls by 1/e in 2 km.
    """
    height = np.clip(np.asarray(height, float), -500, 9000)
    pressure = _SEA_LEVEL * (1 - 2.25577e-5 * height) ** 5.25588
    gravity = 1 - 0.00266 * np.cos(2 * np.radians(latitude)) - 2.8e-7 * height
    return 0.0022768 * pressure / gravity + _WET * np.exp(-height / _WET_HEIGHT)


def slant_delay(
    heights: np.ndarray, ranges: np.ndarray, latitude: float, earth_radius: float, satellite_radius: float
) -> np.ndarray:
    """Delay along the line of sight, float32 (rows, cols), m: zenith delay over the cosine of the incidence angle.

    Parameters
    ----------
    heights, ranges : (rows, cols), m. earth_radius, satellite_radius : distance from the Earth's centre of the
        ellipsoid here and of the satellite, m; the incidence angle follows from the triangle.
    """
    ground = earth_radius + heights
    cosine = (satellite_radius**2 - ground**2 - ranges**2) / (2 * ground * ranges)
    return (zenith_delay(heights, latitude) / cosine).astype(np.float32)
