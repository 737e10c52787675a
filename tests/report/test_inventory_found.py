"""How many landslides a test of a map rests on, how many the map finds, and what the Summary says of both."""

import html
import shutil
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from helpers.report_samples import build_report, run_settings, words, write_area
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.report import augmentation, calibration, inventory_found
from slipmap.screening import driver


def write(path, grid, values, **tags):
    raster.write(path, grid, values, bands=["b"], units="1", long_name="b", dtype="uint8", tags=tags)
    return path


def test_landslides_are_counted_whole_and_blocks_where_test_ground_is(tmp_path):
    """Four landslides: half of one mapped, one mapped but for its test ground, one missed, one without a value there.

    A fifth, of 36 pixels, has 17 mapped: less than half, so that it is not found.
    """
    grid = Grid.from_bounds("EPSG:32632", 10, (0, 0, 400, 400))
    slides, found, split = (np.zeros(grid.shape, np.uint8) for _ in range(3))
    split[:, 20:30] = 2  # of blocks of 10 pixels: the third of four columns
    split[:10, 20:30] = 0
    for rows, cols in (((12, 14), (22, 25)), ((20, 22), (18, 22)), ((30, 32), (24, 26)), ((36, 38), (24, 26))):
        slides[slice(*rows), slice(*cols)] = 1
    slides[20:26, 30:36] = 1
    found[12, 22:25] = found[20:22, 18:20] = found[2, 2] = 1
    found[20:26, 30:33] = 1
    found[20, 30] = 0
    found[36:38] = 255
    paths = [write(tmp_path / "c.tif", grid, found), write(tmp_path / "i.tif", grid, slides)]
    given = write(tmp_path / "given.tif", grid, split)
    whole, test = inventory_found.count(*paths, given).to_dict("records")
    assert (whole["ground"], whole["landslides"], whole["found"]) == ("all", 5, 2)
    assert (test["ground"], test["landslides"], test["found"]) == ("test", 3, 1) and np.isnan(test["blocks"])
    made = write(tmp_path / "made.tif", grid, split, SPLIT_METHOD="blocks", SPLIT_BLOCK=10)
    assert inventory_found.count(*paths, made)["blocks"].tolist()[1] == 3
    assert inventory_found.count(*paths, None)["ground"].tolist() == ["all"]


def test_the_least_number_tells_a_half_to_about_a_fifth():
    """Why 20: with ten of twenty found, the 95 % interval is 30 to 70 % (Wilson); with fewer it is wider."""
    half = inventory_found.LEAST_LANDSLIDES // 2
    low, high = inventory_found.interval(half, inventory_found.LEAST_LANDSLIDES)
    assert (low, high) == pytest.approx((0.299, 0.701), abs=5e-4)
    fewer = inventory_found.interval(half - 1, inventory_found.LEAST_LANDSLIDES - 2)
    assert fewer[1] - fewer[0] > high - low
    assert inventory_found.interval(0, 0) == (0, 1)


def test_without_radar_the_summary_does_not_speak_of_motion_and_names_what_is_missed(tmp_path):
    """The second landslide of the sample is not mapped; the radar's results and the motion of outlines are gone."""
    write_area(tmp_path)
    results = tmp_path / "results/valley"
    shutil.rmtree(results / "deformation")
    (results / "factors/velocity.tif").unlink()
    for name in ("rs", "rs_dr"):
        path = results / f"maps/{name}/landslides.gpkg"
        frame = gpd.read_file(path, layer="landslides")
        path.unlink()
        still = [c for c in frame if not c.startswith(("motion", "velocity", "detectable", "aliasing"))]
        frame[still].to_file(path, layer="landslides", driver="GPKG")
        path = results / f"maps/{name}/class.tif"
        grid = Grid.from_raster(path)
        with raster.rasterio.open(path) as source:
            mapped = source.read(1)
        mapped[50:] = 0
        path.unlink()
        write(path, grid, mapped)
    codes = np.zeros(grid.shape, np.uint8)
    write(results / "maps/rs_dr/applicability.tif", grid, codes)
    build_report(run_settings(), tmp_path, tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    summary = html.unescape(words(page.partition('id="first"')[2].partition('id="from"')[0]))
    assert "Landslide 1" in summary and "all of it on ground unlike what the model learnt from" in summary
    assert "no radar here" not in summary and "Does it move" not in summary and "motion" not in summary
    assert (
        "of the inventory's 2 landslides (pieces at most two pixels apart count as one) the map has less than half of "
        "1 (layer" in summary
    )
    assert pd.read_csv(tmp_path / "tables/verdict.csv")["reason"][0].startswith("Too few test landslides to tell: 1 ")


@pytest.mark.parametrize(("after", "said"), [(0.0722, True), (0.0668, False), (0.05, False)])
def test_a_calibration_that_made_test_ground_worse_is_owned_up_to(after, said):
    settings = SimpleNamespace(prediction=SimpleNamespace(calibration="best"))
    test = {"calibration_chosen": "platt", "calibration": {"none": {"brier": 0.0668}, "platt": {"brier": after}}}
    tested = {"rs": SimpleNamespace(settings=settings, tests=[test])}
    found = calibration.worse(SimpleNamespace(tested=tested))
    assert bool(found) == said
    if said:
        assert "worse (0.0668 before, 0.0722 after): it is chosen and fitted on validation ground" in found[0]


def test_remarks_are_whole_sentences():
    used = SimpleNamespace(centerrep=False)
    assert "(for comparison only: the training did not use it)" in augmentation._caption(
        {"used": used, "names": ["rs"]}
    )
    remarks = driver._remarks(["slope"], SimpleNamespace(categories=()), SimpleNamespace(keep=["slope"]))
    assert remarks == {"slope": "Kept because screening.keep names it."}
