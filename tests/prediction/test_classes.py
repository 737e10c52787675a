"""Classes are matched by name: an area numbers its rocks for itself."""

import numpy as np
import pytest

from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches.normalisation import BandStatistics, Statistics
from slipmap.prediction.reader import FactorReader

GRID = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 500040, 5000010))
TRAINED = Statistics(
    "zscore", (BandStatistics("lithology", "categorical", classes={1: "clay", 2: "limestone", 3: "marl"}),)
)


def channels(tmp_path, codes, names):
    path = tmp_path / "lithology.tif"
    description = dict(bands=["lithology"], units="1", long_name="lithology", dtype="uint8", categories=names)
    raster.write(path, GRID, np.array([codes], np.uint8), **description)
    with FactorReader({"lithology": path}, ["lithology"], TRAINED.as_dict(), GRID) as reader:
        return reader.rows(0, 1)


def test_the_same_rock_under_another_number(tmp_path):
    made, valid = channels(tmp_path, [1, 2, 1, 255], {1: "limestone", 2: "marl"})
    np.testing.assert_array_equal(made[:, 0], [[0, 0, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0]])  # clay, limestone, marl
    np.testing.assert_array_equal(valid[0], [True, True, True, False])


def test_a_rock_that_training_did_not_know_is_none_of_those_it_knew(tmp_path):
    made, valid = channels(tmp_path, [1, 2, 2, 1], {1: "basalt", 2: "clay"})
    np.testing.assert_array_equal(made[:, 0], [[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    assert valid.all()


def test_no_rock_in_common(tmp_path):
    with pytest.raises(InputError, match="none of which the weights know for 'lithology'"):
        channels(tmp_path, [1, 1, 1, 1], {1: "basalt"})
