"""Features of any vector file, as its reader wants them: the right layer, valid, whole names, in the grid's CRS."""

import glob
import logging
import unicodedata
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from rasterio.crs import CRS

from slipmap.errors import InputError, nearest
from slipmap.io import overlap, raster
from slipmap.io.grid import Grid

log = logging.getLogger(__name__)
SUFFIXES = (".gpkg", ".shp", ".geojson", ".json", ".fgb", ".kml", ".kmz", ".gml", ".gdb", ".zip", ".csv")
Shape = Literal["polygon", "line", "point"]
_SHAPES: dict[str, tuple[int, ...]] = {"point": (0, 4), "line": (1, 2, 5), "polygon": (3, 6)}  # shapely's type ids
_COLLECTION = 7  # shapely's type id
_WHOLE = 2.0**53


@dataclass(frozen=True)
class Layer:
    """One layer of a vector file: its name, and what pyogrio knows of it without reading features."""

    name: str
    info: dict[str, Any]

    @property
    def crs(self) -> CRS:
        """The layer's CRS."""
        return CRS.from_user_input(self.info["crs"])

    @property
    def fields(self) -> list[str]:
        """Names of its attributes."""
        return list(map(str, self.info["fields"]))


def find_layer(path: str | Path, key: str, layer: str | None = None, layer_key: str | None = None) -> Layer:
    """The one layer of the file at `path` that has geometries, or the one called `layer`.

    Parameters
    ----------
    key : the config key of the file.
    layer_key : the config key that names a layer, for the sentence that asks for it.

    Raises
    ------
    InputError : the file cannot be read; several layers and none named; no such layer; no geometries; no CRS.
    """
    layer_key = layer_key or f"{key.removesuffix('.path')}_layer"
    try:
        found = [(str(name), kind) for name, kind in pyogrio.list_layers(path)]
    except Exception as error:  # pyogrio raises a family of errors of its own
        if inner := _within(path):
            raise InputError(f"{key}: {path} holds {inner} in a subfolder; unzip it, and name {inner}.") from error
        if missing := _missing_part(Path(path)):
            raise InputError(f"{key}: {missing} is missing beside {path}; fetch or copy it too.") from error
        raise InputError(f"{key}: {path} is not a vector file that can be read; export it as GeoPackage.") from error
    shaped = [name for name, kind in found if kind is not None]
    if not shaped:
        raise InputError(
            f"{key}: {path} is a table without geometries; export it as GeoPackage, or, for an inventory, say with "
            f"inventory_points which of its columns are coordinates and label."
        )
    if layer is not None and layer not in shaped:
        raise InputError(f"{layer_key}: {path} has no layer '{layer}'{nearest(layer, shaped)}")
    if layer is None and len(shaped) > 1:
        names = [f"{name}.shp" if Path(path).suffix.lower() == ".zip" else f"'{name}'" for name in shaped]
        raise InputError(
            f"{layer_key} is missing: {path} has {len(shaped)} layers ({', '.join(names)}); name the one that counts."
        )
    name = layer or shaped[0]
    info = pyogrio.read_info(path, layer=name, force_total_bounds=True)
    if not info["crs"] or not raster.is_on_earth(CRS.from_user_input(info["crs"])):
        raise InputError(
            f"{key}: {path} has no coordinate reference system; assign the right one (ogr2ogr -a_srs EPSG:n)."
        )
    chosen = Layer(name, info)
    _require_coordinates(chosen, path, key)
    return chosen


