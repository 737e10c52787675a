"""Geometry of real Sentinel-1 products against ESA's own geolocation, and of real pixels against the annotation."""

from dataclasses import replace

import numpy as np
import pytest

from slipmap.constants import SPEED_OF_LIGHT
from slipmap.deformation.orbit import perpendicular_baseline, position_at_closest_approach
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.sentinel1.annotation import burst_identifier, line_time
from slipmap.sentinel1.geometry import (
    Ground,
    earth_fixed,
    geodetic,
    locate,
    look_angles,
    orbit_numbers,
    to_ground,
    to_radar,
)
from slipmap.sentinel1.orbit_files import find_eof, orbit_files, read_eof
from slipmap.sentinel1.products import find_products
from slipmap.sentinel1.tops import sweep_of


@pytest.fixture(scope="module")
def products(real_data):
    """The three scenes, by date: annotation only."""
    found = [
        p
        for name in ("full_20200511", "pair_20230904_20230916")
        for p in find_products(real_data / "s1_annotation" / name)
    ]
    assert [str(p.day) for p in found] == ["2020-05-11", "2023-09-04", "2023-09-16"]
    return found


@pytest.fixture(scope="module")
def swaths(products):
    return [p.swaths("VV") for p in products]


def test_every_tie_point_is_where_esa_has_it(swaths):
    assert [[swath.swath for swath in scene] for scene in swaths] == 3 * [["IW1", "IW2", "IW3"]]
    for swath in (s for scene in swaths for s in scene):
        grid = swath.grid
        points = earth_fixed(grid.longitude, grid.latitude, grid.height)
        times, ranges = to_radar(points, swath.orbit, swath.start, swath.stop)
        lines = (times - grid.azimuth_time) / swath.azimuth_time_interval
        samples = (2 * ranges / SPEED_OF_LIGHT - grid.slant_range_time) * swath.range_sampling_rate
        assert len(lines) >= 200
        assert np.sqrt(np.mean(lines**2)) <= 1e-3
        assert np.sqrt(np.mean(samples**2)) <= 1e-4
        assert np.abs(samples).max() <= 1e-4
        # forward is the inverse of backward, and finds ESA's points from ESA's times
        again = to_ground(times, ranges, grid.height, swath.orbit)
        assert np.linalg.norm(again - points, axis=1).max() < 1e-5
        theirs = to_ground(grid.azimuth_time, grid.slant_range_time * SPEED_OF_LIGHT / 2, grid.height, swath.orbit)
        assert np.linalg.norm(theirs - points, axis=1).max() < 0.03
        # incidence angles too; ESA takes them from the direction to the Earth's centre, we from the ellipsoid's normal
        look, incidence = look_angles(points, grid.longitude, grid.latitude, swath.orbit, times)
        deflection = np.radians(geocentric(points) - grid.latitude)
        tilted = look[:, 2] * np.cos(deflection) + look[:, 1] * np.sin(deflection)
        assert np.abs(np.degrees(np.arccos(tilted)) - grid.incidence).max() < 2e-3
        assert np.abs(incidence - grid.incidence).max() < 0.05


@pytest.mark.parametrize(
    ("folder", "satellite", "count", "limit"),
    [
        ("full_20200511", "S1A", 3, 1e-3),  # IPF 3.20
        ("pair_20230904_20230916", "S1A", 6, 1e-3),  # 3.61
        ("s1b_20210401", "S1B", 2, 0.02),  # 3.31, with the orbit of the downlink
        ("s1b_20180628_one_burst", "S1B", 1, 0.02),  # 2.91, cut to one burst
        ("s1a_20141031_ipf236", "S1A", 1, 0.05),  # 2.36
    ],
)
def test_azimuth_times_agree_with_esas_grids(real_data, folder, satellite, count, limit):
    """To the limit in every point; ESA writes its times in microseconds (0.0005 line).

    Where lines agree to 0.001, their scatter is that of the stamps alone: none, or one microsecond.
    """
    found = find_products(real_data / "s1_annotation" / folder)
    swaths = [s for p in found for polarisation in p.polarisations() for s in p.swaths(polarisation)]
    assert len(swaths) == count
    for swath in swaths:
        assert swath.mission == satellite
        grid = swath.grid
        points = earth_fixed(grid.longitude, grid.latitude, grid.height)
        times, _ = to_radar(points, swath.orbit, swath.start, swath.stop)
        lines = (times - grid.azimuth_time) / swath.azimuth_time_interval
        microsecond = 1e-6 / swath.azimuth_time_interval  # 0.0005 line, in which the stamps are written
        assert np.abs(lines).max() <= limit
        steps = (lines - np.median(lines)) / microsecond
        if limit <= 1e-3:
            assert np.quantile(np.abs(steps - np.round(steps)), 0.9) < 0.35 and np.abs(steps).max() < 1.25
            assert np.mean(np.round(steps) == 0) > 0.8
        # the reference range of the azimuth times is the middle of IW2, whatever swath it is read from
        assert swath.bistatic_reference == pytest.approx(5.85e-3, abs=2e-5)
        if swath.swath == "IW2":
            assert swath.bistatic_reference == pytest.approx(swath.middle_range_time, abs=2e-6)


