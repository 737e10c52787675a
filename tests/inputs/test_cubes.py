"""Rain and soil moisture as they are delivered: small files after the products' published layouts."""

import h5py
import numpy as np
import pandas as pd
import pyproj
import pytest
import xarray as xr
from affine import Affine
from rasterio.crs import CRS

from helpers.input_writers import LATITUDE, LONGITUDE, series, tif
from slipmap.errors import InputError
from slipmap.inputs.cubes import read_series
from slipmap.io.grid import Grid

GRID = Grid.from_bounds("EPSG:32632", 500, (500000, 5000000, 510000, 5010000))  # 9 E, 45.2 N
FIJI = Grid.from_bounds("EPSG:32760", 1000, (800000, 8120000, 830000, 8150000))  # 180 degrees runs through it


def imerg(path, minutes, rate):
    """Half an hour of IMERG, version 07: a group Grid, (time, lon, lat), seconds since 1970, calendar "julian"."""
    with h5py.File(path, "w") as file:
        grid = file.create_group("Grid")
        longitude, latitude = np.arange(-179.95, 180, 0.1), np.arange(-89.95, 90, 0.1)
        for name, values in (("time", [1577836800 + 60 * minutes]), ("lon", longitude), ("lat", latitude)):
            grid.create_dataset(name, data=np.asarray(values)).make_scale(name)
        grid["time"].attrs.update({"units": "seconds since 1970-01-01 00:00:00 UTC", "calendar": "julian"})
        rain = grid.create_dataset("precipitation", (1, 3600, 1800), "f4", fillvalue=rate, chunks=(1, 145, 1800))
        rain.attrs.update({"units": "mm/hr", "_FillValue": np.float32(-9999.9)})
        for axis, name in enumerate(("time", "lon", "lat")):
            rain.dims[axis].attach_scale(grid[name])


def test_imerg_half_hourly(tmp_path):
    for number in (1, 0):
        minutes = 30 * number
        imerg(
            tmp_path / f"3B-HHR.MS.MRG.3IMERG.20200101-S00{minutes:02d}00-E00{minutes + 29}59.V07B.HDF5", minutes, 0.5
        )
    found = read_series(tmp_path, GRID, "inputs.rainfall", "rainfall")
    assert list(found.times) == [pd.Timestamp("2020-01-01 00:00"), pd.Timestamp("2020-01-01 00:30")]
    assert (found.values == 0.5).all() and found.units == "mm/hr"
    left, bottom, right, top = found.grid.bounds
    assert left < 9.0 < 9.13 < right and bottom < 45.15 < 45.25 < top


def test_smap_level_3_lies_on_its_ease_grid(tmp_path):
    """9 km cells (Brodzik et al. 2012); the cell over 9.06 E, 45.2 N alone is wet."""
    from rasterio.warp import transform

    (x,), (y,) = transform("EPSG:4326", "EPSG:6933", [9.06], [45.2])
    row, col = int((7314540.8306386 - y) / 9008.055210146), int((x + 17367530.4451615) / 9008.055210146)
    values = np.full((1624, 3856), -9999, np.float32)
    values[row - 3 : row + 4, col - 3 : col + 4] = 0.2
    values[row, col] = 0.4
    with h5py.File(tmp_path / "SMAP_L3_SM_P_E_20200101_R19240_001.h5", "w") as file:
        moisture = file.create_dataset("Soil_Moisture_Retrieval_Data_AM/soil_moisture", data=values)
        moisture.attrs.update({"units": "cm**3/cm**3", "_FillValue": np.float32(-9999)})
        file["Soil_Moisture_Retrieval_Data_AM/latitude"] = np.zeros((1624, 3856), np.float32)
    found = read_series(tmp_path / "SMAP_L3_SM_P_E_20200101_R19240_001.h5", GRID, "k", "soil_moisture")
    assert list(found.times) == [pd.Timestamp("2020-01-01")]
    at_col, at_row = ~found.grid.transform @ (x, y)
    assert found.values[0, int(at_row), int(at_col)] == np.float32(0.4) and (found.values == np.float32(0.4)).sum() == 1


