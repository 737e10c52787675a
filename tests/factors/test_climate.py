"""Rain and soil moisture: event intensity and duration, days, units, coarse cells."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from rasterio.transform import from_origin
from rasterio.warp import transform, transform_bounds

from helpers.ground_samples import GRID, UTM, X, Y
from slipmap.config.factors import ClimateSettings
from slipmap.errors import InputError
from slipmap.factors import climate
from slipmap.io import raster
from slipmap.io.grid import Grid


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
    with pytest.raises(InputError, match="is in 'furlong', which is no unit of rain"):
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
    with pytest.raises(InputError, match="is no NetCDF file"):
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
