"""What the report says first: how many landslides, how right the map is, where it should not be trusted."""

import re
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import Point

from helpers.report_samples import GRID, run_settings, words
from helpers.report_samples import make_report as make
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches.split import INDEPENDENCE
from slipmap.report import headline, landslides, limits


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return make(tmp_path_factory.mktemp("full"), run_settings())


def test_simulated_data_are_called_simulated(full):
    assert "Simulated data" in full[0] and "says nothing about any real place" in full[0]


def test_the_first_screen_counts_landslides_new_ones_and_moving_ones(full):
    """Two landslides of 20,000 and 6,400 m² on 800,000: one new, one moving; the map is right on 48 of 64 pixels."""
    page, _ = full
    cards = [
        words(card).split() for card in re.findall(r"<li>(.*?)</li>", page.partition('class="facts cards"')[2])[:4]
    ]
    said = [" ".join(card) for card in cards]
    assert said[0].startswith("2 landslides outlined 3.3 % of the area")
    assert said[1].startswith("1 not in the inventory new, or false alarms; 1 match it. Their mean probability is 0.83")
    assert said[2].startswith("1 moving 1 without movement detected; 0 the radar cannot tell")
    assert said[3].startswith("75 % of the ground mapped is right and 75 % of the landslide ground is found")


@pytest.mark.parametrize(
    ("precision", "recall", "value", "said"),
    [
        (0.476, 0.331, "48 %", "and 33 % of the landslide ground is found"),
        (np.nan, 0.0, "None", "and 0 % of the landslide ground is found"),
        (0.0, np.nan, "0 %", "and the inventory has no landslide there"),
        (None, None, "Not known", "there is no test ground here"),
    ],
)
def test_the_first_screen_says_how_right_the_map_is_whatever_is_there(precision, recall, value, said):
    rows = [("rs", "training", 90, 10, 0.9, 0.9)]
    if precision is not None:
        rows.append(("rs", "test", 48, 52, precision, recall))
    columns = ["experiment", "ground", "true_positive", "false_positive", "precision", "recall"]
    card = headline.trust("rs", {"map_agreement": pd.DataFrame(rows, columns=columns)})
    assert card["value"] == value and card["detail"].startswith(said) and "Over the whole" not in card["detail"]


def test_the_first_screen_warns_of_a_map_that_is_worse_off_test_ground():
    """On Romagna's test blocks 38 % of the mapped ground was right, on all of it 10 %."""
    rows = [("unet", "training", 351, 3767, 0.085, 0.789), ("unet", "test", 69, 112, 0.381, 0.645)]
    columns = ["experiment", "ground", "true_positive", "false_positive", "precision", "recall"]
    card = headline.trust("unet", {"map_agreement": pd.DataFrame(rows, columns=columns)})
    assert card["value"] == "38 %" and card["detail"].endswith("Over the whole map only 10 % is")


@pytest.mark.parametrize(
    ("method", "train_areas", "said", "unsaid"),
    [
        ("blocks", ["valley"], "held out by blocks, yet it lies in the same area", "drawn at random"),
        ("kfold", ["valley"], "held out by blocks, yet it lies in the same area", "drawn at random"),
        ("random", ["valley"], "drawn at random among training patches and touch them", "held out"),
        ("area", ["other"], "rs learnt nothing in this area", "cover training ground"),
        (None, ["valley"], "Test ground is held out, yet", "by blocks"),
    ],
)
def test_limits_say_how_test_ground_was_set_apart(tmp_path, method, train_areas, said, unsaid):
    path, grid = tmp_path / "split.tif", Grid.from_bounds("EPSG:32632", 10, (0, 0, 20, 20))
    tags = {"SPLIT_METHOD": method, "SPLIT_INDEPENDENCE": INDEPENDENCE[method]} if method else {}
    raster.write(
        path, grid, np.zeros(grid.shape, np.uint8), bands=["s"], units="1", long_name="s", dtype="uint8", tags=tags
    )
    tested = {"rs": SimpleNamespace(settings=SimpleNamespace(train_areas=train_areas))}
    text = " ".join(limits._test_ground(SimpleNamespace(area="valley", split=path, tested=tested)))
    assert said in text and unsaid not in text
    assert ("cover training ground" in text) == (train_areas == ["valley"])


