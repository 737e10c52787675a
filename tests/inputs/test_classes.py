"""Names of the classes of a raster come back whole, wherever they are kept."""

import numpy as np
import pandas as pd
import pyogrio
import pytest

from helpers.input_writers import tif
from slipmap.errors import InputError
from slipmap.inputs.classes import class_names

KEY = "areas.a.inputs.lithology.path"
NAMES = {1: "grès; argileux", 2: "marl, clay"}


@pytest.fixture
def rocks(tmp_path):
    array = np.ones((160, 160), np.uint8)
    array[:, 80:] = 2
    return tmp_path, tif(tmp_path / "l.tif", array, nodata=0)


def aux(folder, inner):
    text = f'<PAMDataset><PAMRasterBand band="1">{inner}</PAMRasterBand></PAMDataset>'
    (folder / "l.tif.aux.xml").write_text(text, encoding="utf-8")


def table(**columns):
    """GDAL's raster attribute table; the column "Value" has the usage MinMax, text the type 2."""
    fields = "".join(
        f'<FieldDefn index="{n}"><Name>{name}</Name><Type>{2 if isinstance(column[0], str) else 0}</Type>'
        f"<Usage>{5 if name == 'Value' else 0}</Usage></FieldDefn>"
        for n, (name, column) in enumerate(columns.items())
    )
    rows = "".join(
        f'<Row index="{n}">{"".join(f"<F>{value}</F>" for value in row)}</Row>'
        for n, row in enumerate(zip(*columns.values(), strict=True))
    )
    return f"<GDALRasterAttributeTable>{fields}{rows}</GDALRasterAttributeTable>"


def test_an_attribute_table_of_gdal(rocks):
    folder, path = rocks
    aux(folder, table(Value=[1, 2], Count=[3, 4], Rock=list(NAMES.values())))
    assert class_names(path, None, KEY) == NAMES
    aux(folder, table(Rock=list(NAMES.values()), Value=[1, 2], Age=["old", "young"]))
    assert class_names(path, "Age", KEY) == {1: "old", 2: "young"}
    with pytest.raises(InputError, match=r"lithology\.attribute is missing: .* columns Rock, Age"):
        class_names(path, None, KEY)
    with pytest.raises(InputError, match=r"has no column 'Rok'; did you mean 'Rock'"):
        class_names(path, "Rok", KEY)


def test_category_names(rocks):
    folder, path = rocks
    listed = "".join(f"<Category>{name}</Category>" for name in ("", *NAMES.values()))
    aux(folder, f"<CategoryNames>{listed}</CategoryNames>")
    assert class_names(path, None, KEY) == NAMES


def test_a_table_of_esri(rocks):
    folder, path = rocks
    frame = pd.DataFrame({"VALUE": [1, 2], "COUNT": [9, 9], "ROCK": list(NAMES.values())})
    pyogrio.write_dataframe(frame, folder / "l.dbf", driver="ESRI Shapefile", encoding="UTF-8")
    (folder / "l.dbf").rename(folder / "l.tif.vat.dbf")
    (folder / "l.cpg").rename(folder / "l.tif.vat.cpg")
    assert class_names(path, None, KEY) == NAMES


def test_a_broken_table_is_named(rocks):
    folder, path = rocks
    (folder / "l.tif.aux.xml").write_text("<PAMDataset>")
    with pytest.raises(InputError, match=r"l\.tif\.aux\.xml is no XML"):
        class_names(path, None, KEY)


def test_none_are_known(rocks):
    assert class_names(rocks[1], None, KEY) == {}
