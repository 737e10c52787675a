"""Simulated weather: daily rain and the soil moisture that follows from it, on coarse longitude-latitude grids."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
import xarray as xr
from rasterio.crs import CRS
from rasterio.warp import transform_bounds
from scipy import ndimage
from scipy.interpolate import RegularGridInterpolator

from slipmap.arrays import Doubles
from slipmap.io.grid import Grid
from slipmap.simulator.fields import SIMULATED, stream

RAIN_STEP = 0.05  # degrees, as CHIRPS
MOISTURE_STEP = 0.1  # degrees, as ERA5-Land
_MARGIN = 0.15  # degrees around the area


def simulate_rain(seed: int, grid: Grid, elevation: np.ndarray, start: date, end: date) -> xr.Dataset:
    """Daily rain, mm/day, variable ``rainfall`` (time, lat, lon): wet spells, a wet autumn, more on high ground."""
    rng = stream(seed, "rain")
    lat, lon = _cells(grid, RAIN_STEP)
    days = pd.date_range(start, end, freq="D")
    season = 1 + 0.45 * np.cos(2 * np.pi * (days.dayofyear.to_numpy() - 310) / 365.25)
    wet = np.zeros(len(days), bool)
    for n, draw in enumerate(rng.random(len(days))):
        wet[n] = draw < (0.58 if n and wet[n - 1] else 0.2) * season[n]
    amount = np.where(wet, rng.gamma(0.75, 11.0, len(days)) * season, 0.0)
    height = _ground_height(grid, elevation, lat, lon)
    orographic = 1 + 0.45 * (height - height.mean()) / 1000.0
    pattern = ndimage.gaussian_filter(rng.standard_normal((len(days), *height.shape)), (0, 1.5, 1.5))
    pattern = np.exp(0.5 * pattern / pattern.std())
    rain = (amount[:, None, None] * orographic * pattern).astype(np.float32)
    rain[rain < 0.1] = 0.0
    return _dataset(
        "rainfall",
        rain,
        days,
        lat,
        lon,
        {"units": "mm/day", "long_name": "daily rainfall", "standard_name": "lwe_precipitation_rate"},
    )


def simulate_moisture(seed: int, grid: Grid, rain: xr.Dataset) -> xr.Dataset:
    """Soil moisture, m3/m3, variable ``soil_moisture`` (time, lat, lon): a bucket that rain fills and seasons empty."""
    rng = stream(seed, "moisture")
    lat, lon = _cells(grid, MOISTURE_STEP)
    coarse = rain.rainfall.interp(lat=lat, lon=lon, kwargs={"fill_value": None}).to_numpy()
    day = pd.DatetimeIndex(rain.time.to_numpy()).dayofyear.to_numpy()
    drying = 0.035 * (1 + 0.6 * np.cos(2 * np.pi * (day - 200) / 365.25))
    soil = rng.normal(1.0, 0.08, coarse.shape[1:])
    level = np.full(coarse.shape[1:], 0.28)
    moisture = np.empty_like(coarse, dtype=np.float32)
    for n in range(len(day)):
        level = level + np.clip(coarse[n], 0, None) * 1.5e-3 * (0.46 - level) / 0.2
        level = np.clip(level - drying[n] * (level - 0.08), 0.06, 0.46)
        moisture[n] = np.clip(level * soil, 0.03, 0.5)
    return _dataset(
        "soil_moisture",
        moisture,
        pd.DatetimeIndex(rain.time.to_numpy()),
        lat,
        lon,
        {
            "units": "m3/m3",
            "long_name": "volumetric soil moisture, 0-7 cm",
            "standard_name": "volume_fraction_of_condensed_water_in_soil",
        },
    )


def _cells(grid: Grid, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Cell centres (lat from north to south, lon from west to east) that cover the area and a margin."""
    west, south, east, north = transform_bounds(CRS.from_user_input(grid.crs), CRS.from_epsg(4326), *grid.bounds)
    lon = np.arange(np.floor((west - _MARGIN) / step), np.ceil((east + _MARGIN) / step)) * step + step / 2
    lat = np.arange(np.floor((south - _MARGIN) / step), np.ceil((north + _MARGIN) / step)) * step + step / 2
    return np.round(lat[::-1], 6), np.round(lon, 6)


def _ground_height(grid: Grid, elevation: Doubles, lat: Doubles, lon: Doubles) -> Doubles:
    """Elevation of each cell, m; outside the area that of its nearest edge."""
    west, south, east, north = transform_bounds(CRS.from_user_input(grid.crs), CRS.from_epsg(4326), *grid.bounds)
    smooth = ndimage.uniform_filter(elevation, max(3, int(RAIN_STEP * 111e3 / grid.resolution[0] / 3)))
    at = RegularGridInterpolator(
        (np.linspace(south, north, grid.height), np.linspace(west, east, grid.width)), smooth[::-1]
    )
    y, x = np.meshgrid(np.clip(lat, south, north), np.clip(lon, west, east), indexing="ij")
    heights: Doubles = at((y, x))
    return heights


def _dataset(
    name: str, values: np.ndarray, days: pd.DatetimeIndex, lat: np.ndarray, lon: np.ndarray, attrs: Mapping[str, str]
) -> xr.Dataset:
    dataset = xr.Dataset(
        {name: (("time", "lat", "lon"), values, attrs)},
        coords={
            "time": ("time", days, {"standard_name": "time"}),
            "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
        },
        attrs={"Conventions": "CF-1.8", "title": f"Simulated {attrs['long_name']}; not observations", **SIMULATED},
    )
    dataset[name].encoding = {"zlib": True, "complevel": 4, "_FillValue": np.float32(np.nan)}
    dataset.time.encoding = {"units": f"days since {days[0]:%Y-%m-%d}", "dtype": "int32"}
    return dataset
