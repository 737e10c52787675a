"""Sentinel-2 products in SAFE format (L2A and L1C, folder or zip, every processing baseline) as scenes."""

import re
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Collection
from datetime import date
from pathlib import Path

import numpy as np
import rasterio
from rasterio.features import rasterize
from rasterio.warp import transform_geom
from rasterio.windows import Window

from slipmap.errors import InputError
from slipmap.factors.align import reader
from slipmap.factors.scene import Band, Mask, Scene, band_name, class_mask, scene_date
from slipmap.io.grid import Grid

# The order of `band_id` in the metadata (Sentinel-2 Products Specification Document, physical bands).
BAND_IDS = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
# since December 2016, and before it (S2A_OPER_MTD_SAFL1C_PDMC_…)
_METADATA = re.compile(r"(?:^|/)(?:MTD_MSI|S2[A-D]_(?:OPER|USER)_MTD_SAF)L(1C|2A)(?:_[^/]*)?\.xml$")


def is_safe(path: str | Path) -> bool:
    """Whether `path` is a SAFE folder, or a zip file that holds one."""
    path = Path(path)
    if path.is_dir():
        return any(_METADATA.search(f"/{entry.name}") for entry in path.iterdir())
    if path.suffix.lower() != ".zip" or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(_METADATA.search(name) for name in archive.namelist())


def open_scenes(path: str | Path, masked: Collection[int], key: str) -> list[Scene]:
    """The tiles of a SAFE product as scenes: reflectance of the surface (L2A) or at the top of the atmosphere (L1C).

    A product has one tile; before December 2016, under other names, it had all that were seen in one pass.

    Parameters
    ----------
    masked : classes of the scene classification that cannot be used (L2A). L1C has no shadows: opaque cloud and
        cirrus of its mask (a raster from processing baseline 04.00 on, polygons before) cannot be used.
    key : for messages.

    Notes
    -----
    Reflectance = (stored number + offset) / quantification value, both from the product's metadata; from baseline 04.00
    on the offset is −1000 for every band, before there is none. Stored 0 is no data. Each band is taken at
    its finest resolution; nothing is read until a block of the area asks for it.

    Raises
    ------
    InputError : the product is incomplete.
    """
    product = _Product(Path(path))
    found = next(((n, match) for n in product.names if (match := _METADATA.search(f"/{n}"))), None)
    if found is None:
        raise InputError(f"{key}: {path} has no MTD_MSIL1C.xml or MTD_MSIL2A.xml; download the product again.")
    name, level = found[0], found[1][1]
    try:
        metadata = ElementTree.fromstring(product.read(name))
    except ElementTree.ParseError as error:
        raise InputError(f"{key}: {path}: {name} is not whole ({error}); download the product again.") from error
    scale, offsets = _calibration(metadata, level, path, key)
    when = _date(Path(path).name, metadata)
    tiles = _tiles(product)
    if not tiles:
        raise InputError(f"{key}: {path} has no band images (GRANULE/*/IMG_DATA); download the product again.")
    return [
        Scene(
            f"{Path(path).stem}{f' {tile}' if len(tiles) > 1 else ''}",
            when,
            bands := {
                band: Band(product.gdal(files[band]), 1, scale, offsets.get(band, 0.0), 0.0)
                for band in BAND_IDS
                if band in files
            },
            _unusable(product, tile, level, files.get("SCL"), next(iter(bands.values())), masked),
        )
        for tile, files in tiles.items()
    ]


def _unusable(
    product: "_Product", tile: str, level: str, classes: str | None, first: Band, masked: Collection[int]
) -> Mask | None:
    if level == "2A":
        return class_mask(Band(product.gdal(classes)), masked) if classes else None
    return _l1c_mask(product, tile, first)


def _date(name: str, metadata: ElementTree.Element) -> date | None:
    """Day of sensing: old names have that of processing first, and that of sensing behind _V."""
    _, old, sensed = name.partition("_V")
    return scene_date(sensed if old and "_PDMC_" in name else name) or _sensing_date(metadata)