def _within(path: str | Path) -> str | None:
    """The first vector file in a subfolder of a zip, where GDAL does not look by itself."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        return next((name for name in archive.namelist() if Path(name).suffix.lower() in SUFFIXES), None)


def _missing_part(path: Path) -> str | None:
    """The file without which a Shapefile cannot be read, where it is not there."""
    if path.suffix.lower() != ".shp" or not path.is_file():
        return None
    there = {file.suffix.lower() for file in path.parent.glob(f"{glob.escape(path.stem)}.*")}
    return None if ".shx" in there else f"{path.stem}.shx"


def _require_coordinates(layer: Layer, path: str | Path, key: str) -> None:
    """Raise `InputError` where metres stand in a layer of degrees, as in a GeoJSON, which has no other CRS."""
    bounds = layer.info.get("total_bounds")
    if layer.crs.is_geographic and bounds is not None and np.isfinite(bounds).all() and np.abs(bounds).max() > 540:
        raise InputError(
            f"{key}: {path} says that it is in longitude and latitude, and has coordinates like "
            f"{np.abs(bounds).max():.0f}; assign the CRS that it is in (ogr2ogr -a_srs EPSG:n), or export it in "
            f"EPSG:4326."
        )


def read_features(
    path: str | Path,
    grid: Grid,
    key: str,
    *,
    shapes: Sequence[Shape],
    layer: str | None = None,
    layer_key: str | None = None,
    columns: Sequence[str] | None = None,
    margin: float = 0.0,
    encoding: str | None = None,
) -> gpd.GeoDataFrame:
    """Features of a vector file near the area, valid and in the grid's CRS.

    Parameters
    ----------
    shapes : kinds of geometry that the reader can use; another is refused.
    columns : attributes to read; None: all.
    margin : metres beyond the area within which features count.
    encoding : of the text of a shapefile; None: what its .cpg says.

    Returns
    -------
    Polygons whose outline crosses itself are made valid and keep their area; whole numbers in a column with empty
    cells stay whole numbers (pandas' Int64).

    Raises
    ------
    InputError : as `find_layer`; no such attribute; text that is not in the encoding; another kind of geometry;
        nothing in the area.
    """
    chosen = find_layer(path, key, layer, layer_key)
    for column in columns or ():
        if column not in chosen.fields:
            raise InputError(
                f"{key.removesuffix('.path')}.attribute: {path} has no attribute '{column}' (it has "
                f"{', '.join(chosen.fields) or 'none'}){_proposal(column, chosen.fields)}"
            )
    boxes = _boxes(grid, chosen.crs, margin)
    parts = [_read(path, chosen, columns, box, encoding, key) for box in boxes]
    frame = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    frame = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
    if not frame.empty:
        _require_numbers(frame, path, key)
        frame = _single_parts(frame.to_crs(grid.crs))
        _require_shapes(frame, shapes, path, key)
        frame = _valid(frame, path, key)
        left, bottom, right, top = grid.bounds
        area = shapely.box(left - margin, bottom - margin, right + margin, top + margin)
        frame = frame[frame.intersects(area)]
    if frame.empty:
        raise InputError(f"{key}: {path} has nothing in the area; check grid.bounds and the file.")
    return _whole_numbers(frame, chosen)


def names_of(values: pd.Series, path: str | Path, key: str) -> pd.Series:
    """Attribute values as names: text on one line, whole numbers without a point; None where there is none."""

    def name(value: object) -> str | None:
        if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
            return None
        if isinstance(value, float | np.floating) and abs(float(value)) < _WHOLE and float(value).is_integer():
            value = int(value)
        text = unicodedata.normalize("NFC", " ".join(str(value).split()))
        if "\ufffd" in text or _is_utf8_read_as_latin1(text):
            raise InputError(
                f"{key}: {path} has the name '{text}', which is not in the encoding that the file says; set "
                f"{key.removesuffix('.path')}.encoding (GBK, say), or correct its .cpg file."
            )
        return text or None

    return values.map(name)


def _is_utf8_read_as_latin1(text: str) -> bool:
    """Whether the letters are bytes of UTF-8 (grÃ¨s for grès): no language has such pairs of letters."""
    if text.isascii():
        return False
    for encoding in ("cp1252", "latin-1"):
        try:
            text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        return True
    return False


def polygons_of(geometry: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a geometry made valid: what it encloses, without the lines and points that are left over."""
    parts = [part for part in shapely.get_parts(geometry) if shapely.get_type_id(part) in _SHAPES["polygon"]]
    parts += [
        inner
        for part in shapely.get_parts(geometry)
        if shapely.get_type_id(part) == 7
        for inner in shapely.get_parts(part)
        if shapely.get_type_id(inner) in _SHAPES["polygon"]
    ]
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)


def _proposal(column: str, fields: list[str]) -> str:
    proposed = nearest(column, fields)
    return proposed if proposed.startswith("; did you mean") else "; name the one that holds the class."


def _boxes(grid: Grid, crs: CRS, margin: float) -> list[tuple[float, float, float, float]]:
    """Bounds to read, in the file's CRS, a little wider; both ways of writing longitudes beyond 180 degrees."""
    boxes = overlap.area_bounds(grid, crs, margin)
    if not crs.is_geographic:
        return boxes
    return [*boxes, *((w + 360, s, e + 360, n) for w, s, e, n in boxes if w < 0)]


