"""Ready velocities: units, zones, scale, nodata; EGMS by level, track and component."""

import zipfile

import h5py
import numpy as np
import pytest
import rasterio
from affine import Affine

from helpers.interferogram_samples import PLACE, SHAPE, tif
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import ready_velocity
from slipmap.deformation.units import mm_per_year
from slipmap.errors import InputError


def convert(path, out, **settings):
    """What velocity.tif holds: (array, open file's tags, transform, EPSG code)."""
    ready_velocity.convert(Sentinel1Settings(level="velocity", path=str(path), **settings), out)
    with rasterio.open(out) as src:
        return src.read(1), src.tags(), src.transform, src.crs.to_epsg()


def field(dtype=np.float32):
    return (np.arange(1, 1 + np.prod(SHAPE)).reshape(SHAPE) - 100.5).astype(dtype)


@pytest.mark.parametrize(
    ("said", "factor"),
    [("mm/yr", 1), ("mm/year", 1), ("mm yr-1", 1), ("mm/a", 1), ("cm/yr", 10), ("cm/year", 10), ("m/yr", 1000),
     ("m/year", 1000), ("m yr^-1", 1000), ("metres per year", 1000)],
)  # fmt: skip
def test_units_that_people_write(tmp_path, said, factor):
    tif(tmp_path / "v.tif", field() / factor, units=(said,))
    np.testing.assert_allclose(convert(tmp_path / "v.tif", tmp_path / "o.tif")[0], field(), rtol=1e-5)


@pytest.mark.parametrize(("given", "factor"), [("mm/yr", 1), ("cm/yr", 10), ("m/yr", 1000)])
def test_silent_files_are_asked_about_and_the_answer_counts(tmp_path, given, factor):
    tif(tmp_path / "v.tif", field() / factor)
    with pytest.raises(InputError, match=r"v\.tif: it does not say its units; set inputs\.sentinel1\.units"):
        convert(tmp_path / "v.tif", tmp_path / "o.tif")
    np.testing.assert_allclose(convert(tmp_path / "v.tif", tmp_path / "o.tif", units=given)[0], field(), rtol=1e-5)


@pytest.mark.parametrize("said", ["knots", "mm", "rad", "mm/day", "in/yr"])
def test_units_of_something_else(tmp_path, said):
    with pytest.raises(InputError, match="its units are"):
        mm_per_year(said, None, tmp_path)


def test_units_that_contradict_the_config(tmp_path):
    with pytest.raises(InputError, match=r"'m/yr', but inputs\.sentinel1\.units says mm/yr"):
        mm_per_year("m/yr", "mm/yr", tmp_path)


@pytest.mark.parametrize(("scale", "offset"), [(0.1, 0.0), (0.01, 5.0), (2.0, -1.0)])
def test_scale_and_offset(tmp_path, scale, offset):
    stored = field(np.int16)
    tif(tmp_path / "v.tif", stored, units=("mm/yr",), scales=(scale,), offsets=(offset,))
    found = convert(tmp_path / "v.tif", tmp_path / "o.tif")[0]
    np.testing.assert_allclose(found, stored * scale + offset, rtol=1e-6)


@pytest.mark.parametrize("fill", [-9999, -32768, -99999])
def test_undeclared_nodata_is_none(tmp_path, fill):
    stored = field()
    stored[:2, :3] = fill
    tif(tmp_path / "v.tif", stored, units=("mm/yr",))
    found = convert(tmp_path / "v.tif", tmp_path / "o.tif")[0]
    assert np.isnan(found[:2, :3]).all() and np.isfinite(found).sum() == np.prod(SHAPE) - 6


@pytest.mark.parametrize(("value", "units"), [(-50_000, "mm/yr"), (45, "m/yr"), (7777, "cm/yr")])
def test_velocities_that_cannot_be(tmp_path, value, units):
    stored = field() / 1000
    stored[5, 5] = value
    tif(tmp_path / "v.tif", stored, units=(units,))
    with pytest.raises(InputError, match=r"v\.tif: a velocity of .* is impossible; set inputs\.sentinel1\.units right"):
        convert(tmp_path / "v.tif", tmp_path / "o.tif")


def test_zeros_without_nodata_are_asked_about(tmp_path):
    stored = field()
    stored[:, :4] = 0
    tif(tmp_path / "v.tif", stored, units=("mm/yr",))
    with pytest.raises(InputError, match="25% of its velocities are exactly 0"):
        convert(tmp_path / "v.tif", tmp_path / "o.tif")
    tif(tmp_path / "v.tif", stored, units=("mm/yr",), nodata=0)
    assert np.isnan(convert(tmp_path / "v.tif", tmp_path / "o.tif")[0][:, :4]).all()
    tif(tmp_path / "v.tif", stored, units=("mm/yr",), nodata=-9999)
    assert (convert(tmp_path / "v.tif", tmp_path / "o.tif")[0][:, :4] == 0).all()


