"""Lithology, rain, soil moisture, distances to vectors, the list of factors and the coverage report."""

import csv
from datetime import date
from itertools import pairwise
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from rasterio.transform import from_origin
from rasterio.warp import transform, transform_bounds
from scipy import ndimage
from shapely.geometry import LineString, Point, Polygon, box

from slipmap import raster
from slipmap.config.factors import ClimateSettings, FactorSettings, LithologySettings
from slipmap.config.inputs import InputSettings, Sentinel1Settings, Sentinel2Settings, VectorSettings
from slipmap.config.susceptibility import RiskIndexSettings, SusceptibilitySettings
from slipmap.errors import InputError
from slipmap.factors import climate, coverage, lithology, proximity
from slipmap.factors.align import align
from slipmap.factors.names import factor_names
from slipmap.grid import Grid

UTM = "EPSG:32632"
X, Y = 500000.0, 5000000.0
GRID = Grid(UTM, from_origin(X, Y, 10, 10), 100, 80)


def polygons(path, *parts, crs=UTM):
    """(name, box relative to the corner of the grid, metres) → vector file."""
    frame = gpd.GeoDataFrame(
        {"rock": [name for name, _ in parts]},
        geometry=[box(X + b[0], Y - b[3], X + b[2], Y - b[1]) for _, b in parts],
        crs=UTM,
    )
    frame.to_crs(crs).to_file(path)
    return str(path)


# --- lithology


def litho(folder, path, attribute="rock", **settings):
    codes = lithology.run(
        VectorSettings(path=path, attribute=attribute), GRID, folder / "l.tif", LithologySettings(**settings)
    )
    assert raster.read_classes(folder / "l.tif") == codes
    return raster.read(folder / "l.tif", bands=1), codes


@pytest.mark.parametrize(
    ("crs", "suffix"),
    [(UTM, "gpkg"), ("EPSG:4326", "gpkg"), ("EPSG:3857", "gpkg"), (UTM, "shp"), ("EPSG:4326", "geojson")],
)
def test_polygons_of_any_crs_and_format(crs, suffix, tmp_path):
    """Two halves, names sorted into codes, the smaller polygon on top where they overlap."""
    path = polygons(
        tmp_path / f"rock.{suffix}",
        ("shale", (350, 300, 650, 500)), ("limestone", (-50, -50, 502, 850)), ("granite", (502, -50, 1050, 850)),
        crs=crs,
    )  # fmt: skip
    found, codes = litho(tmp_path, path)
    assert codes == {1: "granite", 2: "limestone", 3: "shale"}
    expected = np.where(np.arange(100)[None, :] < 50, 2.0, 1.0).repeat(80, axis=0)
    expected[30:50, 35:65] = 3
    agree = found == expected
    assert agree.mean() > (0.999 if crs == UTM else 0.99)


def test_polygons_that_cross_themselves_are_mended(tmp_path):
    """A bow tie has no area until it is mended, and would be drawn over what lies on it as the smaller one."""
    x, y = np.array([0, 1000, 0, 1000]) + X, Y - np.array([0, 800, 800, 0])
    bow = Polygon(list(zip(x, y, strict=True)))
    inset = box(X + 480, Y - 60, X + 520, Y - 20)
    frame = gpd.GeoDataFrame({"rock": ["bow", "inset"]}, geometry=[bow, inset], crs=UTM)
    frame.to_file(tmp_path / "rock.gpkg")
    found, codes = litho(tmp_path, str(tmp_path / "rock.gpkg"), fill_distance=0)
    assert (found[2:6, 48:52] == 2).all() and codes[2] == "inset"
    assert (found == 1).mean() == pytest.approx(0.5, abs=0.01) and np.isnan(found[40, [0, 99]]).all()