def _read(
    path: str | Path,
    layer: Layer,
    columns: Sequence[str] | None,
    box: tuple[float, ...],
    encoding: str | None,
    key: str,
) -> gpd.GeoDataFrame:
    shapefile = layer.info["driver"] == "ESRI Shapefile"
    given = {"encoding": encoding} if encoding else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # measured values and rings: the features are checked below
            frame = pyogrio.read_dataframe(
                path, layer=layer.name, columns=None if columns is None else list(columns), bbox=box, **given
            )
    except (UnicodeDecodeError, LookupError) as error:
        raise InputError(
            f"{key}: the text of {path} is not in the encoding {encoding or layer.info['encoding']} that "
            f"{'the config' if encoding else 'its .cpg file'} says; set {key.removesuffix('.path')}.encoding (GBK, "
            f"ISO-8859-1, ...)."
        ) from error
    except Exception as error:
        raise InputError(f"{key}: the features of {path} cannot be read ({error}); export it again.") from error
    if shapefile and columns and not encoding and not _says_encoding(path):
        text = "".join(str(v) for column in columns for v in frame[column].dropna().unique())
        if not text.isascii():
            raise InputError(
                f"{key}: {path} has names with other than plain letters and does not say their encoding (no .cpg "
                f"file); set {key.removesuffix('.path')}.encoding (UTF-8, ISO-8859-1, GBK, ...)."
            )
    return frame


def _says_encoding(path: str | Path) -> bool:
    """Whether a shapefile says how its text is written: in a .cpg beside it, or in the head of its .dbf (byte 29)."""
    path = Path(path)
    if path.suffix.lower() != ".shp":
        return True  # in an archive: GDAL has looked there
    if any(path.with_suffix(suffix).is_file() for suffix in (".cpg", ".CPG")):
        return True
    table = path.with_suffix(".dbf")
    with open(table, "rb") as file:
        head = file.read(30)
    return len(head) > 29 and head[29] not in (0, 0x57)  # 0x57 is "whatever ANSI was", which GDAL takes for Latin 1


def _require_numbers(frame: gpd.GeoDataFrame, path: str | Path, key: str) -> None:
    """Raise `InputError` where an outline has a coordinate that is no number: where it runs is not known."""
    places, owner = shapely.get_coordinates(frame.geometry.to_numpy(), return_index=True)
    broken = np.unique(owner[~np.isfinite(places).all(axis=1)])
    if broken.size:
        raise InputError(
            f"{key}: {path} has coordinates that are no numbers in {broken.size} feature{'s' * (broken.size > 1)} "
            f"(counted from 0 in the area: {broken[0]}); correct or delete {'them' if broken.size > 1 else 'it'}."
        )


def _require_shapes(frame: gpd.GeoDataFrame, shapes: Sequence[Shape], path: str | Path, key: str) -> None:
    kinds = frame.geometry.type_id if hasattr(frame.geometry, "type_id") else shapely.get_type_id(frame.geometry.array)
    for shape, codes in _SHAPES.items():
        found = int(np.isin(kinds, codes).sum())
        if found and shape not in shapes:
            advice = {
                "line": "close them to polygons first, or name the layer that holds polygons",
                "point": "name the layer that holds polygons",
                "polygon": "name the layer or file that holds lines",
            }[shape]
            raise InputError(
                f"{key}: {path} has {found} {shape}{'s' * (found > 1)} where {' or '.join(f'{s}s' for s in shapes)} "
                f"are wanted; {advice}."
            )


def _single_parts(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Collections of geometries as features of their own: what is in them counts, and is looked at."""
    mixed = shapely.get_type_id(frame.geometry.to_numpy()) == _COLLECTION
    while mixed.any():
        parts = frame[mixed].explode(index_parts=False)
        frame = pd.concat([frame[~mixed], parts[~parts.geometry.is_empty]]).sort_index(kind="stable")
        frame = frame.reset_index(drop=True)
        mixed = shapely.get_type_id(frame.geometry.to_numpy()) == _COLLECTION
    return frame


def _valid(frame: gpd.GeoDataFrame, path: str | Path, key: str) -> gpd.GeoDataFrame:
    broken = ~frame.geometry.is_valid.to_numpy()
    if not broken.any():
        return frame
    log.warning("%s: %d outlines of %s cross themselves; they were made valid", key, int(broken.sum()), path)
    shapes = frame.geometry.to_numpy().copy()
    area = np.isin(shapely.get_type_id(shapes), _SHAPES["polygon"])
    shapes[broken] = shapely.make_valid(shapes[broken])
    for number in np.flatnonzero(broken & area):
        shapes[number] = polygons_of(shapes[number])
    frame = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
    return frame[~frame.geometry.is_empty]


def _whole_numbers(frame: gpd.GeoDataFrame, layer: Layer) -> gpd.GeoDataFrame:
    """Columns of whole numbers with empty cells, which pandas reads as fractions, as whole numbers again."""
    kinds = dict(zip(layer.fields, layer.info["ogr_types"], strict=True))
    for column in frame.columns:
        if kinds.get(column) in ("OFTInteger", "OFTInteger64") and frame[column].dtype.kind == "f":
            frame[column] = frame[column].astype("Int64")
    return frame
