"""What the readers find: dates, pairs, files and the radar's geometry, whatever the format."""

import csv
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from slipmap.errors import InputError
from slipmap.io.atomic import write_text

END = 3  # dates at an end of the series; a pair that alone holds so few is not what the velocity hangs on


def parse_date(text: str, where: str) -> date:
    """Read "YYYYMMDD" or "YYYY-MM-DD"; `where` names the file for the error sentence."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f"{where}: '{text}' is not a date (YYYYMMDD); rename the file or correct its tag.") from error


@dataclass(frozen=True)
class Acquisition:
    """One geocoded SLC: its file, date and perpendicular baseline (m, relative to the first date)."""

    date: date
    file: str
    perpendicular_baseline: float


@dataclass(frozen=True)
class Pair:
    """One interferogram of the network.

    Parameters
    ----------
    reference, secondary : dates, reference first.
    perpendicular_baseline : metres, secondary relative to reference; None where the files do not tell.
    files : role ("reference", "secondary", "interferogram", "unwrapped", "coherence", "components") → path.
    """

    reference: date
    secondary: date
    perpendicular_baseline: float | None
    files: dict[str, str]
    mean_coherence: float | None = None

    @property
    def name(self) -> str:
        """ "20210109_20210202"."""
        return f"{self.reference:%Y%m%d}_{self.secondary:%Y%m%d}"

    @property
    def days(self) -> int:
        """Temporal baseline in days."""
        return (self.secondary - self.reference).days

    def record(self) -> dict[str, object]:
        """As plain data, for `from_record`; without the mean coherence, which is not known before it is formed."""
        return {
            "reference": self.reference.isoformat(),
            "secondary": self.secondary.isoformat(),
            "perpendicular_baseline": self.perpendicular_baseline,
            "files": self.files,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Pair":
        """The pair that `record` came from."""
        days = {role: date.fromisoformat(record[role]) for role in ("reference", "secondary")}
        return cls(**(dict(record) | days))


@dataclass(frozen=True)
class LeftOut:
    """A supplied pair that cannot be used, and why (a sentence that names the file, without its full stop)."""

    reference: date
    secondary: date
    why: str

    @property
    def name(self) -> str:
        """As `Pair.name`."""
        return f"{self.reference:%Y%m%d}_{self.secondary:%Y%m%d}"


@dataclass(frozen=True)
class Radar:
    """What the whole stack shares.

    Parameters
    ----------
    wavelength, slant_range : m. incidence : mean, degrees from the vertical. bandwidth : range bandwidth, Hz.
    orbit_direction : "ASCENDING" or "DESCENDING" or "". heading : degrees clockwise from north, of the flight.
    cell : ground that is one independent look, m²; None: every SLC pixel is.
    """

    wavelength: float
    incidence: float | None = None
    slant_range: float | None = None
    bandwidth: float | None = None
    heading: float | None = None
    orbit_direction: str = ""
    track: str = ""
    cell: float | None = None


@dataclass(frozen=True)
class Stack:
    """A stack as read from the files, before the network is chosen.

    `left_out` are sentences on data that do not count, `notes` on data that count and lack something.
    """

    level: str
    format: str
    radar: Radar
    acquisitions: list[Acquisition] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    geometry: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    pairs_left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    simulated: bool = False


def network_dates(pairs: Sequence[Pair]) -> list[date]:
    """Every date of `pairs`, sorted."""
    return sorted({d for pair in pairs for d in (pair.reference, pair.secondary)})


def save_network(path: str | Path, pairs: Sequence[Pair], left_out: Sequence[LeftOut] = ()) -> None:
    """Write network.csv: one row for each pair, with its files.

    Where supplied pairs are left out, they have rows of their own below, and a column says why.
    """
    roles = sorted({role for pair in pairs for role in pair.files})
    head = ["pair", "reference", "secondary", "temporal_baseline_days", "perpendicular_baseline_m", "mean_coherence"]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    reason = ["left_out"] if left_out else []
    table.writerow(head + [f"{role}_file" for role in roles] + reason)
    for pair in pairs:
        numbers = [pair.perpendicular_baseline, pair.mean_coherence]
        table.writerow(
            [pair.name, pair.reference, pair.secondary, pair.days]
            + ["" if v is None else f"{v:.4f}" for v in numbers]
            + [pair.files.get(role, "") for role in roles]
            + [""] * len(reason)
        )
    for each in left_out:
        days = (each.secondary - each.reference).days
        table.writerow([each.name, each.reference, each.secondary, days, "", "", *[""] * len(roles), each.why])
    write_text(path, text.getvalue())


def load_network(path: str | Path) -> list[Pair]:
    """Read the pairs that `save_network` wrote; those left out are passed over."""
    with open(path, newline="", encoding="utf-8") as source:
        return [
            Pair(
                date.fromisoformat(row["reference"]),
                date.fromisoformat(row["secondary"]),
                float(row["perpendicular_baseline_m"]) if row["perpendicular_baseline_m"] else None,
                {k[:-5]: v for k, v in row.items() if k.endswith("_file") and v},
                float(row["mean_coherence"]) if row["mean_coherence"] else None,
            )
            for row in csv.DictReader(source)
            if not row.get("left_out")
        ]


def save_stack(path: str | Path, stack: Stack, **more: object) -> None:
    """Write stack.json: level, format, radar, geometry files, what was left out."""
    record = {
        "level": stack.level,
        "format": stack.format,
        "simulated": stack.simulated,
        "radar": dataclasses.asdict(stack.radar),
        "geometry": stack.geometry,
        "left_out": stack.left_out,
        **more,
    }
    write_text(path, json.dumps(record, indent=2) + "\n")


def load_radar(record: Mapping[str, Any]) -> Radar:
    """The radar of a stack.json record."""
    return Radar(**record["radar"])