def test_slivers_and_narrow_gaps_are_healed_and_wide_gaps_stay(tmp_path):
    path = polygons(
        tmp_path / "rock.gpkg",
        ("a", (0, 0, 480, 800)), ("b", (520, 0, 800, 800)),  # a gap of 4 pixels, then one of 20
        ("c", (200, 200, 215, 210)),  # a sliver of one pixel
        ("c", (600, 600, 640, 640)),  # 16 pixels: no sliver
    )  # fmt: skip
    found, codes = litho(tmp_path, path, fill_distance=50, min_patch=4)
    assert codes == {1: "a", 2: "b", 3: "c"}
    assert found[20, 20] == 1  # the sliver went to what surrounds it
    assert (found[:, 48:50] == 1).all() and (found[:, 50:52] == 2).all()
    assert (found[:, 80:85] == 2).all() and np.isnan(found[:, 85:]).all()
    assert (found[60:64, 60:64] == 3).all()
    bare, _ = litho(tmp_path, path, fill_distance=0, min_patch=1)
    assert bare[20, 20] == 3 and np.isnan(bare[:, 48:52]).all()


def test_healing_takes_patches_below_the_limit_and_no_others():
    """Against scipy's labels on random classes."""
    classes = np.random.default_rng(0).integers(1, 4, (90, 90)).astype(np.uint8)
    classes = ndimage.zoom(classes[:30, :30], 3, order=0)
    classes[np.random.default_rng(1).random(classes.shape) < 0.1] = 2
    healed = lithology.heal(classes, 5, 0)
    small = np.zeros(classes.shape, bool)
    for value in (1, 2, 3):
        labels, n = ndimage.label(classes == value)
        sizes = ndimage.sum_labels(np.ones_like(labels), labels, np.arange(n + 1))
        edge = np.zeros(n + 1, bool)
        for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            edge[side] = True
        small |= (labels > 0) & (sizes[labels] < 5) & ~edge[labels]
    assert small.any() and (healed[~small] == classes[~small]).all()
    _, (rows, cols) = ndimage.distance_transform_edt(small, return_indices=True)
    assert (healed == classes[rows, cols]).all()


def test_lithology_is_the_same_whatever_the_blocks(tmp_path):
    """Slivers and gaps across the edge of a block (512 pixels)."""
    grid = Grid(UTM, from_origin(X, Y, 10, 10), 600, 540)
    rng = np.random.default_rng(4)
    xs = np.sort(rng.uniform(0, 6000, 60))
    parts = [(f"r{n % 7}", (a, 0, b - rng.uniform(0, 30), 5400)) for n, (a, b) in enumerate(pairwise(xs))]
    path = polygons(tmp_path / "rock.gpkg", *parts)
    settings = LithologySettings(fill_distance=30)
    lithology.run(VectorSettings(path=path, attribute="rock"), grid, tmp_path / "all.tif", settings)
    part = grid.window_grid(next(w for w in grid.blocks(500) if w.col_off == 500 and w.row_off == 0))
    lithology.run(VectorSettings(path=path, attribute="rock"), part, tmp_path / "part.tif", settings)
    names = [raster.read_classes(tmp_path / f"{n}.tif") for n in ("all", "part")]
    whole, some = (raster.read(tmp_path / f"{n}.tif", bands=1) for n in ("all", "part"))
    to_whole = {code: next(c for c, name in names[0].items() if name == label) for code, label in names[1].items()}
    some = np.vectorize(lambda v: to_whole.get(v, np.nan), otypes=[float])(some)
    np.testing.assert_array_equal(some, whole[:500, 500:600])


def test_class_raster_and_a_given_order(tmp_path):
    values = np.where(np.arange(100)[None, :] < 50, 12, 40).repeat(80, axis=0).astype(np.uint8)
    description = {"bands": ["c"], "units": "class", "long_name": "c", "dtype": "uint8"}
    raster.write(tmp_path / "in.tif", GRID, values, categories={12: "marl", 40: "flysch"}, **description)
    found, codes = litho(tmp_path, str(tmp_path / "in.tif"), None)
    assert codes == {1: "marl", 2: "flysch"} and (found == np.where(values == 12, 1, 2)).all()
    found, codes = litho(tmp_path, str(tmp_path / "in.tif"), None, classes=["flysch", "gabbro", "marl"])
    assert codes == {1: "flysch", 2: "gabbro", 3: "marl"} and (found == np.where(values == 12, 3, 1)).all()
    found, codes = litho(tmp_path, str(tmp_path / "in.tif"), None, classes=["marl", "gabbro", "flysch"])
    assert codes == {1: "marl", 2: "gabbro", 3: "flysch"} and (found == np.where(values == 12, 1, 3)).all()
    with pytest.raises(InputError, match=r"has the class 'flysch', which factors.lithology.classes does not list"):
        litho(tmp_path, str(tmp_path / "in.tif"), None, classes=["flisch", "marl"])


