"""Mistakes in masks, virtual rasters, outlines, class rasters and band names; see `helpers.mistakes`."""

from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from shapely.geometry import Polygon

from helpers.input_writers import BOTTOM, CRS, LEFT, TRANSFORM, heights, optical, series, square, tif, vector
from helpers.mistakes import lithology, mistake, ready


def with_alpha(path, array, **about):
    """A raster of floats with an alpha band, which GDAL takes for a mask in bytes and uint16 alone."""
    bands = np.stack([array, np.full(array.shape, 255)]).astype("float32")
    with rasterio.open(path, "w", driver="GTiff", count=2, height=160, width=160, dtype="float32", crs=CRS,
                       transform=TRANSFORM, alpha="YES", photometric="MINISBLACK") as out:  # fmt: skip
        out.write(bands)
        for key, value in about.items():
            setattr(out, key, value)
    return path


@mistake("nodata", "dem", "inputs.dem", "alpha band of float32")
def dem_with_alpha_in_floats():
    return {"inputs": {"dem": with_alpha("a.tif", heights())}}


@mistake("nodata", "inventory", "inputs.inventory", "alpha band of float32")
def inventory_with_alpha_in_floats():
    mask = np.zeros((160, 160))
    mask[40:60, 40:60] = 1
    return {"inputs": {"inventory": with_alpha("i.tif", mask)}}


@mistake("nodata", "ready_factors", "ready_factors", "alpha band of float32")
def ready_factor_with_alpha_in_floats():
    return ready(with_alpha("r.tif", heights(), descriptions=("relief", "alpha")), "relief")


def refers_to_nothing(path, array, **options):
    tif("gone.tif", array, **options)
    rasterio.shutil.copy("gone.tif", path, driver="VRT")
    Path("gone.tif").unlink()
    return path


@mistake("nodata", "dem", "inputs.dem", "gone.tif", "does not exist")
def virtual_dem_of_a_file_that_is_gone():
    return {"inputs": {"dem": refers_to_nothing("d.vrt", heights())}}


@mistake("nodata", "lithology", "lithology.path", "gone.tif", "does not exist")
def virtual_classes_of_a_file_that_is_gone():
    return lithology(refers_to_nothing("l.vrt", np.ones((160, 160), np.uint8), nodata=0), None)


@mistake("nodata", "inventory", "inputs.inventory", "gone.tif", "does not exist")
def virtual_inventory_of_a_file_that_is_gone():
    return {"inputs": {"inventory": refers_to_nothing("i.vrt", np.ones((160, 160), np.uint8))}}


@mistake("units", "dem", "inputs.dem", "steeper")
def dem_in_decimetres():
    return {"inputs": {"dem": tif("d.tif", np.round(heights() * 10).astype("int32"))}}


@mistake("units", "dem", "inputs.dem", "steeper")
def dem_in_inches():
    return {"inputs": {"dem": tif("d.tif", (heights(5) - 300) / 0.0254 + 10)}}


@mistake("units", "dem", "inputs.dem", "fathoms")
def dem_whose_tag_says_fathoms():
    tif("d.tif", heights())
    with rasterio.open("d.tif", "r+") as out:
        out.update_tags(ZUNITS="fathoms")
    return {"inputs": {"dem": "d.tif"}}


@mistake("units", "soil_moisture", "soil_unit", "saturation")
def soil_moisture_as_degree_of_saturation():
    return {"inputs": {"soil_moisture": series("s.nc", 60.0, name="ssm", units="%")}}


@mistake("units", "soil_moisture", "soil_unit", "saturation")
def soil_moisture_that_says_it_is_relative():
    made = series("s.nc", 0.6, name="sm", units="1", long_name="relative soil moisture")
    return {"inputs": {"soil_moisture": made}}


@mistake("units", "rainfall", "factors.climate.accumulated")
def rain_summed_up_since_the_first_day():
    days = [f"2021-01-{day:02d}" for day in range(1, 11)]
    made = series("r.nc", [5.0 * day for day in range(1, 11)], times=days, units="mm")
    return {"inputs": {"rainfall": made}, "factors": {"climate": {"window": 9}}}


def ones(elsewhere, **options):
    mask = np.full((160, 160), elsewhere)
    mask[40:60, 40:60] = 1
    return {"inputs": {"inventory": tif("i.tif", mask, **options)}}


@mistake("nodata", "inventory", "inputs.inventory", "nowhere the value 0")
def inventory_of_ones_and_nan():
    return ones(np.nan, dtype="float32")


