"""What an event map is to be made of, looked at before any work: one sentence for each thing that cannot be."""

import dataclasses

import numpy as np
import pytest

from helpers.sentinel1_samples import first_pass, swath_of, write_blank
from slipmap.config.inputs import InputSettings, Sentinel1Settings
from slipmap.config.run import AreaSettings
from slipmap.errors import InputError
from slipmap.event.check import check_event
from slipmap.simulator.write_safe import write_product


def area(path, day="2021-01-15", *, level="safe", vh="products"):
    source = Sentinel1Settings(level=level, path=str(path))
    grid = {"crs": "EPSG:32632", "bounds": [500000, 5000000, 503000, 5003000]}
    return AreaSettings(grid=grid, inputs=InputSettings(sentinel1=source), event={"date": day, "vh": vh})


def silent(burst):
    return np.zeros((burst.lines, burst.samples), np.complex64)


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """Products of two days: the first has VV and VH, the second VV alone in the folder "one" and both in "both"."""
    folder = tmp_path_factory.mktemp("products")
    days = [
        dataclasses.replace(swath_of(first_pass()), epoch=np.datetime64(day).astype("M8[ns]"))
        for day in ("2021-01-09", "2021-01-21")
    ]
    for name in ("one", "both"):
        write_product(folder / name, days[0], silent, silent)
    write_blank(folder / "one", days[1])
    write_product(folder / "both", days[1], silent, silent)
    return folder


def test_products_on_both_sides_of_the_event_with_what_is_asked_for_are_enough(products):
    check_event(area(products / "both"), "areas.a")
    check_event(area(products / "one", vh=None), "areas.a")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"path": "both", "day": "2021-01-08"}, r"areas.a.event.date: no image before 2021-01-08 in .*2021-01-09"),
        ({"path": "both", "day": "2021-01-22"}, r"areas.a.event.date: no image after 2021-01-22 in .*; wait for the"),
        ({"path": "one"}, r"areas.a.event.vh: .*_1SSV_20210121.* has no VH \(it has VV\); set event.vh to null"),
        ({"path": "both", "vh": "folder"}, "areas.a.event.vh: the level is safe; give 'products'"),
        ({"path": "both", "level": "slc"}, "areas.a.event.vh: the level is slc; name the folder of the VH images"),
        ({"path": "both", "level": "unwrapped"}, "areas.a.event: the event map needs SLCs"),
    ],
)
def test_what_cannot_be_is_one_sentence(products, given, said):
    with pytest.raises(InputError, match=said):
        check_event(area(**(given | {"path": products / given["path"]})), "areas.a")
