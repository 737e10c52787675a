"""Passes over midnight and over the ascending node, sliced in any way; two passes of a day; satellites C and D."""

import dataclasses

import h5py
import numpy as np
import pytest
from affine import Affine

from helpers.sentinel1_samples import EPOCH, HEIGHT, cut, edit, write_blank, write_dem
from slipmap.config.geocoding import GeocodingSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.sentinel1 import geocode
from slipmap.sentinel1.acquisitions import find_dates
from slipmap.sentinel1.products import by_date, find_products, open_product
from slipmap.sentinel1.satellite import Coverage, Pass, make_swath

DAY = 86_400.0


def listed(folder):
    found = find_dates(Sentinel1Settings(level="safe", path=str(folder)), GeocodingSettings())
    return {f"{day:%Y%m%d}": (products, scene) for day, (products, scene) in found.items()}


def strip(grid, seconds, **more):
    """A swath of four or more short bursts over `grid` at `seconds` of the day."""
    passing = Pass.over(grid, 39.0, -12.5, seconds)
    coverage = Coverage.of(grid, (HEIGHT - 200, HEIGHT + 200), passing)
    numbers = {"absolute_orbit": 36064, "track": 117} | more
    return make_swath(EPOCH, passing, coverage, lines=180, overlap=60, **numbers)


def at_node():
    """A grid over which the satellite crosses the equator northward while it images the middle."""
    northing = 0.0
    for _ in range(4):
        grid = Grid("EPSG:32632", Affine(12.5, 0, 500_000, 0, -12.5, northing + 1500), 240, 240)
        passing = Pass.over(grid, 39.0, -12.5, 61_530.0)
        orbit = passing.orbit()
        northing -= float(np.interp(passing.time, orbit.times, orbit.positions[:, 2]))
    return grid


