"""TOPS bursts of point targets through geocoding: place, phase, resolution, displacement, overlaps, azimuth shifts."""

import dataclasses

import numpy as np
import pytest

from helpers.sentinel1_samples import (
    GRID,
    HEIGHT,
    first_pass,
    geocoded,
    swath_of,
    targets,
    write_dem,
    write_points,
)
from slipmap.config.geocoding import GeocodingSettings
from slipmap.constants import SPEED_OF_LIGHT
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.jobs.job import checked
from slipmap.sentinel1 import shifts
from slipmap.sentinel1.burst_part import BurstPart, Place
from slipmap.sentinel1.geometry import to_radar
from slipmap.sentinel1.heights import open_heights
from slipmap.sentinel1.products import open_product
from slipmap.sentinel1.resample import correlation, weights
from slipmap.sentinel1.scene import blocks, read_scene
from slipmap.sentinel1.shifts import overlap_sums
from slipmap.sentinel1.tops import sweep_of
from slipmap.simulator.write_safe import annotation

COUNT = 20
NESTED = (4, 1)


@pytest.fixture(scope="module")
def points():
    """Columns, rows, positions and complex amplitudes of the targets."""
    phases = np.random.default_rng(1).uniform(-np.pi, np.pi, COUNT)
    return *targets(COUNT), 3000 * np.exp(1j * phases)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("bursts")
    write_dem(place)
    return place


@pytest.fixture(scope="module")
def product(folder, points):
    return write_points(folder / "first", swath_of(first_pass()), points[2], points[3])


@pytest.fixture(scope="module")
def image(product, folder):
    """Geocoded SLC whose pixels' corners, not centres, would lie on the targets: so on a grid moved by half a pixel."""
    return geocoded(product, folder / "dem.tif", GRID.nested(5, 1))


def at_targets(image, points):
    """Values where the targets lie: pixel centres of the area's grid are centres of a fifth of them."""
    return image[points[1], points[0] * 5 + 2]


def test_phase_at_the_targets_is_theirs(image, points):
    found = at_targets(image, points) / points[3]
    assert np.abs(np.degrees(np.angle(found))).max() <= 3
    amplitude = np.abs(found)
    assert np.ptp(amplitude) < 0.02 * amplitude.mean()


def radar_lattice(burst, time, distance, half, steps):
    """Places round a target in the radar's own geometry: azimuth times and ranges, ± `half` pixels."""
    offsets = np.linspace(-half, half, steps)
    times = time + offsets * burst.swath.azimuth_time_interval
    ranges = distance + offsets * burst.swath.range_spacing
    t, r = (np.ascontiguousarray(a) for a in np.meshgrid(times - time, ranges, indexing="ij"))
    return offsets, Place(t, r, np.zeros((1, 1), np.float32), time)


def width(offsets, response):
    """Width at half the peak power, in the unit of `offsets`."""
    above = offsets[np.abs(response) ** 2 >= 0.5 * np.max(np.abs(response) ** 2)]
    return above.max() - above.min()


def theoretical_width(bandwidth, window):
    """Of the transform of a Hamming-weighted band, summed here from the spectrum: (α = 0.75) about 1.0 / B."""
    frequencies = np.linspace(-bandwidth / 2, bandwidth / 2, 1001)
    spectrum = window + (1 - window) * np.cos(2 * np.pi * frequencies / bandwidth)
    x = np.linspace(-2, 2, 1601)
    return width(x, (spectrum * np.exp(2j * np.pi * frequencies * x[:, None])).sum(1))


@pytest.mark.parametrize("whiten", [False, True])
def test_impulse_responses_peak_where_they_should_and_are_as_wide_as_theory_says(product, points, whiten):
    settings = GeocodingSettings(whiten=whiten)
    scene = read_scene([open_product(product)], settings)
    swath = scene.bursts[0].swath
    times, ranges = to_radar(points[2], swath.orbit, swath.start, swath.stop)
    along = theoretical_width(
        swath.azimuth_bandwidth * swath.azimuth_time_interval, 1.0 if whiten else swath.azimuth_window
    )
    across = theoretical_width(swath.range_bandwidth / swath.range_sampling_rate, 1.0 if whiten else swath.range_window)
    seen = 0
    for part, k in alone_in_bursts(scene, points, times):
        offsets, place = radar_lattice(part.burst, times[k], ranges[k], 2.0, 401)
        values, _ = part.values(place, np.array([part.burst.limits]), 0, scene, settings, flatten=False)
        row, col = peak(values)
        assert abs(offsets[row]) <= 0.05 and abs(offsets[col]) <= 0.05
        assert width(offsets, values[:, col]) == pytest.approx(along, rel=0.03)
        assert width(offsets, values[row]) == pytest.approx(across, rel=0.03)
        seen += 1
    assert seen >= 8


