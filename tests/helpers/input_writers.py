"""Small input files of every kind over one square of 1.6 km, for tests that read or refuse them."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import xarray as xr
from affine import Affine
from shapely.geometry import box

CRS = "EPSG:32632"
LEFT, BOTTOM, RIGHT, TOP = BOUNDS = (500000, 5000000, 501600, 5001600)
TRANSFORM = Affine(10, 0, LEFT, 0, -10, TOP)
LATITUDE = np.round(np.arange(45.85, 44.5, -0.1), 2)
LONGITUDE = np.round(np.arange(8.35, 9.8, 0.1), 2)


def tif(path, array=5.0, *, transform=TRANSFORM, crs=CRS, dtype=None, nodata=None, names=None, **attributes):
    """Write a raster of 160 x 160 pixels of 10 m, of `array` or filled with it; `attributes` are set on the file."""
    array = np.asarray(array, float if np.ndim(array) == 0 else None)
    bands = np.broadcast_to(array, (1, 160, 160)) if array.ndim == 0 else array if array.ndim == 3 else array[None]
    dtype = dtype or ("float32" if bands.dtype == np.float64 else bands.dtype)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", driver="GTiff", dtype=dtype, count=len(bands), crs=crs, transform=transform,
                       height=bands.shape[1], width=bands.shape[2], nodata=nodata) as out:  # fmt: skip
        out.write(bands.astype(dtype))
        if names:
            out.descriptions = tuple(names)
        for name, value in attributes.items():
            setattr(out, name, value)
    return str(path)


def heights(degrees=20.0):
    """(160, 160) metres: a plane that falls by `degrees` to the south, 300 m at its foot."""
    return 300 + np.arange(160)[::-1, None] * 10 * np.tan(np.radians(degrees)) * np.ones((1, 160))


def square(left, bottom, size=200, height=None):
    """A box whose corner is given in metres from the lower left corner of the area."""
    return box(LEFT + left, BOTTOM + bottom, LEFT + left + size, BOTTOM + bottom + (height or size))


def vector(path, geometries, crs=CRS, layer=None, **columns):
    """Write features; into a layer of its own of a file that holds others where `layer` is given."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    frame = gpd.GeoDataFrame(columns or {"n": range(len(geometries))}, geometry=list(geometries), crs=crs)
    frame.to_file(path, **({"layer": layer} if layer else {}))
    return str(path)


def series(path, values=5.0, *, times=None, time=None, units="mm/day", name="precip", longitude=LONGITUDE,
           latitude=LATITUDE, axes=("longitude", "latitude"), engine="h5netcdf", **attributes):  # fmt: skip
    """Write a NetCDF series round 9 E, 45.2 N: `values` for each step, dates in `times` or a raw axis in `time`.

    `time` is (numbers, attributes) as they are to stand in the file.
    """
    if time is None:
        times = np.array(times or ["2021-01-01", "2021-01-02"], "M8[ns]")
        axis = ("time", times)
    else:
        axis = ("time", np.asarray(time[0]), time[1])
    steps = len(axis[1])
    x, y = axes
    data = np.broadcast_to(np.reshape(values, (-1, 1, 1)), (steps, len(latitude), len(longitude))).astype("f4")
    dataset = xr.Dataset(
        {name: (("time", y, x), data, {"units": units} | attributes)},
        coords={"time": axis, y: latitude, x: longitude},
    )
    dataset.to_netcdf(path, engine=engine)
    return str(path)


def optical(path, level=1500, bands=("B2", "B3", "B4", "B8", "B11"), **options):
    """Write a Sentinel-2 scene of many bands, stored numbers about `level`."""
    noise = level * np.random.default_rng(0).uniform(-0.1, 0.1, (len(bands), 160, 160))
    options = {"dtype": "uint16", "nodata": 0, "names": bands} | options
    return tif(path, level + noise, **options)