def test_bad_lithology_gets_one_sentence(tmp_path):
    path = polygons(tmp_path / "rock.gpkg", ("a", (0, 0, 480, 800)))
    with pytest.raises(InputError, match="has no attribute 'rocks'; did you mean 'rock'"):
        litho(tmp_path, path, "rocks")
    with pytest.raises(InputError, match="attribute is missing; name the attribute of"):
        litho(tmp_path, path, None)
    far = polygons(tmp_path / "far.gpkg", ("a", (90000, 0, 90480, 800)))
    with pytest.raises(InputError, match="has nothing in the area"):
        litho(tmp_path, far)
    (tmp_path / "text.gpkg").write_text("no")
    with pytest.raises(InputError, match="is not a vector file"):
        litho(tmp_path, str(tmp_path / "text.gpkg"))
    lost = tmp_path / "lost.shp"
    gpd.GeoDataFrame({"rock": ["a"]}, geometry=[box(0, 0, 1, 1)]).to_file(lost)
    with pytest.raises(InputError, match="has no coordinate reference system"):
        litho(tmp_path, str(lost))


# --- rain and soil moisture


def series(path, values, name="precip", units="mm/day", start="2023-04-01", freq="D", step=0.05, times=None):
    """A NetCDF of values(time) or (time, lat, lon) on cells around the area, longitude and latitude, north to south."""
    west, south, east, north = transform_bounds(UTM, "EPSG:4326", *GRID.bounds)
    lon = np.arange(np.floor(west / step) - 3, np.ceil(east / step) + 3) * step + step / 2
    lat = (np.arange(np.floor(south / step) - 3, np.ceil(north / step) + 3) * step + step / 2)[::-1]
    values = np.asarray(values, float)
    if values.ndim == 1:
        values = np.broadcast_to(values[:, None, None], (len(values), len(lat), len(lon)))
    time = pd.date_range(start, periods=len(values), freq=freq) if times is None else times
    data = xr.Dataset(
        {name: (("time", "lat", "lon"), values, {"units": units})}, {"time": time, "lat": lat, "lon": lon}
    )
    data.to_netcdf(path, engine="h5netcdf")
    return path, lat, lon


def rain(folder, path, *names, **settings):
    outputs = {name: folder / f"{name}.tif" for name in names or ("rainfall", "rain_intensity", "rain_duration")}
    climate.run_rain(path, GRID, outputs, ClimateSettings(**settings))
    return [raster.read(file, bands=1) for file in outputs.values()]


DAILY = [0, 5, 7, 0, 0.4, 20, 30, 10, 0.5, 3, 0, 90, 90]  # from 1 April; the last two days are the aftermath


def test_intensity_and_duration_by_hand(tmp_path):
    """The spell of 20, 30 and 10 mm: P = 60/72 mm/h, D = 3 days; over the window 75 mm on 6 wet days."""
    path, _, _ = series(tmp_path / "rain.nc", DAILY)
    before = {"cutoff": date(2023, 4, 11), "window": 10}
    total, intensity, duration = rain(tmp_path, path, **before)
    assert np.allclose(total, 75.9) and np.allclose(intensity, 60 / 72) and (duration == 3).all()
    total, intensity, duration = rain(tmp_path, path, event="window", **before)
    assert np.allclose(intensity, 75 / (24 * 6)) and (duration == 6).all()
    _, intensity, duration = rain(tmp_path, path, wet_day=200, **before)
    assert (intensity == 0).all() and (duration == 0).all()


def test_of_two_spells_with_as_much_rain_the_last_one_counts(tmp_path):
    path, _, _ = series(tmp_path / "rain.nc", [12, 0, 6, 6, 0])
    total, intensity, duration = rain(tmp_path, path, window=5)
    assert np.allclose(total, 24) and np.allclose(intensity, 12 / 48) and (duration == 2).all()