def peak(values):
    return np.unravel_index(np.argmax(np.abs(values)), values.shape)


def alone_in_bursts(scene, points, times):
    """Parts of bursts and the targets in them that lie away from their ends and from other targets' sidelobes."""
    for burst in scene.bursts:
        margin = 10 * burst.swath.azimuth_time_interval
        part = BurstPart.load(burst, np.array([burst.span]), GeocodingSettings())
        for k in np.flatnonzero((times > burst.span[0] + margin) & (times < burst.span[1] - margin)):
            if np.sort(np.linalg.norm(points[2] - points[2][k], axis=1))[1] >= 250:
                yield part, k


def test_corrections_go_the_right_way(product, points):
    """A target at t and R is sought at the line of t − (τ − τ_ref)/2 (ESA's tie points say so), and where its Doppler f
    or a delay d has put it, at τ − f/K and R + d: in data without these it seems to lie the other way."""
    plain = GeocodingSettings(whiten=False)
    scene = read_scene([open_product(product)], plain)
    swath = scene.bursts[0].swath
    times, ranges = to_radar(points[2], swath.orbit, swath.start, swath.stop)
    step, dopplers = swath.azimuth_time_interval, []
    for part, k in alone_in_bursts(scene, points, times):

        def peak_of(scene, settings, delay=0.0, part=part, k=k):
            offsets, place = radar_lattice(part.burst, times[k], ranges[k], 1.0, 201)
            place.delay = np.full((1, 1), delay, np.float32)
            values, _ = part.values(place, np.array([part.burst.limits]), 0, scene, settings, flatten=False)
            return offsets[list(peak(values))]

        later = dataclasses.replace(scene, bistatic=scene.bistatic + step)
        np.testing.assert_allclose(peak_of(later, plain), [-0.5, 0], atol=0.02)
        uncorrected = (scene.bistatic - 2 * ranges[k] / SPEED_OF_LIGHT) / 2 / step
        np.testing.assert_allclose(
            peak_of(scene, GeocodingSettings(whiten=False, bistatic=False)), [uncorrected, 0], atol=0.02
        )
        np.testing.assert_allclose(peak_of(scene, plain, 0.4 * swath.range_spacing), [0, -0.4], atol=0.02)
        doppler = sweep_frequency(part.burst, times[k], ranges[k], scene)
        expected = doppler / swath.chirp_rate * swath.range_sampling_rate
        found = peak_of(scene, GeocodingSettings(whiten=False, intra_pulse=True))
        np.testing.assert_allclose(found, [0, expected], atol=0.015)
        dopplers.append(expected)
    assert min(dopplers) < -0.03 and max(dopplers) > 0.03


def test_two_dates_give_the_displacement_back(image, folder, points):
    """Another orbit 80 m away, other burst times and Doppler centroid; targets displaced by up to ±12 mm."""
    moved = np.linspace(-0.012, 0.012, COUNT)
    passing = first_pass().shifted(80.0, -35.0, 61_530.004)
    swath = swath_of(passing, late=2.3e-3, centroid=15.0, absolute_orbit=36239)
    second = geocoded(
        write_points(folder / "second", swath, points[2], points[3], moved), folder / "dem.tif", GRID.nested(5, 1)
    )
    phase = np.angle(at_targets(image, points) * at_targets(second, points).conj())
    found = -swath.wavelength * phase / (4 * np.pi)
    assert np.abs(found - moved).max() <= 1e-3
    assert np.abs(found - moved).max() <= 1e-4  # and far better without noise


def overlap_targets(scene, points):
    """Targets that two bursts see well, and those bursts."""
    swath = scene.bursts[0].swath
    times, _ = to_radar(points[2], swath.orbit, swath.start, swath.stop)
    margin = 6 * swath.azimuth_time_interval
    pairs = []
    for early, late in zip(scene.bursts, scene.bursts[1:], strict=False):
        inside = (times > late.span[0] + margin) & (times < early.span[1] - margin)
        pairs += [(early, late, k) for k in np.flatnonzero(inside)]
    return pairs


