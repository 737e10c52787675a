"""What the report says first: how many landslides, how right the map is, where it should not be trusted."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers.report_samples import GRID, run_settings, words
from slipmap.config.run import ExperimentSettings
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches.split import INDEPENDENCE
from slipmap.report import headline, landslide_truth, limits, quality, summary
from slipmap.report.sources import Experiment

UNTITLED = {"rs": Experiment("rs", ExperimentSettings(), {})}


def test_simulated_data_are_called_simulated(full):
    assert "Simulated data" in full[0] and "says nothing about any real place" in full[0]


def test_the_first_screen_counts_landslides_new_ones_and_moving_ones(full):
    """Two landslides of 20,000 and 6,400 m² on 800,000: one new, one moving; the map is right on 48 of 64 pixels."""
    page, _ = full
    cards = [
        words(card).split() for card in re.findall(r"<li>(.*?)</li>", page.partition('class="facts cards"')[2])[:3]
    ]
    said = [" ".join(card) for card in cards]
    assert said[0].startswith("2 landslides outlined 3.3 % of the area. U-Net (rs_dr). 1 of them not in the inventory")
    assert (
        "new, or false alarms; 1 match it. Mean probability of those not in the inventory 0.83, of those that"
        in said[0]
    )
    assert said[1].startswith("1 moving 1 without movement detected; 0 the radar cannot tell")
    assert said[2].startswith("75 % of what is mapped on test ground is right and 75 % of the landslide ground")
    table = pd.read_csv(full[1] / "headline.csv")  # what the run's last lines repeat
    assert table["label"].tolist()[:3] == ["landslides outlined", "not in the inventory", "moving"]


def test_the_summary_and_methods_name_the_images_that_were_used(full):
    """Six radar dates and eight pairs of the sample; two scenes in a factor's tags."""
    shown = words(full[0])
    assert "by 6 radar images (8 interferograms), 2 optical scenes." in shown.partition("Too few test landslides")[0]
    methods = " ".join(words(full[0].partition('id="observed"')[2].partition("</table>")[0]).split())
    assert "radar (Sentinel-1) 6 8 2021-01-09, 2021-02-02" in methods
    assert "optical (Sentinel-2) 2 – 2021-02-10, 2021-02-21" in methods


def test_scores_say_which_are_of_patches_and_which_of_the_finished_map(full):
    shown = words(full[0].partition('id="scores"')[2])
    assert "of each network by itself, before calibration, pooled over test patches" in shown
    assert "all networks together, calibrated as the experiment asks" in shown
    assert "F1 of the finished map of rs_dr on test ground" in words(full[0])
    headings = [" ".join(words(h).split()) for h in re.findall("<h3>(.*?)</h3>", full[0].partition('id="scores"')[2])]
    assert headings[:2] == [
        "The finished maps against the inventory",
        "Single networks on test patches, before calibration",
    ]


def test_the_map_and_three_numbers_come_first_then_ten_places_then_where_not_to_use_it(full):
    order = ["verdict", 'class="overview"', "facts cards", 'id="places"', 'id="not-here"', 'id="from"', 'id="explore"']
    found = [full[0].index(part, full[0].index("<body")) for part in order]
    assert found == sorted(found)


def map_of(usable=None):
    return SimpleNamespace(usable=usable, maps={"probability": "p.tif"})


@pytest.mark.parametrize(
    ("usable", "right", "found", "independence", "word", "reason"),
    [
        (
            None,
            0.7,
            0.6,
            "spatial blocks",
            "Usable",
            "70\u202f% of what is mapped as landslide is landslide, 60\u202f%",
        ),
        (None, 0.49, 0.9, "spatial blocks", "For screening only", "49\u202f% of what is mapped as landslide"),
        (None, 0.9, 0.49, "spatial blocks", "For screening only", "a usable map reaches 50\u202f% in both"),
        (None, np.nan, 0.0, "spatial blocks", "For screening only", "an unknown share of what is mapped"),
        (None, 0.9, 0.9, INDEPENDENCE["random"], "For screening only", "drawn at random among training ground"),
        (None, None, None, None, "For screening only", "no test ground here"),
        ({"usable": False, "alarms": ["All but blank."]}, 0.9, 0.9, "spatial blocks", "Not usable", "All but blank."),
    ],
)
def test_the_verdict_and_its_reason(usable, right, found, independence, word, reason):
    rows = [] if right is None else [("rs", "test", right, found, independence)]
    columns = ["experiment", "ground", "precision", "recall", "independence"]
    said = verdict_of(pd.DataFrame(rows, columns=columns), 20, 5, usable)
    assert said["word"] == word and reason in said["reason"]