@pytest.mark.parametrize("start", [-180.0, 0.0])
@pytest.mark.parametrize("suffix", ["nc", "tif"])
def test_180_degrees_runs_through_the_area(start, suffix, tmp_path):
    """The value of each cell is its longitude, eastward from Greenwich: it runs on without a break."""
    longitude = start + 0.25 + 0.5 * np.arange(720)
    latitude = np.arange(49.75, -50, -0.5)
    field = np.broadcast_to(longitude % 360, (len(latitude), 720))
    if suffix == "nc":
        data = xr.Dataset({"precip": (("lat", "lon"), field, {"units": "mm"})}, {"lat": latitude, "lon": longitude})
        data.to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    else:
        tif(tmp_path / "r.tif", field, transform=Affine(0.5, 0, start, 0, -0.5, 50), crs="EPSG:4326", dtype="float32")
    found = read_series(tmp_path / f"r.{suffix}", FIJI, "k", "rainfall")
    row = found.values[0, 0]
    np.testing.assert_allclose(np.diff(row), 0.5)
    assert row.min() < 179.7 < 180.3 < row.max()


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_netcdf_of_both_kinds_and_axes_of_any_direction(engine, tmp_path):
    values = [3.0, 4.0]
    path = series(tmp_path / "r.nc", values, engine=engine, latitude=LATITUDE[::-1], longitude=LONGITUDE)
    found = read_series(path, GRID, "k", "rainfall")
    assert found.values[:, 0, 0].tolist() == values and found.grid.transform.e < 0


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: path.write_bytes(b"GRIB" + bytes(60)), "is no NetCDF file"),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(60)), "truncated or corrupt"),
        (lambda path: path.write_bytes(b"CDF\x01" + bytes(6)), "truncated or corrupt"),
        (lambda path: h5py.File(path, "w").close(), "no grid at all"),
    ],
)
def test_what_is_no_cube_is_refused(write, words, tmp_path):
    path = tmp_path / "r.nc"
    write(path)
    with pytest.raises(InputError, match=f"inputs.rainfall: .*r.nc .*{words}"):
        read_series(path, GRID, "inputs.rainfall", "rainfall")


@pytest.mark.parametrize("decimals", [None, 4])
def test_smos_on_the_rows_of_ease_grid(tmp_path, decimals):
    """CATDS level 3 daily: EASE-Grid 2.0 of 25 km, whose rows are even in metres and uneven in degrees."""
    y = 7307375.92 - 25025.26 * np.arange(584)  # Brodzik et al. 2012, table 2
    parallel = 6378137 * np.cos(np.radians(30)) / np.sqrt(1 - 0.00669437999 * 0.25)
    sine = np.clip(2 * y * parallel / 6378137**2 / 1.9955310875, -1, 1)
    beta = np.arcsin(sine)  # authalic latitude; the series back to the geodetic one is Snyder's (1987, 3-18)
    e2 = 0.00669437999014
    terms = ((2, e2 / 3 + 31 * e2**2 / 180 + 517 * e2**3 / 5040), (4, 23 * e2**2 / 360 + 251 * e2**3 / 3780),
             (6, 761 * e2**3 / 45360))  # fmt: skip
    geodetic = beta + sum(factor * np.sin(n * beta) for n, factor in terms)
    latitude, longitude = np.degrees(geodetic), -180 + 360 / 1388 * (np.arange(1388) + 0.5)
    if decimals:
        latitude, longitude = latitude.round(decimals), longitude.round(decimals)
    path = tmp_path / "SM_OPER_MIR_CLF31A_20200101T000000_20200101T235959_300_001_7.nc"
    place = pyproj.Transformer.from_crs(4326, GRID.crs, always_xy=True)
    left, bottom, right, top = GRID.bounds
    here = place.transform((left + right) / 2, (bottom + top) / 2, direction="INVERSE")
    moisture_of = np.full((584, 1388), 0.2, np.float32)
    row, col = np.abs(latitude - here[1]).argmin(), np.abs(longitude - here[0]).argmin()
    moisture_of[row, col] = 0.35
    with h5py.File(path, "w") as file:
        for name, values, units in (("lat", latitude, "degrees_north"), ("lon", longitude, "degrees_east")):
            file.create_dataset(name, data=values).make_scale(name)
            file[name].attrs["units"] = units
        moisture = file.create_dataset("Soil_Moisture", data=moisture_of)
        moisture.attrs.update({"units": "m3 m-3", "_FillValue": np.float32(-999)})
        for axis, name in enumerate(("lat", "lon")):
            moisture.dims[axis].attach_scale(file[name])
    found = read_series(path, GRID, "inputs.soil_moisture", "soil_moisture")
    assert CRS.from_user_input(found.grid.crs).to_epsg() == 6933
    assert found.grid.resolution == pytest.approx((25025.26, 25025.26), rel=5e-4)
    assert list(found.times) == [pd.Timestamp("2020-01-01")]
    to_cell = pyproj.Transformer.from_crs(4326, 6933, always_xy=True)
    x, y = ~found.grid.transform @ to_cell.transform(longitude[col], latitude[row])
    assert (x % 1, y % 1) == pytest.approx((0.5, 0.5), abs=0.02)  # the centre of a cell
    assert found.values[0, int(y), int(x)] == np.float32(0.35) and (found.values == np.float32(0.35)).sum() == 1


