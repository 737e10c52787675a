"""Files that each hold one band of a Sentinel-2 scene: which belong together, which are no band, where they lie."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import rasterio
from rasterio.crs import CRS
from rasterio.env import Env
from rasterio.errors import CRSError, RasterioError
from rasterio.warp import transform_bounds

from slipmap.errors import InputError
from slipmap.factors.scene import band_name
from slipmap.io import raster
from slipmap.io.grid import crs_name

JP2 = ".jp2"
IMAGES = (".tif", ".tiff", JP2)
FMASK = "Fmask"
HLS = re.compile(r"HLS\.S30\.T\w{5}\.\d{7}T\d{6}\.v\d")  # HLS.S30.T32TPQ.2023134T100601.v2.0.B04.tif
_JP2_DRIVERS = ("JP2OpenJPEG", "JP2KAK", "JP2ECW", "JP2MrSID", "JP2Grok")
_OF_ONE_SIZE = re.compile(r"R\d\dm")  # folders of IMG_DATA: the bands of one scene, by size of pixel
# What is delivered beside the bands: aerosol, water vapour, pictures, probabilities of cloud and snow, dark vegetation
# and masks of SAFE products (Sentinel-2 Products Specification Document), the same by STAC's names, and HLS's angles.
_NO_BAND = re.compile(
    r"(?i)(?:^|_)(?:AOT|WVP|TCI|PVI|CLD|SNW|DDV)(?:_\d{2,3}m)?$|(?:^|_)MSK_[A-Z]+|^(?:visual|cloud|snow|preview)$"
    r"|^HLS\..*\.[SV][AZ]A$"
)


def entries(folder: Path) -> Iterator[Path]:
    """What lies in a folder of scenes, in the order of its names; R10m, R20m and R60m count as one folder."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and _OF_ONE_SIZE.fullmatch(entry.name):
            yield from (file for file in sorted(entry.iterdir()) if file.is_file() and not file.name.startswith("."))
        else:
            yield entry


def is_no_band(path: Path) -> bool:
    """Whether a raster is none of reflectance, by its name: AOT, WVP, TCI, PVI, masks and probabilities.

    One whose bands are named as bands of Sentinel-2 is a scene all the same.
    """
    if not _NO_BAND.search(path.stem):
        return False
    with _opened(path, "inputs.sentinel2") as src:
        return not any(map(band_name, src.descriptions))


def split_name(stem: str) -> tuple[str, str | None]:
    """ "T32TQP_20230428_B02_10m" → ("T32TQP_20230428", "B2"); a name without a band → (name, None)."""
    if HLS.match(stem):
        group, _, last = stem.rpartition(".")
        return group, FMASK if last == FMASK else band_name(last)
    parts = stem.split("_")
    for n in range(len(parts) - 1, -1, -1):
        name = band_name(parts[n])
        if name:
            rest = [part for k, part in enumerate(parts) if k != n and not re.fullmatch(r"\d\dm", part)]
            return "_".join(rest), name
    return stem, None


def finest(band: str, one: Path, other: Path, key: str) -> Path:
    """The file with the smaller pixels of two that hold the same band of one scene."""
    sizes = []
    for path in (one, other):
        with _opened(path, key) as src:
            sizes.append(max(map(abs, src.res)))
    if sizes[0] == sizes[1]:
        raise InputError(
            f"{key}: {one} and {other} both hold band {band} of one scene, with pixels of the same size; take out "
            f"the one that does not count."
        )
    return (one, other)[sizes.index(min(sizes))]


def require_one_place(scene: str, files: Mapping[str, Path], key: str) -> None:
    """Raise `InputError` unless the bands of a scene (and its mask) are in one CRS and lie on the same ground."""
    places: dict[str, tuple[CRS, tuple[float, float, float, float]]] = {}
    for band, path in files.items():
        if path.suffix.lower() == JP2:  # GeoTIFFs have been looked at, as all rasters of the folder are
            _require_driver(path, key)
            raster.check(path, key)
        with _opened(path, key) as src:
            if src.crs is not None:
                places[band] = src.crs, raster.outer_bounds(src)
    systems = [crs_name(crs) for crs, _ in places.values()]
    for band, (crs, box) in places.items():
        usual = max(dict.fromkeys(systems), key=systems.count)
        if crs_name(crs) != usual:
            raise InputError(
                f"{key}: {files[band]} (band {band} of {scene}) is in {crs_name(crs)[:40]}, and its other bands are in "
                f"{usual[:40]}; the bands of a scene have one coordinate reference system: fetch that file again, or "
                f"correct it."
            )
        if apart := [other for other, (_, there) in places.items() if not _meet(box, there)]:
            odd = band if len(apart) > len(places) / 2 else apart[0]
            raise InputError(
                f"{key}: {files[odd]} (band {odd} of {scene}) lies on other ground than the scene's other bands; "
                f"fetch that file again, or correct its coordinates."
            )


def overlap_area(path: str, box: tuple[float, float, float, float], crs: str) -> bool:
    """Whether the raster at `path` has ground in common with `box` (left, bottom, right, top in `crs`)."""
    with rasterio.open(path) as src:
        try:
            return _meet(transform_bounds(CRS.from_user_input(crs), src.crs, *box), raster.outer_bounds(src))
        except CRSError:
            return False


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _require_driver(path: Path, key: str) -> None:
    """Raise `InputError` where the GDAL in use cannot read JPEG 2000."""
    with Env() as env:
        there = env.drivers()
    if not any(name in there for name in _JP2_DRIVERS):
        raise InputError(
            f"{key}: {path} is JPEG 2000, for which this GDAL has no driver; install one (conda: libgdal-jp2openjpeg; "
            f"rasterio from PyPI has it), or convert the bands to GeoTIFF."
        )


def _opened(path: Path, key: str) -> rasterio.io.DatasetReader:
    try:
        return rasterio.open(path)
    except RasterioError as error:
        raise InputError(f"{key}: {path} is not a raster that GDAL can open; fetch or export it again.") from error