def test_a_random_split_is_named_where_its_scores_stand(full):
    table = pd.read_csv(full[1] / "map_agreement.csv")
    assert set(table["independence"]) == {"spatial independence unknown (split supplied by the user)"}
    assert "spatial independence unknown (split supplied by the user)" in words(full[0])
    rows = pd.DataFrame(
        [("rs", "test", 48, 16, 0.75, 0.75)],
        columns=["experiment", "ground", "true_positive", "false_positive", "precision", "recall"],
    )
    for method in ("random", "blocks"):
        card = headline.trust("rs", {"map_agreement": rows.assign(independence=INDEPENDENCE[method])})
        assert ("RANDOM split" in card["detail"]) == (method == "random")


def test_the_first_screen_counts_each_kind_of_motion():
    frame = pd.DataFrame({"motion": ["moving"] * 3 + ["no movement detected"] * 2 + ["not observable"]})
    card = headline.cards(SimpleNamespace(grid=GRID), {}, {"rs": frame.assign(area_m2=100.0)})[1]
    assert card["value"] == "3" and card["detail"] == "2 without movement detected; 1 the radar cannot tell"


def test_a_map_that_is_no_probability_says_so_on_the_first_screen():
    blank = {"usable": False, "alarms": ["The map is all but blank."], "unseen_said": ""}
    rocks = {"usable": True, "alarms": [], "unseen_said": "Training saw nothing of 4.0% of the ground."}
    fine = {"usable": True, "alarms": [], "unseen_said": ""}
    experiments = {
        name: SimpleNamespace(usable=told)
        for name, told in (("rs", blank), ("dr", rocks), ("good", fine), ("none", None))
    }
    found = headline.alarms(SimpleNamespace(experiments=experiments))
    assert [(alarm["name"], alarm["usable"]) for alarm in found] == [("rs", False), ("dr", True)]


def test_alarms_stand_on_the_first_screen(full):
    top = full[0][: full[0].index("</header>")]
    assert "Do not read the map of rs as probabilities" in top
    assert "lie between 0.010 and 0.040. Training saw nothing of basalt." in top
    assert "About the map of rs_dr" in top


def test_close_ups_show_the_largest_landslides_of_test_ground(full):
    """Of the two landslides one is on test ground: 8 x 8 pixels at row 60, column 70."""
    page, _ = full
    assert "Close-ups of test ground" in page and "Place 2" not in page
    shown = re.findall(r'data-show="([^"]*)" data-at="([^"]*)"', page)
    pictures = ("hillshade inventory@0.35", "hillshade rs.agreement", "hillshade rs_dr.agreement")
    assert shown == [(ids, "74 64 48") for ids in pictures]


def test_moving_landslides_come_first_then_new_ones():
    frame = gpd.GeoDataFrame(
        {
            "landslide": [1, 2, 3, 4, 5],
            "area_m2": [900.0, 100.0, 200.0, 300.0, 800.0],
            "motion": ["not observable", "moving", "moving", "no movement detected", "not observable"],
            "inventory": ["matched", "matched", "matched", "new", "matched"],
        },
        geometry=[Point(0, 0)] * 5,
    )
    assert landslides.first_to_look_at(frame)["landslide"].tolist() == [3, 2, 4, 1, 5]
    head, rows = landslides.table_rows(landslides.first_to_look_at(frame), most=1)
    assert head == ["No.", "Motion", "Inventory", "Area, m²"] and rows == [["3", "moving", "matched", "200"]]


def test_limits_of_simulated_data_begin_with_saying_so(full):
    shown = words(full[0].partition('id="limits"')[2])
    assert "The data are simulated. A score or an rms of this report is a test of the software" in shown
