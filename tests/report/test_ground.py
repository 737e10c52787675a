"""Where a model does not know the ground: shares of outlines by hand, and what each part of the page says of them."""

from itertools import combinations

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box

from helpers.report_samples import GRID, build_report, run_settings, words, write_area
from slipmap import colours
from slipmap.io import raster
from slipmap.report import ground, landslides, layers, summary

CLASSES = {0: "outside", 1: "inside", 2: "class unseen in training"}


def write_mask(path, codes):
    raster.write(path, GRID, codes, bands=["a"], units="1", long_name="a", dtype="uint8", categories=CLASSES)


def outline(col, row, wide, high):
    return box(*GRID.transform @ (col, row + high), *GRID.transform @ (col + wide, row))


def test_the_share_of_an_outline_outside_is_that_of_its_known_pixels(tmp_path):
    """Columns from 50 on are outside, rows from 70 on unknown; a sliver smaller than a pixel is judged where it is."""
    codes = np.ones(GRID.shape, np.uint8)
    codes[:, 50:], codes[:4, :4], codes[70:] = 0, 2, raster.CLASS_NODATA
    write_mask(tmp_path / "a.tif", codes)
    shapes = [outline(10, 10, 10, 10), outline(45, 20, 20, 10), outline(0, 0, 4, 4), outline(60, 65, 10, 10)]
    shapes += [outline(60.1, 30.1, 0.2, 0.2), outline(10, 72, 5, 5), outline(500, 0, 5, 5)]
    found = ground.with_share(gpd.GeoDataFrame(geometry=shapes, crs=GRID.crs), tmp_path / "a.tif")
    np.testing.assert_allclose(found["outside_share"], [0, 0.75, 1, 1, 1, np.nan, np.nan])
    assert found["ground"].tolist()[:2] == [
        "none of it",
        "75\u202f% of it: the probability is a guess there",
    ]
    assert found["ground"][2].startswith("all of it") and np.isnan(found["ground"][5])
    assert "ground" not in ground.with_share(found[["geometry"]], None)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0, "all of it on ground unlike what the model learnt from"),
        (0.25, "25\u202f% of it on ground unlike"),
        (0.002, ""),
        (np.nan, ""),
    ],
)
def test_a_row_says_how_much_is_outside(share, said):
    text = ground.in_row(share)
    assert text.startswith(said) and bool(text) == bool(said)


def test_summary_panel_legend_and_methods_say_where_the_model_does_not_know_the_ground(tmp_path):
    """Landslide 2 of the sample (columns 72 to 80) is all outside, an eighth of the ground is."""
    write_area(tmp_path)
    codes = np.ones(GRID.shape, np.uint8)
    codes[10:, 70:84] = 0  # 980 of 8000 pixels
    write_mask(tmp_path / "results/valley/maps/rs_dr/applicability.tif", codes)
    build_report(run_settings(), tmp_path, tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "The measured motion does not rest on it." in page.partition('id="places"')[0]
    places = words(page.partition('id="places"')[2].partition("</table>")[0])
    assert "Landslide 2" in places.partition("all of it on ground unlike what the model learnt from")[0]
    assert "unlike what" not in places.partition("Landslide 1")[2]
    assert "12\u202f% of it (layer “Where not to trust the map of rs_dr”)" in words(page)
    assert '"outside the ground it learnt from"' in page and "Meyer and Pebesma 2021" in page
    assert "all of it: the probability is a guess" in page.partition('id="map-data"')[2]


def test_landslides_carry_their_own_map_s_share(tmp_path):
    write_area(tmp_path)
    maps = tmp_path / "results/valley/maps/rs"
    write_mask(maps / "applicability.tif", np.zeros(GRID.shape, np.uint8))
    files = {"landslides": maps / "landslides.gpkg"}
    experiments = {"rs": type("E", (), {"maps": files | {"applicability": maps / "applicability.tif"}})}
    experiments["dr"] = type("E", (), {"maps": files})
    found = landslides.drawn(experiments)
    assert found["rs"]["outside_share"].tolist() == [1, 1] and "outside_share" not in found["dr"]
    assert "unlike what the model" not in summary.places({"dr": found["dr"]}, None, None)[0]["why"]


def _rgb(colour):
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)])


def test_no_two_things_laid_over_the_map_share_a_colour():
    """Motion, test ground, outside, unseen; a step of 40 in RGB is seen by every eye that sees lightness or hue."""
    used = [*colours.MOTION.values(), layers.SPLIT_COLOURS[2], *layers.UNLIKE.values()]
    for one, other in combinations(used, 2):
        assert np.linalg.norm(_rgb(one) - _rgb(other)) >= 40, (one, other)