def geocentric(points):
    """Geocentric latitude, degrees."""
    return np.degrees(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))


def test_lines_of_tie_points_follow_from_the_bistatic_correction(swaths):
    for scene in swaths:
        middle = scene[1].middle_range_time  # of IW2: where the processor's bulk correction is exact, for all swaths
        for swath in scene:
            assert swath.bistatic_reference == pytest.approx(middle, abs=2e-6)
            grid = swath.grid
            simple = grid.azimuth_time - line_time(grid.line, swath.bursts, swath.azimuth_time_interval)
            corrected = simple - (grid.slant_range_time - swath.bistatic_reference) / 2
            assert np.sqrt(np.mean((corrected / swath.azimuth_time_interval) ** 2)) < 3e-3
            assert np.abs(simple).max() / swath.azimuth_time_interval > 0.05  # without it, lines are off


def test_compiled_location_is_the_scattered_one(swaths):
    swath = swaths[1][1]
    grid = Grid.from_bounds("EPSG:32629", (3.125, 12.5), (400_000, 3_500_000, 406_400, 3_503_200))
    rows, cols = np.random.default_rng(0).integers(0, [grid.height, grid.width], (50, 2)).T
    heights = np.random.default_rng(1).uniform(-50, 3000, grid.shape).astype(np.float32)
    x, y = grid.transform @ (cols + 0.5, rows + 0.5)
    from pyproj import Transformer

    longitude, latitude = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(x, y)
    points = earth_fixed(longitude, latitude, heights[rows, cols].astype(float))
    times, ranges = to_radar(points, swath.orbit, swath.start, swath.stop)
    start, stop = times.min() - 1, times.max() + 1
    numbers = orbit_numbers(swath.orbit.local(start, stop), start, stop)
    ground = Ground.of(grid)
    t, r = np.empty(grid.shape), np.empty(grid.shape)
    locate(ground.base, ground.normal, heights, numbers, t, r)
    np.testing.assert_allclose(t[rows, cols] + numbers[0], times, atol=2e-9)
    np.testing.assert_allclose(r[rows, cols], ranges, atol=2e-6)


def test_baseline_of_the_september_pair_and_its_sign(swaths):
    """Above the line of sight is positive: higher ground then seems to come nearer from first to second date."""
    first, second = swaths[1][1], swaths[2][1]
    grid = first.grid
    middle = np.argmin((grid.line - grid.line.mean()) ** 2 + (grid.pixel - grid.pixel.mean()) ** 2)
    ground = earth_fixed(grid.longitude, grid.latitude, grid.height)[middle]
    ends = [
        position_at_closest_approach(s.orbit.times, s.orbit.positions, s.orbit.velocities, ground)
        for s in (first, second)
    ]
    baseline = perpendicular_baseline(*ends, ground)
    assert 26 < baseline < 32
    # its length follows from the positions alone
    apart, look = ends[1][0] - ends[0][0], ground - ends[0][0]
    along = ends[0][1] / np.linalg.norm(ends[0][1])
    apart = apart - (apart @ along) * along
    look /= np.linalg.norm(look)
    assert abs(baseline) == pytest.approx(np.sqrt(apart @ apart - (apart @ look) ** 2), rel=5e-3)
    # and its sign from the ranges: ground higher by 100 m at the same place in the first image
    time, distance = to_radar(ground[None], first.orbit, first.start, first.stop)
    height = geodetic(ground)[2]
    low, high = (to_ground(time, distance, height + h, first.orbit) for h in (0.0, 100.0))
    ranges = [to_radar(p, second.orbit, second.start, second.stop)[1][0] for p in (low, high)]
    incidence = np.radians(grid.incidence[middle])
    assert ranges[1] - ranges[0] == pytest.approx(-baseline * 100 / (distance[0] * np.sin(incidence)), rel=5e-3)


