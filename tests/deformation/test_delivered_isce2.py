"""ISCE2's folders as they lie on the disk: rasters with .vrt and .xml, dates of folders, line of sight, baselines."""

from pathlib import Path

import numpy as np
import pytest

from helpers.interferogram_samples import DAYS, DEGREES, PAIRS, SHAPE, name, phase, read, values
from slipmap.deformation import network
from slipmap.deformation.stack import save_stack
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.sentinel1.sight import line_of_sight, look_vector


def isce(path, *bands, georeferenced=True):
    """A raster as ISCE2 writes it: lines of all bands one after the other, a .vrt and a .xml beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.stack(bands).astype("<f4")
    count, height, width = data.shape
    data.transpose(1, 0, 2).tofile(path)
    t = DEGREES
    vrt = "".join(
        f'<VRTRasterBand dataType="Float32" band="{k + 1}" subClass="VRTRawRasterBand">'
        f'<SourceFilename relativeToVRT="1">{path.name}</SourceFilename><ByteOrder>LSB</ByteOrder>'
        f"<ImageOffset>{4 * width * k}</ImageOffset><PixelOffset>4</PixelOffset>"
        f"<LineOffset>{4 * width * count}</LineOffset></VRTRasterBand>"
        for k in range(count)
    )
    place = f"<SRS>EPSG:4326</SRS><GeoTransform>{t.c},{t.a},0,{t.f},0,{t.e}</GeoTransform>" if georeferenced else ""
    Path(f"{path}.vrt").write_text(
        f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}">{place}{vrt}</VRTDataset>'
    )
    keys = {"number_bands": count, "data_type": "FLOAT", "scheme": "BIL", "byte_order": "l", "width": width,
            "length": height}  # fmt: skip
    properties = "".join(f'<property name="{k}"><value>{v}</value></property>' for k, v in keys.items())
    Path(f"{path}.xml").write_text(f"<imageFile>{properties}</imageFile>")


def check_phases(stack):
    found, coherence, _ = values(stack)
    for pair, array in zip(stack.pairs, found, strict=True):
        np.testing.assert_array_equal(array, phase(pair.reference, pair.secondary))
    np.testing.assert_allclose(coherence, 0.8)


LAYOUTS = {
    "topsStack": ("merged/interferograms/{}", "filt_fine.unw", "filt_fine.cor", "fine.cor"),
    "topsApp": ("pairs/{}/merged", "filt_topophase.unw", "phsig.cor", "topophase.cor"),
    "topsApp, one folder": ("{}", "filt_topophase.unw", "phsig.cor", "topophase.cor"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_folders_with_twins_give_one_raster_for_each_role(tmp_path, layout):
    pattern, unwrapped, coherence, other = LAYOUTS[layout]
    for days in PAIRS:
        folder = tmp_path / pattern.format(name(*days))
        isce(folder / f"{unwrapped}.geo", np.full(SHAPE, 1e3), phase(*days))
        isce(folder / unwrapped, np.full(SHAPE, 1e3), phase(*days), georeferenced=False)  # stays from before geocoding
        isce(folder / f"{coherence}.geo", np.full(SHAPE, 0.8))
        isce(folder / f"{other}.geo", np.full(SHAPE, 0.6))
    stack = read(tmp_path)
    assert stack.format == "isce2" and len(stack.pairs) == len(PAIRS) and not stack.left_out
    check_phases(stack)


def topsstack(folder, stop=".geo"):
    for days in PAIRS:
        isce(folder / name(*days) / f"filt_fine.unw{stop}", np.full(SHAPE, 1e3), phase(*days), georeferenced=bool(stop))
        isce(folder / name(*days) / f"filt_fine.cor{stop}", np.full(SHAPE, 0.8), georeferenced=bool(stop))


def test_radar_coordinates_are_told_to_geocode(tmp_path):
    topsstack(tmp_path, stop="")
    with pytest.raises(InputError, match=r"radar coordinates.*geocode it \(geocodeGdal"):
        read(tmp_path)


def test_without_twins_the_sentence_is_the_same(tmp_path):
    topsstack(tmp_path, stop="")
    for twin in [*tmp_path.rglob("*.vrt"), *tmp_path.rglob("*.xml")]:
        twin.unlink()
    with pytest.raises(InputError, match=r"filt_fine\.unw is in radar coordinates"):
        read(tmp_path)


def test_a_raw_raster_cut_short_is_left_out(tmp_path):
    topsstack(tmp_path)
    bad = tmp_path / name(*PAIRS[2]) / "filt_fine.unw.geo"
    bad.write_bytes(bad.read_bytes()[:-400])
    stack = read(tmp_path)
    assert [each.name for each in stack.pairs_left_out] == [name(*PAIRS[2])]
    assert "filt_fine.unw.geo is truncated" in stack.left_out[0]
    check_phases(stack)


@pytest.mark.parametrize(("heading", "azimuth"), [(-12.0, 102.0), (-168.0, -102.0), (350.0, 100.0)])
def test_line_of_sight_is_that_of_los(tmp_path, heading, azimuth):
    """ISCE2's azimuth: anti-clockwise from north to the satellite, which looks to the right of its flight."""
    topsstack(tmp_path / "ifg")
    incidence = np.linspace(30, 45, SHAPE[1]) + np.zeros(SHAPE)
    angle = np.full(SHAPE, azimuth)
    incidence[0], angle[0] = 0, 0  # beside the swath
    isce(tmp_path / "ifg/geom_reference/los.rdr.geo", incidence, angle)
    stack = network._with_views(read(tmp_path / "ifg"), tmp_path / "views")
    save_stack(tmp_path / "stack.json", stack)
    grid = Grid.from_raster(stack.pairs[0].files["unwrapped"])
    vectors = line_of_sight(tmp_path / "stack.json").read(next(iter(grid.blocks())), grid)
    assert np.isnan(vectors[:, 0]).all()
    np.testing.assert_allclose(vectors[:, 1:], look_vector(incidence, heading)[:, 1:], atol=1e-6)
    assert stack.radar.incidence == pytest.approx(37.5, abs=0.1)


