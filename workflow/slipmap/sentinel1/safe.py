"""SAFE products on disk: folder or zip, whole scenes or single bursts; what is in them, and their pixels."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window

from slipmap.arrays import Complexes
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.sentinel1.annotation import Burst, Swath, read_swath

POLARISATIONS = ("VV", "HH", "VH", "HV")
_PRODUCT = re.compile(r"S1[A-D]_IW_SLC__1S.*_(\d{8}T\d{6})_\d{8}T\d{6}_", re.IGNORECASE)
# "s1a-iw1-slc-vv-20230904t063731-…", in the folders annotation and measurement
_MEMBER = re.compile(r"s1[a-d]-(iw[123])-slc-(vv|hh|vh|hv)-(\d{8})t\d{6}-.*")
_MOST = 64 * 2**20  # bytes of one XML file: those of real products have about 2 MiB


@dataclass(frozen=True)
class Product:
    """One SAFE product.

    Parameters
    ----------
    path : folder or zip. start : of acquisition, by its name. members : names of the files in it that we may need,
        relative to `path`, by (kind, swath, polarisation); kinds are annotation, calibration and measurement.
    """

    path: Path
    start: datetime
    members: dict[tuple[str, str, str], str]
    manifest: str | None

    @property
    def day(self) -> date:
        """On which the acquisition begins, UTC."""
        return self.start.date()

    def text(self, member: str) -> bytes:
        """Contents of an XML file of the product."""
        try:
            if self.path.is_dir():
                return (self.path / member).read_bytes()
            with zipfile.ZipFile(self.path) as archive:
                if archive.getinfo(member).file_size > _MOST:
                    raise InputError(f"{self.path}: {member} is too large for an annotation; fetch the product again.")
                return archive.read(member)
        except (OSError, zipfile.BadZipFile, KeyError, RuntimeError) as error:
            raise InputError(f"{self.path}: {member} cannot be read ({error}); fetch the product again.") from error

    def polarisations(self) -> list[str]:
        """Polarisations of which there is an annotation."""
        found = {polarisation for kind, _, polarisation in self.members if kind == "annotation"}
        return [p for p in POLARISATIONS if p in found]

    def swaths(self, polarisation: str, epoch: np.datetime64 | None = None) -> list[Swath]:
        """The swaths of `polarisation` that hold data, parsed; those without bursts are passed over.

        Parameters
        ----------
        epoch : zero of all times; None: midnight of the day on which the product begins.

        Raises
        ------
        InputError : the product does not have that polarisation, or an annotation cannot be read.
        """
        names = {s: m for (kind, s, p), m in self.members.items() if kind == "annotation" and p == polarisation}
        if not names:
            listed = " and ".join(self.polarisations()) or "no annotation"
            raise InputError(
                f"{self.path}: it has no polarisation {polarisation} (it has {listed}); set geocoding.polarisation to "
                f"one that all products have, or remove the product."
            )
        tracks = self.relative_orbits()
        epoch = np.datetime64(self.day, "ns") if epoch is None else epoch
        swaths = [
            read_swath(self.text(member), f"{self.path / member}", epoch, tracks) for _, member in sorted(names.items())
        ]
        return [swath for swath in swaths if swath is not None]

    def relative_orbits(self) -> tuple[int, int] | None:
        """Tracks at the start and at the stop, from the manifest; None where it has none."""
        if self.manifest is None:
            return None
        found = re.findall(rb"relativeOrbitNumber[^>]*>\s*(\d+)", self.text(self.manifest))
        return (int(found[0]), int(found[-1])) if found else None

    @property
    def simulated(self) -> bool:
        """Whether the product says that it is simulated."""
        return self.manifest is not None and b"SIMULATED" in self.text(self.manifest)

    @contextmanager
    def measurement(self, swath: Swath) -> Iterator["Measurement"]:
        """Open the pixels of `swath`.

        Raises
        ------
        InputError : the file is missing, is no raster, is truncated or has not the size that the annotation says.
        """
        member = self.members.get(("measurement", swath.swath, swath.polarisation))
        if member is None:
            raise InputError(
                f"{self.path}: the measurement of {swath.swath} {swath.polarisation} is missing in it; fetch the "
                f"product again."
            )
        try:
            source = rasterio.open(self._inside(member))
        except RasterioError as error:
            raise InputError(
                f"{self.path}: {member} is not a raster that can be read; it is truncated or corrupt, fetch it again."
            ) from error
        with source:
            wanted = (swath.lines_per_burst * swath.listed, swath.samples_per_burst)
            if source.shape != wanted:
                raise InputError(
                    f"{self.path}: {member} has {source.height} x {source.width} pixels, its annotation says "
                    f"{wanted[0]} x {wanted[1]}; fetch the product again."
                )
            raster.check_whole(source, self.path / member, "inputs.sentinel1.path", self._size(member))
            yield Measurement(source, f"{self.path}: {member}")

    def _size(self, member: str) -> int | None:
        """Bytes of a member of a zip, unpacked; None in a folder."""
        if self.path.is_dir():
            return None
        with zipfile.ZipFile(self.path) as archive:
            return archive.getinfo(member).file_size

    def _inside(self, member: str) -> str:
        """How GDAL names a file of the product."""
        return str(self.path / member) if self.path.is_dir() else f"/vsizip/{self.path.resolve()}/{member}"


class Measurement:
    """The open pixels of one swath."""

    def __init__(self, source: rasterio.io.DatasetReader, name: str) -> None:
        self._source, self._name = source, name

    def read(self, burst: Burst, lines: tuple[int, int], samples: tuple[int, int]) -> Complexes:
        """Digital numbers of a part of `burst`, complex64: `lines` and `samples` are (first, one after the last)."""
        window = Window(samples[0], burst.first_row + lines[0], samples[1] - samples[0], lines[1] - lines[0])
        try:
            values: Complexes = self._source.read(1, window=window, out_dtype=np.complex64)
        except RasterioError as error:
            raise InputError(
                f"{self._name} cannot be read at burst {burst.number + 1} ({error}); the file is truncated or corrupt, "
                f"fetch it again."
            ) from error
        return values


def is_safe(path: Path) -> bool:
    """Whether the name of `path` is that of a SAFE product (folder or zip) of IW SLC."""
    return bool(_PRODUCT.match(path.name)) and (path.suffix.upper() in (".SAFE", ".ZIP"))


def open_safe(path: Path) -> Product:
    """List the files of the SAFE product at `path` (folder or zip)."""
    if not path.exists():
        raise InputError(f"{path} is not there any more; put the product back, or run the workflow again without it.")
    if path.is_dir():
        names = [file.relative_to(path).as_posix() for file in sorted(path.rglob("*")) if file.is_file()]
    else:
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(f"{path}: not a zip that can be opened ({error}); fetch the product again.") from error
        for name in names:
            if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts or ":" in name:
                raise InputError(f"{path}: it holds a path outside itself ({name}); do not trust it, fetch it again.")
    members, manifest = {}, None
    for name in names:
        parts = PurePosixPath(name).parts
        if parts[-1] == "manifest.safe":
            manifest = name
        kind = {"annotation": "annotation", "measurement": "measurement", "calibration": "calibration"}.get(
            parts[-2] if len(parts) > 1 else ""
        )
        stem = parts[-1].removeprefix("calibration-") if kind == "calibration" else parts[-1]
        found = _MEMBER.fullmatch(stem.lower())
        if kind and found:
            members[kind, found.group(1).upper(), found.group(2).upper()] = name
    if not any(kind == "annotation" for kind, *_ in members):
        raise InputError(f"{path}: there is no annotation of an IW SLC swath in it; fetch the product again.")
    name_of_product = _PRODUCT.match(path.name)
    if name_of_product is None:
        raise InputError(f"{path}: not the name of an IW SLC product; give the product its original name.")
    return Product(path, start_time(name_of_product.group(1), path), members, manifest)


def start_time(text: str, path: Path) -> datetime:
    """The time "20230904T063731" in the name of `path`."""
    try:
        return datetime.strptime(text.upper(), "%Y%m%dT%H%M%S")
    except ValueError as error:
        raise InputError(f"{path}: {text} in its name is no time; give the product its original name.") from error
