"""Orbits: state vectors, and the polynomial between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slipmap.errors import InputError

NEAREST = 8  # state vectors behind a position: at 10 s their polynomial errs by far less than they do


@dataclass(frozen=True)
class LocalOrbit:
    """Satellite position over a few seconds: polynomials in u = (t − middle) / scale.

    Parameters
    ----------
    middle, scale : s. coefficients : (3, 8), m, of rising power of u.
    """

    middle: float
    scale: float
    coefficients: np.ndarray

    def state(self, times: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
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

    times: np.ndarray
    positions: np.ndarray
    velocities: np.ndarray
    source: str

    def local(self, start: float, stop: float) -> LocalOrbit:
        """The polynomial through the `NEAREST` state vectors round the middle of `start` … `stop` (s).

        For spans of up to about 20 s.

        Raises
        ------
        InputError : the orbit does not cover the span, or has too few state vectors.
        """
        self.require(start, stop)
        middle = (start + stop) / 2
        near = np.sort(np.argsort(np.abs(self.times - middle), kind="stable")[:NEAREST])
        scale = float(np.abs(self.times[near] - middle).max())
        u = (self.times[near] - middle) / scale
        vander = np.polynomial.polynomial.polyvander(u, len(near) - 1)
        return LocalOrbit(middle, scale, np.linalg.solve(vander, self.positions[near]).T)

    def require(self, start: float, stop: float) -> None:
        """Raise `InputError` unless the state vectors cover `start` … `stop` (s)."""
        if len(self.times) < NEAREST:
            raise InputError(f"{self.source}: {len(self.times)} state vectors are too few, {NEAREST} are needed.")
        if start < self.times[0] or stop > self.times[-1]:
            raise InputError(
                f"{self.source}: the orbit covers {self.times[0]:.0f} to {self.times[-1]:.0f} s of the day, the scene "
                f"{start:.0f} to {stop:.0f}; give the orbit file of the scene's own time."
            )


def seconds(text: str, epoch: np.datetime64) -> float:
    """UTC time as text ("2023-09-04T06:37:32.017843", with or without "UTC=" before it) in s after `epoch`."""
    return float((np.datetime64(text.strip().removeprefix("UTC=")) - epoch) / np.timedelta64(1, "ns")) * 1e-9


def state_vectors(rows: Sequence[Sequence[float]], source: str) -> Orbit:
    """The orbit of rows of time (s), x, y, z (m), vx, vy, vz (m/s)."""
    table = np.array(rows, float).reshape(-1, 7)
    return Orbit(table[:, 0], table[:, 1:4], table[:, 4:7], source)
