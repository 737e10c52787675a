"""Mistakes in layers, names, dates, axes and the config; see `helpers.mistakes`."""

from pathlib import Path

import geopandas as gpd
import numpy as np
from shapely.geometry import LineString, Point

from helpers.input_writers import (
    BOUNDS,
    CRS,
    LATITUDE,
    LEFT,
    LONGITUDE,
    TOP,
    heights,
    optical,
    series,
    square,
    tif,
    vector,
)
from helpers.mistakes import GRID, lithology, mistake, points, ready

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
