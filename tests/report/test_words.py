"""Words, numbers and colours of the page: one and many, what is not known, east and west, sizes, contrast."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers.report_samples import GRID, build_report, run_settings, write_area
from slipmap import colours
from slipmap.config.motion import ActiveAreaSettings
from slipmap.io import raster
from slipmap.report import active_areas, headline, sections, susceptibility
from slipmap.report.tabular import degrees, with_spread
from slipmap.training.objects import ObjectCounts


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_colours_stand_out_as_wcag_asks_of_graphics():
    """3 : 1 (1.4.11): areas against white ground; outlines by their dark edge, and each line against that edge."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for _, colour in colours.AGREEMENT.values():
        assert contrast(colour, "#ffffff") >= 3
    assert contrast(colours.CASING, "#ffffff") >= 12
    for colour in (*colours.MOTION.values(), colours.OUTLINE):
        assert contrast(colour, colours.CASING) >= 3


def test_one_and_none_are_not_many():
    one = pd.DataFrame({"motion": ["moves, not downslope"], "area_m2": [100.0]})
    areas = pd.DataFrame({"area": [1], "covered_by_rs": [0.5]})
    untitled = {"rs": SimpleNamespace(called="U-Net (rs)")}
    outlined, moving, _ = headline.cards(
        SimpleNamespace(grid=GRID, experiments=untitled), {"active_areas": areas}, {"rs": one}
    )
    assert outlined["label"] == "landslide outlined"
    assert moving["detail"].startswith("1 moves, but not downslope; 0 without movement detected")
    assert moving["detail"].endswith("by the radar alone 1 active area, 1 of which touches an outline")
    lost = {f"{k}{end}": np.nan for k in ("velocity_mean", "velocity_max") for end in ("", "_std")}
    row = {"area": 1, "area_m2": 1e4, "quality": 1, "trend": "", "downslope_mean": 5.0, "downslope_mean_std": np.nan}
    found = active_areas.section(pd.DataFrame([row | lost]), ActiveAreaSettings())
    assert found["text"][0].startswith("1 active area. ")
    assert found["table"]["rows"][0][2:5] == ["–", "–", "5.0"]  # no "– ± –"


def test_no_landslide_that_the_radar_cannot_tell_is_no_limit(full):
    assert "landslides outlined: the radar cannot tell there" not in full[0]


def test_numbers_with_what_is_not_known_and_places_of_all_quarters():
    assert with_spread(-3.14, 0.5, 1) == "−3.1 ± 0.5" and with_spread(np.nan, 1.0, 1) == "–"
    assert degrees(19.42, -99.182, 4) == "19.4200° N, 99.1820° W"
    assert degrees(-33.5, 151.25, 2) == "33.50° S, 151.25° E"


def test_sizes_of_landslides_are_round_and_meet():
    """Classes of 4, 16 and 64 pixels of 12.5 m: 625, 2500 and 10,000 m²."""
    counts = ObjectCounts(edges=(4, 16, 64))
    known, plain = (counts.summary(area)["by_size"] for area in (156.25, None))
    assert [sections._size(kind) for kind in known] == [
        "up to 0.0625 ha",
        "0.0625 to 0.25 ha",
        "0.25 to 1 ha",
        "more than 1 ha",
    ]
    assert [sections._size(kind) for kind in plain] == [
        "1 to 4 pixels",
        "5 to 16 pixels",
        "17 to 64 pixels",
        "65 pixels and more",
    ]


def test_cross_validation_is_a_row_with_spreads_and_an_interval():
    row = {"model": "GAM", "scheme": "knndm", "accuracy": 0.81, "accuracy_std": 0.02, "auc": 0.9, "auc_std": np.nan}
    found = susceptibility.cross_validation(pd.DataFrame([row | {"auc_low": 0.85, "auc_high": 0.94, "default": True}]))
    assert found["head"] == ["model", "folds", "accuracy", "AUROC", "95 % interval of the AUROC", "read this"]
    expected = ["GAM", "distances of the map (kNNDM)", "0.810 ± 0.020", "0.900", "0.850 to 0.940", "yes"]
    assert found["rows"] == [expected]


def test_a_product_without_a_value_is_no_layer(tmp_path):
    """An annual cycle that half a year cannot tell; the step beside it is there."""
    write_area(tmp_path)
    values = np.full((8, *GRID.shape), np.nan, np.float32)
    values[7] = 3.0
    path = tmp_path / "results/valley/deformation/kinematics.tif"
    raster.write(path, GRID, values, bands=[f"b{i}" for i in range(8)], units="mm", long_name="x")
    build_report(run_settings(), tmp_path, tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Largest step of the displacement" in page and "Amplitude of the annual cycle" not in page