class _Product:
    """The files of a product, in a folder or in a zip."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            self.names = sorted(str(p.relative_to(path).as_posix()) for p in path.rglob("*") if p.is_file())
        else:
            with zipfile.ZipFile(path) as archive:
                self.names = sorted(name for name in archive.namelist() if not name.endswith("/"))

    def read(self, name: str) -> bytes:
        if self.path.is_dir():
            return (self.path / name).read_bytes()
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(name)

    def gdal(self, name: str) -> str:
        return str(self.path / name) if self.path.is_dir() else f"/vsizip/{self.path.resolve()}/{name}"


def _calibration(
    metadata: ElementTree.Element, level: str, path: str | Path, key: str
) -> tuple[float, dict[str, float]]:
    """Scale and the offset of each band."""
    names = ("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE") if level == "2A" else ("QUANTIFICATION_VALUE",)
    quantification = [text for name in names for text in _texts(metadata, name)]
    if not quantification:
        raise InputError(f"{key}: {path} does not say its quantification value; download the product again.")
    tag = "BOA_ADD_OFFSET" if level == "2A" else "RADIO_ADD_OFFSET"
    offsets = {
        BAND_IDS[int(element.attrib["band_id"])]: float(element.text or 0)
        for element in metadata.iter()
        if _local(element) == tag
    }
    baseline = (_texts(metadata, "PROCESSING_BASELINE") or ["0"])[0]
    if not offsets and float(baseline) >= 4:
        raise InputError(
            f"{key}: {path} is of processing baseline {baseline}, whose bands are offset, but its metadata list "
            f"no offset; download the product again."
        )
    return 1.0 / float(quantification[0]), offsets


def _tiles(product: _Product) -> dict[str, dict[str, str]]:
    """Tile (folder of GRANULE) → band (and SCL) → name of its image of the finest resolution."""
    found: dict[str, dict[str, tuple[int, str]]] = {}
    for name in product.names:
        match = re.search(r"([^/]+)/IMG_DATA/(?:R\d\dm/)?[^/]*_(B\d[\dA]|SCL)(?:_(\d\d)m)?\.jp2$", name)
        if not match:
            continue
        tile = found.setdefault(match[1], {})
        band = band_name(match[2]) or match[2]
        size = int(match[3] or 0)
        if band not in tile or size < tile[band][0]:
            tile[band] = (size, name)
    return {
        tile: {band: name for band, (_, name) in files.items()} for tile, files in found.items() if set(files) - {"SCL"}
    }


def _l1c_mask(product: _Product, tile: str, band: Band) -> Mask | None:
    own = [name for name in product.names if f"{tile}/" in name]
    for name in own:
        if re.search(r"QI_DATA/MSK_CLASSI_B00\.jp2$", name):
            return _classification_mask(product.gdal(name))
    for name in own:
        if re.search(r"QI_DATA/[^/]*MSK_CLOUDS_[^/]*B00[^/]*\.gml$", name):
            return _polygon_mask(product.read(name), band.path)
    return None


def _classification_mask(path: str) -> Mask:
    """Opaque cloud (band 1) and cirrus (band 2) of the raster mask."""

    def unusable(part: Grid) -> np.ndarray:
        with reader(path, part, bands=[1, 2], kind="classes") as read:
            marked: np.ndarray = (np.nan_to_num(read(Window(0, 0, part.width, part.height))) > 0).any(axis=0)
        return marked

    return unusable


def _polygon_mask(gml: bytes, image: str) -> Mask:
    """Opaque cloud and cirrus of the polygon mask, whose coordinates are in the CRS of the tile."""
    with rasterio.open(image) as src:
        crs = src.crs
    shapes = []
    for polygon in (e for e in ElementTree.fromstring(gml).iter() if _local(e) == "Polygon"):
        rings = [
            _ring(text)
            for side in ("exterior", "interior")
            for element in polygon.iter()
            if _local(element) == side
            for text in _texts(element, "posList")
        ]
        if rings:
            shapes.append({"type": "Polygon", "coordinates": rings})

    def unusable(part: Grid) -> np.ndarray:
        if not shapes:
            return np.zeros(part.shape, bool)
        local = shapes if part.crs == str(crs) else [transform_geom(crs, part.crs, shape) for shape in shapes]
        burnt: np.ndarray = rasterize(
            [(shape, 1) for shape in local], out_shape=part.shape, transform=part.transform, dtype="uint8"
        )
        return burnt.astype(bool)

    return unusable


def _ring(text: str) -> list[tuple[float, float]]:
    numbers = [float(word) for word in text.split()]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _sensing_date(metadata: ElementTree.Element) -> date | None:
    times = _texts(metadata, "PRODUCT_START_TIME")
    return scene_date(times[0]) if times else None


def _texts(element: ElementTree.Element, tag: str) -> list[str]:
    return [(e.text or "").strip() for e in element.iter() if _local(e) == tag]


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
