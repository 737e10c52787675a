"""One bad pair never stops a stack: it is left out and named; what cannot be one stack is refused."""

import csv
import math
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from helpers.interferogram_samples import DAYS, PAIRS, PLACE, SHAPE, licsar, name, phase, read, tif, values
from slipmap.config.deformation import DeformationSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import network
from slipmap.deformation.phase import LARGEST_PHASE, supplied_coherence, supplied_phase
from slipmap.deformation.sources import NetworkReader
from slipmap.deformation.stack import load_network
from slipmap.errors import InputError

BAD = PAIRS[5]


def corrupt(path):
    path.write_bytes(b"not a tiff")


def truncated(path):
    path.write_bytes(path.read_bytes()[:-300])


def replaced(*bands, **options):
    def change(path):
        path.unlink()
        tif(path, *bands, **options)

    return change


FINER = PLACE @ Affine.scale(0.5)
SHIFTED = PLACE @ Affine.translation(0.4, 0)
FAR = PLACE @ Affine.translation(14, 0)
FAULTS = {
    "corrupt": (corrupt, "not a raster that can be read"),
    "truncated": (truncated, "truncated"),
    "no byte": (lambda path: path.write_bytes(b""), "not a raster that can be read"),
    "all nan": (replaced(np.full(SHAPE, np.nan, np.float32)), "empty"),
    "all zero": (replaced(np.zeros(SHAPE, np.float32)), "empty"),
    "all nodata": (replaced(np.full(SHAPE, -7, np.float32), nodata=-7), "empty"),
    "all -9999, not declared": (replaced(np.full(SHAPE, -9999, np.float32)), "empty"),
    "finer": (replaced(phase(*BAD) / 10, place=FINER), "are not on the other files' lattice"),
    "between the pixels": (replaced(phase(*BAD) / 10, place=SHIFTED), "are not on the other files' lattice"),
    "other ground": (replaced(phase(*BAD) / 10, place=FAR), "of the ground that the other pairs cover"),
    "without crs": (replaced(phase(*BAD), crs=None), "no coordinate reference system"),
    "south-up": (replaced(phase(*BAD), place=Affine(50, 0, 500000, 0, 50, 4999400)), "south-up"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("role", ["unw", "cc"])
def test_a_bad_pair_is_left_out_and_named(tmp_path, fault, role, capsys):
    change, why = FAULTS[fault]
    bad = licsar(tmp_path / "ifg")[BAD]
    bad = bad.with_name(bad.name.replace("unw", role))
    change(bad)
    files = [tmp_path / each for each in ("network.csv", "network.png", "stack.json")]
    network.run(Sentinel1Settings(level="unwrapped", path=str(tmp_path / "ifg")), DeformationSettings(), *files)
    rows = list(csv.DictReader(files[0].open()))
    assert rows[-1]["pair"] == name(*BAD) and bad.name in rows[-1]["left_out"] and why in rows[-1]["left_out"]
    assert [row["left_out"] for row in rows[:-1]] == [""] * (len(PAIRS) - 1)
    assert f"{bad}" in capsys.readouterr().out
    pairs = load_network(files[0])
    assert {(p.reference, p.secondary) for p in pairs} == {*PAIRS} - {BAD}
    found, _, _ = values(read(tmp_path / "ifg"))
    np.testing.assert_array_equal(found[0], phase(pairs[0].reference, pairs[0].secondary))


def test_a_block_that_cannot_be_decoded_is_nodata_and_named(tmp_path, capsys):
    """Headers and the middle are whole: only reading all pixels shows it."""
    rng = np.random.default_rng(0)
    for days in PAIRS:
        stem = name(*days)
        for role in ("unw", "cc"):
            path = tmp_path / stem / f"{stem}.geo.{role}.tif"
            path.parent.mkdir(exist_ok=True)
            size = dict(height=128, width=128, count=1, dtype="float32", crs="EPSG:32632", transform=PLACE)
            layout = dict(tiled=True, blockxsize=64, blockysize=64, compress="deflate")
            with rasterio.open(path, "w", driver="GTiff", **size, **layout) as out:
                out.write(rng.uniform(0.5, 0.9, (128, 128)).astype(np.float32), 1)
        if days == BAD:
            bad = path.with_name(f"{stem}.geo.unw.tif")
            with rasterio.open(bad) as src:
                first = int(src.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
            damaged = bytearray(bad.read_bytes())
            damaged[first : first + 60] = bytes(60)
            bad.write_bytes(damaged)
    stack = read(tmp_path)
    assert not stack.pairs_left_out
    k = [(pair.reference, pair.secondary) for pair in stack.pairs].index(BAD)
    reader = NetworkReader(stack.pairs, [])
    corner = reader.read(next(iter(reader.grid.blocks(64))))[0]
    assert np.isnan(corner[k]).all() and np.isfinite(np.delete(corner, k, axis=0)).all()
    assert capsys.readouterr().out.count(f"{bad}: the pixels cannot be read") == 1


@pytest.fixture
def stack_folder(tmp_path):
    """A folder whose pairs are all in order."""
    licsar(tmp_path)
    return tmp_path


def without_interferogram(folder):
    (folder / name(*BAD) / f"{name(*BAD)}.geo.unw.tif").unlink()


def folder_for_a_file(folder):
    without_interferogram(folder)
    (folder / name(*BAD) / f"{name(*BAD)}.geo.unw.tif").mkdir()


def link_to_itself(folder):
    without_interferogram(folder)
    path = folder / name(*BAD) / f"{name(*BAD)}.geo.unw.tif"
    path.symlink_to(path.name)


def filled(folder):
    array = phase(*BAD) + np.random.default_rng(1).normal(0, 2, SHAPE).astype(np.float32)
    array[:4, :8] = 7.25
    tif(folder / name(*BAD) / f"{name(*BAD)}.geo.unw.tif", array)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without_interferogram, "no unwrapped file of its dates beside it"),
        (folder_for_a_file, "no unwrapped file of its dates beside it"),
        (link_to_itself, "no unwrapped file of its dates beside it"),
        (filled, "many of its phases are exactly 7.25"),
    ],
)
def test_a_pair_that_cannot_be_used_is_left_out_and_named(stack_folder, change, words):
    change(stack_folder)
    stack = read(stack_folder)
    assert len(stack.pairs) == len(PAIRS) - 1 and name(*BAD) not in {pair.name for pair in stack.pairs}
    assert [words in sentence and name(*BAD) in sentence for sentence in stack.left_out] == [True]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ("20211340_20211341", "'20211340' is not a date"),
        ("20210231_20210301", "'20210231' is not a date"),
        (name(*BAD[::-1]), "first date is not before the second"),
        (name(BAD[0], BAD[0]), "first date is not before the second"),
    ],
)
def test_dates_of_one_pair_that_cannot_be_do_not_stop_the_others(stack_folder, days, words):
    tif(stack_folder / days / f"{days}.geo.unw.tif", phase(*BAD))
    stack = read(stack_folder)
    assert len(stack.pairs) == len(PAIRS)
    assert [words in sentence and days in sentence for sentence in stack.left_out] == [True]


