"""Mistakes in reference systems, units and nodata; see `helpers.mistakes`."""

import numpy as np
import pandas as pd

from helpers.input_writers import (
    LATITUDE,
    LONGITUDE,
    heights,
    optical,
    series,
    tif,
)
from helpers.mistakes import ROTATED, corner, lithology, mistake, ready

# ---- coordinate reference systems, their distortion, orientation


@mistake("crs", "grid", "grid", "3395")
def grid_in_world_mercator():
    return {"grid": {"crs": "EPSG:3395", "resolution": 12.5, "bounds": [1001800, 5591000, 1003800, 5593000]}}


@mistake("crs", "grid", "grid", "32629")
def grid_three_zones_away():
    return {"grid": {"crs": "EPSG:32629", "resolution": 12.5, "bounds": [1912000, 5110000, 1914000, 5112000]}}


@mistake("crs", "grid", "grid.like", "rotated")
def grid_like_a_rotated_raster():
    return {"grid": {"like": tif("like.tif", transform=ROTATED)}}


@mistake("crs", "dem", "inputs.dem", "rotated")
def rotated_dem():
    return {"inputs": {"dem": tif("r.tif", heights(), transform=ROTATED)}}


@mistake("crs", "inventory", "inputs.inventory", "rotated")
def rotated_inventory():
    mask = np.zeros((160, 160), np.uint8)
    mask[40:60, 40:60] = 1
    return {"inputs": {"inventory": tif("r.tif", mask, transform=ROTATED)}}


@mistake("crs", "ready_factors", "ready_factors", "rotated")
def rotated_ready_factor():
    return ready(tif("r.tif", heights(), names=["relief"], transform=ROTATED), "relief")


@mistake("crs", "lithology", "lithology", "coordinate reference system")
def class_raster_without_crs():
    return lithology(tif("rock.tif", np.ones((160, 160), np.uint8), crs=None), None)


@mistake("crs", "rainfall", "inputs.rainfall", "coordinate reference system")
def projected_rain_without_crs():
    return {"inputs": {"rainfall": series("r.nc", axes=("x", "y"), longitude=LONGITUDE, latitude=LATITUDE)}}


# ---- units, scale and offset


@mistake("units", "dem", "inputs.dem", "fathom")
def dem_in_fathoms():
    return {"inputs": {"dem": tif("f.tif", heights(), units=("fathom",))}}


@mistake("units", "dem", "inputs.dem", "degree")
def slope_for_a_dem():
    return {"inputs": {"dem": tif("s.tif", heights() / 20, units=("degrees",))}}


@mistake("units", "dem", "inputs.dem", "feet", "'m'")
def dem_that_contradicts_its_vertical_crs():
    return {"inputs": {"dem": tif("d.tif", heights(), crs="EPSG:32632+8228", units=("m",))}}


@mistake("units", "dem", "inputs.dem", "metres")
def dem_in_millimetres():
    return {"inputs": {"dem": tif("mm.tif", heights() * 1000)}}


@mistake("units", "dem", "inputs.dem", "steps")
def dem_whose_scale_is_upside_down():
    return {"inputs": {"dem": tif("s.tif", heights() * 10, dtype="int16", scales=(10.0,))}}


@mistake("units", "rainfall", "inputs.rainfall", "'K'")
def temperature_for_rain():
    return {
        "inputs": {"rainfall": series("t.nc", 280, units="K", name="precip")},
        "factors": {"climate": {"window": 2}},
    }


@mistake("units", "rainfall", "inputs.rainfall", "unit")
def rain_without_unit():
    return {"inputs": {"rainfall": series("r.nc", units="")}, "factors": {"climate": {"window": 2}}}


@mistake("units", "rainfall", "inputs.rainfall", "accumulated")
def runoff_of_era5_land_accumulated():
    times = pd.date_range("2021-05-01 00:00", "2021-05-03 00:00", freq="h")
    hours = [(t.hour or 24) * 1e-3 for t in times]
    path = series("sf.nc", hours, times=[str(t) for t in times], units="m of water equivalent", name="sf",
                  GRIB_stepType="accum", GRIB_dataType="fc")  # fmt: skip
    return {"inputs": {"rainfall": path}, "factors": {"climate": {"window": 2}}}


