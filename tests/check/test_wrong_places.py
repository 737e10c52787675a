"""Sentences on paths, CRS, text and pictures that name the fault itself and not another one."""

import subprocess
import sys

import numpy as np
import pytest
import yaml
from affine import Affine

from helpers.input_writers import heights, optical, square, tif, vector
from slipmap.cli import main

GRID = {"crs": "EPSG:32632", "resolution": 10, "bounds": [500000, 5000000, 501600, 5001600]}
TEXT = """areas:
  valley:
    grid:
      crs: EPSG:32632
      resolution: 10
      bounds: [500000, 5000000, 501600, 5001600]
    inputs:
      dem: dem.tif
      inventory: slides.gpkg
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tif("dem.tif", heights(), nodata=-9999)
    vector("slides.gpkg", [square(300, 300)])
    return tmp_path


def said(capsys, text=None, grid=None, **inputs):
    """What `slipmap check` says of the only fault."""
    record = {"areas": {"valley": {"grid": GRID | (grid or {}), "inputs": {"dem": "dem.tif"} | inputs}}}
    with open("c.yaml", "w") as file:
        file.write(text or yaml.safe_dump(record))
    assert main(["check", "c.yaml"]) == 1
    found = capsys.readouterr().err.strip()
    assert found.count("\n") == 0, found
    return found


def test_a_path_from_another_folder_is_told_with_where_it_was_looked_for(place, capsys):
    found = said(capsys, dem="../elsewhere/dem.tif")
    assert f"paths count from the current folder: it is {place}/../elsewhere/dem.tif" in found


def test_a_web_map_crs_is_the_fault_and_not_the_order_of_bounds(capsys):
    found = said(capsys, grid={"crs": "EPSG:3857", "bounds": [347100, 5151900, 351100, 5155900]})
    assert "a metre of EPSG:3857" in found and "UTM zone" in found and "order" not in found


def test_bounds_in_another_order_are_still_told(capsys):
    found = said(capsys, grid={"bounds": [5000000, 500000, 5001600, 501600]})
    assert "the order bottom, left, top, right: give [500000, 5000000, 501600, 5001600]" in found


def test_a_crs_that_is_none_is_one_sentence_without_words_of_proj():
    """PROJ writes past Python, so it takes a process of its own to see it."""
    with open("c.yaml", "w") as file:
        file.write(TEXT.replace("EPSG:32632", "EPSG:99999"))
    run = [sys.executable, "-m", "slipmap.cli", "check", "c.yaml"]
    answer = subprocess.run(run, capture_output=True, text=True, check=False)
    assert answer.returncode == 1 and answer.stderr.count("\n") == 1, answer.stderr
    assert answer.stderr.startswith('slipmap: areas.valley.grid.crs is "EPSG:99999", which is no')


def test_a_picture_of_a_scene_is_called_one(capsys):
    bands = np.full((4, 160, 160), 100, np.uint8)
    tif("s2_20210305.tif", bands, dtype="uint8", names=["B2", "B3", "B4", "B8"])
    found = said(capsys, sentinel2={"path": "s2_20210305.tif"})
    assert (
        "numbers from 0 to 255 in every band, as a picture does, and no reflectance" in found and "alpha" not in found
    )


def test_landslides_of_255_beside_nodata_of_0(capsys):
    marks = np.zeros((160, 160), np.uint8)
    marks[20:30, 20:30] = 255
    found = said(capsys, inventory=tif("i.tif", marks, dtype="uint8", nodata=0))
    assert "marks landslides with 255 and declares 0, the ground without, as nodata; write 1 for 255" in found


def test_files_apart_are_told_with_where_each_lies(capsys):
    optical("far_20230514.tif", transform=Affine(10, 0, 700_000, 0, -10, 5_001_600))
    arguments = ["init", "valley", "--dem", "dem.tif", "--sentinel2", "far_20230514.tif"]
    assert main(arguments) == 1
    found = capsys.readouterr().err
    # the central meridian of zone 32, 9 E, is at x = 500,000 m
    assert "--dem dem.tif (9.000 to 9.0" in found and "--sentinel2 far_20230514.tif (11.5" in found
    assert found.count("EPSG:32632") == 2 and "share no ground" in found


@pytest.mark.parametrize(
    ("right", "wrong", "tells"),
    [
        ("inventory: ", "inventory:../", "c.yaml line 9 is no 'key: value': 'inventory:../slides.gpkg'; a space"),
        ("      crs:", "\tcrs:", "c.yaml line 4 has a tab, which YAML does not take; use spaces"),
        ("[500000, ", "[500000  ", "areas.valley.grid.bounds has '500000  5000000' for one number; a comma is missing"),
    ],
    ids=["space", "tab", "comma"],
)
def test_a_slip_in_the_text_is_told_where_it_is(right, wrong, tells, capsys):
    if wrong.startswith("["):
        wrong_text = TEXT.replace(right, wrong).replace("5001600]", "5001600, 0]")
    else:
        wrong_text = TEXT.replace(right, wrong)
    assert tells in said(capsys, text=wrong_text)


def test_pixels_that_are_too_fine_are_the_fault_and_not_the_buffer(capsys):
    found = said(capsys, grid={"resolution": 0.1, "bounds": [500000, 5000000, 500100, 5000100]})
    assert found.startswith("slipmap: areas.valley.grid.resolution is 0.1 m: ") and "coarser resolution" in found