def test_bands_and_orientation(tmp_path):
    tif(tmp_path / "v.tif", field(), field() * 0 + 2, units=("mm/yr", "mm/yr"))
    with pytest.raises(InputError, match="2 bands and none is described as 'velocity'"):
        convert(tmp_path / "v.tif", tmp_path / "o.tif")
    tif(tmp_path / "v.tif", field() * 0 + 2, field(), units=("1", "mm/yr"), descriptions=("std", "velocity"))
    np.testing.assert_array_equal(convert(tmp_path / "v.tif", tmp_path / "o.tif")[0], field())
    tif(tmp_path / "v.tif", field(), units=("mm/yr",), place=Affine(50, 0, 5e5, 0, 50, 4.9e6))
    with pytest.raises(InputError, match="south-up"):
        convert(tmp_path / "v.tif", tmp_path / "o.tif")


METRES = dict(X_FIRST=500000, X_STEP=80, Y_FIRST=4400000, Y_STEP=-80, X_UNIT="meters", Y_UNIT="meters")
DEGREES = dict(X_FIRST=11.0, X_STEP=0.001, Y_FIRST=44.0, Y_STEP=-0.001)


def mintpy(path, place, values=None, **attributes):
    with h5py.File(path, "w") as out:
        out["velocity"] = field() / 1000 if values is None else values
        out.attrs.update({key: str(value) for key, value in (place | {"UNIT": "m/year"} | attributes).items()})
    return path


@pytest.mark.parametrize(
    ("place", "attributes", "epsg"),
    [
        (METRES, {"UTM_ZONE": "12N"}, 32612),
        (METRES, {"UTM_ZONE": "19S"}, 32719),
        (METRES, {"UTM_ZONE": "1N"}, 32601),
        (METRES, {"EPSG": "3035"}, 3035),
        (METRES, {"EPSG": "32632.0"}, 32632),
        (METRES, {"EPSG": "epsg:32719"}, 32719),
        (DEGREES, {}, 4326),
        (DEGREES, {"X_UNIT": "degrees"}, 4326),
    ],
)
def test_mintpy_zones(tmp_path, place, attributes, epsg):
    found, _, transform, code = convert(mintpy(tmp_path / "velocity.h5", place, **attributes), tmp_path / "o.tif")
    assert code == epsg and (transform.c, transform.f) == (place["X_FIRST"], place["Y_FIRST"])
    np.testing.assert_allclose(found, field(), rtol=1e-5)


@pytest.mark.parametrize("zone", [None, "12", "12T", "61N", "twelve"])
def test_mintpy_in_metres_without_a_zone_that_tells_is_refused(tmp_path, zone):
    given = {} if zone is None else {"UTM_ZONE": zone}
    with pytest.raises(InputError, match="tells no coordinate reference system"):
        convert(mintpy(tmp_path / "velocity.h5", METRES, **given), tmp_path / "o.tif")


@pytest.mark.parametrize(("said", "factor"), [("m/year", 1000), ("cm/year", 10), ("mm/year", 1)])
def test_mintpy_units(tmp_path, said, factor):
    path = mintpy(tmp_path / "velocity.h5", DEGREES, field() / factor, UNIT=said)
    np.testing.assert_allclose(convert(path, tmp_path / "o.tif")[0], field(), rtol=1e-5)
    with h5py.File(path, "a") as file:
        del file.attrs["UNIT"]
    with pytest.raises(InputError, match="it does not say its units"):
        convert(path, tmp_path / "o.tif")


L2 = "pid,latitude,longitude,easting,northing,los_east,los_up,mean_velocity,20200105"
L3 = "pid,easting,northing,height,rmse,mean_velocity,20200105"


def egms(path, points, head=L3):
    """A table of (easting, northing, velocity), with the columns in EGMS's order."""
    names = head.split(",")
    rows = []
    for point in points:
        known = dict(zip(("easting", "northing", "mean_velocity"), map(str, point), strict=True))
        rows.append(",".join(known.get(key, "1") for key in names))
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join([head, *rows]) + "\n"
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{path.stem}.csv", text)
            archive.writestr(f"{path.stem}.xml", "<BURST/>")
    else:
        path.write_text(text)
    return path


def at(found, transform, x, y):
    col, row = (int(v) for v in ~transform @ (x, y))
    return found[row, col]