def test_rows_that_are_even_on_no_grid_are_refused(tmp_path):
    path = series(tmp_path / "r.nc", latitude=np.array([45.9, 45.5, 45.05, 44.6]))
    with pytest.raises(InputError, match="the cells are not evenly spaced along latitude; regrid"):
        read_series(path, GRID, "k", "rainfall")


@pytest.mark.parametrize("packed", [True, False])
def test_amsr2_of_the_land_parameter_model(tmp_path, packed):
    """LPRM-AMSR2 level 3 of GES DISC: (Longitude, Latitude), north first, per cent of the volume, several bands."""
    latitude, longitude = 89.875 - 0.25 * np.arange(720), -179.875 + 0.25 * np.arange(1440)
    path = tmp_path / "LPRM-AMSR2_L3_D_SOILM3_V001_20200101010911.nc4"
    field = np.broadcast_to(20 + latitude / 10, (1440, 720))
    with h5py.File(path, "w") as file:
        for name, values in (("Longitude", longitude), ("Latitude", latitude)):
            file.create_dataset(name, data=values.astype(np.float32)).make_scale(name)
        for name in ("soil_moisture_c1", "soil_moisture_c2", "soil_moisture_x", "mask"):
            stored = np.round(field * 100).astype(np.int16) if packed else field.astype(np.float32)
            made = file.create_dataset(name, data=stored)
            made.attrs.update({"units": "percent", "_FillValue": made.dtype.type(-32767)})
            if packed:
                made.attrs["scale_factor"] = np.float32(0.01)
            for axis, dim in enumerate(("Longitude", "Latitude")):
                made.dims[axis].attach_scale(file[dim])
    found = read_series(path, GRID, "k", "soil_moisture")
    assert found.name == "soil_moisture_c1" and found.units == "percent"
    rows = found.grid.transform.f + found.grid.transform.e * (np.arange(found.values.shape[1]) + 0.5)
    np.testing.assert_allclose(found.values[0, :, 0], 20 + rows / 10, atol=0.01)
    assert list(found.times) == [pd.Timestamp("2020-01-01")]


def test_amsr2_of_jaxa_has_no_coordinates_and_says_so(tmp_path):
    """Level 3 SMC, 0.25 degrees: "Geophysical Data" (720, 1440, 1) int16 in 0.1 %, without axes."""
    path = tmp_path / "GW1AM2_20200101_01D_EQMA_L3SGSMCHA3300300.h5"
    with h5py.File(path, "w") as file:
        moisture = file.create_dataset("Geophysical Data", data=np.full((720, 1440, 1), 200, np.int16))
        moisture.attrs.update({"SCALE FACTOR": np.float32(0.1), "UNIT": "%"})
    with pytest.raises(InputError, match=path.name) as caught:
        read_series(path, GRID, "inputs.soil_moisture", "soil_moisture")
    assert "\n" not in str(caught.value) and str(caught.value).startswith("inputs.soil_moisture")
