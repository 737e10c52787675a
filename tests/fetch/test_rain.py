"""Cells of rain: those round the area, at sea and at the edge of the map."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from helpers.fetch_services import GRID, imerg_day
from slipmap.errors import InputError
from slipmap.fetch.products import Found
from slipmap.fetch.sources import climate
from slipmap.io.grid import Grid


def delivered(source, path, grid, output) -> rasterio.DatasetReader:
    climate.deliver(Found(source, "x", {}, ()), grid, {path.name: path}, output)
    (made,) = output.iterdir()
    return rasterio.open(made)


def chirps(path, values):
    options = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "float32"}
    with rasterio.open(path, "w", crs="EPSG:4326", transform=from_origin(-110, 38.8, 0.05, 0.05), **options) as target:
        target.write(values.astype(np.float32), 1)
    return path


def test_the_sea_of_chirps_has_no_rain(tmp_path):
    rain = np.full((8, 8), 5.0)
    rain[:, :4], rain[4:, 4:] = -9999, 0
    path = chirps(tmp_path / "chirps-v2.0.2023.01.01.tif", rain)
    with delivered("chirps", path, GRID, tmp_path / "rainfall") as source:
        values, x = source.read(1), source.transform.c + (np.arange(source.width) + 0.5) * source.transform.a
    assert np.isnan(values[:, x < -109.8]).all()
    assert set(np.unique(values[:, x > -109.8])) == {0.0, 5.0}  # a dry day is one


def test_an_area_at_sea_is_said_to_have_no_rain(tmp_path):
    path = chirps(tmp_path / "chirps-v2.0.2023.01.01.tif", np.full((8, 8), -9999))
    with pytest.raises(InputError, match="CHIRPS has no value in the area on any of 1 days"):
        delivered("chirps", path, GRID, tmp_path / "rainfall")


@pytest.fixture(scope="module")
def imerg(tmp_path_factory):
    path = tmp_path_factory.mktemp("imerg") / "3B-DAY.MS.MRG.3IMERG.20230101-S000000-E235959.V07B.nc4"
    path.write_bytes(imerg_day(4.0))
    return path


@pytest.mark.parametrize(
    "bounds, first, last",
    [
        ((-179.98, 65.0, -179.85, 65.2), 0, 3),
        ((179.85, 65.0, 179.98, 65.2), 3596, 3599),
        ((10.02, 89.85, 10.18, 89.98), 1898, 1903),
    ],
)
def test_at_the_edge_of_the_map_imerg_has_the_cells_that_there_are(imerg, tmp_path, bounds, first, last):
    grid = Grid.from_bounds("EPSG:4326", 0.01, bounds)
    with delivered("imerg", imerg, grid, tmp_path / "rainfall") as source:
        values = source.read(1)
        x = source.transform.c + (np.arange(source.width) + 0.5) * 0.1
        y = source.transform.f - (np.arange(source.height) + 0.5) * 0.1
    column, row = np.round((x + 179.95) / 0.1), np.round((y - 0.05) / 0.1)
    assert (column[0], column[-1]) == (first, last)
    assert y[-1] < bounds[1] and y[0] > min(bounds[3], 89.9)
    assert np.allclose(values, 4 + column / 1000 + row[:, None] / 100, atol=1e-4)


def test_where_imerg_knows_no_rain_there_is_none(imerg, tmp_path):
    grid = Grid.from_bounds("EPSG:4326", 0.01, (20.0, -0.2, 20.2, 0.2))  # the south of the file is missing
    with delivered("imerg", imerg, grid, tmp_path / "rainfall") as source:
        values, y = source.read(1), source.transform.f - (np.arange(source.height) + 0.5) * 0.1
    assert np.isnan(values[y < 0]).all()
    assert np.isfinite(values[y > 0]).all()