@pytest.mark.parametrize(
    ("name", "head", "size", "component"),
    [
        ("EGMS_L2b_088_0282_IW2_VV_2018_2022_1", L2, 20, "line-of-sight"),
        ("EGMS_L2a_088_0282_IW2_VV_2018_2022_1", L2, 20, "line-of-sight"),
        ("EGMS_L3_E44N23_100km_U_2018_2022_1", L3, 100, "vertical"),
        ("EGMS_L3_E44N23_100km_E_2018_2022_1", L3, 100, "east-west"),
        ("points", L2, 20, "line-of-sight"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".zip"])
def test_egms_levels_and_components(tmp_path, name, head, size, component, suffix):
    if (name, suffix) == ("points", ".zip"):
        name = "EGMS_L2b_001_0001_IW1_VV"
    path = egms(tmp_path / f"{name}{suffix}", [(4400050, 2300050, -4.0), (4400350, 2300150, 3.5)], head)
    found, tags, transform, code = convert(path, tmp_path / "o.tif")
    assert code == 3035 and transform.a == size and np.isfinite(found).sum() == 2
    assert at(found, transform, 4400050, 2300050) == -4.0 and at(found, transform, 4400350, 2300150) == 3.5
    assert component in tags["long_name"]


def test_egms_folders_of_bursts_and_tiles_are_put_together(tmp_path):
    for burst, x in (("0282", 4400010), ("0283", 4402010)):
        egms(tmp_path / f"EGMS_L2b_088_{burst}_IW2_VV_2018_2022_1.csv", [(x, 2300010, -4.0)], L2)
        egms(tmp_path / f"EGMS_L2b_088_{burst}_IW2_VV_2018_2022_1.zip", [(x, 2300010, -4.0)], L2)  # unpacked from it
    found, _, transform, _ = convert(tmp_path, tmp_path / "o.tif")
    assert at(found, transform, 4400010, 2300010) == at(found, transform, 4402010, 2300010) == -4.0
    assert np.isfinite(found).sum() == 2


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ("L3_E44N23_100km_U_2018_2022_1", "L3_E44N23_100km_E_2018_2022_1", "component E"),
        ("L2b_088_0282_IW2_VV_2018_2022_1", "L2b_117_0239_IW3_VV_2018_2022_1", "track"),
        ("L2a_088_0282_IW2_VV_2018_2022_1", "L2b_088_0282_IW2_VV_2018_2022_1", "L2"),
        ("L3_E44N23_100km_U_2018_2022_1", "L3_E45N23_100km_U_2019_2023_1", "2019_2023"),
    ],
)
def test_egms_files_that_are_not_one_map_are_refused(tmp_path, one, other, says):
    for name in (one, other):
        egms(tmp_path / f"EGMS_{name}.csv", [(4400050, 2300050, -4.0)])
    with pytest.raises(InputError, match=says):
        convert(tmp_path, tmp_path / "o.tif")


def test_egms_tables_that_do_not_tell(tmp_path):
    with pytest.raises(InputError, match="nor its columns tell which velocity it holds"):
        convert(egms(tmp_path / "points.csv", [(4400050, 2300050, -4.0)]), tmp_path / "o.tif")
    (tmp_path / "EGMS_L2b_088.zip").write_bytes(b"PK no zip")
    with pytest.raises(InputError, match="not a zip that can be read"):
        convert(tmp_path / "EGMS_L2b_088.zip", tmp_path / "o.tif")


def test_egms_raster_has_its_units_by_definition(tmp_path):
    tif(tmp_path / "EGMS_L3_E44N23_100km_U_2018_2022_1.tiff", field(), place=PLACE, crs="EPSG:3035")
    found, tags, _, code = convert(tmp_path / "EGMS_L3_E44N23_100km_U_2018_2022_1.tiff", tmp_path / "o.tif")
    np.testing.assert_array_equal(found, field())
    assert code == 3035 and "positive upwards" in tags["long_name"]


@pytest.mark.parametrize("names", [["a.tif", "b.tif"], ["a.h5", "b.h5"], ["a.tif", "b.h5"]])
def test_a_folder_of_several_velocities_asks_for_one(tmp_path, names):
    for name in names:
        if name.endswith("tif"):
            tif(tmp_path / name, field(), units=("mm/yr",))
        else:
            mintpy(tmp_path / name, DEGREES)
    if len({name[1:] for name in names}) == 1:
        with pytest.raises(InputError, match="holds 2 velocity files"):
            convert(tmp_path, tmp_path / "o.tif")
    else:  # MintPy's own file goes before a picture of it
        assert convert(tmp_path, tmp_path / "o.tif")[1]["SOURCE"] == "b.h5"
