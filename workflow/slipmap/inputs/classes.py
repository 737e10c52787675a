"""Names of the classes of a raster: its tag ``CLASSES``, GDAL's attribute table and category names, Esri's .vat.dbf."""

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from slipmap.errors import InputError, nearest
from slipmap.io import raster

_VALUE, _MIN_MAX, _MIN = ("value", "oid_value"), "5", "3"  # names of Esri's column, and usages in GDAL's table
Table = Mapping[str, Sequence[object]]


def class_names(path: str | Path, attribute: str | None, key: str) -> dict[int, str]:
    """Value → name of the classes of the raster at `path`, as far as they are written with it.

    Parameters
    ----------
    attribute : the column of its attribute table that holds the names; None: the only one of text.
    key : the config key of the raster, ``….lithology.path``.

    Raises
    ------
    InputError : a table of several columns of text and no `attribute`; no such column; a table that cannot be read.
    """
    named = raster.read_classes(path)
    if named:
        return named
    tree = _beside(Path(path), key)
    table = _attribute_table(tree) if tree is not None else {}
    table = table or _esri_table(Path(path), key)
    if not table and attribute is not None:
        raise InputError(
            f"{key.removesuffix('.path')}.attribute: {path} is a raster and has no table of attributes; leave "
            f"attribute out, or give the polygons."
        )
    if table:
        return _from_table(table, attribute, path, key)
    categories = [] if tree is None else [node.text or "" for node in tree.findall(".//CategoryNames/Category")]
    return {value: name for value, name in enumerate(categories) if name.strip()}


def _from_table(table: Table, attribute: str | None, path: str | Path, key: str) -> dict[int, str]:
    value = next((name for name in table if name.lower() in _VALUE), None)
    texts = [name for name, column in table.items() if name != value and any(isinstance(v, str) for v in column)]
    asked = f"{key.removesuffix('.path')}.attribute"
    if attribute is not None and attribute not in table:
        raise InputError(f"{asked}: the table of {path} has no column '{attribute}'{nearest(attribute, table)}")
    if value is None or not (texts or attribute):
        return {}
    if attribute is None and len(texts) > 1:
        raise InputError(
            f"{asked} is missing: the table of {path} has the columns {', '.join(texts)}; name the one that holds the "
            f"class."
        )
    names = table[attribute or texts[0]]
    return {
        int(float(str(number))): " ".join(str(name).split())
        for number, name in zip(table[value], names, strict=True)
        if name is not None and str(name).strip()
    }


def _beside(path: Path, key: str) -> ElementTree.Element | None:
    """What GDAL keeps beside a raster."""
    place = path.with_name(f"{path.name}.aux.xml")
    if not place.is_file():
        return None
    try:
        return ElementTree.parse(place).getroot()
    except ElementTree.ParseError as error:
        raise InputError(f"{key}: {place} is no XML that can be read ({error}); write it again or remove it.") from None


def _attribute_table(tree: ElementTree.Element) -> Table:
    """GDAL's raster attribute table; its column of values is called "value"."""
    found = tree.find(".//GDALRasterAttributeTable")
    if found is None:
        return {}
    names, texts = [], []
    for column in found.findall("FieldDefn"):
        usage = column.findtext("Usage", "").strip()
        names.append("value" if usage in (_MIN_MAX, _MIN) else column.findtext("Name", "").strip())
        texts.append(column.findtext("Type", "").strip() == "2")
    rows = [[field.text for field in row.findall("F")] for row in found.findall("Row")]
    return {name: [row[n] if texts[n] else float(row[n] or "nan") for row in rows] for n, name in enumerate(names)}


def _esri_table(path: Path, key: str) -> Table:
    """Esri's value attribute table, ``name.tif.vat.dbf``."""
    found = [file for file in path.parent.glob(f"{glob.escape(path.name)}.*") if file.name.lower().endswith(".vat.dbf")]
    if not found:
        return {}
    import pyogrio

    try:
        frame = pyogrio.read_dataframe(found[0], read_geometry=False)
    except Exception as error:  # pyogrio raises a family of errors of its own
        raise InputError(f"{key}: {found[0]} cannot be read ({error}); export it again or remove it.") from error
    return {str(name): frame[name].tolist() for name in frame.columns}
