"""Orbits: state vectors, and the polynomial between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slipmap.arrays import Doubles
from slipmap.errors import InputError

NEAREST = 16  # state vectors behind a position, at most; annotations hold about as many
_FEWEST = 8
_DEGREE = 9  # 80 s to both sides of a vector are then exact to less than a nanometre
_ALONG_STD = 4e-3  # m: times are written in microseconds, in which the satellite moves 7.5 mm
_ACROSS_STD = 1e-5  # m, of positions as they are written
_VELOCITY_STD = 1e-5  # m/s, of velocities as they are written
_MOST_DISAGREEMENT = 0.1  # m/s, between velocities and the positions' changes; real orbits stay below 0.02


@dataclass(frozen=True)
class LocalOrbit:
    """Satellite position over a few seconds: polynomials in u = (t − middle) / scale.

    Parameters
    ----------
    middle, scale : s. coefficients : (3, 10), m, of rising power of u.
    """

    middle: float
    scale: float
    coefficients: Doubles

    def state(self, times: Doubles | float) -> tuple[Doubles, Doubles]:
        """Position (…, 3), m, and velocity (…, 3), m/s, at `times` (…), s."""
        u = ((np.asarray(times, float) - self.middle) / self.scale)[..., None]
        position = np.zeros((*u.shape[:-1], 3))
        velocity = np.zeros_like(position)
        for c in self.coefficients.T[::-1]:  # Horner's scheme, of the derivative too
            velocity = velocity * u + position
            position = position * u + c
        return position, velocity / self.scale


@dataclass(frozen=True)
class Orbit:
    """State vectors in the Earth-fixed frame.

    Parameters
    ----------
    times : (n,) s after the epoch. positions : (n, 3) m. velocities : (n, 3) m/s. source : for messages and metadata.
    """

    times: Doubles
    positions: Doubles
    velocities: Doubles
    source: str

    def local(self, start: float, stop: float) -> LocalOrbit:
        """The polynomial fitted to the `NEAREST` state vectors round the middle of `start` … `stop` (s).

        For spans of up to about 20 s. Positions and velocities count by their precision: the times of some products are
        rounded differently at each vector, so that their positions scatter by millimetres along the track. The
        velocities then give the shape, the positions the place.

        Raises
        ------
        InputError : the orbit does not cover the span, has too few state vectors, or velocities that are not those of
            its positions.
        """
        self.require(start, stop)
        middle = (start + stop) / 2
        near = np.sort(np.argsort(np.abs(self.times - middle), kind="stable")[:NEAREST])
        scale = float(np.abs(self.times[near] - middle).max())
        positions, velocities = self.positions[near], self.velocities[near]
        powers = np.polynomial.polynomial.polyvander((self.times[near] - middle) / scale, _DEGREE)
        slopes = np.zeros_like(powers)
        slopes[:, 1:] = powers[:, :-1] * np.arange(1, _DEGREE + 1) / scale
        precision = _position_precision(velocities)
        rows = np.einsum("nab,nk->nabk", precision, powers).reshape(3 * len(near), -1)
        shapes = np.einsum("ab,nk->nabk", np.eye(3) / _VELOCITY_STD, slopes).reshape(3 * len(near), -1)
        values = np.concatenate([np.einsum("nab,nb->na", precision, positions), velocities / _VELOCITY_STD]).ravel()
        fit = np.linalg.lstsq(np.concatenate([rows, shapes]), values, rcond=None)[0].reshape(3, -1)
        off = float(np.abs(powers @ fit.T - positions).max()) / scale
        if not off <= _MOST_DISAGREEMENT:
            raise InputError(
                f"{self.source}: the velocities of the orbit are about {off:.2g} m/s off what its positions say; "
                "its times, frame or units are wrong: fetch the product or its orbit file again."
            )
        return LocalOrbit(middle, scale, fit)

    def require(self, start: float, stop: float) -> None:
        """Raise `InputError` unless the state vectors cover `start` … `stop` (s)."""
        if len(self.times) < _FEWEST:
            raise InputError(f"{self.source}: {len(self.times)} state vectors are too few, {_FEWEST} are needed.")
        if start < self.times[0] or stop > self.times[-1]:
            raise InputError(
                f"{self.source}: the orbit covers {self.times[0]:.0f} to {self.times[-1]:.0f} s of the day, the scene "
                f"{start:.0f} to {stop:.0f}; give the orbit file of the scene's own time."
            )


def _position_precision(velocities: Doubles) -> Doubles:
    """What brings errors of positions (m) to unit variance, (n, 3, 3): less precise along the track than across."""
    along: Doubles = velocities / np.linalg.norm(velocities, axis=1, keepdims=True)
    tracks = along[:, :, None] * along[:, None, :]
    return tracks / _ALONG_STD + (np.eye(3) - tracks) / _ACROSS_STD


def seconds(text: str, epoch: np.datetime64) -> float:
    """UTC time as text ("2023-09-04T06:37:32.017843", with or without "UTC=" before it) in s after `epoch`."""
    return float((np.datetime64(text.strip().removeprefix("UTC=")) - epoch) / np.timedelta64(1, "ns")) * 1e-9


def state_vectors(rows: Sequence[Sequence[float]], source: str) -> Orbit:
    """The orbit of rows of time (s), x, y, z (m), vx, vy, vz (m/s)."""
    table = np.array(rows, float).reshape(-1, 7)
    return Orbit(table[:, 0], table[:, 1:4], table[:, 4:7], source)
