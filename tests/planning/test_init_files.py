"""`slipmap init` of files as delivered: Sentinel-2 by the band and in SAFE, vectors of several layers."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import yaml
from affine import Affine
from shapely.geometry import Point, box

from helpers.factors_samples import write_safe
from slipmap import cli
from slipmap.planning.ground import share

UTM = "EPSG:32632"
CORNER = (500_000.0, 5_003_600.0)
STEM = "T32TPQ_20200817T101031"


def tif(path, value, pixel, extent=3600, corner=CORNER):
    size = int(extent / pixel)
    noise = np.random.default_rng(3).uniform(0.9, 1.1, (size, size))
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", dtype="float32", count=1, crs=UTM, height=size, width=size,
        transform=Affine(pixel, 0, corner[0], 0, -pixel, corner[1]),
    ) as out:  # fmt: skip
        out.write((value * noise).astype("float32"), 1)
    return str(path)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A DEM of 30 m and band files of 60, 10 and 20 m in the current folder."""
    monkeypatch.chdir(tmp_path)
    tif(tmp_path / "dem.tif", 500, 30)
    for band, pixel, number in (("B01", 60, 300), ("B02", 10, 400), ("B04", 10, 500), ("B08", 10, 2500),
                                ("B11", 20, 2000)):  # fmt: skip
        tif(tmp_path / "s2" / f"{STEM}_{band}_{pixel}m.tif", number, pixel)
    return tmp_path


def grid(files, **options):
    found = share(files, options.pop("level", None), None, None, None)
    return found.grid["resolution"], found.grid["bounds"]


@pytest.mark.parametrize("key", ["sentinel2", "sentinel2_before", "sentinel2_after"])
def test_the_finest_band_that_would_be_used_makes_the_pixels(place, key):
    size, bounds = grid({"dem": "dem.tif", key: "s2"})
    assert size == 10 and bounds == [500_000, 5_000_000, 503_600, 5_003_600]


def test_a_fine_band_that_is_not_used_does_not(place):
    for band in ("B02", "B04", "B08"):
        next((place / "s2").glob(f"*{band}*")).unlink()
    tif(place / "s2" / f"{STEM}_B01_10m.tif", 300, 10)
    assert grid({"dem": "dem.tif", "sentinel2": "s2"})[0] == 20


@pytest.mark.parametrize("as_zip", [False, True])
def test_safe_products_tell_their_pixels_and_place(tmp_path, as_zip):
    product = write_safe(tmp_path, "L2A", "05.09", as_zip=as_zip)
    dem = tif(tmp_path / "dem.tif", 500, 30, corner=(599_700.0, 5_000_000.0))
    assert grid({"dem": dem, "sentinel2": str(product)}) == (10, [600_000, 4_998_800, 601_200, 5_000_000])


def test_scenes_side_by_side_are_the_ground_of_all(place):
    tif(place / "more" / "T32TPQ_20200817T101031_B04.tif", 500, 10, extent=1800)
    tif(place / "more" / "T32TQQ_20200817T101031_B04.tif", 500, 10, extent=1800, corner=(501_800.0, 5_003_600.0))
    assert grid({"dem": "dem.tif", "sentinel2": "more"}) == (10, [500_000, 5_001_800, 503_600, 5_003_600])


@pytest.fixture
def layers(place):
    """A GeoPackage with landslides, rock and the outline of the survey."""
    slides = [box(500_500 + k * 900, 5_002_000, 500_700 + k * 900, 5_002_300) for k in range(3)]
    rock = [box(500_000, 5_000_000, 501_800, 5_003_600), box(501_800, 5_000_000, 503_600, 5_003_600)]
    gpd.GeoDataFrame({"kind": list("abc")}, geometry=slides, crs=UTM).to_file("survey.gpkg", layer="slides")
    gpd.GeoDataFrame({"name": ["marl", "clay"]}, geometry=rock, crs=UTM).to_file("survey.gpkg", layer="rock")
    return ["--dem", "dem.tif", "--inventory", "survey.gpkg", "--lithology", "survey.gpkg"]


def test_layers_and_attribute_that_are_given_are_written(layers, capsys):
    given = ["--inventory-layer", "slides", "--lithology-layer", "rock", "--lithology-attribute", "name"]
    assert cli.main(["init", "valley", *layers, *given]) == 0, capsys.readouterr()
    inputs = yaml.safe_load(open("valley.yaml"))["areas"]["valley"]["inputs"]
    assert inputs["inventory_layer"] == "slides"
    assert inputs["lithology"] == {"path": "survey.gpkg", "layer": "rock", "attribute": "name"}