def test_slices_on_both_sides_of_midnight_are_one_date(tmp_path):
    grid = Grid("EPSG:32632", Affine(12.5, 0, 500_000, 0, -12.5, 5_003_000), 240, 240)
    whole = strip(grid, DAY - 0.2)
    before, after = (write_blank(tmp_path, cut(whole, keep)) for keep in (range(2), range(2, len(whole.bursts))))
    assert "_20210109T2359" in before.name and "_20210110T000000" in after.name
    [(day, (products, scene))] = listed(tmp_path).items()
    assert day == "20210109" and [p.path for p in products] == [before, after]
    assert [b.burst.start for b in scene.bursts] == pytest.approx([b.start for b in whole.bursts], abs=1e-6)
    # what was geocoded of the two slices is what the uncut product gives
    geocode.run([before, after], write_dem(tmp_path, grid), GeocodingSettings(), grid.nested(4, 1), tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert np.isfinite(file["data/VV"][:].real).mean() > 0.99
        assert file["identification/zero_doppler_end_time"][()].decode().startswith("2021-01-10 00:00:0")


def test_swaths_of_one_product_on_both_sides_of_midnight(tmp_path):
    """IW1 begins before midnight, IW2 after it: the times of both count from one midnight."""
    grid = Grid("EPSG:32632", Affine(12.5, 0, 500_000, 0, -12.5, 5_003_000), 240, 240)
    whole = strip(grid, DAY - 0.2)
    product = write_blank(tmp_path / "first", cut(whole, range(2)))
    later = dataclasses.replace(cut(whole, range(2, len(whole.bursts))), swath="IW3")
    other = write_blank(tmp_path / "second", later)
    for part in ("annotation", "measurement"):
        for file in (other / part).glob("s1a*"):
            file.rename(product / part / file.name)
    [(_, (_, scene))] = listed(tmp_path / "first").items()
    assert [b.burst.start for b in scene.bursts] == pytest.approx([b.start for b in whole.bursts], abs=1e-6)


def test_two_passes_of_one_day_are_refused(tmp_path):
    grid = Grid("EPSG:32632", Affine(12.5, 0, 500_000, 0, -12.5, 5_003_000), 240, 240)
    for seconds, track, orbit in ((20_000.0, 44, 36057), (61_530.0, 117, 36064)):
        write_blank(tmp_path, strip(grid, seconds, track=track, absolute_orbit=orbit))
    with pytest.raises(InputError, match=r"are of one day and of two passes; keep the products of one track"):
        by_date(find_products(tmp_path))


@pytest.mark.parametrize(("south", "north"), [(117, 118), (15, 16), (175, 1)])
def test_a_pass_over_the_node_is_one_track_however_it_is_sliced(tmp_path, south, north):
    grid = at_node()
    whole = strip(grid, 61_530.0, track=south)
    middles = [b.start + b.lines / 2 * whole.azimuth_time_interval for b in whole.bursts]
    beyond = np.interp(middles, whole.orbit.times, whole.orbit.positions[:, 2]) > 0
    node, count = int(beyond.argmax()), len(beyond)
    assert 0 < node < count
    uncut = write_blank(tmp_path / "a", whole)
    stop = rf"\1<safe:relativeOrbitNumber type='stop'>{north}</safe:relativeOrbitNumber>"
    edit(uncut, "(<safe:relativeOrbitNumber.*?</safe:relativeOrbitNumber>)", stop, "manifest.safe")
    later = dataclasses.replace(whole, epoch=EPOCH + np.timedelta64(12, "D"), absolute_orbit=36239)
    first = write_blank(tmp_path / "b", cut(later, range(node)))  # its products are cut at the node
    rest = dataclasses.replace(cut(later, range(node, count)), absolute_orbit=36240)
    second = write_blank(tmp_path / "b", rest)
    edit(second, f">{south}<", f">{north}<", "manifest.safe")
    dates = [listed(tmp_path / folder) for folder in "ab"]
    assert [list(found) for found in dates] == [["20210109"], ["20210121"]]
    tracks = [[b.burst.track for b in scene.bursts] for found in dates for _, scene in found.values()]
    assert tracks[0] == tracks[1] and set(tracks[0]) == {south, north}
    # a date of one slice alone, on the far side, is of the same stack
    alone = dataclasses.replace(whole, epoch=EPOCH + np.timedelta64(24, "D"), absolute_orbit=36415)
    third = write_blank(tmp_path / "c", cut(alone, range(count - 1, count)))
    edit(third, f">{south}<", f">{north}<", "manifest.safe")
    for product in (uncut, first, second, third):
        (tmp_path / "all" / product.name).parent.mkdir(exist_ok=True)
        product.rename(tmp_path / "all" / product.name)
    assert list(listed(tmp_path / "all")) == ["20210109", "20210121", "20210202"]
    # and the geocoded SLCs say one track, so that they can be read together
    dem, numbers = write_dem(tmp_path, grid), set()
    for day, (products, _) in listed(tmp_path / "all").items():
        geocode.run([p.path for p in products], dem, GeocodingSettings(), grid.nested(4, 1), tmp_path / f"{day}.h5")
        with h5py.File(tmp_path / f"{day}.h5") as file:
            numbers.add(int(file["identification/track_number"][()]))
    assert len(numbers) == 1 and numbers <= {south, north}


@pytest.mark.parametrize(("mission", "orbit", "track"), [("S1C", 1681, 110), ("S1C", 8200, 52), ("S1D", 2389, 73)])
def test_metadata_made_up_after_the_rules_for_the_new_satellites(tmp_path, mission, orbit, track):
    """No product of Sentinel-1C or 1D was at hand; names, mission and orbit numbers follow the published rules."""
    grid = Grid("EPSG:32632", Affine(12.5, 0, 500_000, 0, -12.5, 5_003_000), 240, 240)
    swath = dataclasses.replace(strip(grid, 61_530.0, track=track, absolute_orbit=orbit), mission=mission)
    product = write_blank(tmp_path, swath)
    assert product.name.startswith(f"{mission}_IW_SLC__1SSV_")
    (product / "manifest.safe").unlink()  # the number then follows from the absolute orbit
    assert {b.burst.track for b in listed(tmp_path)["20210109"][1].bursts} == {track}
    edit(product, f"<missionId>{mission}<", "<missionId>S1E<")
    with pytest.raises(InputError, match=rf"absolute orbit {orbit} of S1E is not known .* give the whole product"):
        open_product(product).swaths("VV")


def test_products_of_two_satellites_in_one_pass(tmp_path):
    grid = Grid("EPSG:32632", Affine(12.5, 0, 500_000, 0, -12.5, 5_003_000), 240, 240)
    whole = strip(grid, 61_530.0)
    write_blank(tmp_path, cut(whole, range(2)))
    write_blank(tmp_path, dataclasses.replace(cut(whole, range(2, len(whole.bursts))), mission="S1C"))
    with pytest.raises(
        InputError, match=r"of S1A, .* of S1C are of one pass and of two satellites; keep the products of one"
    ):
        listed(tmp_path)