def test_backwards_dates_of_all_pairs_are_refused(tmp_path):
    licsar(tmp_path, [days[::-1] for days in PAIRS])
    with pytest.raises(InputError, match=rf"first date is not before the second; .*all {len(PAIRS)} pairs"):
        read(tmp_path)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_wrapped_phases_given_as_unwrapped_are_asked_about(tmp_path, seed):
    rng = np.random.default_rng(seed)
    for path in licsar(tmp_path).values():
        for file in (path, path.with_name(path.name.replace(".unw.", ".cc."))):
            file.unlink()
            wrapped = rng.uniform(-np.pi, np.pi, (64, 64)) if ".unw." in file.name else np.full((64, 64), 0.8)
            tif(file, wrapped.astype(np.float32))
    with pytest.raises(InputError, match=r"as wrapped ones do; set inputs\.sentinel1\.level: wrapped"):
        read(tmp_path)


def test_where_all_pairs_are_bad_the_first_is_named(tmp_path):
    for path in licsar(tmp_path).values():
        corrupt(path)
    with pytest.raises(InputError, match=r"20210109_20210121.*all 7 pairs"):
        read(tmp_path)


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:4326", "EPSG:3857"])
def test_a_pair_in_another_crs_is_refused_by_what_differs(tmp_path, crs):
    replaced(phase(*BAD), crs=crs)(licsar(tmp_path)[BAD])
    with pytest.raises(InputError, match=f"{name(*BAD)}.*it lies in {crs}, the other files in EPSG:32632"):
        read(tmp_path)


def test_half_on_one_lattice_and_half_on_another_is_refused(tmp_path):
    for days, path in licsar(tmp_path, PAIRS[:6]).items():
        if days in PAIRS[:3]:
            replaced(phase(*days), place=SHIFTED)(path)
    with pytest.raises(InputError, match="so are half of the pairs"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("band", "says"),
    [
        (np.full(SHAPE, 80, np.float32), "coherence from 80 to 80, not 0 to 1"),
        (np.full(SHAPE, 204, np.uint8), None),  # LiCSAR's own bytes
        (np.full(SHAPE, -0.5, np.float32), "its coherences are zero or nodata"),
        (np.where(np.arange(SHAPE[1]) < 4, -9999, 0.8 + np.zeros(SHAPE)).astype(np.float32), None),
    ],
)
def test_scale_of_the_coherence(tmp_path, band, says):
    for days in licsar(tmp_path):
        replaced(band)(tmp_path / name(*days) / f"{name(*days)}.geo.cc.tif")
    if says is None:
        found = values(read(tmp_path))[1]
        np.testing.assert_allclose(found[np.isfinite(found)], 0.8)
        assert np.isfinite(found[:, :, 4:]).all()
    else:
        with pytest.raises(InputError, match=says):
            read(tmp_path)


