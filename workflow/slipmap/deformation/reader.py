"""What a reader of a format of Sentinel-1 data is: one protocol for rasters, HDF5 and NetCDF alike."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import translate
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from rasterio.windows import Window

from slipmap.constants import SPEED_OF_LIGHT
from slipmap.deformation.layer import Layer
from slipmap.deformation.stack import Stack
from slipmap.errors import InputError
from slipmap.io.grid import Grid

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.inputs import Sentinel1Settings

SENTINEL1_WAVELENGTH = SPEED_OF_LIGHT / 5.405e9  # m; centre frequency of the instrument
_TWO_DATES = re.compile(r"(?<!\d)(\d{8})(?:T\d{6}Z?)?[-_](\d{8})(?:T\d{6}Z?)?(?!\d)")


@dataclass(frozen=True)
class Listing:
    """What lies at `inputs.sentinel1.path`: a file, or a folder with all files below it, sorted.

    `chosen` are the files that count, where not all in the folder do.
    """

    source: Path
    paths: tuple[Path, ...]
    chosen: tuple[Path, ...] | None = None

    @classmethod
    def of(cls, source: Path, chosen: Sequence[str | Path] | None = None) -> "Listing":
        """List `source`; hidden files are passed over."""
        found = [source] if source.is_file() else [p for p in sorted(source.rglob("*")) if p.is_file()]
        paths = tuple(path for path in found if not path.name.startswith("."))
        return cls(source, paths, None if chosen is None else tuple(map(Path, chosen)))

    def named(self, *names: str) -> list[Path]:
        """The files whose name matches one of `names` (with * and ?)."""
        return [path for path in self.paths if matches(path.name, names)]


@dataclass(frozen=True)
class Velocity:
    """A ready velocity.

    Parameters
    ----------
    grid : where it lies. read : window of `grid` → (rows, cols) float64, mm/yr, NaN for nodata.
    source, format : its file and format. component : what it is a velocity of.
    zero_may_be_nodata : whether an exact 0 may be nodata: the file declares none.
    whole_numbers : whether velocities are stored rounded, so that many are 0.
    """

    grid: Grid
    read: Callable[[Window], np.ndarray]
    source: Path
    format: str
    component: str = "line-of-sight velocity, positive towards the satellite"
    zero_may_be_nodata: bool = False
    whole_numbers: bool = False


class PairFacts(TypedDict, total=False):
    """What files tell of one pair: m (a wavelength also as it is written), clock in s of the day, degrees."""

    perpendicular_baseline: float | None
    wavelength: float | str
    track: str
    burst: str
    frame: str
    clock: float
    orbit_direction: str
    heading: float
    slant_range: float
    incidence: float


class Facts:
    """What is written beside the rasters of a stack, read once for all its pairs; by default nothing."""

    def pair(self, first: date, second: date, layers: Mapping[str, Layer]) -> PairFacts:
        """Of one pair, whatever is known."""
        return {}

    def radar(self) -> dict[str, object]:
        """Of the whole stack: fields of `Radar`, whatever is known."""
        return {}


class Reader:
    """A format. One instance of a subclass, ``READER``, stands in a module of `slipmap.deformation.readers`.

    The attributes are what the reader recognises and what the page *Input formats* says.

    Parameters
    ----------
    name : of the format, given by the index. title : for people. source : the layout's specification.
    levels : of ``inputs.sentinel1.level`` that it reads.
    files : role ("unwrapped", "interferogram", "coherence", "velocity", …) → file names (with * and ?), those that are
        to be preferred in a folder first.
    wanted : level → the role without which there is nothing to read.
    units, sign, beside, checks : sentences for the page.
    generic : other formats go before it where they recognise a folder.
    radar_coded : names of files in radar coordinates, which are told to geocode. geocode : how.
    """

    name = ""
    title = ""
    source = ""
    levels: tuple[str, ...] = ()
    files: Mapping[str, tuple[str, ...]] = {}
    wanted: Mapping[str, str] = {"unwrapped": "unwrapped", "wrapped": "interferogram", "velocity": "velocity"}
    units = ""
    sign = ""
    beside = ""
    checks = ""
    generic = False
    radar_coded: tuple[str, ...] = ()
    geocode = "geocode it first"

    def recognises(self, listing: Listing, level: str) -> bool:
        """Whether there is something of this format at this level; from names, or a header where names do not tell."""
        return level in self.levels and bool(listing.named(*self.files.get(self.wanted.get(level, ""), ())))

    def stack(self, listing: Listing, settings: "Sentinel1Settings") -> Stack:
        """Describe SLCs or interferograms (levels slc, wrapped, unwrapped)."""
        raise NotImplementedError

    def velocity(self, listing: Listing, settings: "Sentinel1Settings") -> Velocity:
        """Describe a ready velocity (level velocity)."""
        raise NotImplementedError


@dataclass
class _Roles:
    """Files of one pair in one folder, by role, the most preferred first."""

    by_role: dict[str, tuple[int, Path]] = field(default_factory=dict)

    def offer(self, role: str, rank: int, path: Path) -> None:
        """Keep `path` for `role` unless one of a better rank is there."""
        if role not in self.by_role or rank < self.by_role[role][0]:
            self.by_role[role] = rank, path


class PairFormat(Reader):
    """What is particular to a format of interferograms, each pair in files of its own; see `PairReader`.

    Parameters
    ----------
    geometry : role ("dem", "los", "look_theta", "look_phi", "los_east", …) → file names of rasters beside them.
    byte_coherence : whether the format stores coherence as bytes, 255 for 1.
    twice : what two files of the same dates and role are, and what to do.
    """

    levels: tuple[str, ...] = ("wrapped", "unwrapped")
    geometry: Mapping[str, tuple[str, ...]] = {}
    byte_coherence = False
    twice = "keep one of the two"

    def facts(self, listing: Listing) -> Facts:
        """What is written beside the rasters."""
        return Facts()

    def dates(self, path: Path, source: Path) -> tuple[str, str]:
        """The two dates (YYYYMMDD) of a raster, from its name or that of a folder above it, up to `source`.

        Raises
        ------
        InputError : there are no two dates.
        """
        for name in (
            path.name,
            *(folder.name for folder in path.parents if folder == source or source in folder.parents),
        ):
            if match := _TWO_DATES.search(name):
                return match.group(1), match.group(2)
        raise InputError(f"{path}: there are no two dates (YYYYMMDD_YYYYMMDD) in its name; rename the file.")

    def layer(self, path: Path, role: str) -> Layer:
        """Where the values of a role are in a file."""
        return Layer(path)

    def rasters(self, listing: Listing) -> Iterator[tuple[tuple[str, str], str, Path]]:
        """Yield dates, role and file of each raster; of several in one folder for one role the most preferred.

        A file without two dates has "" and the sentence that says so in their place.
        """
        patterns = [(role, n, _pattern(name)) for role, names in self.files.items() for n, name in enumerate(names)]
        folders: dict[tuple[Path, str, str], _Roles] = {}
        for path in listing.paths:
            for role, rank, pattern in patterns:
                if pattern.match(path.name):
                    try:
                        days = self.dates(path, listing.source)
                    except InputError as error:
                        yield ("", str(error)), role, path
                        break
                    key = (path.parent, *days)
                    folders.setdefault(key, _Roles()).offer(role, rank, path)
                    break
        for (_, *dates), roles in folders.items():
            for role, (_, path) in roles.by_role.items():
                yield (dates[0], dates[1]), role, path

    def views(self, listing: Listing) -> dict[str, Layer]:
        """Rasters of the geometry beside the interferograms: role → where its values are."""
        found = {}
        for role, names in self.geometry.items():
            paths = [path for name in names for path in listing.named(name)]
            if paths:
                found[role] = Layer(paths[0])
        return found


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(translate(name))


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a file name matches one of `patterns`."""
    return any(_pattern(pattern).match(name) for pattern in patterns)


def number(path: Path, key: str, text: str, low: float, high: float) -> float | None:
    """The number that a text file beside the data holds under `key`; None where it is blank or "nan".

    Raises
    ------
    InputError : it is not a number, or one that cannot be (below `low`, above `high`).
    """
    if text.strip().lower() in ("", "nan", "-"):
        return None
    try:
        value = float(text.split()[0])
    except ValueError as error:
        raise InputError(f"{path}: '{key}:{text}' is not a number; fetch the file again or blank it.") from error
    if not low <= value <= high:
        raise InputError(
            f"{path}: '{key}' is {value:g}, which cannot be ({low:g} to {high:g}); correct it or blank it."
        )
    return value


# Bounds of what is written beside Sentinel-1 data, for `number`
BOUNDS = {
    "perpendicular_baseline": (-2000.0, 2000.0),  # m; the tube is 200 m wide, the first year's was wider
    "heading": (-360.0, 360.0),
    "slant_range": (6e5, 1.2e6),  # m
    "incidence": (10.0, 70.0),  # degrees
}