@pytest.mark.parametrize("missing", [0, 2, 4])
def test_a_date_without_baseline_file_is_unknown_and_the_others_are_not(tmp_path, missing):
    topsstack(tmp_path)
    metres = {day: 10.0 * k for k, day in enumerate(DAYS)}
    for day in DAYS[1:]:
        if day != DAYS[missing]:
            folder = tmp_path / "baselines" / name(DAYS[0], day)
            folder.mkdir(parents=True)
            (folder / f"{folder.name}.txt").write_text(f"swath: IW1\nBperp (average): {metres[day]}\n")
    for pair in read(tmp_path).pairs:
        told = missing == 0 or DAYS[missing] not in (pair.reference, pair.secondary)
        expected = metres[pair.secondary] - metres[pair.reference]
        assert pair.perpendicular_baseline == (pytest.approx(expected) if told else None)


def test_a_folder_without_dates_is_left_out_and_named(tmp_path):
    for days in PAIRS:
        place = tmp_path / name(*days) / "merged"
        isce(place / "filt_topophase.unw.geo", np.ones(SHAPE), phase(*days))
        isce(place / "phsig.cor.geo", np.full(SHAPE, 0.8))
    isce(tmp_path / "trial" / "merged" / "filt_topophase.unw.geo", np.ones(SHAPE), phase(*PAIRS[0]))
    isce(tmp_path / "trial" / "merged" / "phsig.cor.geo", np.full(SHAPE, 0.8))
    stack = read(tmp_path)
    assert len(stack.pairs) == len(PAIRS)
    (sentence,) = stack.left_out
    assert "trial/merged/filt_topophase.unw.geo" in sentence and "there are no two dates" in sentence


def test_a_run_whose_folders_have_no_dates_is_refused(tmp_path):
    isce(tmp_path / "merged" / "filt_topophase.unw.geo", np.ones(SHAPE), phase(*PAIRS[0]))
    with pytest.raises(InputError, match=r"filt_topophase\.unw\.geo\S*: there are no two dates .* rename the file"):
        read(tmp_path)