def test_phase_is_continuous_over_burst_overlaps(tmp_path):
    """Targets in the overlap have one phase from either burst, though their Doppler centroids are 950 Hz apart."""
    swath = swath_of(first_pass())
    middle = (swath.bursts[0].start + 380 * swath.azimuth_time_interval + swath.bursts[1].start) / 2
    candidates = targets(400, seed=3)
    times, _ = to_radar(candidates[2], swath.orbit, swath.start, swath.stop)
    chosen = []
    for k in np.argsort(np.abs(times - middle)):  # far enough apart not to stand in another's sidelobes
        if len(chosen) < 10 and all(np.linalg.norm(candidates[2][k] - candidates[2][j]) > 200 for j in chosen):
            chosen.append(k)
    points = tuple(a[chosen] for a in candidates)
    amplitudes = 3000 * np.exp(1j * np.arange(10.0))
    product = write_points(tmp_path, swath, points[2], amplitudes)
    scene = read_scene([open_product(product)], GeocodingSettings())
    found = overlap_targets(scene, points)
    assert len(found) >= 5
    times, ranges = to_radar(points[2], swath.orbit, swath.start, swath.stop)
    for early, late, k in found:
        values = []
        for burst in (early, late):
            part = BurstPart.load(burst, np.array([burst.span]), GeocodingSettings())
            _, place = radar_lattice(burst, times[k], ranges[k], 0.0, 1)
            values.append(part.values(place, np.array([burst.limits]), 0, scene, GeocodingSettings())[0][0, 0])
        assert abs(np.degrees(np.angle(values[0] * values[1].conj()))) <= 3
        assert abs(np.degrees(np.angle(values[0] / amplitudes[k]))) <= 3
    frequencies = [sweep_frequency(b, times[found[0][2]], ranges[found[0][2]], scene) for b in found[0][:2]]
    assert 900 < frequencies[0] - frequencies[1] < 1000


def sweep_frequency(burst, time, distance, scene):
    sweep = sweep_of(burst.swath, burst.burst)
    return float(sweep.frequency(np.array(time - sweep.middle), np.array(2 * distance / SPEED_OF_LIGHT)))


def test_an_azimuth_timing_error_is_found_in_the_overlaps(tmp_path):
    """Many targets; the second date's annotation is made to lie by 20 microseconds (14 cm)."""
    swath = swath_of(first_pass())
    middle = (swath.bursts[0].start + 380 * swath.azimuth_time_interval + swath.bursts[1].start) / 2
    candidates = targets(600, seed=5)
    times, _ = to_radar(candidates[2], swath.orbit, swath.start, swath.stop)
    near = np.argsort(np.abs(times - middle))[:60]
    amplitudes = 3000 * np.exp(1j * np.arange(60.0))
    dem = write_dem(tmp_path)
    product = write_points(tmp_path, swath, candidates[2][near], amplitudes)
    settings = GeocodingSettings()
    scene = read_scene([open_product(product)], settings)
    error = 20e-6
    late = tuple(
        dataclasses.replace(b, burst=dataclasses.replace(b.burst, start=b.burst.start + error)) for b in scene.bursts
    )
    wrong = dataclasses.replace(scene, bursts=late)
    grid = GRID.nested(*NESTED)
    with open_heights(dem, None, grid) as heights:
        extent = (HEIGHT, HEIGHT)
        [(total, difference)] = overlap_sums(scene, wrong, 0.0, heights, extent, grid, settings)
        [(none, _)] = overlap_sums(scene, scene, 0.0, heights, extent, grid, settings)
    assert len(blocks(grid)) == 1
    found = np.angle(total) / (2 * np.pi * difference)
    assert found == pytest.approx(error, abs=1e-6)
    assert abs(np.angle(none)) < 1e-6