@mistake("units", "soil_moisture", "inputs.soil_moisture", "m3/m3")
def soil_moisture_in_percent_without_unit():
    path = series("s.nc", 23.0, units="", name="sm")
    return {"inputs": {"soil_moisture": path}, "factors": {"climate": {"window": 2}}}


@mistake("units", "soil_moisture", "inputs.soil_moisture", "kg m-2")
def soil_moisture_as_a_mass():
    path = series("s.nc", 0.4, units="kg m-2", name="sm")
    return {"inputs": {"soil_moisture": path}, "factors": {"climate": {"window": 2}}}


@mistake("units", "sentinel2", "sentinel2", "scale")
def reflectance_in_percent():
    return {"inputs": {"sentinel2": {"path": optical("p_20210601.tif", 15, dtype="float32", nodata=None)}}}


@mistake("units", "sentinel2", "sentinel2", "offset")
def baseline_of_2022_with_the_offset_on():
    for band in ("B02", "B03", "B04", "B08", "B11"):
        tif(f"s2/S2B_20220715_{band}.tif", np.full((160, 160), 1700, np.uint16), nodata=0)
    return {"inputs": {"sentinel2": {"path": "s2"}}}


@mistake("units", "ready_factors", "ready_factors", "slope")
def ready_slope_in_radians():
    return ready(tif("s.tif", 0.4, names=["slope"], units=("radians",)), "slope")


@mistake("units", "ready_factors", "ready_factors", "ndvi")
def ready_index_times_10000():
    return ready(tif("n.tif", 6500.0, names=["ndvi"]), "ndvi")


# ---- nodata, declared or not, and plausible values


@mistake("nodata", "dem", "inputs.dem", "-9999")
def undeclared_minus_9999():
    return {"inputs": {"dem": tif("d.tif", corner(-9999))}}


@mistake("nodata", "dem", "inputs.dem", "-32768")
def undeclared_minus_32768():
    return {"inputs": {"dem": tif("d.tif", corner(-32768), dtype="int16")}}


@mistake("nodata", "dem", "inputs.dem", "3.4")
def undeclared_largest_float():
    return {"inputs": {"dem": tif("d.tif", corner(3.4028235e38))}}


@mistake("nodata", "dem", "inputs.dem", " 0")
def undeclared_zero():
    return {"inputs": {"dem": tif("d.tif", corner(0), dtype="int16")}}


@mistake("nodata", "dem", "inputs.dem", "no elevation")
def dem_of_which_a_third_is_nodata():
    return {"inputs": {"dem": tif("d.tif", corner(-9999, 0.6), nodata=-9999)}}


@mistake("nodata", "rainfall", "inputs.rainfall", "value")
def rain_that_is_missing_in_the_area():
    return {"inputs": {"rainfall": series("r.nc", np.nan)}, "factors": {"climate": {"window": 2}}}


@mistake("nodata", "rainfall", "inputs.rainfall", "9.96921e+36")
def rain_with_an_undeclared_fill_value():
    return {"inputs": {"rainfall": series("r.nc", 9.96921e36)}, "factors": {"climate": {"window": 2}}}


@mistake("nodata", "sentinel2", "sentinel2", "clear pixel")
def scene_without_a_pixel_in_the_area():
    return {"inputs": {"sentinel2": {"path": tif("e_20210601.tif", np.zeros((5, 160, 160), np.uint16), nodata=0,
                                                 names=("B2", "B3", "B4", "B8", "B11"))}}}  # fmt: skip


@mistake("nodata", "ready_factors", "ready_factors", "-9999")
def ready_factor_with_undeclared_nodata():
    return ready(tif("r.tif", corner(-9999), names=["slope"]), "slope")


@mistake("nodata", "ready_factors", "ready_factors", "relief")
def ready_factor_without_values():
    return ready(tif("r.tif", np.nan, names=["relief"], nodata=np.nan), "relief")


@mistake("nodata", "lithology", "lithology", "1.5")
def class_raster_with_fractions():
    return lithology(tif("rock.tif", 1.5), None)


@mistake("nodata", "lithology", "lithology", "no class")
def class_raster_without_classes():
    return lithology(tif("rock.tif", np.zeros((160, 160), np.uint8), nodata=0), None)
