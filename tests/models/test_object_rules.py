"""The object stage of ResU-Net-OBIA, against shapely, and in the scores."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rasterio.features import shapes
from shapely.geometry import shape

from helpers.training_stores import tiny_store
from slipmap.config.run import ExperimentSettings
from slipmap.models import create_model
from slipmap.models.blocks.object_rules import keep_objects
from slipmap.training import evaluate, train


def test_specks_and_roads_are_no_landslides():
    found = np.zeros((30, 40), bool)
    found[2:10, 2:10] = True  # a square of 64 pixels: compactness pi / 4
    found[20, 1:35] = True  # a road: 34 pixels, compactness 4 pi 34 / 70²= 0.087
    found[5:8, 20:23] = True  # nine pixels
    expected = np.zeros_like(found)
    expected[2:10, 2:10] = True
    np.testing.assert_array_equal(keep_objects(found, 16, 0.1), expected)
    expected[20, 1:35] = True
    np.testing.assert_array_equal(keep_objects(found, 16, 0.08), expected)
    np.testing.assert_array_equal(keep_objects(found, 1, 0.0), found)


@given(arrays(bool, (9, 11)), st.integers(1, 8), st.floats(0, 0.7))
def test_objects_are_the_polygons_of_rasterio(found, least, compact):
    """Area and perimeter of each are those of its outline, holes included."""
    expected = np.zeros_like(found)
    for geometry, value in shapes(found.astype(np.uint8), connectivity=4):
        polygon = shape(geometry)
        if value and polygon.area >= least and 4 * np.pi * polygon.area / polygon.length**2 >= compact:
            for geometry_of_pixel, inside in _pixels(found):
                if inside and polygon.contains(geometry_of_pixel):
                    expected[int(geometry_of_pixel.y), int(geometry_of_pixel.x)] = True
    np.testing.assert_array_equal(keep_objects(found, least, compact), expected)


def _pixels(found):
    from shapely.geometry import Point

    return [(Point(col + 0.5, row + 0.5), found[row, col]) for row, col in np.ndindex(found.shape)]


def test_other_methods_have_no_such_stage():
    found = np.eye(5, dtype=bool)
    assert create_model("resunet", 2, 1, width=1 / 8).object_stage(found) is found
    assert not create_model("resunet_obia", 2, 1, width=1 / 8).object_stage(found).any()


def test_scores_are_of_what_is_left_after_it(tmp_path):
    """With rules that nothing passes no landslide is found; with none, scores are those of the network alone."""
    store = tiny_store(tmp_path / "d.zarr")
    settings = ExperimentSettings(
        dataset="d",
        train_areas=["simulated"],
        model={"name": "resunet_obia", "options": {"width": 0.125, "least_pixels": 1, "least_compactness": 0.0}},
        training={"epochs": 6, "batch_size": 4},
    )
    folder = tmp_path / "seed_0"
    record = train.run([store], None, settings, 0, folder)
    plain = evaluate.run([store], folder, tmp_path / "a.json")
    assert plain["counts"]["true_positive"] > 0
    alone = record | {"model": record["model"] | {"name": "resunet", "options": {"width": 0.125}}}
    (folder / "model.json").write_text(json.dumps(alone))
    assert evaluate.run([store], folder, tmp_path / "b.json")["pooled_over_pixels"] == plain["pooled_over_pixels"]
    strict = record | {"model": record["model"] | {"options": {"width": 0.125, "least_pixels": 200}}}
    (folder / "model.json").write_text(json.dumps(strict))
    scored = evaluate.run([store], folder, tmp_path / "c.json")
    assert scored["counts"]["true_positive"] == scored["counts"]["false_positive"] == 0
    assert scored["pooled_over_pixels"]["auc_roc"] == pytest.approx(plain["pooled_over_pixels"]["auc_roc"])
    assert scored["objects"]["detection_rate"] == 0
