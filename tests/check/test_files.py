"""Files that cannot be used are named in one sentence by `slipmap check`, from their metadata."""

from pathlib import Path

import geopandas as gpd
import h5py
import numpy as np
import pytest
import rasterio
import xarray as xr
import yaml
from rasterio.crs import CRS
from rasterio.warp import transform_bounds
from shapely.geometry import LineString, box

from slipmap.cli import main
from slipmap.io import raster
from slipmap.io.grid import Grid

BOUNDS = (500000, 5000000, 501600, 5001600)
GRID = Grid.from_bounds("EPSG:32632", 12.5, BOUNDS)
AWAY = Grid.from_bounds("EPSG:32632", 12.5, (600000, 5000000, 601600, 5001600))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plain(path, grid=GRID):
    raster.write(path, grid, np.ones(grid.shape, np.float32), bands=["z"], units="m", long_name="z")


def slc(path, grid=GRID):
    """A file that is a scene of Sentinel-2 and, with its tags, an SLC."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    size = dict(width=grid.width, height=grid.height, crs=grid.crs, transform=grid.transform)
    with rasterio.open(path, "w", driver="GTiff", dtype="complex64", count=1, **size) as out:
        out.write(np.ones(grid.shape, np.complex64), 1)
        out.update_tags(ACQUISITION_DATE=Path(path).stem, WAVELENGTH=0.0554658)


def optical(path, grid=GRID):
    bands = ["B2", "B3", "B4", "B8", "B11"]
    raster.write(path, grid, np.full((5, *grid.shape), 900, np.float32), bands=bands, units="1", long_name="z")


def check(capsys, area=None, /, **inputs):
    """What `slipmap check` says of an area with a DEM and these inputs; "" if nothing."""
    plain("dem.tif")
    area = {"grid": {"crs": "EPSG:32632", "resolution": 12.5, "bounds": list(BOUNDS)}} | (area or {})
    with open("my.yaml", "w") as file:
        yaml.safe_dump({"areas": {"valley": area | {"inputs": {"dem": "dem.tif"} | inputs}}}, file)
    status = main(["check", "my.yaml"])
    text = capsys.readouterr().err.strip()
    assert (status == 0) == (text == "") and "\n" not in text and "Traceback" not in text
    return text.removeprefix("slipmap: ")


@pytest.mark.parametrize("key", ["sentinel1.path", "sentinel2.path", "sentinel2.after"])
def test_folder_of_which_no_raster_overlaps(key, capsys):
    section, name = key.split(".")
    scene = slc if section == "sentinel1" else optical
    given = {section: {name: "scenes"} | ({"level": "slc"} if section == "sentinel1" else {})}
    scene("scenes/20210101.tif", AWAY)
    scene("scenes/20210113.tif", AWAY)
    text = check(capsys, **given)
    assert text.startswith(f"areas.valley.inputs.{key}: none of the 2 rasters in scenes overlaps the area")
    # a folder of scenes may hold neighbouring tiles; SLCs lie on one grid
    for day in ("20210101", "20210113", "20210125") if section == "sentinel1" else ("20210125",):
        scene(f"scenes/{day}.tif")
    assert check(capsys, **given) == ""


def test_dem_that_is_a_folder(folder, capsys):
    (folder / "tiles").mkdir()
    assert "inputs.dem: tiles is a folder; name the file" in check(capsys, dem="tiles")


def test_empty_path(capsys):
    for inputs in ({"dem": ""}, {"inventory": " "}, {"sentinel1": {"level": "slc", "path": ""}}):
        assert "it is empty; give a value or leave the key out" in check(capsys, **inputs)


def lithology(path="rock.gpkg", x=500000, crs="EPSG:32632"):
    frame = gpd.GeoDataFrame({"rock_type": ["clay"], "age": [1]}, geometry=[box(x, 5000000, x + 900, 5000900)], crs=crs)
    frame.to_file(path)
    return path


def test_lithology_attribute(capsys):
    def of(attribute):
        return check(capsys, lithology={"path": lithology(), "attribute": attribute})

    assert of("rock_type") == ""
    text = of("rocktype")
    assert text.startswith("areas.valley.inputs.lithology.attribute: rock.gpkg has no attribute 'rocktype'")
    assert "it has rock_type, age" in text and "did you mean 'rock_type'?" in text
    assert "it has rock_type, age" in of(None)


@pytest.mark.filterwarnings("ignore:'crs' was not provided:UserWarning")
def test_lithology_beside_the_area_or_without_crs(capsys):
    away = {"path": lithology("away.gpkg", x=700000), "attribute": "age"}
    assert "lithology.path: away.gpkg has nothing in the area" in check(capsys, lithology=away)
    bare = {"path": lithology("bare.shp", crs=None), "attribute": "age"}
    assert "lithology.path: bare.shp has no coordinate reference system" in check(capsys, lithology=bare)


def test_lithology_in_another_crs_overlaps(capsys):
    frame = gpd.read_file(lithology()).to_crs("EPSG:4326")
    frame.to_file("lonlat.geojson")
    assert check(capsys, lithology={"path": "lonlat.geojson", "attribute": "age"}) == ""


@pytest.mark.parametrize("key", ["roads", "faults"])
def test_lines(key, folder, capsys):
    def line(x):
        gpd.GeoDataFrame(geometry=[LineString([(x, 5000000), (x, 5001000)])], crs="EPSG:32632").to_file("lines.gpkg")
        return check(capsys, **{key: "lines.gpkg"})

    assert line(500500) == ""
    assert line(504000) == ""  # the nearest road may lie outside the area
    assert f"inputs.{key}: lines.gpkg has nothing in the area" in line(520000)
    (folder / "bad.gpkg").write_bytes(b"not a database")
    assert f"inputs.{key}: bad.gpkg is not a vector file that can be read" in check(capsys, **{key: "bad.gpkg"})


def opera(path, grid, day):
    left, _, _, top = grid.bounds
    with h5py.File(path, "w") as file:
        file["data/VV"] = np.ones(grid.shape, np.complex64)
        file["data/x_coordinates"] = left + 6.25 + 12.5 * np.arange(grid.width)
        file["data/y_coordinates"] = top - 6.25 - 12.5 * np.arange(grid.height)
        file["data/projection"] = 32632
        identification = {"zero_doppler_start_time": f"{day} 05:35:51", "track_number": 117,
                          "burst_id": "T117-249363-IW2", "orbit_pass_direction": "Ascending"}  # fmt: skip
        for key, value in identification.items():
            file[f"identification/{key}"] = value
        for key in ("wavelength", "starting_range", "range_pixel_spacing"):
            file[f"metadata/processing_information/input_burst_metadata/{key}"] = 0.0554658
        times = np.arange(-40.0, 41.0, 10.0)  # an orbit over the area, straight enough here
        file["metadata/orbit/time"] = times
        for axis, place, speed in zip("xyz", (4.8e6, 0.1e6, 5.0e6), (0.0, 7500.0, 0.0), strict=True):
            file[f"metadata/orbit/position_{axis}"] = place + speed * times
            file[f"metadata/orbit/velocity_{axis}"] = speed + 0 * times


def test_opera_products(folder, capsys):
    (folder / "s1").mkdir()
    given = {"sentinel1": {"level": "slc", "path": "s1"}}
    opera("s1/a.h5", AWAY, "2021-01-01")
    assert "none of the 1 rasters in s1 overlaps the area" in check(capsys, **given)
    for name, day in (("a", "2021-01-01"), ("b", "2021-01-13"), ("c", "2021-01-25")):
        opera(f"s1/{name}.h5", GRID, day)
    assert check(capsys, **given) == ""
    whole = (folder / "s1/b.h5").read_bytes()
    (folder / "s1/b.h5").write_bytes(whole[: len(whole) // 2])
    assert "inputs.sentinel1.path: s1/b.h5 is not an HDF5 file that can be opened" in check(capsys, **given)


def rain(path, west, names=("lon", "lat"), step=0.1, key="rainfall"):
    west, south = west
    x, y = names
    values = xr.DataArray(
        np.ones((2, 4, 4), np.float32),
        coords={"time": np.array(["2021-01-01", "2021-01-02"], "M8[ns]"), y: south + step * np.arange(4),
                x: west + step * np.arange(4)},
        dims=("time", y, x), name="rain", attrs={"units": "mm/day" if key == "rainfall" else "m3/m3"},
    )  # fmt: skip
    values.to_netcdf(path, engine="h5netcdf")
    return path


@pytest.mark.parametrize("key", ["rainfall", "soil_moisture"])
def test_netcdf(key, folder, capsys):
    left, bottom, *_ = transform_bounds(CRS.from_epsg(32632), CRS.from_epsg(4326), *BOUNDS)
    here = (left - 0.15, bottom - 0.15)
    short = {"factors": {"climate": {"window": 2}}}
    assert check(capsys, short, **{key: rain("here.nc", here, key=key)}) == ""
    assert check(capsys, short, **{key: rain("names.nc", here, ("longitude", "latitude"), key=key)}) == ""
    away = check(capsys, **{key: rain("away.nc", (left + 1, bottom))})
    assert f"inputs.{key}: away.nc does not overlap the area" in away
    assert "does not overlap" in check(capsys, **{key: rain("south.nc", (left, bottom - 2))})
    assert "has no x and y (or longitude and latitude)" in check(capsys, **{key: rain("odd.nc", here, ("i", "j"))})
    whole = (folder / "here.nc").read_bytes()
    (folder / "half.nc").write_bytes(whole[: len(whole) // 2])
    assert f"inputs.{key}: half.nc is not a NetCDF-4 file that can be opened" in check(capsys, **{key: "half.nc"})


def test_netcdf_with_longitudes_to_360(capsys):
    """An area at 3 degrees west in a file whose longitudes run from 0 to 360."""
    left, bottom, *_ = transform_bounds(CRS.from_epsg(32630), CRS.from_epsg(4326), 500000, 5000000, 501600, 5001600)
    assert -4 < left < -2
    area = {"crs": "EPSG:32630", "resolution": 12.5, "bounds": [500000, 5000000, 501600, 5001600]}
    rain("east.nc", (left + 360 - 0.15, bottom - 0.15))
    rain("west.nc", (-left, bottom - 0.15))
    for name, status in (("east.nc", 0), ("west.nc", 1)):
        with open("atlantic.yaml", "w") as file:
            short = {"climate": {"window": 2}}
            yaml.safe_dump(
                {"areas": {"atlantic": {"grid": area, "inputs": {"rainfall": name}, "factors": short}}}, file
            )
        assert main(["check", "atlantic.yaml"]) == status, capsys.readouterr().err


def test_ready_factors(capsys):
    plain("ready.tif")
    assert check(capsys, ready_factors={"path": "ready.tif", "bands": ["z"]}) == ""
    assert "there is no band 'zz'" in check(capsys, ready_factors={"path": "ready.tif", "bands": ["zz"]})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grid": {"resolution": "12.5"}}, "grid.resolution is '12.5', but: a number is wanted"),
        ({"grid": {"resolution": True}}, "grid.resolution is true, but: a number is wanted"),
        ({"grid": {"resolution": 12500}}, "pixels of 12500 m show no landslides; give a resolution in metres"),
        (
            {"inputs": {"sentinel1": {"level": "slc", "path": "s1", "incidence": 0.65}}},
            "give degrees from the vertical",
        ),
        ({"inputs": {"sentinel2": {"path": "s2", "scale": 10000}}}, "give 0.0001 for reflectance x 10000"),
        ({"simulate": {"seed": 1.0}}, "simulate.seed is 1.0, but: a whole number is wanted"),
        ({"simulate": {"inventory": "no"}}, "simulate.inventory is 'no', but: true or false is wanted"),
        ({"simulate": {"start": "tomorrow"}}, "simulate.start is 'tomorrow', but: a date is wanted"),
    ],
)
def test_types_and_units(changes, words, capsys):
    area = {"grid": {"crs": "EPSG:32632", "bounds": list(BOUNDS)} | changes.pop("grid", {})} | changes
    with open("my.yaml", "w") as file:
        yaml.safe_dump({"areas": {"valley": area}}, file)
    assert main(["check", "my.yaml"]) == 1
    text = capsys.readouterr().err.strip()
    assert "areas.valley." in text and words in text and "\n" not in text


@pytest.mark.parametrize("start", ["2021-01-09", "'2021-01-09'"])
def test_what_yaml_can_say_passes(start, capsys):
    """A whole number for a number, a list for a tuple, a date with or without quotes."""
    with open("my.yaml", "w") as file:
        file.write(
            f"areas:\n  valley:\n    grid: {{crs: 'EPSG:32632', resolution: 12, bounds: [0, 5000000, 1600, 5001600]}}"
            f"\n    simulate: {{seed: 1, start: {start}}}"
            f"\n    deformation: {{slc_looks: [1, 4], reference_point: [9, 45]}}\n"
        )
    assert main(["check", "my.yaml"]) == 0, capsys.readouterr().err