def test_orbit_files_are_read_and_those_of_another_day_refused(real_data, swaths):
    folder = real_data / "s1_annotation"
    swath = swaths[1][0]
    with pytest.raises(InputError, match=r"none of the 2 orbit files in .* covers the S1A scene of 2023-09-04"):
        find_eof(folder, "S1A", swath.epoch, swath.start, swath.stop)
    path = orbit_files(folder)[0]
    with pytest.raises(InputError, match="does not cover the scene"):
        read_eof(path, swath.epoch, swath.start, swath.stop)
    day = np.datetime64("2023-08-23").astype("M8[ns]")
    noon = 13 * 3600 + 30 * 60.0
    assert find_eof(folder, "S1A", day, noon, noon + 30) == path
    with pytest.raises(InputError, match="none of the 2"):
        find_eof(folder, "S1B", day, noon, noon + 30)
    orbit = read_eof(path, day, noon, noon + 30)
    position, velocity = orbit.local(noon, noon).state(noon)
    assert 7.0e6 < np.linalg.norm(position) < 7.1e6
    # the slope of the positions is the velocity that the file itself gives, at a state vector
    middle = orbit.times[len(orbit.times) // 2]
    position, velocity = orbit.local(middle, middle).state(middle)
    np.testing.assert_allclose(velocity, orbit.velocities[len(orbit.times) // 2], atol=2e-3)
    np.testing.assert_allclose(position, orbit.positions[len(orbit.times) // 2], atol=1e-6)
    # a state vector left out is found again between its neighbours
    from slipmap.sentinel1.orbits import Orbit

    keep = np.arange(len(orbit.times)) != len(orbit.times) // 2
    thinned = Orbit(orbit.times[keep], orbit.positions[keep], orbit.velocities[keep], "thinned")
    again, _ = thinned.local(middle, middle).state(middle)
    np.testing.assert_allclose(again, position, atol=0.02)


def test_bursts_have_esas_identifiers(products, swaths):
    import xml.etree.ElementTree as ET

    for product, scene in zip(products, swaths, strict=True):
        for swath in scene:
            assert len(swath.bursts) == 9
            root = ET.fromstring(product.text(product.members["annotation", swath.swath, "VV"]))
            for burst, element in zip(swath.bursts, root.iter("burst"), strict=True):
                middle = float(element.findtext("azimuthAnxTime")) + burst.lines / 2 * swath.azimuth_time_interval
                given = element.findtext("burstId")
                computed = burst_identifier(middle, swath.track)
                assert burst.identifier == (int(given) if given else computed) == computed
    assert [s.track for s in swaths[1]] == [52] * 3 == [s.track for s in swaths[2]]
    assert [b.identifier for b in swaths[1][1].bursts] == [b.identifier for b in swaths[2][1].bursts]


def test_sweeps_take_the_polynomials_nearest_in_time_each_from_its_own_reference(products, swaths):
    """Read here from ESA's annotation by other means: sums of powers of τ − t0, of the list's entry nearest in time."""
    import xml.etree.ElementTree as ET

    chosen = set()
    for product, scene in zip(products, swaths, strict=True):
        for swath in scene:
            root = ET.fromstring(product.text(product.members["annotation", swath.swath, "VV"]))
            near = float(root.findtext(".//imageInformation/slantRangeTime"))
            tau = near + np.array([0.0, 1.5e-4, 3e-4])
            for sweep, start in zip(
                (sweep_of(swath, b) for b in swath.bursts), root.findall(".//burst/azimuthTime"), strict=True
            ):
                middle = np.datetime64(start.text) + np.timedelta64(1_550_000, "us")  # a burst takes 3.1 s
                for entry, polynomial, found in (
                    ("azimuthFmRate", "azimuthFmRatePolynomial", sweep.fm_rate),
                    ("dcEstimate", "dataDcPolynomial", sweep.doppler),
                ):
                    listed = root.findall(f".//{entry}")
                    away = [abs(np.datetime64(e.findtext("azimuthTime")) - middle) for e in listed]
                    nearest = listed[int(np.argmin(away))]
                    x = tau - float(nearest.findtext("t0"))
                    coefficients = map(float, nearest.findtext(polynomial).split())
                    expected = sum(c * x**k for k, c in enumerate(coefficients))
                    np.testing.assert_allclose(found(tau), expected, rtol=1e-9)
                    chosen.add((entry, nearest.findtext("azimuthTime")))
    assert len(chosen) > 100  # of nine swaths with nine bursts each


def test_real_pixels_have_the_doppler_rate_of_the_annotation(real_data, swaths):
    """Phase steps from line to line of real SLC pixels grow as the TOPS sweep of the swaths says, sign and all."""
    pair = np.load(real_data / "s1_slc_pair/s1_slc_pair_20230319_20230331.npz")
    interval = swaths[1][1].azimuth_time_interval
    for name in ("slc1", "slc2"):
        slc = pair[name]
        steps = np.unwrap(np.angle((slc[1:] * slc[:-1].conj()).sum(1)))
        rate = np.polyfit(np.arange(len(steps)), steps, 1)[0] / (2 * np.pi * interval**2)
        expected = []
        for swath in swaths[1]:
            tau = swath.slant_range_time + np.array([0, swath.samples_per_burst]) / swath.range_sampling_rate
            expected += list(sweep_of(swath, swath.bursts[4]).parts(tau)[0])
        assert min(expected) < rate < max(expected)


def test_an_orbit_whose_velocities_are_not_its_own_is_refused(swaths):
    orbit = swaths[0][0].orbit
    wrong = replace(orbit, velocities=orbit.velocities / 1000)  # km/s
    with pytest.raises(InputError, match=r"velocities of the orbit are about .* m/s off what its positions say"):
        wrong.local(swaths[0][0].start, swaths[0][0].stop)
