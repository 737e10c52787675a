"""Orbits: state vectors from the annotation or from EOF files, and the polynomial between them."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slipmap.errors import InputError

NEAREST = 8  # state vectors behind a position: at 10 s their polynomial errs by far less than they do
_MARGIN = 60.0  # s of an EOF file kept on each side of what is asked for
_FILE = r"S1?_OPER_AUX_*.EOF"


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


def read_eof(path: str | Path, epoch: np.datetime64, start: float, stop: float) -> Orbit:
    """State vectors of a precise or restituted orbit file (EOF) that surround `start` … `stop` (s after `epoch`).

    Raises
    ------
    InputError : not an orbit file, not Earth-fixed and UTC, or it does not cover the span.
    """
    path = Path(path)
    try:
        root = ET.parse(path).getroot()
    except (ET.ParseError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not an orbit file that can be read ({error}); fetch it again.") from error
    frame, clock = (root.findtext(f".//Variable_Header/{name}") for name in ("Ref_Frame", "Time_Reference"))
    if (frame, clock) != ("EARTH_FIXED", "UTC"):
        raise InputError(f"{path}: an orbit in {frame} and {clock}; give a POEORB or RESORB file (EARTH_FIXED, UTC).")
    rows = []
    for vector in root.iter("OSV"):
        time = seconds(vector.findtext("UTC"), epoch)
        if start - _MARGIN <= time <= stop + _MARGIN:
            rows.append([time, *(float(vector.findtext(key)) for key in ("X", "Y", "Z", "VX", "VY", "VZ"))])
    table = np.array(rows, float).reshape(-1, 7)
    if not len(table) or table[0, 0] > start or table[-1, 0] < stop:
        validity = " to ".join(root.findtext(f".//Validity_Period/Validity_{end}") or "?" for end in ("Start", "Stop"))
        scene = " to ".join(str((epoch + np.timedelta64(round(t * 1000), "ms")).astype("M8[s]")) for t in (start, stop))
        raise InputError(
            f"{path.name}: its orbit ({validity}) does not cover the scene ({scene}); fetch the orbit file of that day."
        )
    return Orbit(table[:, 0], table[:, 1:4], table[:, 4:7], path.name)


def find_eof(folder: str | Path, mission: str, epoch: np.datetime64, start: float, stop: float) -> Path:
    """The orbit file in `folder` for `mission` ("S1A") that covers `start` … `stop`; precise before restituted.

    Files are told by their names alone (…_V20230823T123139_20230823T154909.EOF).

    Raises
    ------
    InputError : none covers the span.
    """
    folder = Path(folder)
    files = [folder] if folder.is_file() else sorted(folder.glob(_FILE))
    covering = []
    for path in files:
        validity = _validity(path, epoch)
        if path.name.startswith(mission) and validity and validity[0] <= start and stop <= validity[1]:
            covering.append(path)
    if not covering:
        scene = " to ".join(str((epoch + np.timedelta64(round(t * 1000), "ms")).astype("M8[s]")) for t in (start, stop))
        searched = folder.parent / "search" / "orbits.geojson"  # where slipmap fetches the orbits itself
        mend = (
            f"they come some hours later, precise ones after 20 days: remove {searched} to search them again"
            if searched.is_file()
            else "put its POEORB or RESORB file there, or leave the key out to use the annotation's own orbit"
        )
        raise InputError(
            f"inputs.sentinel1.orbits: none of the {len(files)} orbit files in {folder} covers the {mission} scene of "
            f"{scene}; {mend}."
        )
    return max(covering, key=lambda path: ("POEORB" in path.name, path.name))


def _validity(path: Path, epoch: np.datetime64) -> tuple[float, float] | None:
    try:
        start, stop = path.stem.rsplit("_V", 1)[1].split("_")
        return tuple(seconds(_iso(text), epoch) for text in (start, stop))
    except (IndexError, ValueError):
        return None


def _iso(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:11]}:{text[11:13]}:{text[13:15]}"


def state_vectors(rows: Sequence[Sequence[float]], source: str) -> Orbit:
    """The orbit of rows of time (s), x, y, z (m), vx, vy, vz (m/s)."""
    table = np.array(rows, float).reshape(-1, 7)
    return Orbit(table[:, 0], table[:, 1:4], table[:, 4:7], source)
