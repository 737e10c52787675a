"""Corrections of range and phase: tides against published constituents and an eclipse, delays, Doppler shifts."""

import numpy as np
import pytest

from helpers.sentinel1_samples import EPOCH, GRID, first_pass, geocoded, swath_of, targets, write_dem, write_points
from slipmap.config.geocoding import GeocodingSettings
from slipmap.sentinel1.delays import slant_delay, zenith_delay
from slipmap.sentinel1.geometry import earth_fixed, to_radar
from slipmap.sentinel1.tides import H2, displacement, line_of_sight_tide, sun_and_moon
from slipmap.sentinel1.tops import sweep_of
from slipmap.simulator.synthesis import impulse_response


def angle(a, b):
    return np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))


def test_sun_and_moon_at_an_eclipse():
    """Greatest eclipse of 21 August 2017 (NASA): 18:25:32 UT at 36.97 N, 87.67 W, Sun 64 degrees high."""
    sun, moon = sun_and_moon(np.datetime64("2017-08-21T18:25:32"))
    place = earth_fixed(-87.67, 36.97, 0.0)
    assert angle(sun, moon) < 0.5  # seen from the Earth's centre
    assert angle(sun - place, moon - place) < 0.1  # and in line where the eclipse is total
    up = place / np.linalg.norm(place)
    assert 90 - angle(sun - place, up) == pytest.approx(64, abs=0.5)
    assert np.linalg.norm(sun) == pytest.approx(1.0113 * 149.5978707e9, rel=1e-3)
    assert np.linalg.norm(moon) == pytest.approx(372_000e3, rel=0.01)


def test_tides_have_the_amplitudes_of_the_equilibrium_tide():
    """M2 and S2 of the equilibrium tide: 0.2423 m and 0.1127 m times cos² of the latitude; h2 of it is the ground's.

    A year of hours; M2 is modulated by up to 3.7 % in 18.6 years.
    """
    latitude = np.degrees(np.arctan(np.tan(np.radians(30.0)) * 0.99330562))
    point = earth_fixed(12.0, 30.0, 0.0)[None]
    hours = np.arange(0, 24 * 365, 3)
    times = np.datetime64("2021-01-01") + hours * np.timedelta64(1, "h")
    up = point[0] / np.linalg.norm(point)
    height = np.array([displacement(point, t)[0] @ up for t in times])
    speeds = np.radians([28.9841042, 30.0, 28.4397295, 30.0821373, 13.9430356, 15.0410686, 14.9589314])
    columns = [np.ones(len(hours)), hours / 1e4]
    for speed in speeds:
        columns += [np.cos(speed * hours), np.sin(speed * hours)]
    fit = np.linalg.lstsq(np.stack(columns, 1), height, rcond=None)[0]
    amplitude = np.hypot(fit[2::2], fit[3::2])
    share = H2 * np.cos(np.radians(latitude)) ** 2
    assert amplitude[0] == pytest.approx(0.242334 * share, rel=0.05)
    assert amplitude[1] == pytest.approx(0.112743 * share, rel=0.05)
    assert -0.3 < height.min() < -0.1 and 0.2 < height.max() < 0.5


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corrections")
    columns, rows, points = targets(12, seed=4)
    swath = swath_of(first_pass())
    product = write_points(folder, swath, points, np.full(12, 3000.0))
    return write_dem(folder), product, swath, (rows, columns * 5 + 2), points


def test_tides_are_taken_out_of_the_phase(made, tmp_path):
    dem, product, swath, at, points = made
    grid = GRID.nested(5, 1)
    plain, corrected = (geocoded(product, dem, grid, GeocodingSettings(tides=tides))[at] for tides in (False, True))
    local = swath.orbit.local(swath.start, swath.stop)
    time = (swath.start + swath.stop) / 2
    expected = line_of_sight_tide(grid, EPOCH, local, time)[at]
    look = local.state(time)[0] - points
    look /= np.linalg.norm(look, axis=1, keepdims=True)
    moved = displacement(points, EPOCH + np.timedelta64(round(time * 1e9), "ns"))
    np.testing.assert_allclose(expected, (moved * look).sum(1), atol=2e-5)  # 300 m higher up
    # ground that the tide has lifted is nearer: its phase, −4πR/λ, is too large by 4π/λ times the tide
    phase = np.angle(plain * corrected.conj() * np.exp(-4j * np.pi * expected / swath.wavelength))
    assert np.abs(phase).max() < 0.02


def test_static_delay():
    """2.4 m in the zenith at sea level, a third less where the pressure is; longer by 1/cos of the incidence angle."""
    assert zenith_delay(0.0, 45.0) == pytest.approx(2.307 + 0.1, abs=5e-3)
    pressure = {1000: 898.75, 3000: 701.08}  # hPa, ICAO standard atmosphere
    for height, value in pressure.items():
        hydrostatic = zenith_delay(float(height), 45.0) - 0.1 * np.exp(-height / 2000)
        assert hydrostatic == pytest.approx(0.0022768 * value, rel=1e-3)
    incidence = np.radians(39.0)
    earth, satellite = 6_368_000.0, 7_071_000.0
    ground = earth + 500.0
    distance = -ground * np.cos(incidence) + np.sqrt(satellite**2 - (ground * np.sin(incidence)) ** 2)
    found = slant_delay(np.array([[500.0]]), np.array([[distance]]), 45.0, earth, satellite)
    assert found[0, 0] == pytest.approx(zenith_delay(500.0, 45.0) / np.cos(incidence), rel=1e-6)


def shifted(made, **settings):
    """Loss of amplitude at the targets when a correction is applied that these simulated data do not need."""
    dem, product, _, at, _ = made
    plain, moved = (
        np.abs(geocoded(product, dem, GRID.nested(5, 1), GeocodingSettings(whiten=False, **s))[at])
        for s in ({}, settings)
    )
    return moved / plain


def test_a_range_shift_of_a_sample_leaves_the_peak(made):
    swath = made[2]
    band = swath.range_bandwidth / swath.range_sampling_rate
    centre = impulse_response(0.0, band, swath.range_window)
    delay = zenith_delay(300.0, 45.1) / np.cos(np.radians(39.0))
    expected = np.abs(impulse_response(delay / swath.range_spacing, band, swath.range_window)) / centre
    np.testing.assert_allclose(shifted(made, troposphere="static"), expected, atol=0.03)


def test_the_chirps_doppler_shift_is_a_range_shift(made):
    """Doppler f moves the compressed pulse by −f/K in time: half a sample at 4 kHz."""
    _, _, swath, _, points = made
    times, ranges = to_radar(points, swath.orbit, swath.start, swath.stop)
    band = swath.range_bandwidth / swath.range_sampling_rate
    centre = impulse_response(0.0, band, swath.range_window)
    found = shifted(made, intra_pulse=True)
    for k, value in enumerate(found):
        options = []
        for burst in swath.bursts:
            sweep = sweep_of(swath, burst)
            eta = times[k] - sweep.middle
            if abs(eta) < burst.lines / 2 * swath.azimuth_time_interval:
                doppler = sweep.frequency(np.array(eta), np.array(2 * ranges[k] / 299792458.0))
                shift = doppler / swath.chirp_rate * swath.range_sampling_rate
                options.append(abs(impulse_response(shift, band, swath.range_window)) / centre)
        assert min(abs(value - option) for option in options) < 0.01
