"""Products with less in them than a whole scene: cut to bursts, without bursts, with empty ones, numbered otherwise."""

import dataclasses
import shutil

import numpy as np
import pytest

from helpers.sentinel1_samples import (
    GRID,
    cut,
    edit,
    first_pass,
    geocoded,
    swath_of,
    targets,
    write_blank,
    write_dem,
    write_points,
)
from slipmap.check.run import check_area
from slipmap.config.geocoding import GeocodingSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.config.run import AreaSettings
from slipmap.errors import InputError
from slipmap.sentinel1.acquisitions import find_dates
from slipmap.sentinel1.annotation import line_time
from slipmap.sentinel1.products import find_products, open_product
from slipmap.sentinel1.scene import counterparts, read_scene


@pytest.fixture(scope="module")
def whole():
    swath = swath_of(first_pass(), lines=220, overlap=40)
    assert len(swath.bursts) >= 3
    return swath


@pytest.fixture
def blank(whole, tmp_path):
    return write_blank(tmp_path / "safe", whole)


def dates(folder, orbits=None):
    return find_dates(Sentinel1Settings(level="safe", path=str(folder), orbits=orbits), GeocodingSettings())


def area(folder, **source):
    return AreaSettings(
        grid={"crs": GRID.crs, "resolution": 12.5, "bounds": GRID.bounds},
        inputs={"dem": str(write_dem(folder)), "sentinel1": {"level": "safe", "path": str(folder / "safe")} | source},
    )


@pytest.mark.parametrize("renumber", [True, False])
@pytest.mark.parametrize("keep", [range(1), range(1, 2), range(1, 3)])
def test_a_cut_product_has_the_timing_of_the_whole_one(whole, tmp_path, keep, renumber):
    product = write_blank(tmp_path, cut(whole, keep, renumber=renumber))
    [swath] = open_product(product).swaths("VV")
    assert swath.bistatic_reference == pytest.approx(whole.middle_range_time, abs=2e-6)
    assert [b.start for b in swath.bursts] == pytest.approx([whole.bursts[k].start for k in keep], abs=1e-9)
    with open_product(product).measurement(swath):
        pass


def test_a_target_in_a_cut_product_is_where_it_is_in_the_whole_one(tmp_path):
    full = swath_of(first_pass())
    _, _, points = targets(6)
    dem = write_dem(tmp_path)
    near = write_points(tmp_path / "whole", full, points, np.full(6, 3000.0))
    alone = write_points(tmp_path / "cut", cut(full, range(1)), points, np.full(6, 3000.0))
    grid = GRID.nested(4, 1)
    one, both = (geocoded(product, dem, grid) for product in (alone, near))
    seen = np.isfinite(one) & np.isfinite(both) & (np.abs(both) > 300)
    assert seen.sum() > 20
    assert np.median(np.abs(one - both)[seen] / np.abs(both)[seen]) < 1e-3  # but where another burst sees better


def test_real_product_cut_to_one_burst(real_data):
    """IPF 2.91: two swaths without bursts, and a row of tie points beyond the only burst."""
    [product] = find_products(real_data / "s1_annotation" / "s1b_20180628_one_burst")
    [swath] = product.swaths("VV")
    assert (swath.swath, swath.mission, swath.track, swath.listed) == ("IW3", "S1B", 174, 1)
    assert 5.84e-3 < swath.bistatic_reference < 5.87e-3  # the middle of IW2, of which there is no burst
    grid = swath.grid
    late = grid.azimuth_time - line_time(grid.line, swath.bursts, swath.azimuth_time_interval)
    late -= (grid.slant_range_time - swath.bistatic_reference) / 2
    assert np.abs(late[grid.line == 0]).max() < 0.001 * swath.azimuth_time_interval


