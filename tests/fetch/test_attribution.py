"""The report says of the data what their providers ask for."""

from datetime import date

import pytest

from slipmap.config import parse_config
from slipmap.report.attribution import sentences

GRID = {"crs": "EPSG:32632", "bounds": [0, 0, 1000, 1000]}


def area(**record):
    return parse_config({"areas": {"valley": {"grid": GRID, **record}}}).areas["valley"]


def test_everything_that_is_fetched_is_attributed():
    kinds = ("sentinel1", "sentinel2", "dem", "lithology", "rainfall", "soil_moisture", "inventory")
    fetched = {"start": "2021-06-01", "end": "2023-02-01", **{kind: {} for kind in kinds}}
    text = sentences(area(acquire=fetched))
    assert text[0] == "Contains modified Copernicus Sentinel data 2021-2023."
    assert any(
        "© DLR e.V. 2010-2014 and © Airbus Defence and Space GmbH 2014-2018 provided under COPERNICUS" in t
        for t in text
    )
    for word in ("OPERA", "Macrostrat", "CHIRPS", "SMAP", "Global Landslide Catalog"):
        assert sum(word in t for t in text) == 1
    text = sentences(area(acquire=fetched | {"rainfall": {"product": "imerg"}, "sentinel1": {"product": "hyp3"}}))
    assert any("IMERG" in t for t in text) and any("HyP3" in t for t in text)


@pytest.mark.parametrize(
    "days, years",
    [((), ""), ((date(2022, 1, 3), date(2022, 5, 1)), " 2022"), ((date(2021, 1, 1), date(2022, 1, 1)), " 2021-2022")],
)
def test_own_sentinel_data_carry_the_notice_too(days, years):
    own = area(inputs={"sentinel2": {"path": "scenes"}, "dem": "dem.tif"})
    assert sentences(own, days) == [f"Contains modified Copernicus Sentinel data{years}."]


def test_simulated_data_are_nobodys():
    assert sentences(area(simulate={"seed": 3})) == []
    assert sentences(area(inputs={"dem": "dem.tif"})) == []
