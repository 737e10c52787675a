"""Inputs with one deliberate mistake each: what `slipmap check` must find by itself, and what its sentence must name.

Each function writes a small file into the current folder and returns what the area (or the whole config) says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from shapely.geometry import LineString, Point

from tests.helpers.input_writers import (
    BOUNDS,
    CRS,
    LATITUDE,
    LEFT,
    LONGITUDE,
    TOP,
    TRANSFORM,
    heights,
    optical,
    series,
    square,
    tif,
    vector,
)


@dataclass(frozen=True)
class Mistake:
    """One mistake: the clause of the contract, the kind of input, what the sentence must say, how it is made."""

    name: str
    clause: str
    kind: str
    says: tuple[str, ...]
    make: Callable[[], dict]


MISTAKES: list[Mistake] = []
ROTATED = TRANSFORM @ Affine.rotation(15)
GRID = {"crs": CRS, "resolution": 12.5, "bounds": list(BOUNDS)}


def mistake(clause: str, kind: str, *says: str):
    """Register what the decorated function writes."""

    def register(make: Callable[[], dict]) -> Callable[[], dict]:
        MISTAKES.append(Mistake(make.__name__, clause, kind, says, make))
        return make

    return register


def ready(path, *bands):
    return {"inputs": {"ready_factors": {"path": path, "bands": list(bands)}}}


def lithology(path, attribute="rock", **factors):
    return {"inputs": {"lithology": {"path": path, "attribute": attribute}}, "factors": factors}


def points(label="kind", **options):
    return {"inputs": {"inventory": "p.csv", "inventory_points": {"label": label} | options}}


def corner(value, share=0.3):
    """The plane with `value` in its upper left corner."""
    made = heights()
    size = int(160 * share)
    made[:size, :size] = value
    return made


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


# ---- layers and kinds of geometry


@mistake("layers", "inventory", "inputs.inventory", "slides", "scarps", "layer")
def inventory_of_two_layers():
    vector("i.gpkg", [square(200, 200)], layer="slides")
    return {"inputs": {"inventory": vector("i.gpkg", [square(900, 900)], layer="scarps")}}


@mistake("layers", "inventory", "inputs.inventory", "layer", "slides")
def inventory_of_a_layer_that_is_not_there():
    path = vector("i.gpkg", [square(200, 200)], layer="slides")
    return {"inputs": {"inventory": path, "inventory_layer": "slide"}}


@mistake("layers", "roads", "inputs.roads", "layer", "main")
def roads_of_two_layers():
    line = LineString([(500100, 5000100), (501000, 5001000)])
    vector("r.gpkg", [line], layer="main")
    return {"inputs": {"roads": vector("r.gpkg", [line], layer="tracks")}}


@mistake("layers", "lithology", "lithology", "layer", "units")
def lithology_in_a_kml_of_two_folders():
    ring = "8.99,45.14 9.03,45.14 9.03,45.18 8.99,45.18 8.99,45.14"
    folder = "".join(
        f"<Folder><name>{name}</name><Placemark><name>marl</name><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        f"{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Folder>"
        for name in ("units", "sites")
    )
    Path("l.kml").write_text(f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{folder}</Document></kml>')
    return lithology("l.kml", "Name")


@mistake("layers", "lithology", "lithology", "polygon")
def boreholes_for_lithology():
    return lithology(vector("l.gpkg", [Point(500500, 5000500)], rock=["marl"]))


@mistake("layers", "inventory", "inputs.inventory", "line")
def scarps_as_lines():
    return {"inputs": {"inventory": vector("i.shp", [LineString([(500100, 5000100), (500300, 5000300)])])}}


@mistake("layers", "inventory", "inputs.inventory", "whole area")
def municipality_for_landslides():
    return {"inputs": {"inventory": vector("i.gpkg", [square(-500, -500, 3000)])}}


@mistake("layers", "inventory", "inputs.inventory", "whole area")
def inventory_raster_of_ones():
    return {"inputs": {"inventory": tif("i.tif", np.ones((160, 160), np.uint8))}}


@mistake("layers", "roads", "inputs.roads", "polygon")
def land_cover_for_roads():
    return {"inputs": {"roads": vector("r.gpkg", [square(-500, -500, 3000)])}}


@mistake("layers", "lithology", "lithology", ".shp")
def zip_of_two_shapefiles():
    import zipfile

    with zipfile.ZipFile("l.zip", "w") as archive:
        for name in ("east", "west"):
            vector(f"z/{name}.shp", [square(0, 0, 1600)], rock=["marl"])
            for file in sorted(Path("z").glob(f"{name}.*")):
                archive.write(file, file.name)
    return lithology("l.zip")


# ---- names and encodings


@mistake("names", "lithology", "lithology", "encoding")
def lithology_with_a_wrong_code_page():
    frame = gpd.GeoDataFrame({"rock": ["grès", "marne"]}, geometry=[square(0, 0, 800), square(800, 800)], crs=CRS)
    frame.to_file("l.shp", encoding="ISO-8859-1")
    Path("l.cpg").write_text("UTF-8")
    return lithology("l.shp")


@mistake("names", "lithology", "lithology", "rock")
def lithology_whose_names_are_empty():
    return lithology(vector("l.gpkg", [square(0, 0, 1600)], rock=[None]))


@mistake("names", "lithology", "lithology", "254")
def one_class_for_each_polygon():
    cells = [square(80 * (n % 20), 80 * (n // 20), 80) for n in range(300)]
    return lithology(vector("l.gpkg", cells, rock=[f"unit {n}" for n in range(300)]))


@mistake("names", "lithology", "lithology", "schist")
def class_that_the_list_lacks():
    path = vector("l.gpkg", [square(0, 0, 800, 1600), square(800, 0, 800, 1600)], rock=["marl", "schist"])
    return lithology(path, lithology={"classes": ["marl", "clay"]})


@mistake("names", "inventory_points", "p.csv", "encoding")
def table_in_another_encoding():
    Path("p.csv").write_bytes("x,y,kind\n500100,5000100,landslide\n500200,5000200,stabil né\n".encode("latin-1"))
    return points()


@mistake("names", "inventory_points", "p.csv", "kind", "empty")
def label_that_is_empty():
    Path("p.csv").write_text("x,y,kind\n500100,5000100,1\n500200,5000200,\n500300,5000300,0\n")
    return points()


@mistake("names", "inventory_points", "p.csv", "degrees")
def points_in_degrees_without_crs():
    Path("p.csv").write_text("x,y,kind\n9.01,45.16,1\n9.012,45.161,0\n")
    return points()


@mistake("names", "ready_factors", "ready_factors", "twice")
def two_bands_of_one_name():
    return ready(tif("r.tif", np.stack([heights(), heights()]), names=["relief", "relief"]), "relief")


# ---- dates and calendars


@mistake("dates", "rainfall", "inputs.rainfall", "calendar")
def days_that_no_calendar_has():
    path = series("r.nc", time=([58.0, 59.0], {"units": "days since 2021-01-01", "calendar": "360_day"}))
    return {"inputs": {"rainfall": path}, "factors": {"climate": {"window": 2}}}


@mistake("dates", "rainfall", "inputs.rainfall", "months since")
def months_since():
    path = series("r.nc", time=([1.0, 2.0], {"units": "months since 2021-01-01"}))
    return {"inputs": {"rainfall": path}, "factors": {"climate": {"window": 2}}}


@mistake("dates", "rainfall", "inputs.rainfall", "2021-01-01", "twice")
def one_day_twice():
    path = series("r.nc", times=["2021-01-01", "2021-01-01"])
    return {"inputs": {"rainfall": path}, "factors": {"climate": {"window": 1}}}


@mistake("dates", "rainfall", "inputs.rainfall", "window")
def window_longer_than_the_record():
    return {"inputs": {"rainfall": series("r.nc")}, "factors": {"climate": {"window": 30}}}


@mistake("dates", "rainfall", "day_x.tif", "date")
def rain_file_without_date():
    tif("rain/day_20210101.tif", units=("mm",))
    tif("rain/day_x.tif", units=("mm",))
    return {"inputs": {"rainfall": "rain"}, "factors": {"climate": {"window": 1}}}


@mistake("dates", "soil_moisture", "inputs.soil_moisture", "cutoff")
def cutoff_after_the_record():
    path = series("s.nc", 0.2, units="m3/m3", name="sm")
    return {"inputs": {"soil_moisture": path}, "factors": {"climate": {"window": 2, "cutoff": "2022-01-01"}}}


@mistake("dates", "sentinel2", "sentinel2", "before", "after")
def before_and_after_exchanged():
    return {"inputs": {"sentinel2": {"before": optical("a_20210901.tif"), "after": optical("b_20210601.tif")}}}


@mistake("dates", "sentinel2", "sentinel2", "start", "end")
def scenes_from_the_end_to_the_start():
    path = optical("a_20210601.tif")
    return {"inputs": {"sentinel2": {"path": path, "start": "2021-12-31", "end": "2021-01-01"}}}


# ---- longitudes, latitudes and axes


@mistake("axes", "rainfall", "inputs.rainfall", "latitude")
def longitude_and_latitude_exchanged():
    path = series("r.nc", longitude=LATITUDE[::-1], latitude=LONGITUDE[::-1] + 90)
    return {"inputs": {"rainfall": path}, "factors": {"climate": {"window": 2}}}


@mistake("axes", "rainfall", "inputs.rainfall", "evenly")
def cells_of_uneven_size():
    uneven = LONGITUDE.copy()
    uneven[7:] += 0.05
    return {"inputs": {"rainfall": series("r.nc", longitude=uneven)}, "factors": {"climate": {"window": 2}}}


@mistake("axes", "soil_moisture", "inputs.soil_moisture", "dimensions")
def two_depths_of_soil():
    import xarray as xr

    xr.open_dataset(series("s.nc", 0.2, units="m3/m3", name="sm"), engine="h5netcdf").expand_dims(
        depth=[0.05, 0.2]
    ).to_netcdf("deep.nc", engine="h5netcdf")
    return {"inputs": {"soil_moisture": "deep.nc"}, "factors": {"climate": {"window": 2}}}


@mistake("axes", "grid", "grid", "degrees")
def bounds_in_degrees():
    return {"grid": {"crs": CRS, "resolution": 12.5, "bounds": [9.0, 45.15, 9.02, 45.17]}}


# ---- the config itself


@mistake("config", "grid", "bounds")
def bounds_as_left_top_right_bottom():
    return {"grid": GRID | {"bounds": [LEFT, TOP, BOUNDS[2], BOUNDS[1]]}}


@mistake("config", "grid", "bounds", "km")
def country_at_one_metre():
    return {"grid": GRID | {"resolution": 1, "bounds": [300000, 4500000, 800000, 5200000]}}


@mistake("config", "inputs", "$SLIPMAP_NO_SUCH_VARIABLE")
def variable_that_is_not_set():
    return {"inputs": {"dem": "$SLIPMAP_NO_SUCH_VARIABLE/dem.tif"}}


@mistake("config", "inputs", "~nobody_of_that_name")
def home_of_nobody():
    return {"inputs": {"dem": "~nobody_of_that_name/dem.tif"}}


@mistake("config", "areas", "name", "Valley")
def areas_that_differ_in_case_alone():
    return {"config": {"areas": {"Valley": {"grid": GRID, "inputs": {"dem": "dem.tif"}}}}}


@mistake("config", "areas", "name", "no")
def area_that_yaml_takes_for_false():
    return {"text": "areas:\n  no:\n    grid: {crs: 'EPSG:32632', bounds: [500000, 5000000, 501600, 5001600]}\n"}


@mistake("config", "datasets", "name", "a/b")
def data_set_whose_name_is_a_path():
    return {"config": {"datasets": {"a/b": {"size": 32, "stride": 32}}}}


@mistake("config", "factors", "max_void", "line 4")
def key_twice_deep_down():
    return {"text": "areas:\n  valley:\n    factors: {terrain: {max_void: 0.1,\n      max_void: 0.2}}\n"}