def test_bytes_of_other_processors_are_asked_about(tmp_path):
    for days in PAIRS:
        tif(tmp_path / f"{name(*days, '-')}_unw.tif", phase(*days))
        tif(tmp_path / f"{name(*days, '-')}_cc.tif", np.full(SHAPE, 80, np.uint8))
    with pytest.raises(InputError, match="coherence in bytes, whose scale is not known"):
        read(tmp_path)


@pytest.mark.parametrize(("scale", "offset"), [(0.001, 0.0), (0.5, 2.0), (1.0, -3.0)])
def test_scale_and_offset_of_a_raster_are_applied(tmp_path, scale, offset):
    stored = np.arange(1, 1 + np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    for path in licsar(tmp_path).values():
        replaced(stored, scales=(scale,), offsets=(offset,))(path)
    expected = supplied_phase((stored * scale + offset).astype(np.float32))
    np.testing.assert_allclose(values(read(tmp_path))[0], np.broadcast_to(expected, (len(PAIRS), *SHAPE)), rtol=1e-6)


FILLS = st.sampled_from([0.0, -9999.0, -32768.0, 9999.0, -999.0, 1e20, -3.4e38, np.inf])
PHASES = st.floats(-900, 900, width=32).filter(lambda v: v not in (0, -99))


@given(good=st.lists(PHASES, min_size=1, max_size=20), fill=FILLS)
def test_undeclared_nodata_is_none_and_a_phase_stays(good, fill):
    array = np.array([*good, fill], np.float32)
    found = supplied_phase(array)
    assert np.isnan(found[-1]) and found.dtype == np.float32
    np.testing.assert_array_equal(found[:-1], array[:-1])
    assert LARGEST_PHASE * 0.0555 / (4 * math.pi) > 10  # metres of motion within an interferogram


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20), st.sampled_from([-9999.0, -1.0, 255.0, 1e20]))
def test_coherence_outside_its_range_is_nodata(good, fill):
    found = supplied_coherence(np.array([*good, fill], np.float32))
    assert np.isnan(found[-1])
    np.testing.assert_array_equal(found[:-1], np.array(good, np.float32))


@pytest.mark.parametrize("fill", [-9999, -32768, 1e20])
def test_undeclared_nodata_in_a_corner_is_read_as_none(tmp_path, fill):
    for days, path in licsar(tmp_path).items():
        changed = phase(*days)
        changed[:3, :4] = fill
        replaced(changed)(path)
    found, coherence, _ = values(read(tmp_path))
    assert np.isnan(found[:, :3, :4]).all() and np.isnan(coherence[:, :3, :4]).all()
    assert np.isfinite(found[:, 3:]).all() and np.nanmax(np.abs(found)) < 20


def test_listing_looks_at_each_file_once(tmp_path, monkeypatch):
    """What is opened and listed grows with the pairs, not with their square."""
    days = [DAYS[0] + timedelta(days=6 * k) for k in range(24)]
    licsar(tmp_path, [*pairwise(days), *zip(days[:-2], days[2:], strict=True)])
    lines = [f"{days[0]:%Y%m%d} {day:%Y%m%d} {k} {6 * k}" for k, day in enumerate(days)]
    (tmp_path / "baselines").write_text("\n".join(lines))
    opened, walked, texts = [], [], []
    real = rasterio.open, Path.rglob, Path.read_text
    monkeypatch.setattr(rasterio, "open", lambda path, *a, **k: opened.append(path) or real[0](path, *a, **k))
    monkeypatch.setattr(Path, "rglob", lambda self, *a, **k: walked.append(self) or real[1](self, *a, **k))
    monkeypatch.setattr(Path, "read_text", lambda self, *a, **k: texts.append(self) or real[2](self, *a, **k))
    stack = read(tmp_path)
    assert len(stack.pairs) == 45 and stack.pairs[-1].perpendicular_baseline is not None
    assert len({*opened}) == 90 and len(opened) == 90 + 3  # three phases are searched for fill values
    assert walked == [tmp_path] and texts.count(tmp_path / "baselines") == 1
    assert [path for path in texts if path.suffix == ".txt" and tmp_path in path.parents] == []


def test_several_formats_in_one_folder_are_refused(tmp_path):
    licsar(tmp_path)
    tif(tmp_path / "20210109_20210121" / "filt_fine.unw.geo.tif", phase(*PAIRS[0]))
    with pytest.raises(InputError, match="holds files of isce2 and of licsar"):
        read(tmp_path)
    assert read(tmp_path, format="licsar").format == "licsar"