@mistake("nodata", "inventory", "inputs.inventory", "nowhere the value 0")
def inventory_of_ones_and_nodata():
    return ones(255.0, dtype="uint8", nodata=255)


@mistake("nodata", "inventory", "inputs.inventory", "declares 1, the value of its landslides, as nodata")
def inventory_whose_landslides_are_nodata():
    return ones(0.0, dtype="uint8", nodata=1)


@mistake("nodata", "inventory", "inputs.inventory", "with 255", "write 1 for 255")
def inventory_of_255_beside_nodata_of_0():
    mask = np.zeros((160, 160), np.uint8)
    mask[40:60, 40:60] = 255
    return {"inputs": {"inventory": tif("i.tif", mask, nodata=0)}}


def broken():
    with np.errstate(invalid="ignore"):
        return Polygon([(LEFT + 900, BOTTOM + 700), (np.nan, BOTTOM + 700), (LEFT + 1100, BOTTOM + 900)])


@mistake("layers", "inventory", "inputs.inventory", "no numbers")
def landslide_with_a_corner_that_is_no_number():
    return {"inputs": {"inventory": vector("i.gpkg", [square(300, 300), broken()])}}


@mistake("layers", "lithology", "lithology.path", "no numbers")
def rock_with_a_corner_that_is_no_number():
    return lithology(vector("l.gpkg", [square(0, 0, 1600), broken()], rock=["marl", "clay"]))


@mistake("layers", "inventory", "inputs.inventory", "i.shx")
def shapefile_without_its_index():
    vector("i.shp", [square(300, 300)])
    Path("i.shx").unlink()
    return {"inputs": {"inventory": "i.shp"}}


def two_rocks(other, dtype, first=1):
    rocks = np.full((160, 160), first, dtype)
    rocks[:, 80:] = other
    return lithology(tif("l.tif", rocks), None)


@mistake("nodata", "lithology", "lithology.path", "9999")
def classes_beside_9999():
    return two_rocks(9999, "int16")


@mistake("nodata", "lithology", "lithology.path", "too large for a class")
def classes_beside_the_largest_whole_number():
    return two_rocks(2147483647, "int32")


@mistake("nodata", "lithology", "lithology.path", "too large for a class")
def classes_beside_a_huge_fraction():
    return two_rocks(-3.4e38, "float32")


@mistake("names", "lithology", "lithology.path", "too large for a class")
def classes_that_float32_cannot_tell_apart():
    return two_rocks(16777216, "int32", 16777217)


@mistake("names", "lithology", "lithology.attribute", "no table of attributes")
def attribute_of_a_raster_that_has_none():
    return lithology(tif("l.tif", np.ones((160, 160), np.uint8), nodata=0))


@mistake("names", "sentinel2", "sentinel2", "Landsat")
def landsat_in_files_of_bands():
    scene = "LC08_L2SP_192029_20200514_20200820_02_T1"
    for band in (2, 3, 4, 5, 6):
        optical(f"{scene}/{scene}_SR_B{band}.TIF", bands=("x",), names=None)
    return {"inputs": {"sentinel2": {"path": scene}}}


@mistake("names", "sentinel2", "sentinel2", "Landsat")
def landsat_of_the_harmonised_archive():
    scene = "HLS.L30.T32TPQ.2023134T100601.v2.0"
    for band in ("B02", "B03", "B04", "B05", "B06"):
        optical(f"{scene}/{scene}.{band}.tif", bands=("x",), names=None)
    return {"inputs": {"sentinel2": {"path": scene}}}


@mistake("units", "ready_factors", "ready_factors", "complex numbers")
def ready_factor_of_complex_numbers():
    return ready(tif("r.tif", np.full((160, 160), 1 + 1j, np.complex64), names=["relief"]), "relief")


SITE = 'LOCAL_CS["a quarry",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'


@mistake("crs", "dem", "inputs.dem", "no coordinate reference system")
def dem_in_the_coordinates_of_a_site():
    return {"inputs": {"dem": tif("d.tif", heights(), crs=SITE)}}


@mistake("crs", "inventory", "inputs.inventory", "no coordinate reference system")
def inventory_in_the_coordinates_of_a_site():
    return {"inputs": {"inventory": vector("i.gpkg", [square(300, 300)], crs=SITE)}}


@mistake("crs", "lithology", "lithology.path", "no coordinate reference system")
def rocks_in_the_coordinates_of_a_site():
    return lithology(vector("l.gpkg", [square(0, 0, 1600)], crs=SITE, rock=["marl"]))
