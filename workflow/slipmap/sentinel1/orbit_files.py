"""Orbit files (EOF) as ESA and its mirrors deliver them: plain, gzipped or zipped, in any subfolder."""

import gzip
import re
import xml.etree.ElementTree as ET
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slipmap.errors import InputError
from slipmap.sentinel1 import elements
from slipmap.sentinel1.orbits import Orbit, seconds

_MARGIN = 60.0  # s of an EOF file kept on each side of what is asked for
_MOST = 256 * 2**20  # bytes of one file unpacked: a day of state vectors has about 4 MiB
# "S1A_OPER_AUX_POEORB_OPOD_20210130T121452_V20210108T225942_20210110T005942.EOF"; predicted orbits are too coarse
_NAME = re.compile(
    r"(S1[A-D])_OPER_AUX_(POEORB|RESORB)_\w{4}_(\d{8}T\d{6})_V(\d{8}T\d{6})_(\d{8}T\d{6})\.EOF(?:\.gz)?", re.IGNORECASE
)


@dataclass(frozen=True)
class OrbitFile:
    """One orbit file; `member` is its name in the zip `path`.

    Parameters
    ----------
    mission : "S1A". kind : "POEORB" (precise) or "RESORB" (restituted). made, start, stop : as in its name.
    """

    path: Path
    member: str | None
    mission: str
    kind: str
    made: str
    start: str
    stop: str

    @property
    def name(self) -> str:
        """Of the file itself."""
        return Path(self.member or self.path).name

    def text(self) -> bytes:
        """Its contents.

        Raises
        ------
        InputError : it cannot be read or unpacked.
        """
        try:
            if self.member:
                with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as file:
                    text = file.read(_MOST)
            else:
                with self.path.open("rb") as file:
                    text = file.read(_MOST)
            if self.name.lower().endswith(".gz"):
                text = gzip.decompress(text)
        except (OSError, EOFError, zipfile.BadZipFile, RuntimeError, zlib.error) as error:
            raise InputError(f"{self.path}: not an orbit file that can be read ({error}); fetch it again.") from error
        return text


def orbit_files(folder: str | Path) -> list[OrbitFile]:
    """The orbit files in `folder` and its subfolders, and in zips there; or the one that `folder` is.

    Raises
    ------
    InputError : a zip cannot be opened.
    """
    folder = Path(folder)
    paths = [folder] if folder.is_file() else sorted(p for p in folder.rglob("*") if p.is_file())
    found = []
    for path in paths:
        names: list[tuple[str, str | None]] = [(path.name, None)]
        if path.suffix.lower() == ".zip":
            try:
                with zipfile.ZipFile(path) as archive:
                    names = [(Path(name).name, name) for name in sorted(archive.namelist())]
            except (OSError, zipfile.BadZipFile) as error:
                raise InputError(f"{path}: not a zip that can be opened ({error}); fetch it again.") from error
        for name, member in names:
            if match := _NAME.fullmatch(name):
                mission, kind, *times = (text.upper() for text in match.groups())
                found.append(OrbitFile(path, member, mission, kind, *times))
    return found


def find_eof(folder: str | Path, mission: str, epoch: np.datetime64, start: float, stop: float) -> OrbitFile:
    """The orbit file in `folder` for `mission` ("S1A") that covers `start` … `stop` (s); precise before restituted.

    Files are told by their names alone; of several, the one that was made last.

    Raises
    ------
    InputError : none covers the span.
    """
    files = orbit_files(folder)
    covering = [
        file
        for file in files
        if file.mission == mission and _seconds(file.start, epoch) <= start and stop <= _seconds(file.stop, epoch)
    ]
    if not covering:
        searched = Path(folder).parent / "search" / "orbits.geojson"  # where slipmap fetches the orbits itself
        remedy = (
            f"they come some hours later, precise ones after 20 days: remove {searched} to search them again"
            if searched.is_file()
            else "put its POEORB or RESORB file there, or leave the key out to use the annotation's own orbit"
        )
        raise InputError(
            f"inputs.sentinel1.orbits: none of the {len(files)} orbit files in {folder} covers the {mission} scene of "
            f"{_scene(epoch, start, stop)}; {remedy}."
        )
    return max(covering, key=lambda file: (file.kind == "POEORB", file.made, file.name))


def read_eof(file: OrbitFile, epoch: np.datetime64, start: float, stop: float) -> Orbit:
    """State vectors of an orbit file that surround `start` … `stop` (s after `epoch`).

    Raises
    ------
    InputError : not an orbit file, not Earth-fixed and UTC, or it does not cover the span.
    """
    try:
        root = ET.fromstring(file.text())
    except ET.ParseError as error:
        raise InputError(f"{file.path}: not an orbit file that can be read ({error}); fetch it again.") from error
    frame, clock = (root.findtext(f".//Variable_Header/{name}") for name in ("Ref_Frame", "Time_Reference"))
    if (frame, clock) != ("EARTH_FIXED", "UTC"):
        raise InputError(
            f"{file.path}: an orbit in {frame} and {clock}; give a POEORB or RESORB file (EARTH_FIXED, UTC)."
        )
    rows = []
    try:
        for vector in root.iter("OSV"):
            time = seconds(elements.text(vector, "UTC"), epoch)
            if start - _MARGIN <= time <= stop + _MARGIN:
                rows.append([time, *(float(elements.text(vector, key)) for key in ("X", "Y", "Z", "VX", "VY", "VZ"))])
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{file.path}: a state vector in it cannot be read ({error}); fetch it again.") from error
    table = np.array(rows, float).reshape(-1, 7)
    if not len(table) or table[0, 0] > start or table[-1, 0] < stop:
        validity = " to ".join(root.findtext(f".//Validity_Period/Validity_{end}") or "?" for end in ("Start", "Stop"))
        raise InputError(
            f"{file.name}: its orbit ({validity}) does not cover the scene ({_scene(epoch, start, stop)}); fetch the "
            f"orbit file of that day."
        )
    return Orbit(table[:, 0], table[:, 1:4], table[:, 4:7], file.name)


def _scene(epoch: np.datetime64, start: float, stop: float) -> str:
    return " to ".join(str((epoch + np.timedelta64(round(t * 1000), "ms")).astype("M8[s]")) for t in (start, stop))


def _seconds(text: str, epoch: np.datetime64) -> float:
    """The time "20210108T225942" in s after `epoch`."""
    return seconds(f"{text[:4]}-{text[4:6]}-{text[6:11]}:{text[11:13]}:{text[13:15]}", epoch)