def test_a_day_without_a_value_leaves_the_cells_unknown(tmp_path):
    """NaN, and the negative numbers that some products leave undeclared."""
    for missing in (np.nan, -9999.0):
        path, lat, lon = series(tmp_path / "rain.nc", np.ones(3))
        values = np.ones((3, len(lat), len(lon)))
        values[1] = missing
        series(path, values)
        for name in ("rainfall", "rain_intensity", "rain_duration"):
            with pytest.raises(InputError, match="no valid pixel inside the area"):
                rain(tmp_path, path, name, window=3)


def test_axes_of_any_direction_and_longitudes_beyond_180(tmp_path):
    """South to north, 0-360, and days out of order: the field is the same."""
    path, lat, lon = series(tmp_path / "a.nc", np.ones(4))
    values = lat[:, None] * 10 + lon[None, :] + 5 * np.arange(4)[:, None, None]
    series(path, values)
    (plain,) = rain(tmp_path, path, "rainfall", window=2)
    with xr.open_dataset(path, engine="h5netcdf") as data:
        turned = data.load().isel(lat=slice(None, None, -1), time=[2, 0, 3, 1])
    turned.assign_coords(lon=turned.lon + 360).to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    (other,) = rain(tmp_path, tmp_path / "b.nc", "rainfall", window=2)
    np.testing.assert_allclose(other, plain, rtol=1e-5)
    assert plain.std() > 0


def test_rain_of_single_days_counts_back_from_the_cutoff(tmp_path):
    path, _, _ = series(tmp_path / "rain.nc", DAILY)
    before = {"cutoff": date(2023, 4, 11), "window": 10}
    found = rain(tmp_path, path, "rain_lag_0", "rain_lag_2", "rain_lag_9", **before)
    for layer, day in zip(found, (11, 9, 2), strict=True):
        assert np.allclose(layer, DAILY[day - 1])
    with pytest.raises(InputError, match="'rain_lag_10', but only 10 days count"):
        rain(tmp_path, path, "rain_lag_10", **before)


def test_nothing_after_the_cutoff_counts(tmp_path):
    """Changing what falls after the cut-off changes no pixel."""
    settings = {"cutoff": date(2023, 4, 11), "window": 8}
    path, _, _ = series(tmp_path / "a.nc", DAILY)
    first = rain(tmp_path, path, **settings)
    path, _, _ = series(tmp_path / "b.nc", [*DAILY[:11], 0, 500])
    for one, two in zip(first, rain(tmp_path, path, **settings), strict=True):
        assert (one == two).all()
    with xr.open_dataset(path, engine="h5netcdf") as data:
        assert float(data.precip.max()) == 500


@pytest.mark.parametrize(
    ("units", "factor", "freq", "per_day"),
    [("mm", 1, "D", 1), ("m", 1e-3, "D", 1), ("kg m-2 s-1", 1 / 86400, "D", 1), ("mm/hr", 1 / 24, "6h", 4),
     ("kg m**-2 s**-1", 1 / 86400, "6h", 4), ("mm", 1 / 4, "6h", 4), ("mm day-1", 1, "6h", 4)],
)  # fmt: skip
def test_units_and_time_steps_come_to_the_same_days(units, factor, freq, per_day, tmp_path):
    values = np.repeat(np.array(DAILY) * factor, per_day)
    path, _, _ = series(tmp_path / "rain.nc", values, units=units, freq=freq)
    total, intensity, duration = rain(tmp_path, path, cutoff=date(2023, 4, 11), window=10)
    assert np.allclose(total, 75.9, rtol=1e-4) and np.allclose(intensity, 60 / 72, rtol=1e-4)
    assert (duration == 3).all()


def test_a_day_of_which_hours_are_missing_has_no_total(tmp_path):
    """A file that ends in the morning of the cut-off would pass a part of that day's rain for the whole."""
    values = np.repeat(DAILY[:11], 8) / 8
    path, _, _ = series(tmp_path / "whole.nc", values, units="mm", freq="3h")
    assert np.allclose(rain(tmp_path, path, "rainfall", cutoff=date(2023, 4, 11), window=10), 75.9, rtol=1e-4)
    path, _, _ = series(tmp_path / "morning.nc", values[:-5], units="mm", freq="3h")
    with pytest.raises(InputError, match=r"does not reach the cut-off|no rain for 1 of the 10 days"):
        rain(tmp_path, path, "rainfall", cutoff=date(2023, 4, 11), window=10)
    (total,) = rain(tmp_path, path, "rainfall", window=9)  # up to the last whole day, the tenth
    assert np.allclose(total, 75.9 - DAILY[10], rtol=1e-4)
    path, _, _ = series(tmp_path / "hours.nc", values[:5], units="mm", freq="3h")
    with pytest.raises(InputError, match="no day with all its hours"):
        rain(tmp_path, path, "rainfall")