def verdict_of(rows, count, blocks, usable=None, hit=6):
    found = pd.DataFrame(
        [("rs", "test", count, hit, blocks)], columns=["experiment", "ground", "landslides", "found", "blocks"]
    )
    numbers = {"map_agreement": rows, "inventory_found": found}
    return summary.verdict(SimpleNamespace(mapped={"rs": map_of(usable)}), numbers, GRID)


@pytest.mark.parametrize(
    ("count", "blocks", "usable"),
    [(9, 3, False), (19, 5, False), (20, 4, False), (20, 5, True), (20, np.nan, True), (19, np.nan, False)],
)
def test_no_map_is_usable_by_a_handful_of_test_landslides(count, blocks, usable):
    rows = pd.DataFrame([("rs", "test", 0.58, 0.98)], columns=["experiment", "ground", "precision", "recall"])
    said = verdict_of(rows, count, blocks)
    assert (said["word"] == "Usable") == usable
    assert said["reason"].startswith("Too few test landslides to tell") != usable
    where = "" if blocks != blocks else f" in {blocks:.0f} blocks"
    assert (
        f"{count} landslides{where}" in said["reason"]
        and "58\u202f%" in said["reason"]
        and "98\u202f%" in said["reason"]
    )
    if count == 9:  # Wilson's interval of 6 of 9, by his formula
        p, n, z = 6 / 9, 9, 1.959964
        middle, half = (p + z**2 / 2 / n), z * np.sqrt(p * (1 - p) / n + z**2 / 4 / n**2)
        low, high = (100 * (middle + sign * half) / (1 + z**2 / n) for sign in (-1, 1))
        assert f"may mean {low:.0f}\u202f% to {high:.0f}\u202f% elsewhere" in said["reason"]


def test_the_verdict_without_a_map_is_of_the_velocity(tmp_path):
    coherence = np.full(GRID.shape, 0.9, np.float32)
    coherence[:, :25] = 0.3  # a quarter
    raster.write(tmp_path / "c.tif", GRID, coherence, bands=["c"], units="1", long_name="c")
    sources = SimpleNamespace(
        mapped={},
        event=None,
        deformation={"velocity": tmp_path / "v.tif", "temporal_coherence": tmp_path / "c.tif"},
        settings=run_settings().areas["valley"],
    )
    said = summary.verdict(sources, {}, GRID)
    assert said["word"] == "Usable" and "75\u202f% of the ground" in said["reason"]
    assert summary.verdict(SimpleNamespace(mapped={}, event=None, deformation={}), {}, GRID)["word"] == "Not usable"
    sources.event = {"landslides": 8, "by_confidence": {"high": 3, "medium": 4, "low": 1}}
    said = summary.verdict(sources, {}, GRID)
    assert said["word"] == "For screening only" and "3 of its 8 landslides are of high confidence" in said["reason"]


def test_the_verdict_says_why_no_velocity_is_reliable(tmp_path):
    classes = np.full(GRID.shape, 4, np.uint8)  # no redundancy
    classes[:, :25] = 2  # low coherence, a quarter
    raster.write(tmp_path / "r.tif", GRID, classes, bands=["r"], units="1", long_name="r", dtype="uint8")
    raster.write(tmp_path / "m.tif", GRID, 0 * classes, bands=["m"], units="1", long_name="m", dtype="uint8")
    found = {"velocity": tmp_path / "v.tif", "mask": tmp_path / "m.tif", "reliability": tmp_path / "r.tif"}
    sources = SimpleNamespace(mapped={}, deformation=found, event=None)
    said = summary.verdict(sources, {}, GRID)
    assert said["word"] == "Not usable"
    assert "read on 0\u202f% of the ground" in said["reason"]
    assert "(no redundancy 75\u202f%, low coherence 25\u202f% of the ground)" in said["reason"]
    assert quality.in_words(sources, GRID) == "no redundancy 75\u202f%, low coherence 25\u202f%"


