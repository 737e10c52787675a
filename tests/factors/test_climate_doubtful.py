"""Rain and soil moisture whose unit, step or variable is in doubt: right, or asked about."""

import numpy as np
import pytest
import xarray as xr

from helpers.input_writers import BOUNDS, CRS, series, tif
from slipmap.config.factors import ClimateSettings
from slipmap.errors import InputError
from slipmap.factors.climate import run_rain
from slipmap.factors.climate_check import check_rain, check_soil
from slipmap.io import raster
from slipmap.io.grid import Grid

GRID = Grid.from_bounds(CRS, 100, BOUNDS)
TWO_DAYS = ClimateSettings(window=2)


def rain(path, **settings):
    """The factor `rainfall`, mm, after the check."""
    chosen = ClimateSettings(**({"window": 2} | settings))
    check_rain(path, GRID, ["rainfall"], chosen)
    run_rain(path, GRID, {"rainfall": f"{path}.rainfall.tif"}, chosen)
    return float(np.nanmedian(raster.read(f"{path}.rainfall.tif", bands=1)))


def test_one_layer_without_date_in_its_unit(tmp_path):
    assert rain(tif(tmp_path / "r.tif", 10, units=("inch",))) == pytest.approx(254)
    assert rain(tif(tmp_path / "r.tif", 900)) == 900
    assert rain(tif(tmp_path / "r.tif", 0.9), rain_unit="m") == pytest.approx(900)
    for value, options, words in (
        (-9999, {}, "has values like -9999"),
        (1e20, {}, "has values like 1e\\+20"),
        (5, {"units": ("mm/h",)}, "give a depth"),
        (5, {"units": ("K",)}, "in 'K', which is no unit of rain that slipmap knows"),
    ):
        with pytest.raises(InputError, match=words):
            rain(tif(tmp_path / "r.tif", value, **options))


def test_geotiffs_without_unit_that_may_be_metres(tmp_path):
    for day in (1, 2):
        tif(tmp_path / f"s/r_2020010{day}.tif", 0.005)
    with pytest.raises(InputError, match=r"does not say its unit and has no value above 0.005"):
        rain(tmp_path / "s")
    assert rain(tmp_path / "s", rain_unit="m") == pytest.approx(10)
    assert rain(tmp_path / "s", rain_unit="mm") == pytest.approx(0.01)


def test_bands_of_two_units(tmp_path):
    path = tif(
        tmp_path / "r.tif", np.full((2, 160, 160), 5.0), names=("2020-01-01", "2020-01-02"), units=("mm", "cm")
    )  # fmt: skip
    with pytest.raises(InputError, match=r"the bands of .*r.tif have different units"):
        rain(path)


@pytest.mark.parametrize("window", [1, 5])
@pytest.mark.parametrize(("step", "units"), [(31, "mm"), (30, "mm/day"), (5, "mm")])
def test_months_are_no_days(step, units, window, tmp_path):
    path = series(tmp_path / "r.nc", time=([0, step, 2 * step], {"units": "days since 2020-01-01"}), units=units)
    with pytest.raises(InputError, match=f"a value for every {step} days"):
        rain(path, window=window)


def test_values_out_of_their_valid_range_are_missing(tmp_path):
    """A packed file says its range in packed numbers (CF conventions 1.11, section 8.1)."""
    for attributes, encoding in (
        ({"valid_range": np.array([0, 50], "f4")}, {}),
        ({"valid_max": np.float32(50)}, {}),
        ({"valid_range": np.array([0, 500], "i2")}, {"dtype": "int16", "scale_factor": 0.1, "_FillValue": -1}),
        ({"valid_max": np.float64(50)}, {"dtype": "int16", "scale_factor": 0.1, "_FillValue": -1}),
    ):
        with xr.open_dataset(series(tmp_path / "r.nc", 5.0)) as found:
            data = found.load()
        data["precip"][:, :, :7] = 900
        data["precip"].attrs |= attributes
        data["precip"].encoding = encoding
        data.to_netcdf(tmp_path / "n.nc", engine="h5netcdf")
        made = rain(tmp_path / "n.nc")
        assert np.isnan(made) or made == pytest.approx(10)


def test_two_variables_that_may_be_rain(tmp_path):
    with xr.open_dataset(series(tmp_path / "r.nc", 5.0)) as found:
        data = found.load()
    data["ro"] = data["precip"] * 100
    data.to_netcdf(tmp_path / "n.nc", engine="h5netcdf")
    assert rain(tmp_path / "n.nc") == pytest.approx(10)  # runoff is no rain
    data.rename(ro="tp").to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    with pytest.raises(InputError, match="has precip and tp, which may all be rainfall"):
        rain(tmp_path / "t.nc")


@pytest.mark.parametrize("start", ["01/02/2020", "1-2-2020", "yesterday", "20"])
def test_a_time_axis_that_counts_from_no_sure_date(start, tmp_path):
    path = series(tmp_path / "r.nc", time=([0, 1], {"units": f"days since {start}"}))
    with pytest.raises(InputError, match=f"counts from '{start}', which is no date; write it as year-month-day"):
        rain(path)


def test_soil_that_is_drier_than_any(tmp_path):
    path = series(tmp_path / "s.nc", 0.3, name="sm", units="%")
    with pytest.raises(InputError, match="no value above 1, drier than any soil"):
        check_soil(path, GRID, ["soil_moisture"], TWO_DAYS)
    check_soil(path, GRID, ["soil_moisture"], ClimateSettings(window=2, soil_unit="m3/m3"))
    check_soil(series(tmp_path / "s.nc", 30, name="sm", units="%"), GRID, ["soil_moisture"], TWO_DAYS)
