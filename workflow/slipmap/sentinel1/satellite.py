"""A simulated satellite and its IW2-like swath over an area: the geometry behind simulated SAFE products."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyproj import Transformer

from slipmap.arrays import Doubles
from slipmap.constants import SPEED_OF_LIGHT
from slipmap.io.grid import Grid
from slipmap.sentinel1.annotation import Burst, GeolocationGrid, Polynomial, Swath, line_time
from slipmap.sentinel1.geometry import earth_fixed, geodetic, look_angles, to_ground, to_radar
from slipmap.sentinel1.orbits import Orbit

ORBIT_RADIUS = 7_071_000.0  # m
SPEED = 7_594.0  # m/s, Earth-fixed
RADAR_FREQUENCY = 5.405000454334350e9  # Hz
SAMPLING_RATE = 6.434523812571428e7  # Hz
LINE_INTERVAL = 2.055556299999998e-3  # s
PULSE_RATE = 1.451627112193990e3  # Hz
CHIRP_RATE = 7.792817275120481e11  # Hz/s
STEERING_RATE = np.radians(0.979863325)  # rad/s
RANGE_BANDWIDTH, AZIMUTH_BANDWIDTH = 48.3e6, 313.0  # Hz
WINDOW = 0.75  # Hamming
_VECTORS, _STEP = 17, 10.0  # state vectors as in annotations


@dataclass(frozen=True)
class Pass:
    """A satellite passing an area on a circle round the Earth's centre, in the Earth-fixed frame.

    Parameters
    ----------
    start : (3,) unit vector to the satellite when the area's centre is abeam. along : (3,) of its flight then.
    time : s after the epoch, of that moment. across, towards : unit vectors across and along the line of sight there.
    offset : (3,) m, of this pass from the first one.
    """

    start: Doubles
    along: Doubles
    time: float
    across: Doubles
    towards: Doubles
    offset: Doubles

    @classmethod
    def over(cls, grid: Grid, incidence: float, heading: float, time: float) -> "Pass":
        """The pass that sees the centre of `grid` under `incidence`, looking right, along `heading` (degrees)."""
        left, bottom, right, top = grid.bounds
        lon, lat = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(
            (left + right) / 2, (bottom + top) / 2
        )
        ground = earth_fixed(lon, lat, 0.0)
        theta, alpha = np.radians(incidence), np.radians(heading)
        local = np.array([-np.sin(theta) * np.cos(alpha), np.sin(theta) * np.sin(alpha), np.cos(theta)])
        look = local @ local_axes(lon, lat)
        along_look = ground @ look
        distance = -along_look + np.sqrt(along_look**2 + ORBIT_RADIUS**2 - ground @ ground)
        position = ground + distance * look
        start = position / ORBIT_RADIUS
        along = np.cross(look, start)
        along /= np.linalg.norm(along)
        if along @ (np.cos(alpha) * local_axes(lon, lat)[1] + np.sin(alpha) * local_axes(lon, lat)[0]) < 0:
            along = -along
        across = start - (start @ look) * look
        return cls(start, along, time, across / np.linalg.norm(across), look, np.zeros(3))

    def shifted(self, perpendicular: float, parallel: float, time: float) -> "Pass":
        """A pass `perpendicular` m above the line of sight (so at smaller look angles) and `parallel` m along it."""
        offset = perpendicular * self.across + parallel * self.towards
        return Pass(self.start, self.along, time, self.across, self.towards, offset)

    def orbit(self, source: str = "simulated orbit") -> Orbit:
        """State vectors every 10 s round the pass, positions to the micrometre as in annotations."""
        times = np.floor(self.time / _STEP) * _STEP + _STEP * (np.arange(_VECTORS) - _VECTORS // 2) + 0.041367
        angle = SPEED / ORBIT_RADIUS * (times - self.time)
        c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
        positions = ORBIT_RADIUS * (c * self.start + s * self.along) + self.offset
        velocities = SPEED * (c * self.along - s * self.start)
        return Orbit(times, np.round(positions, 6), np.round(velocities, 6), source)


def local_axes(longitude: float, latitude: float) -> Doubles:
    """Unit vectors east, north, up (rows) in the Earth-fixed frame."""
    lon, lat = np.radians(longitude), np.radians(latitude)
    return np.array(
        [
            [-np.sin(lon), np.cos(lon), 0.0],
            [-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)],
            [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)],
        ]
    )


@dataclass(frozen=True)
class Coverage:
    """Where an area lies in the radar's geometry: azimuth times after its centre is abeam (s) and ranges (m)."""

    first: float
    last: float
    near: float
    far: float

    @classmethod
    def of(cls, grid: Grid, heights: tuple[float, float], passing: Pass) -> "Coverage":
        """Of `grid` with ground between two `heights` (m)."""
        left, bottom, right, top = grid.bounds
        x = np.array([left, left, right, right, (left + right) / 2] * 2)
        y = np.array([bottom, top, bottom, top, (bottom + top) / 2] * 2)
        lon, lat = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(x, y)
        points = earth_fixed(lon, lat, np.repeat(heights, 5))
        times, ranges = to_radar(points, passing.orbit(), passing.time - 3, passing.time + 3)
        return cls(
            float(times.min() - passing.time),
            float(times.max() - passing.time),
            float(ranges.min()),
            float(ranges.max()),
        )


_IW2: dict[str, Any] = {  # what all simulated swaths share
    "path": "simulated",
    "mission": "S1A",
    "swath": "IW2",
    "polarisation": "VV",
    "radar_frequency": RADAR_FREQUENCY,
    "range_sampling_rate": SAMPLING_RATE,
    "azimuth_time_interval": LINE_INTERVAL,
    "steering_rate": float(STEERING_RATE),
    "chirp_rate": CHIRP_RATE,
    "pulse_repetition_frequency": PULSE_RATE,
    "range_bandwidth": RANGE_BANDWIDTH,
    "azimuth_bandwidth": AZIMUTH_BANDWIDTH,
    "range_window": WINDOW,
    "azimuth_window": WINDOW,
    "processor": "simulated by slipmap",
}