def test_the_shift_of_a_date_is_written_and_mends_it(tmp_path):
    """An orbit whose clock is 20 microseconds fast: found against the date before, and taken back by geocoding."""
    swath = swath_of(first_pass())
    middle = (swath.bursts[0].start + 380 * swath.azimuth_time_interval + swath.bursts[1].start) / 2
    candidates = targets(600, seed=5)
    times, _ = to_radar(candidates[2], swath.orbit, swath.start, swath.stop)
    near = np.argsort(np.abs(times - middle))[:60]
    columns, rows = candidates[0][near], candidates[1][near]
    dem = write_dem(tmp_path)
    products = [
        write_points(tmp_path / name, swath, candidates[2][near], 3000 * np.exp(1j * np.arange(60.0)))
        for name in ("first", "second")
    ]
    fast = dataclasses.replace(swath.orbit, times=swath.orbit.times + 20e-6)
    [path] = (products[1] / "annotation").glob("*.xml")
    path.write_bytes(annotation(dataclasses.replace(swath, orbit=fast)))
    settings, grid = checked(GeocodingSettings(whiten=False).model_dump(mode="json")), GRID.nested(5, 1)  # as a job
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    assert shifts.run([str(products[0])], [], [], dem, settings, grid, files[0]) == 0
    found = shifts.run([str(products[1])], [[str(products[0])]], files[:1], dem, settings, grid, files[1])
    assert found == pytest.approx(-20e-6, abs=1e-6)
    first, wrong = (geocoded(p, dem, grid, settings)[rows, columns * 5 + 2] for p in products)
    corrected = geocoded(products[1], dem, grid, settings, shift=files[1])[rows, columns * 5 + 2]
    seen = np.abs(first) > 0.5 * np.abs(first).max()
    assert seen.sum() > 20
    before, after = (np.degrees(np.abs(np.angle(z[seen] * first[seen].conj()))) for z in (wrong, corrected))
    assert np.median(before) > 2 and after.max() < 0.5
    with pytest.raises(InputError, match="no overlap of bursts lies in the area"):
        part = Grid(grid.crs, grid.transform, grid.width, 20)
        shifts.run([str(products[1])], [[str(products[0])]], files[:1], dem, settings, part, tmp_path / "3.json")


def test_interpolation_is_that_of_the_band():
    """A band-limited signal summed from its spectrum, at places between samples; and the whole samples are kept."""
    rng = np.random.default_rng(2)
    for bandwidth, window in ((0.751, 0.75), (0.643, 0.75)):
        table = weights(bandwidth, window)
        np.testing.assert_allclose(table[0], np.eye(8)[3], atol=2e-3)
        np.testing.assert_allclose(table[-1], np.eye(8)[4], atol=2e-3)
        frequencies = rng.uniform(-bandwidth / 2, bandwidth / 2, 500)
        taper = window + (1 - window) * np.cos(2 * np.pi * frequencies / bandwidth)
        spectrum = taper * (rng.standard_normal(500) + 1j * rng.standard_normal(500))

        def signal(x, frequencies=frequencies, spectrum=spectrum):
            return (spectrum * np.exp(2j * np.pi * frequencies * np.asarray(x)[..., None])).sum(-1)

        errors, truth = [], []
        for k in range(0, 512, 16):
            base = rng.uniform(-50, 50, 40)
            samples = signal(base[:, None] + np.arange(-3, 5))
            errors.append(samples @ table[k] - signal(base + k / 512))
            truth.append(signal(base))
        rms = np.sqrt(np.mean(np.abs(errors) ** 2) / np.mean(np.abs(truth) ** 2))
        assert rms < 0.01  # −40 dB
    # whitening takes the taper off
    for bandwidth in (0.751, 0.643):
        table = weights(bandwidth, 0.75, True)
        frequencies = np.linspace(-bandwidth / 2, bandwidth / 2, 9)
        response = table[256] @ np.exp(2j * np.pi * frequencies * (np.arange(-3, 5) - 0.5)[:, None])
        taper = 0.75 + 0.25 * np.cos(2 * np.pi * frequencies / bandwidth)
        flat = (response * taper)[1:-1]
        assert np.abs(flat / flat.mean() - 1).max() < 0.1
    # the autocorrelation behind it is the transform of the squared taper
    f = np.linspace(-0.375, 0.375, 20001)
    squared = (0.75 + 0.25 * np.cos(2 * np.pi * f / 0.75)) ** 2
    lags = np.array([0.0, 0.4, 1.0, 2.7, 5.0])
    expected = (squared * np.cos(2 * np.pi * f * lags[:, None])).mean(1) / squared.mean()
    np.testing.assert_allclose(correlation(lags, 0.75, 0.75), expected, atol=1e-4)