def test_what_is_not_known_is_listed_and_the_rest_written(layers, capsys):
    assert cli.main(["init", "valley", *layers]) == 1
    said = capsys.readouterr().out.splitlines()
    listed = [line for line in said if line.startswith("- ")]
    asked = ("inputs.inventory_layer", "inputs.lithology.layer", "inputs.lithology.attribute")
    for key, option in zip(asked, ("--inventory-layer", "--lithology-layer", "--lithology-attribute"), strict=True):
        (line,) = [line for line in listed if line.startswith(f"- areas.valley.{key} is missing")]
        assert option in line
    assert "'rock' has name" in next(line for line in listed if "attribute" in line)
    assert len(listed) == 3 and all(line.startswith("- areas.valley.") for line in listed)  # no "- slipmap:"
    assert yaml.safe_load(open("valley.yaml"))["areas"]["valley"]["inputs"]["dem"] == "dem.tif"
    options = cli._parser().parse_args(["init", "x", *(w for o in ("inventory", "lithology") for w in
                                                       (f"--{o}-layer", "y"))])  # fmt: skip
    assert options.inventory_layer == options.lithology_layer == "y"


def test_a_missing_attribute_alone_is_listed_with_the_ones_there(layers, capsys):
    assert cli.main(["init", "valley", *layers, "--inventory-layer", "slides", "--lithology-layer", "rock"]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("- ")]
    assert "lithology.attribute is missing" in line and "it has name" in line and "--lithology-attribute" in line


def test_scenes_before_and_after_are_written(place, capsys):
    assert cli.main(["init", "v", "--dem", "dem.tif", "--sentinel2-before", "s2", "--sentinel2", "s2"]) == 0
    assert yaml.safe_load(open("v.yaml"))["areas"]["v"]["inputs"]["sentinel2"] == {"path": "s2", "before": "s2"}


@pytest.fixture
def unnamed(place):
    """Four bands in one GeoTIFF that does not name them."""
    noise = np.random.default_rng(4).uniform(0.5, 1.5, (4, 360, 360))
    numbers = np.array([400, 600, 500, 2500])[:, None, None] * noise
    with rasterio.open(
        "s2_20200817.tif", "w", driver="GTiff", dtype="float32", count=4, crs=UTM, height=360, width=360,
        transform=Affine(10, 0, CORNER[0], 0, -10, CORNER[1]),
    ) as out:  # fmt: skip
        out.write(numbers.astype("float32"))
    return ["init", "v", "--dem", "dem.tif", "--sentinel2", "s2_20200817.tif"]


def test_names_of_the_bands_are_given_to_init_in_one_round(unnamed, capsys):
    assert cli.main([*unnamed, "--sentinel2-bands", "B2, B3,B4,B8"]) == 0, capsys.readouterr()
    assert "will not be made: ndbi needs B11: the scenes have B2, B3, B4, B8 alone" in capsys.readouterr().out
    area = yaml.safe_load(open("v.yaml"))["areas"]["v"]
    assert area["inputs"]["sentinel2"] == {"path": "s2_20200817.tif", "bands": ["B2", "B3", "B4", "B8"]}
    assert "ndbi" not in area["factors"]["optical"]["indices"] and "ndvi" in area["factors"]["optical"]["indices"]
    assert cli.main(["check", "v.yaml"]) == 0


def test_without_them_the_line_to_paste_and_the_index_to_remove_are_said(unnamed, capsys):
    assert cli.main(unnamed) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("- ")]
    pasted = "sentinel2: {path: s2_20200817.tif, bands: [B2, B3, B4, B8]}"
    assert pasted in line and "--sentinel2-bands" in line
    config = yaml.safe_load(open("v.yaml"))
    config["areas"]["v"]["inputs"] |= yaml.safe_load(pasted)
    open("v.yaml", "w").write(yaml.safe_dump(config))
    assert cli.main(["check", "v.yaml"]) == 1
    said = capsys.readouterr().err
    assert "has no band B11" in said and "ndbi needs B11: remove it from factors.optical.indices" in said


def test_names_of_bands_want_a_file(place, capsys):
    assert cli.main(["init", "v", "--dem", "dem.tif", "--sentinel2-bands", "B2"]) == 1
    assert "--sentinel2-bands is given without --sentinel2" in capsys.readouterr().err


def test_points_are_warned_of_and_the_heights_told(place, capsys):
    points = [Point(500_500 + k * 900, 5_002_000) for k in range(3)]
    gpd.GeoDataFrame(geometry=points, crs=UTM).to_file("points.gpkg")
    assert cli.main(["init", "v", "--dem", "dem.tif", "--inventory", "points.gpkg"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert any(line.startswith("elevation: 4") and "taken for metres" in line for line in said)
    assert any(line.startswith("warning: 3 of 3 landslides are points in points.gpkg") for line in said)