def test_rain_accumulated_from_midnight_as_in_era5_land(tmp_path):
    """Hourly metres that run up from 00 UTC; the day's total stands at 00 UTC of the next day."""
    hours = pd.date_range("2023-04-01 00:00", "2023-04-14 00:00", freq="h")
    values = np.zeros(len(hours))
    for n, hour in enumerate(hours[1:], start=1):
        values[n] = DAILY[(hour - pd.Timedelta(hours=1)).day - 1] * (hour.hour or 24) / 24 / 1000
    path, _, _ = series(tmp_path / "rain.nc", values, units="m", times=hours, name="tp")
    total, intensity, _ = rain(tmp_path, path, cutoff=date(2023, 4, 11), window=10, accumulated=True)
    assert np.allclose(total, 75.9, rtol=1e-4) and np.allclose(intensity, 60 / 72, rtol=1e-4)
    days = rain(
        tmp_path, path, *(f"rain_lag_{n}" for n in range(10)), cutoff=date(2023, 4, 11), accumulated=True, window=10
    )
    assert np.allclose([day.mean() for day in days], DAILY[10:0:-1], atol=1e-3)
    # Those who fetch only 00 UTC, which holds all that is needed, get the same days.
    midnights = hours.hour == 0
    path, _, _ = series(tmp_path / "daily.nc", values[midnights], units="m", times=hours[midnights], name="tp")
    total, _, _ = rain(tmp_path, path, cutoff=date(2023, 4, 11), window=10, accumulated=True)
    assert np.allclose(total, 75.9, rtol=1e-4)
    path, _, _ = series(tmp_path / "noon.nc", values[midnights], times=hours[midnights] + pd.Timedelta("12h"))
    with pytest.raises(InputError, match="no value at 00 UTC"):
        rain(tmp_path, path, cutoff=date(2023, 4, 11), window=10, accumulated=True)


def test_coarse_cells_are_interpolated_between_their_centres(tmp_path):
    """A field linear in longitude stays linear; "nearest" keeps the cells."""
    path, lat, lon = series(tmp_path / "x.nc", np.ones(3))
    values = np.broadcast_to(lon * 100, (3, len(lat), len(lon)))
    series(path, values)
    settings = {"window": 3, "cutoff": date(2023, 4, 3)}
    (smooth,) = rain(tmp_path, path, "rainfall", **settings)
    cols = X + (np.arange(100) + 0.5) * 10
    truth, _ = transform(UTM, "EPSG:4326", cols, np.full(100, Y - 405))
    np.testing.assert_allclose(smooth[40], 300 * np.array(truth), atol=0.01)
    (cells,) = rain(tmp_path, path, "rainfall", resampling="nearest", **settings)
    assert len(np.unique(cells)) <= 2


def test_folder_of_daily_geotiffs(tmp_path):
    """As CHIRPS gives them: the date in the name, dots and all."""
    coarse = Grid("EPSG:4326", from_origin(8.5, 45.5, 0.05, 0.05), 30, 30)
    for n, value in enumerate(DAILY):
        day = date(2023, 4, 1 + n)
        raster.write(
            tmp_path / "chirps" / f"chirps-v2.0.{day:%Y.%m.%d}.tif", coarse, np.full((30, 30), value, np.float32),
            bands=["rain"], units="mm/day", long_name="rain",
        )  # fmt: skip
    total, intensity, _ = rain(tmp_path, tmp_path / "chirps", cutoff=date(2023, 4, 11), window=10)
    assert np.allclose(total, 75.9) and np.allclose(intensity, 60 / 72)
    (total,) = rain(tmp_path, tmp_path / "chirps" / "chirps-v2.0.2023.04.06.tif", "rainfall", window=1)
    assert np.allclose(total, 20)