def make_swath(
    epoch: np.datetime64,
    passing: Pass,
    coverage: Coverage,
    *,
    absolute_orbit: int,
    track: int,
    lines: int = 380,
    overlap: int = 64,
    invalid: int = 10,
    margin: int = 64,
    late: float = 0.0,
    centroid: float = -10.0,
) -> Swath:
    """A swath of bursts of `lines` lines that covers `coverage`, sensors and processing as IW2 of Sentinel-1A.

    Parameters
    ----------
    lines, overlap, invalid : of a burst: its lines, those it shares with the next, those without data at either end.
    margin : lines and samples beyond the area. late : start of the bursts after the nominal time, s.
    centroid : Doppler centroid, Hz.
    """
    orbit = passing.orbit()
    step = lines - overlap
    wanted = (coverage.last - coverage.first) / LINE_INTERVAL + 2 * (margin + invalid)
    count = max(2, int(np.ceil((wanted - overlap) / step)))
    middle = (coverage.first + coverage.last) / 2
    total = (count - 1) * step + lines
    begin = passing.time + middle - total / 2 * LINE_INTERVAL + late
    begin = round(begin * 1e6) / 1e6  # annotations give microseconds
    spacing = SPEED_OF_LIGHT / 2 / SAMPLING_RATE
    samples = int((coverage.far - coverage.near) / spacing) + 2 * margin + 200
    near_time = 2 * (coverage.near - (margin + 100) * spacing) / SPEED_OF_LIGHT
    starts = [round((begin + k * step * LINE_INTERVAL) * 1e6) / 1e6 for k in range(count)]
    valid = (invalid, lines - invalid - 1, 12, samples - 13)
    bursts = tuple(
        Burst("IW2", k, track, track * 1000 + k, start, k * lines, lines, samples, valid)
        for k, start in enumerate(starts)
    )
    centres = [start + lines / 2 * LINE_INTERVAL for start in starts]
    rate = _fm_rate(orbit, passing.time, near_time, samples)
    heading = _heading(orbit, passing.time, (coverage.near + coverage.far) / 2)
    partial = Swath(
        **_IW2,
        epoch=epoch,
        pass_direction="ASCENDING" if abs(heading) < 90 else "DESCENDING",
        track=track,
        absolute_orbit=absolute_orbit,
        heading=heading,
        slant_range_time=near_time,
        lines_per_burst=lines,
        samples_per_burst=samples,
        start=starts[0],
        stop=starts[-1] + (lines - 1) * LINE_INTERVAL,
        doppler=tuple(Polynomial(c, near_time, (centroid, 1.18e4, -1.8e7)) for c in centres),
        fm_rates=tuple(Polynomial(c, near_time, rate) for c in centres),
        bursts=bursts,
        orbit=orbit,
        grid=GeolocationGrid(*(np.empty(0) for _ in range(8))),
        bistatic_reference=near_time + samples / (2 * SAMPLING_RATE),
        listed=count,
    )
    return _with_geolocation(partial)


def _heading(orbit: Orbit, time: float, distance: float) -> float:
    """Direction of flight as seen on the ground at slant range `distance` (m), degrees clockwise from north."""
    lon, lat, _ = geodetic(to_ground(np.array([time, time + 1]), distance, 0.0, orbit))
    return float(np.degrees(np.arctan2((lon[1] - lon[0]) * np.cos(np.radians(lat[0])), lat[1] - lat[0])))


def _fm_rate(orbit: Orbit, time: float, t0: float, samples: int) -> tuple[float, ...]:
    """Doppler rate of targets, −(2/λ) d²R/dt², as a polynomial of degree 2 in τ − t0."""
    wavelength = SPEED_OF_LIGHT / RADAR_FREQUENCY
    tau = t0 + np.linspace(0, samples / SAMPLING_RATE, 9)
    points = to_ground(np.full(9, time), tau * SPEED_OF_LIGHT / 2, 0.0, orbit)
    local = orbit.local(time, time)
    apart = 0.1
    before, at, after = (np.linalg.norm(points - local.state(time + d)[0], axis=1) for d in (-apart, 0, apart))
    rates = -2 / wavelength * (before - 2 * at + after) / apart**2
    return tuple(float(c) for c in np.polynomial.polynomial.polyfit(tau - t0, rates, 2))


def _with_geolocation(swath: Swath) -> Swath:
    """The swath with tie points as ESA gives them: true zero-Doppler times beside the processor's lines."""
    rows = np.append(np.array([b.first_row for b in swath.bursts]), swath.lines_per_burst * len(swath.bursts) - 1)
    cols = np.linspace(0, swath.samples_per_burst - 1, 9).astype(int)
    line, pixel = (a.ravel().astype(float) for a in np.meshgrid(rows, cols, indexing="ij"))
    tau = swath.slant_range_time + pixel / swath.range_sampling_rate
    times = line_time(line, swath.bursts, swath.azimuth_time_interval) + (tau - swath.middle_range_time) / 2
    height = np.zeros(len(line))
    points = to_ground(times, tau * SPEED_OF_LIGHT / 2, height, swath.orbit)
    longitude, latitude, _ = geodetic(points)
    _, incidence = look_angles(points, longitude, latitude, swath.orbit, times)
    return dataclasses.replace(
        swath, grid=GeolocationGrid(times, tau, line, pixel, latitude, longitude, height, incidence)
    )
