"""What `slipmap check` says of landslides, scenes and rock, so that files in the wrong place or order show."""

import numpy as np
import pytest
import yaml

from helpers.input_writers import heights, square, tif, vector
from slipmap.check.steepness import look
from slipmap.cli import main
from slipmap.io.grid import Grid

GRID = {"crs": "EPSG:32632", "resolution": 10, "bounds": [500000, 5000000, 501600, 5001600]}
NOT_STEEPER = "are hardly steeper than other ground"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A valley: flat (2 degrees) in its southern half, 30 degrees in its northern one."""
    monkeypatch.chdir(tmp_path)
    steps = 10 * np.tan(np.radians(np.where(np.arange(160) < 80, 30.0, 2.0)))  # the northernmost row first
    profile = 100 + np.cumsum(steps[::-1])[::-1]
    tif("dem.tif", profile[:, None] * np.ones((1, 160)), nodata=-9999)
    tif("turned.tif", profile[::-1, None] * np.ones((1, 160)), nodata=-9999)


def checked(capsys, **inputs):
    """The lines that `slipmap check` prints of the area with these inputs."""
    with open("c.yaml", "w") as file:
        yaml.safe_dump({"areas": {"valley": {"grid": GRID, "inputs": {"dem": "dem.tif"} | inputs}}}, file)
    assert main(["check", "c.yaml"]) == 0, capsys.readouterr().err
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def slides(number=4):
    """Squares of 60 m on the steep half."""
    return [square(100 + 140 * (k % 10), 900 + 140 * (k // 10), 60) for k in range(number)]


def labels(path, marks, **options):
    """The squares as a raster of 1 and 0."""
    values = np.zeros((160, 160), np.uint8)
    for mark in marks:
        left, bottom, right, top = (np.array(mark.bounds) - [500_000, 5_000_000] * 2) / 10
        values[int(160 - top) : int(160 - bottom), int(left) : int(right)] = 1
    return tif(path, values, dtype="uint8", **options)


@pytest.mark.parametrize("kind", ["vector", "raster"])
@pytest.mark.parametrize(("dem", "on", "warned"), [("dem.tif", 30, False), ("turned.tif", 2, True)])
def test_the_slope_on_landslides_shows_a_dem_that_is_upside_down(kind, dem, on, warned, capsys):
    inventory = vector("i.gpkg", slides()) if kind == "vector" else labels("i.tif", slides())
    lines = checked(capsys, dem=dem, inventory=inventory)
    assert any(line.startswith(f"slope: median {on} degrees on landslides, ") for line in lines), lines
    assert any(NOT_STEEPER in line and dem in line for line in lines) == warned, lines


def test_init_says_the_same(capsys):
    vector("i.gpkg", slides())
    assert main(["init", "valley", "--dem", "turned.tif", "--inventory", "i.gpkg"]) == 0
    said = capsys.readouterr().out
    assert NOT_STEEPER in said and "slope: median 2 degrees on landslides" in said


def test_the_slope_is_that_of_the_plane_also_on_a_coarse_look(monkeypatch):
    monkeypatch.setattr("slipmap.check.steepness._SIDE", 40)
    tif("plane.tif", heights(25.0), nodata=-9999)
    vector("i.gpkg", [square(300, 300, 400)])
    grid = Grid.from_bounds(GRID["crs"], 10, tuple(GRID["bounds"]))
    seen = look("plane.tif", "i.gpkg", None, grid, "areas.valley.inputs")
    assert seen.on == pytest.approx(25, abs=0.1) and seen.off == pytest.approx(25, abs=0.1)
    assert seen.share == pytest.approx(100 * 400**2 / 1600**2, rel=0.1) and seen.patches is None


def test_a_raster_of_landslides_is_counted_too(capsys):
    labels("i.tif", slides(5))
    lines = checked(capsys, inventory="i.tif")
    # 5 squares of 60 m are 18,000 of 2,560,000 m2
    assert "landslides: 5 patches of landslide pixels in the area, 0.7 % of it (i.tif)" in lines


@pytest.mark.parametrize(("number", "warned"), [(3, True), (40, False)])
@pytest.mark.parametrize("kind", ["vector", "raster"])
def test_few_landslides_are_warned_of(kind, number, warned, capsys):
    inventory = vector("i.gpkg", slides(number)) if kind == "vector" else labels("i.tif", slides(number))
    lines = checked(capsys, inventory=inventory)
    assert any(line.startswith(f"warning: {number} landslides in {inventory}") for line in lines) == warned, lines


def scene(path, levels, clear=160, **options):
    """A scene of one number a band, without data east of column `clear`."""
    values = np.stack([np.full((160, 160), level, np.uint16) for level in levels.values()])
    values[:, :, clear:] = 0
    tif(path, values, dtype="uint16", nodata=0, names=list(levels), **options)


LAND = {"B2": 400, "B3": 600, "B4": 700, "B8": 2500, "B11": 2000}


@pytest.mark.parametrize("bands", ["B2 B3 B4 B8 B11", "B8 B4 B3 B2 B11"])
def test_bands_in_reversed_order_are_warned_of(bands, capsys):
    scene("s2_20210305.tif", dict(zip(bands.split(), LAND.values(), strict=True)))
    lines = checked(capsys, sentinel2={"path": "s2_20210305.tif"})
    found = [line for line in lines if "the near infrared (B8) is darker than blue (B2) in 100% of the area" in line]
    assert len(found) == bands.startswith("B8")


@pytest.mark.parametrize(("clear", "warned"), [(160, False), (112, True), (144, False)])
def test_the_share_that_images_cover_is_told(clear, warned, capsys):
    scene("s2_20210305.tif", LAND, clear)
    lines = checked(capsys, sentinel2={"path": "s2_20210305.tif"})
    assert f"images: s2_20210305.tif covers {clear / 160:.0%} of the area" in lines
    assert any(f"shows nothing in {1 - clear / 160:.0%} of the area" in line for line in lines) == warned


def test_scenes_fill_each_others_gaps(capsys):
    scene("s2/s2_20210305.tif", LAND, 100)
    scene("s2/s2_20210310.tif", LAND, 144)
    assert "images: s2 covers 90% of the area" in checked(capsys, sentinel2={"path": "s2"})


def test_clouds_that_nothing_masks_are_told_and_a_mask_is_used(capsys):
    scene("plain_20210305.tif", LAND)
    plain = checked(capsys, sentinel2={"path": "plain_20210305.tif"})
    assert any(line.startswith("note: plain_20210305.tif: it has no cloud mask") for line in plain), plain
    classes = np.full((160, 160), 4, np.uint16)  # vegetation
    classes[:, :80] = 9  # cloud
    values = np.stack([*(np.full((160, 160), level, np.uint16) for level in LAND.values()), classes])
    tif("masked_20210305.tif", values, dtype="uint16", nodata=0, names=[*LAND, "SCL"])
    masked = checked(capsys, sentinel2={"path": "masked_20210305.tif"})
    assert "images: masked_20210305.tif covers 50% of the area without what is masked as cloud" in masked, masked
    assert not [line for line in masked if "no cloud mask" in line]


def test_classes_of_rock_are_named_with_their_share(capsys):
    vector("rock.gpkg", [square(0, 0, 1600, 800), square(0, 800, 800, 400)], rock=["clay", "lime"])
    lines = checked(capsys, lithology={"path": "rock.gpkg", "attribute": "rock"})
    assert "lithology: 2 classes (clay, lime) on 62% of the area (rock.gpkg)" in lines, lines


def test_an_area_in_order_has_no_warning(capsys):
    vector("i.gpkg", slides(40))
    scene("s2_20210305.tif", LAND)
    lines = checked(capsys, inventory="i.gpkg", sentinel2={"path": "s2_20210305.tif"})
    assert not [line for line in lines if "warning" in line]