def test_the_numbers_on_the_map_stand_where_the_places_are(full):
    """Landslide 2 (columns 72 to 80, rows 60 to 68 of 100 by 80) first, then landslide 1 (32 to 42, 20 to 40)."""
    drawn = re.findall(
        r'<a class="pin( under)?" href="[^"]*" title="[^"]*" style="left:([0-9.]+)%;top:([0-9.]+)%">(\d+)</a>', full[0]
    )
    assert [(float(left), float(top), number) for _, left, top, number in drawn] == [(76, 80, "1"), (37, 37.5, "2")]
    listed = re.findall(r'<i class="pin">(\d+)</i> <a href="#landslide=(\d+)', full[0])
    assert listed == [("1", "2"), ("2", "1")] and "place to look at first" in full[0]
    (high,) = summary.pins([{"xy": GRID.transform @ (50, 4), "href": "#area=3", "what": "A"}], GRID)
    assert high == {
        "number": 1,
        "href": "#area=3",
        "what": "A",
        "left": 50,
        "top": 5,
    }  # near the upper edge the number stands under its place


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
    all_of_it = {"rs": frame.assign(area_m2=800000 / 6)}
    assert headline.cards(SimpleNamespace(grid=GRID, experiments=UNTITLED), {}, all_of_it)[0]["detail"].startswith(
        "100 % of the area"
    )
    card = headline.cards(SimpleNamespace(grid=GRID, experiments=UNTITLED), {}, {"rs": frame.assign(area_m2=100.0)})[1]
    assert card["value"] == "3" and card["detail"] == "2 without movement detected; 1 the radar cannot tell"


def test_active_areas_are_counted_beside_what_moves_and_the_new_beside_what_the_simulator_placed():
    frame = pd.DataFrame({"motion": ["moving", "moves slowly"], "inventory": "new", "area_m2": 100.0})
    areas = pd.DataFrame({"area": [1, 2, 3], "covered_by_rs": [0.2, 0.0, 1.0], "covered_by_other": 0.0})
    truth = pd.DataFrame({"experiment": ["other", "rs"], "said": landslide_truth.NEW, "on a landslide": [9, 4]})
    sources, numbers = SimpleNamespace(grid=GRID, experiments=UNTITLED), {"active_areas": areas}
    _, new, moving, _ = headline.cards(sources, numbers, {"rs": frame})
    assert moving["detail"].startswith("1 moves slowly;")
    assert moving["detail"].endswith("by the radar alone 3 active areas, 2 of which touch an outline")
    assert new["detail"].startswith("new, or false alarms; 0 match")  # on real ground nobody knows
    _, new, _, _ = headline.cards(sources, numbers | {"landslide_truth": truth}, {"rs": frame})
    assert new["detail"].startswith("new, or false alarms (4 of them on a landslide of the simulator); 0 match")


def test_without_a_map_the_first_screen_counts_what_the_radar_sees():
    event = {"landslides": 3, "landslide_area_m2": 26400.0, "by_confidence": {"high": 1, "medium": 0, "low": 2}}
    areas = pd.DataFrame({"area": [4, 9], "area_m2": [1e4, 6e3], "velocity_mean": [8.0, -31.0]})
    numbers = {"active_areas": areas.assign(velocity_mean_std=2.0)}
    found = headline.cards(SimpleNamespace(grid=GRID, event=event), numbers, {})
    assert [(c["value"], c["label"]) for c in found] == [
        ("3", "landslides of the event"),
        ("2", "active areas"),
        ("−31 ± 2 mm/yr", "is the fastest"),
    ]
    assert found[0]["detail"] == "on 2.64 ha; 1 of high, 0 of medium, 2 of low confidence"
    assert found[1]["detail"].startswith("2 % of the area") and found[2]["detail"].startswith("active area 9,")


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
    top = full[0][: full[0].index('id="explore"')]
    assert "Do not read the map of rs as probabilities" in top
    assert "lie between 0.010 and 0.040. Training saw nothing of basalt." in top
    assert "About the map of rs_dr" in top


def test_close_ups_show_the_largest_landslides_of_test_ground(full):
    """Of the two landslides one is on test ground: 8 x 8 pixels at row 60, column 70."""
    page, _ = full
    assert "Close-ups of test ground" in page and "Place 2" not in page
    shown = re.findall(r'data-show="([^"]*)" data-at="([^"]*)"', page)
    pictures = ("hillshade inventory@0.35", "hillshade rs.agreement", "hillshade rs_dr.agreement")
    assert shown == [(ids, "74 56 48") for ids in pictures]  # not beyond the area's 80 rows
    title = re.search(r"<h4>(45\.15\d+° N, 9\.00\d+° E: .*?)</h4>", page)[1]
    assert title.endswith(": landslide 2 of rs; landslide 2 of rs_dr")


def test_limits_of_simulated_data_begin_with_saying_so(full):
    shown = words(full[0].partition('id="limits"')[2])
    assert "The data are simulated. A score or an rms of this report is a test of the software" in shown