def test_geotiff_of_the_world_is_read_where_the_area_is(tmp_path):
    """A field linear in longitude, on cells far beyond the area, days out of order."""
    coarse = Grid("EPSG:4326", from_origin(5, 48, 0.05, 0.05), 160, 120)
    lon = 5 + 0.05 * (np.arange(160) + 0.5)
    for day, factor in ((3, 3.0), (1, 1.0), (2, 2.0)):
        raster.write(
            tmp_path / "days" / f"{('c', 'b', 'a')[day - 1]}-2023040{day}.tif", coarse,
            np.broadcast_to(factor * lon, (120, 160)).astype(np.float32), bands=["rain"], units="mm", long_name="rain",
        )  # fmt: skip
    (found,) = rain(tmp_path, tmp_path / "days", "rain_lag_0", window=2)
    truth, _ = transform(UTM, "EPSG:4326", X + (np.arange(100) + 0.5) * 10, np.full(100, Y - 405))
    np.testing.assert_allclose(found[40], 3 * np.array(truth), atol=0.01)


def test_bad_rain_gets_one_sentence(tmp_path):
    path, _, lon = series(tmp_path / "rain.nc", DAILY)
    with pytest.raises(
        InputError, match="runs from 2023-04-01 to 2023-04-13 and does not reach the cut-off 2023-05-01"
    ):
        rain(tmp_path, path, cutoff=date(2023, 5, 1))
    with pytest.raises(InputError, match="has no rain for 19 of the 30 days up to 2023-04-11"):
        rain(tmp_path, path, cutoff=date(2023, 4, 11))
    series(tmp_path / "odd.nc", DAILY, units="furlong")
    with pytest.raises(InputError, match="is in 'furlong', which is not understood"):
        rain(tmp_path, tmp_path / "odd.nc", window=3)
    with xr.open_dataset(path, engine="h5netcdf") as data:
        data.load().assign_coords(lon=lon + 30).to_netcdf(tmp_path / "far.nc", engine="h5netcdf")
        data.assign(other=data.precip * 2).rename(precip="one").to_netcdf(tmp_path / "two.nc", engine="h5netcdf")
    with pytest.raises(InputError, match="does not overlap the area"):
        rain(tmp_path, tmp_path / "far.nc", window=3)
    with pytest.raises(InputError, match="none is clearly rainfall"):
        rain(tmp_path, tmp_path / "two.nc", window=3)
    coarse = Grid("EPSG:4326", from_origin(8.5, 45.5, 0.05, 0.05), 30, 30)
    raster.write(
        tmp_path / "mean.tif", coarse, np.ones((30, 30), np.float32), bands=["rain"], units="mm", long_name="rain"
    )
    with pytest.raises(InputError, match="one layer without dates, so rain_intensity cannot be made"):
        rain(tmp_path, tmp_path / "mean.tif", "rain_intensity")
    (total,) = rain(tmp_path, tmp_path / "mean.tif", "rainfall")
    assert (total == 1).all()
    (tmp_path / "text.nc").write_text("no")
    with pytest.raises(InputError, match="is not a NetCDF-4 file"):
        rain(tmp_path, tmp_path / "text.nc")


def test_soil_moisture_and_its_index(tmp_path):
    """Mean of the window, and that between the driest and wettest of the record before the cut-off."""
    values = [0.10, 0.20, 0.40, 0.30, 0.25, 0.35, 0.60]
    path, _, _ = series(tmp_path / "sm.nc", values, name="swvl1", units="m3 m-3")
    outputs = {name: tmp_path / f"{name}.tif" for name in ("soil_moisture", "smi")}
    climate.run_soil(path, GRID, outputs, ClimateSettings(cutoff=date(2023, 4, 6), window=2))
    assert np.allclose(raster.read(outputs["soil_moisture"], bands=1), 0.30)
    assert np.allclose(raster.read(outputs["smi"], bands=1), (0.30 - 0.10) / (0.40 - 0.10))
    series(path, np.array(values) * 100, name="sm", units="percent")
    climate.run_soil(path, GRID, outputs, ClimateSettings(cutoff=date(2023, 4, 6), window=2))
    assert np.allclose(raster.read(outputs["soil_moisture"], bands=1), 0.30)
    series(path, np.array(values) * 100, name="sm", units="")
    with pytest.raises(InputError, match="has values up to 60, not m3/m3"):
        climate.run_soil(path, GRID, outputs, ClimateSettings())


