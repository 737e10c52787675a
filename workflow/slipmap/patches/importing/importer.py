"""What an importer of a format of patch data sets is, and what it gives: samples, their bands, how to read one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from slipmap.codes import BACKGROUND, IGNORE, LANDSLIDE, UNKNOWN
from slipmap.config.patches import ImportSettings
from slipmap.errors import InputError
from slipmap.patches.normalisation import BandStatistics

WITHOUT_COORDINATES = f"{UNKNOWN} (split by source image; the images have no coordinates)"


class SampleError(InputError):
    """One sample cannot be used; the message names its file. Whether that stops the job is a setting."""


@dataclass(frozen=True)
class Sample:
    """One image and its mask.

    Parameters
    ----------
    name : unique in the data set; goes to the index.
    files : path of each part that is read ("image", "mask", …).
    split : "training", "validation", "test" where the data set says so, else "" (it is drawn).
    bounds : (left, bottom, right, top) in `crs` where the sample is georeferenced; samples that overlap stay in one
        split.
    crs : of `bounds`.
    group : samples of one group stay in one split; "" stands alone.
    """

    name: str
    files: Mapping[str, Path]
    split: str = ""
    bounds: tuple[float, float, float, float] | None = None
    crs: str = ""
    group: str = ""


@dataclass(frozen=True)
class Source:
    """A data set, scanned but not read.

    Parameters
    ----------
    name : of the data set.
    bands : described, without numbers.
    samples : in a fixed order.
    read : of a sample: image float32 (bands, rows, cols), NaN where missing, and mask uint8 (rows, cols) of 0, 1, 255.
        Raises `SampleError`.
    independence : how far test is spatially independent of training; tables show it.
    pixel_size : m, where it is known.
    thumbnail : bands (numbers from 0) by which near duplicates are found.
    """

    name: str
    bands: Sequence[BandStatistics]
    samples: Sequence[Sample]
    read: Callable[[Sample], tuple[np.ndarray, np.ndarray]]
    independence: str
    pixel_size: float | None = None
    thumbnail: Sequence[int] = field(default=(0, 1, 2))


@dataclass(frozen=True)
class Published:
    """Where a data set can be fetched from.

    Parameters
    ----------
    host : "zenodo" (identifier: record) or "hugging_face" (identifier: owner/name@revision).
    wanted : regular expression searched in a file's path there.
    citation : of the data set, with its DOI.
    """

    host: str
    identifier: str
    wanted: str
    citation: str


class Importer:
    """A format. One instance of a subclass, ``IMPORTER``, stands in a module of `slipmap.patches.importers`.

    The attributes are what the page *Input formats* says, and the report and the download read.

    Parameters
    ----------
    name : of the format, given by the index. title : of the data set, for people. source : its specification.
    files : what → file names below ``source.path``.
    bands, classes, split, checks : sentences for the page.
    settings : keys of ``source`` that only this format has.
    published : where it is fetched from; None: by the user. by_hand : why and how it is downloaded by the user, who is
        told so; "" where nothing has to be downloaded.
    """

    name = ""
    title = ""
    source = ""
    files: Mapping[str, str] = {}
    bands = ""
    classes = ""
    split = ""
    checks = ""
    settings: Sequence[str] = ()
    published: Published | None = None
    by_hand = ""

    def scan(self, settings: ImportSettings) -> Source:
        """List the samples; no image is read.

        Raises
        ------
        InputError : the folder is laid out otherwise, or not whole.
        """
        raise NotImplementedError

    def check(self, settings: ImportSettings) -> None:
        """What can be seen before the run, in a few seconds; raises as `scan`, which it calls unless overridden."""
        self.scan(settings)


def check_sample(
    sample: Sample, image: np.ndarray, mask: np.ndarray, ranges: Mapping[str, tuple[float, float]], bands: Sequence[str]
) -> None:
    """Raise `SampleError` unless shapes agree, labels are 0, 1 or 255, and values lie within the bands' `ranges`."""
    path = sample.files["image"]
    if image.shape[1:] != mask.shape:
        raise SampleError(
            f"{sample.files.get('mask', path)} has {mask.shape[0]} x {mask.shape[1]} pixels but {path.name} has "
            f"{image.shape[1]} x {image.shape[2]}; image and mask must cover the same pixels."
        )
    if len(image) != len(bands):
        raise SampleError(f"{path} has {len(image)} bands, not {len(bands)} ({', '.join(bands)}); fetch it again.")
    wrong = np.setdiff1d(np.unique(mask), (BACKGROUND, LANDSLIDE, IGNORE))
    if wrong.size:
        raise SampleError(
            f"{sample.files.get('mask', path)} has the label {wrong[0]}; labels are 0 (none), 1 (landslide) and 255 "
            f"(ignore)."
        )
    for name, band in zip(bands, image, strict=True):
        if name not in ranges or not np.isfinite(band).any():
            continue
        low, high = ranges[name]
        least, most = float(np.nanmin(band)), float(np.nanmax(band))
        if least < low or most > high:
            raise SampleError(
                f"{path}: band '{name}' has values from {least:g} to {most:g}, outside {low:g} to {high:g}; check its "
                f"units and the order of the bands."
            )
    if not np.isfinite(image).any():
        raise SampleError(f"{path} has no value at all; fetch it again.")


def check_count(name: str, found: int, published: int, what: str, settings_counts: str) -> None:
    """Raise `InputError` unless a data set that should be whole is."""
    if settings_counts == "published" and found != published:
        raise InputError(
            f"{name}: {found} {what} were found, {published} are published; complete the download, or set "
            f"source.counts to any."
        )


def existing_folder(path: str | Path, what: str) -> Path:
    """`path` as a `Path`, or `InputError` if it is no folder."""
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"source.path: {path} is not a folder; give the folder of {what}.")
    return path


def numbered(path: Path) -> tuple[int, str]:
    """Sorts image_2 before image_10."""
    digits = "".join(c for c in path.stem if c.isdigit())
    return int(digits or 0), path.stem
