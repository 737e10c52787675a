"""One date: its swaths, orbit, and which bursts see which part of a grid."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pyproj import Transformer
from rasterio.windows import Window

from slipmap.constants import SPEED_OF_LIGHT
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.sentinel1.annotation import Burst, Swath
from slipmap.sentinel1.geometry import MAX_SPAN, earth_fixed, to_radar
from slipmap.sentinel1.orbit_files import find_eof, read_eof
from slipmap.sentinel1.orbit_numbers import following, preceding
from slipmap.sentinel1.orbits import Orbit
from slipmap.sentinel1.safe import Product

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.geocoding import AcquisitionSettings

_ROWS, _COLUMNS = 256, 4096  # largest block, pixels
GROUND_SPEED = 6800.0  # m/s, of the beam
SAME = 0.1  # s between the starts of copies of one burst, at most
HALF_CYCLE = 9.5e3  # m that the satellite flies in half of the time from burst to burst
GROUND_PER_SLANT = 1.6  # at mid swath: only to weigh margins in range against margins in azimuth


@dataclass(frozen=True, eq=False)
class SceneBurst:
    """A burst with the swath and the product that it is in."""

    product: Product
    swath: Swath
    burst: Burst

    @property
    def name(self) -> str:
        """As OPERA names bursts: "T064-135523-IW2"."""
        return f"T{self.burst.track:03d}-{self.burst.identifier:06d}-{self.swath.swath}"

    @property
    def size(self) -> int:
        """Valid pixels."""
        first, last, near, far = self.burst.valid
        return (last - first + 1) * (far - near + 1)

    def satellite(self, orbit: Orbit) -> np.ndarray:
        """Where the satellite is at the middle of the burst, to some 100 m, Earth-fixed: (3,), m."""
        middle = self.burst.start + self.burst.lines / 2 * self.swath.azimuth_time_interval
        return np.array([np.interp(middle, orbit.times, axis) for axis in orbit.positions.T])

    @property
    def limits(self) -> tuple[float, ...]:
        """Start (s), τ of sample 0 (s), first and last valid line, first and last valid sample."""
        return (self.burst.start, self.swath.slant_range_time, *map(float, self.burst.valid))

    @property
    def span(self) -> tuple[float, float, float, float]:
        """First and last valid azimuth time (s) and slant range (m)."""
        first, last, near, far = self.burst.valid
        step = self.swath.azimuth_time_interval
        closest, farthest = (self.swath.slant_range_time + k / self.swath.range_sampling_rate for k in (near, far))
        return (
            self.burst.start + first * step,
            self.burst.start + last * step,
            closest * SPEED_OF_LIGHT / 2,
            farthest * SPEED_OF_LIGHT / 2,
        )


@dataclass(frozen=True)
class Scene:
    """All products of one date.

    Parameters
    ----------
    orbit : that is used. bursts : of all swaths and slices, in order of swath and time. bistatic : reference τ (s).
    """

    epoch: np.datetime64
    orbit: Orbit
    bursts: tuple[SceneBurst, ...]
    bistatic: float

    @property
    def start(self) -> float:
        """First valid azimuth time, s."""
        return min(b.span[0] for b in self.bursts)

    @property
    def stop(self) -> float:
        """Last valid azimuth time, s."""
        return max(b.span[1] for b in self.bursts)

    def track_over(self, grid: Grid) -> int:
        """Relative orbit at the time when the middle of `grid` is imaged: the same on all dates, however sliced."""
        x, y = grid.transform @ (grid.width / 2, grid.height / 2)
        lon, lat = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform([x], [y])
        times, _ = to_radar(earth_fixed(lon, lat, np.zeros(1)), self.orbit, self.start, self.stop)
        here = float(np.interp(times[0], self.orbit.times, self.orbit.positions[:, 2]))
        first = self.bursts[0]
        there = first.satellite(self.orbit)[2]
        if first.swath.pass_direction != "ASCENDING" or (here < 0) == (there < 0):
            return first.burst.track
        return preceding(first.burst.track) if here < 0 else following(first.burst.track)

    def footprints(self, grid: Grid, windows: Sequence[Window], heights: tuple[float, float]) -> np.ndarray:
        """Azimuth times (s) and slant ranges (m) between which each window is imaged: (n, 4).

        Parameters
        ----------
        heights : lowest and highest ground, m.
        """
        steps = np.linspace(0, 1, 5)
        across, down = (a.ravel() for a in np.meshgrid(steps, steps))
        cols = np.concatenate([w.col_off + across * w.width for w in windows])
        rows = np.concatenate([w.row_off + down * w.height for w in windows])
        x, y = grid.coordinates(cols, rows)
        longitude, latitude = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(x, y)
        low, high = (
            to_radar(earth_fixed(longitude, latitude, np.full(len(x), h)), self.orbit, self.start, self.stop)
            for h in heights
        )
        times, ranges = (np.stack([a, b]).reshape(2, len(windows), -1) for a, b in zip(low, high, strict=True))
        slack = 0.02 * (ranges.max((0, 2)) - ranges.min((0, 2))) + 20.0  # ground between the points, and delays
        pause = 0.02 * (times.max((0, 2)) - times.min((0, 2))) + 0.01
        return np.stack(
            [
                times.min((0, 2)) - pause,
                times.max((0, 2)) + pause,
                ranges.min((0, 2)) - slack,
                ranges.max((0, 2)) + slack,
            ],
            axis=1,
        )


def read_scene(products: Sequence[Product], settings: "AcquisitionSettings", orbits: str | None = None) -> Scene:
    """Read the annotations of one date and choose its orbit.

    Parameters
    ----------
    orbits : folder of orbit files; None: the annotations' own state vectors.

    Raises
    ------
    InputError : a polarisation or a swath is missing, slices of several tracks, no orbit that covers the scene.
    """
    epoch = np.datetime64(products[0].day, "ns")
    found = [(p, swath) for p in products for swath in p.swaths(settings.polarisation, epoch)]
    if not found:
        raise InputError(f"{products[0].path}: it lists no burst that holds data; remove it.")
    _require_one_pass(found)
    start, stop = min(s.start for _, s in found), max(s.stop for _, s in found)
    if orbits:
        orbit = read_eof(find_eof(orbits, found[0][1].mission, epoch, start, stop), epoch, start, stop)
    else:
        orbit = _joined([swath.orbit for _, swath in found])
        orbit.require(start, stop)
    found = [(p, dataclasses.replace(swath, orbit=orbit)) for p, swath in found]
    bursts = _without_copies([SceneBurst(p, swath, burst) for p, swath in found for burst in swath.bursts])
    middle = next((s for _, s in found if s.swath == "IW2"), found[0][1])
    return Scene(epoch, orbit, bursts, middle.bistatic_reference)


def _require_one_pass(found: Sequence[tuple[Product, Swath]]) -> None:
    """Raise `InputError` unless all are of one satellite and orbit, which may go over the ascending node."""
    tracks = {swath.track: p.path for p, swath in found}
    if len(tracks) > 1 and not (len(tracks) == 2 and any(following(t) in tracks for t in tracks)):
        listed = ", ".join(f"{path.name} of track {track}" for track, path in tracks.items())
        raise InputError(
            f"inputs.sentinel1.path: {listed} are of one day and of two tracks; keep the products of one track."
        )
    missions = {swath.mission: p.path for p, swath in found}
    if len(missions) > 1:
        listed = ", ".join(f"{path.name} of {mission}" for mission, path in missions.items())
        raise InputError(
            f"inputs.sentinel1.path: {listed} are of one pass and of two satellites; keep the products of one."
        )


def _without_copies(bursts: Sequence[SceneBurst]) -> tuple[SceneBurst, ...]:
    """In order of swath and time; of copies of a burst in several products the one with most data, else the last."""
    kept: list[SceneBurst] = []
    for burst in sorted(bursts, key=lambda b: (b.swath.swath, b.burst.start)):
        same = kept and kept[-1].swath.swath == burst.swath.swath
        if not same or burst.burst.start - kept[-1].burst.start > SAME:
            kept.append(burst)
        elif burst.size >= kept[-1].size:
            kept[-1] = burst
    return tuple(kept)


def counterparts(bursts: Sequence[SceneBurst], other: Scene) -> dict[SceneBurst, SceneBurst]:
    """The bursts of another date that image the ground of `bursts`, told by where the satellite was.

    Burst numbers do not tell it: computed ones may differ by one between dates, and tracks change at the node.
    """
    there = np.array([b.satellite(other.orbit) for b in other.bursts])
    found = {}
    for burst in bursts:
        away = np.linalg.norm(there - burst.satellite(burst.swath.orbit), axis=1)
        away[[b.swath.swath != burst.swath.swath for b in other.bursts]] = np.inf
        if away.min() < HALF_CYCLE:
            found[burst] = other.bursts[int(away.argmin())]
    return found


def _joined(orbits: Sequence[Orbit]) -> Orbit:
    """State vectors of several annotations, each time once."""
    times = np.concatenate([o.times for o in orbits])
    _, first = np.unique(np.round(times, 3), return_index=True)
    return Orbit(
        times[first],
        np.concatenate([o.positions for o in orbits])[first],
        np.concatenate([o.velocities for o in orbits])[first],
        orbits[0].source,
    )


def overlapping(spans: np.ndarray, footprints: np.ndarray) -> np.ndarray:
    """Which bursts see which windows: (bursts, windows) bool, from (bursts, 4) and (windows, 4) times and ranges."""
    a, b = spans[:, None], footprints[None]
    return (a[..., 0] < b[..., 1]) & (a[..., 1] > b[..., 0]) & (a[..., 2] < b[..., 3]) & (a[..., 3] > b[..., 2])


def blocks(grid: Grid) -> list[Window]:
    """Windows that tile `grid`, none longer than the ground's polynomials reach."""
    rows = int(min(_ROWS, MAX_SPAN // grid.resolution[1]))
    cols = int(min(_COLUMNS, MAX_SPAN // grid.resolution[0]))
    return [
        Window(col, row, min(cols, grid.width - col), min(rows, grid.height - row))
        for row in range(0, grid.height, rows)
        for col in range(0, grid.width, cols)
    ]