def test_soil_moisture_of_the_whole_last_day_counts_and_fill_values_do_not(tmp_path):
    values = [0.2, 0.2, 0.2, -0.9, 0.3, 0.3, 0.5, 0.5]  # 6 h: two days
    path, _, _ = series(tmp_path / "sm.nc", values, name="sm", units="m3 m-3", freq="6h")
    for last, mean in ((1, 0.2), (2, 0.4)):
        outputs = {"soil_moisture": tmp_path / "soil_moisture.tif"}
        climate.run_soil(path, GRID, outputs, ClimateSettings(cutoff=date(2023, 4, last), window=1))
        assert np.allclose(raster.read(outputs["soil_moisture"], bands=1), mean)


# --- distances to vectors, alignment, names, coverage


def test_distance_to_roads(tmp_path):
    """A north-south road inside and a point outside: the nearer counts; to about a pixel."""
    frame = gpd.GeoDataFrame(
        geometry=[LineString([(X + 305, Y + 900), (X + 305, Y - 900)]), Point(X + 1200, Y - 400)], crs=UTM
    )
    frame.to_crs("EPSG:4326").to_file(tmp_path / "roads.gpkg")
    proximity.run(tmp_path / "roads.gpkg", GRID, tmp_path / "d.tif", name="distance_to_roads")
    found = raster.read(tmp_path / "d.tif", bands=1)
    x, y = np.meshgrid(X + (np.arange(100) + 0.5) * 10, Y - (np.arange(80) + 0.5) * 10)
    truth = np.minimum(np.abs(x - X - 305), np.hypot(x - X - 1200, y - Y + 400))
    assert np.abs(found - truth).max() <= 15
    with pytest.raises(InputError, match="has nothing in the area"):
        far = Grid(UTM, from_origin(X + 90000, Y, 10, 10), 20, 20)
        proximity.run(tmp_path / "roads.gpkg", far, tmp_path / "e.tif", name="distance_to_roads")


def test_a_raster_of_the_area_is_taken_over_as_it_is(tmp_path):
    """No interpolation where pixels coincide; on another grid a linear field stays linear."""
    values = np.random.default_rng(0).normal(size=GRID.shape).astype(np.float32)
    description = {"bands": ["velocity"], "units": "mm/yr", "long_name": "v"}
    raster.write(tmp_path / "v.tif", GRID, values, **description)
    align(tmp_path / "v.tif", GRID, tmp_path / "o.tif", name="velocity", units="mm/yr", long_name="v")
    assert (raster.read(tmp_path / "o.tif", bands=1) == values).all()
    coarse = Grid(UTM, from_origin(X - 100, Y + 100, 35, 35), 40, 35)
    col, row = np.meshgrid(np.arange(40), np.arange(35))
    raster.write(tmp_path / "c.tif", coarse, (col * 35.0 + row * 70.0).astype(np.float32), **description)
    align(tmp_path / "c.tif", GRID, tmp_path / "o.tif", name="velocity", units="mm/yr", long_name="v")
    x, y = np.meshgrid((np.arange(100) + 0.5) * 10 + 100 - 17.5, (np.arange(80) + 0.5) * 10 + 100 - 17.5)
    np.testing.assert_allclose(raster.read(tmp_path / "o.tif", bands=1), x + 2 * y, atol=0.5)
    with pytest.raises(InputError, match="no valid pixel inside the area"):
        far = Grid(UTM, from_origin(X + 90000, Y, 10, 10), 20, 20)
        align(tmp_path / "v.tif", far, tmp_path / "f.tif", name="velocity", units="mm/yr", long_name="v")


def area(inputs, **factors):
    return SimpleNamespace(inputs=InputSettings(**inputs), factors=FactorSettings(**factors))