@pytest.mark.parametrize("which", [0, 1, -1])
def test_an_empty_burst_is_left_out(whole, blank, which):
    [before] = open_product(blank).swaths("VV")
    text = next((blank / "annotation").glob("*.xml")).read_text()
    parts = text.split("<firstValidSample")
    where = range(1, len(parts))[which]
    head, rest = parts[where].split(">", 1)
    _, rest = rest.split("<", 1)
    parts[where] = f"{head}>{' '.join(['-1'] * whole.lines_per_burst)}<{rest}"
    next((blank / "annotation").glob("*.xml")).write_text("<firstValidSample".join(parts))
    [swath] = open_product(blank).swaths("VV")
    expected = [b for b in before.bursts if b.number != range(len(before.bursts))[which]]
    assert list(swath.bursts) == expected  # the others keep their place in the measurement
    assert swath.bistatic_reference == before.bistatic_reference
    assert list(dates(blank.parent)) == [np.datetime64("2021-01-09").item()]


def test_a_swath_without_bursts_beside_a_good_one(blank):
    path = next((blank / "annotation").glob("*.xml"))
    for swath, number in (("iw1", "002"), ("iw3", "003")):
        other = path.with_name(path.name.replace("-iw2-", f"-{swath}-").replace("-001.xml", f"-{number}.xml"))
        shutil.copy(path, other)
    edit(blank, "<burstList.*?</burstList>", '<burstList count="0"/>', "annotation/*-iw[13]-*.xml")
    edit(blank, "IW2", "IW1", "annotation/*-iw1-*.xml")
    edit(blank, "<geolocationGridPointList.*?</geolocationGridPointList>", "", "annotation/*-iw3-*.xml")
    assert [s.swath for s in open_product(blank).swaths("VV")] == ["IW2"]
    assert len(dates(blank.parent)) == 1


@pytest.mark.parametrize(
    ("pattern", "replacement", "said"),
    [
        ("<burstList.*?</burstList>", '<burstList count="0"/>', "it lists no burst that holds data"),
        ("<firstValidSample[^>]*>[^<]*<", "<firstValidSample>-1 -1<", "do not have linesPerBurst values"),
        ("<geolocationGridPointList.*?</geolocationGridPointList>", "", "geolocation grid does not fit its bursts"),
        (r"<azimuthTime>2021-01-09T17:05:\d\d", "<azimuthTime>soon", "something is missing in it"),
    ],
)
def test_check_finds_what_is_wrong_in_an_annotation(tmp_path, blank, pattern, replacement, said):
    check_area("valley", area(tmp_path))
    edit(blank, pattern, replacement)
    with pytest.raises(InputError, match=said):
        check_area("valley", area(tmp_path))


def test_check_finds_products_that_do_not_fit_together(tmp_path, blank):
    from slipmap.io.grid import Grid

    elsewhere = area(tmp_path).model_copy(
        update={
            "grid": area(tmp_path).grid.model_copy(update={"bounds": (560_000, 5_000_000, 563_000, 5_003_000)}),
        }
    )
    write_dem(tmp_path, Grid(GRID.crs, GRID.transform, 5200, 240))
    with pytest.raises(InputError, match=r"inputs\.sentinel1\.path: none of the \d bursts of .* sees the area"):
        check_area("valley", elsewhere)
    next((blank / "measurement").iterdir()).unlink()
    with pytest.raises(InputError, match="the measurement of IW2 VV is missing"):
        check_area("valley", area(tmp_path))


@pytest.mark.parametrize("shift", [-1, 1, 700])
def test_bursts_of_two_dates_are_matched_by_the_ground(whole, tmp_path, shift):
    first = write_blank(tmp_path, whole)
    later = dataclasses.replace(whole, epoch=whole.epoch + np.timedelta64(12, "D"), absolute_orbit=36239)
    bursts = tuple(dataclasses.replace(b, identifier=b.identifier + shift) for b in whole.bursts)
    second = write_blank(tmp_path, cut(dataclasses.replace(later, bursts=bursts), range(1, 3)))
    scenes = [read_scene([open_product(p)], GeocodingSettings()) for p in (first, second)]
    found = counterparts(scenes[0].bursts, scenes[1])
    starts = {b.burst.number: found[b].burst.start for b in scenes[0].bursts if b in found}
    assert starts[1] == scenes[1].bursts[0].burst.start and starts[2] == scenes[1].bursts[1].burst.start
