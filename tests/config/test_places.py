"""A key in the wrong section is told where it belongs."""

import pytest

from slipmap.config import parse_config
from slipmap.config.places import places_of
from slipmap.errors import InputError

GRID = {"crs": "EPSG:32632", "resolution": 10, "bounds": [0, 0, 1000, 1000]}


@pytest.mark.parametrize(
    ("section", "key", "place"),
    [
        ({"report": {"min_area": 2000}}, "min_area", "experiments.NAME.prediction"),
        ({"epochs": 3}, "epochs", "experiments.NAME.training"),
        ({"deformation": {"dem": "d.tif"}}, "dem", "areas.NAME.acquire and areas.NAME.inputs"),
        ({"inputs": {"resolution": 10}}, "resolution", "areas.NAME.grid"),
    ],
)
def test_the_message_names_the_section_that_has_the_key(section, key, place):
    with pytest.raises(InputError) as refused:
        parse_config({"areas": {"valley": {"grid": GRID} | section}})
    said = str(refused.value)
    assert "unknown key" in said and f"'{key}' stands under {place}" in said


def test_a_name_of_nowhere_or_of_many_sections_has_no_place():
    assert places_of("min_areaa") == [] and places_of("path") == []