def test_factor_names_follow_the_inputs():
    pair = Sentinel2Settings(before="a.tif", after="b.tif")
    names = factor_names(area({"dem": "d.tif", "sentinel2": pair}))
    assert names[:4] == ["elevation", "slope", "aspect_sin", "aspect_cos"]
    assert "ndvi_change" in names and "ndvi_after" in names and "ndvi_before" not in names and "ndvi" not in names
    assert not {"lithology", "velocity", "rainfall"} & set(names)
    everything = {
        "dem": "d.tif", "sentinel1": Sentinel1Settings(level="velocity", path="v.tif"), "faults": "f.gpkg",
        "sentinel2": Sentinel2Settings(path="s2"), "lithology": VectorSettings(path="l.gpkg", attribute="a"),
        "rainfall": "r.nc", "soil_moisture": "s.nc", "roads": "r.gpkg",
    }  # fmt: skip
    names = factor_names(area(everything, extra=["smi", "tpi_300"], exclude=["rainfall"]))
    assert {"B8", "ndvi", "lithology", "velocity", "smi", "tpi_300", "distance_to_roads", "rain_intensity"} <= set(
        names
    )
    assert "rainfall" not in names and len(names) == len(set(names))
    assert factor_names(area(everything, include=["slope", "bsi"])) == ["slope", "bsi"]
    assert factor_names(area(everything, include=["slope"], extra=["rain_lag_3"])) == ["slope", "rain_lag_3"]
    indexed = area(everything, include=["slope"], extra=["lsi"])
    indexed.susceptibility = SusceptibilitySettings(risk_index=RiskIndexSettings())
    assert factor_names(indexed) == ["slope", "lsi"]


@pytest.mark.parametrize(
    ("inputs", "factors", "message"),
    [
        ({"dem": "d"}, {"include": ["slop"]}, "factors.include names 'slop', which is no factor; did you mean 'slope'"),
        ({"dem": "d"}, {"extra": ["ndvi"]}, "'ndvi', which the area's inputs do not allow; give inputs.sentinel2.path"),
        ({"dem": "d"}, {"extra": ["smi"]}, "give inputs.soil_moisture"),
        ({}, {"extra": ["tpi_300"]}, "give inputs.dem"),
        ({"dem": "d"}, {"extra": ["rain_lag_0"]}, "give inputs.rainfall"),
        ({"dem": "d"}, {"extra": ["lsi"]}, "give susceptibility.risk_index"),
        ({"rainfall": "r"}, {"extra": ["rain_lag_30"]}, "factors.extra names 'rain_lag_30', but only 30 days count"),
        ({}, {}, "none is left to make"),
    ],
)
def test_bad_factor_names_get_one_sentence(inputs, factors, message):
    with pytest.raises(InputError, match=message):
        factor_names(area(inputs, **factors))


def test_coverage_report(tmp_path):
    rng = np.random.default_rng(0)
    full = rng.normal(3, 2, GRID.shape).astype(np.float32)
    part = np.where(np.arange(100)[None, :] < 25, np.nan, 5.0).repeat(80, axis=0).astype(np.float32)
    for name, values in (("full", full), ("part", part)):
        raster.write(tmp_path / f"{name}.tif", GRID, values, bands=[name], units="m", long_name=name)
    files = {name: tmp_path / f"{name}.tif" for name in ("full", "part")}
    coverage.run(files, GRID, tmp_path / "coverage.csv")
    with open(tmp_path / "coverage.csv", encoding="utf-8") as file:
        rows = {row["factor"]: row for row in csv.DictReader(file)}
    assert float(rows["full"]["valid_percent"]) == 100 and float(rows["part"]["valid_percent"]) == 75
    assert float(rows["all"]["valid_percent"]) == 75
    assert float(rows["full"]["mean"]) == pytest.approx(full.mean(), rel=1e-4)
    assert float(rows["full"]["std"]) == pytest.approx(full.std(), rel=1e-4)
    assert rows["part"]["note"] == "constant" and rows["full"]["note"] == "" and rows["full"]["units"] == "m"
    raster.write(
        tmp_path / "none.tif", GRID, np.full(GRID.shape, np.nan, np.float32), bands=["n"], units="m", long_name="n"
    )
    with pytest.raises(InputError, match="the factor 'none' has no valid pixel"):
        coverage.run(files | {"none": tmp_path / "none.tif"}, GRID, tmp_path / "c.csv")
