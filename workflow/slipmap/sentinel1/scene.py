"""One date: its swaths, orbit, and which bursts see which part of a grid."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyproj import Transformer
from rasterio.windows import Window

from slipmap.config.geocoding import AcquisitionSettings
from slipmap.constants import SPEED_OF_LIGHT
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.sentinel1.annotation import Burst, Swath
from slipmap.sentinel1.geometry import MAX_SPAN, earth_fixed, to_radar
from slipmap.sentinel1.orbits import Orbit, find_eof, read_eof
from slipmap.sentinel1.safe import Product

_ROWS, _COLUMNS = 256, 4096  # largest block, pixels
GROUND_SPEED = 6800.0  # m/s, of the beam
GROUND_PER_SLANT = 1.6  # at mid swath: only to weigh margins in range against margins in azimuth


@dataclass(frozen=True)
class SceneBurst:
    """A burst with the swath and the product that it is in."""

    product: Product
    swath: Swath
    burst: Burst

    @property
    def name(self) -> str:
        """As OPERA names bursts: "T064-135523-IW2"."""
        return f"T{self.swath.track:03d}-{self.burst.identifier:06d}-{self.swath.swath}"

    @property
    def limits(self) -> tuple[float, ...]:
        """Start (s), τ of sample 0 (s), first and last valid line, first and last valid sample."""
        return (self.burst.start, self.swath.slant_range_time, *map(float, self.burst.valid))

    @property
    def span(self) -> tuple[float, float, float, float]:
        """First and last valid azimuth time (s) and slant range (m)."""
        first, last, near, far = self.burst.valid
        step = self.swath.azimuth_time_interval
        ranges = [self.swath.slant_range_time + k / self.swath.range_sampling_rate for k in (near, far)]
        return (
            self.burst.start + first * step,
            self.burst.start + last * step,
            *(r * SPEED_OF_LIGHT / 2 for r in ranges),
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
        x, y = grid.transform @ (cols, rows)
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


def read_scene(products: Sequence[Product], settings: AcquisitionSettings, orbits: str | None = None) -> Scene:
    """Read the annotations of one date and choose its orbit.

    Parameters
    ----------
    orbits : folder of orbit files; None: the annotations' own state vectors.

    Raises
    ------
    InputError : a polarisation or a swath is missing, slices of several tracks, no orbit that covers the scene.
    """
    first = products[0].swaths(settings.polarisation)
    epoch = first[0].epoch
    found = [(products[0], swath) for swath in first]
    found += [(p, swath) for p in products[1:] for swath in p.swaths(settings.polarisation, epoch)]
    tracks = {swath.track: p.path for p, swath in found}
    if len(tracks) > 1:
        listed = ", ".join(f"{path.name} of track {track}" for track, path in tracks.items())
        raise InputError(f"inputs.sentinel1.path: {listed} are of one day; keep the products of one track.")
    start, stop = min(s.start for _, s in found), max(s.stop for _, s in found)
    if orbits:
        path = find_eof(orbits, first[0].mission, epoch, start, stop)
        orbit = read_eof(path, epoch, start, stop)
    else:
        orbit = _joined([swath.orbit for _, swath in found])
        orbit.require(start, stop)
    found = [(p, dataclasses.replace(swath, orbit=orbit)) for p, swath in found]
    bursts = [SceneBurst(p, swath, burst) for p, swath in found for burst in swath.bursts]
    unique = {b.name: b for b in sorted(bursts, key=lambda b: (b.swath.swath, b.burst.start))}
    middle = next((s for _, s in found if s.swath == "IW2"), found[0][1])
    return Scene(epoch, orbit, tuple(unique.values()), middle.bistatic_reference)


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
