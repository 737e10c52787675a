"""ARIA-S1-GUNW and OPERA DISP-S1: NetCDF files built after their published layouts, read by value."""

import h5netcdf
import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from helpers.interferogram_samples import DAYS, PAIRS, SHAPE, phase, read, tif, values
from slipmap.deformation import network
from slipmap.deformation.phase import mm_per_radian
from slipmap.deformation.stack import save_stack
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.sentinel1.sight import line_of_sight, look_vector

STEP = 1 / 1200  # degrees, 3 arc seconds


def aria(folder, pairs=PAIRS, track="D-R-071", baseline=30.0, heading=-168.0):
    """ARIA-S1-GUNW products: the later date is the reference and comes first; the satellite's way of counting phase."""
    folder.mkdir(parents=True, exist_ok=True)
    for days in pairs:
        second, first = days[::-1]
        path = folder / f"S1-GUNW-{track}-tops-{second:%Y%m%d}_{first:%Y%m%d}-135211-36450N_34472N-PP-1bf7-v2_0_4.nc"
        with h5netcdf.File(path, "w") as file:
            file.attrs["version"] = "1c"
            grids = file.create_group("science/grids/data")
            grids.dimensions = {"latitude": SHAPE[0], "longitude": SHAPE[1]}
            _axis(grids, "latitude", 45 - STEP * (0.5 + np.arange(SHAPE[0])), "degrees_north")
            _axis(grids, "longitude", 9 + STEP * (0.5 + np.arange(SHAPE[1])), "degrees_east")
            _crs(grids, "crs", "EPSG:4326")
            toward = -phase(*days)
            toward[0, :3] = 0
            components = np.ones(SHAPE, np.int16)
            components[1, :2] = 0
            for key, data in (("unwrappedPhase", toward), ("coherence", np.full(SHAPE, 0.8, np.float32)),
                              ("connectedComponents", components)):  # fmt: skip
                fill = -1 if key == "connectedComponents" else np.float32(0)
                variable = grids.create_variable(key, ("latitude", "longitude"), data=data, fillvalue=fill)
                variable.attrs["grid_mapping"] = "crs"
            geometry = file.create_group("science/grids/imagingGeometry")
            geometry.dimensions = {"heightsMeta": 2, "latitudeMeta": 3, "longitudeMeta": 4}
            _axis(geometry, "heightsMeta", np.array([0.0, 3000.0]), "m")
            _axis(geometry, "latitudeMeta", 45.05 - 0.05 * np.arange(3), "degrees_north")
            _axis(geometry, "longitudeMeta", 8.95 + 0.05 * np.arange(4), "degrees_east")
            _crs(geometry, "crs", "EPSG:4326")
            to_satellite = 180.0 - heading  # anti-clockwise from east, of a right-looking satellite
            for key, value in (("perpendicularBaseline", baseline), ("incidenceAngle", 38.0),
                               ("azimuthAngle", (to_satellite + 180) % 360 - 180)):  # fmt: skip
                data = np.full((2, 3, 4), value, np.float32)
                variable = geometry.create_variable(key, ("heightsMeta", "latitudeMeta", "longitudeMeta"), data=data)
                variable.attrs["grid_mapping"] = "crs"
            radar = file.create_group("science/radarMetaData")
            radar.create_variable("wavelength", (), data=np.float64(0.05546576))
    return folder


def _axis(group, key, centres, units):
    group.create_variable(key, (key,), data=centres.astype(np.float64)).attrs["units"] = units


def _crs(group, key, code):
    crs = CRS.from_user_input(code)
    kind = "latitude_longitude" if crs.is_geographic else "transverse_mercator"
    group.create_variable(key, (), data=np.int32(0)).attrs.update(
        {"crs_wkt": crs.to_wkt(), "spatial_ref": crs.to_wkt(), "grid_mapping_name": kind}
    )


def test_aria_phase_has_its_sign_turned_and_unreliable_components_left_out(tmp_path):
    stack = read(aria(tmp_path / "gunw"))
    assert stack.format == "aria" and {(p.reference, p.secondary) for p in stack.pairs} == set(PAIRS)
    found, coherence, grid = values(stack)
    assert CRS.from_user_input(grid.crs).to_epsg() == 4326
    assert (grid.transform.c, grid.transform.f) == (pytest.approx(9.0, abs=1e-9), pytest.approx(45.0, abs=1e-9))
    nothing = np.zeros(SHAPE, bool)
    nothing[0, :3] = nothing[1, :2] = True
    for pair, array in zip(stack.pairs, found, strict=True):
        np.testing.assert_array_equal(array, np.where(nothing, np.nan, phase(pair.reference, pair.secondary)))
    np.testing.assert_allclose(coherence[:, ~nothing], 0.8)
    assert stack.radar.wavelength == 0.05546576 and stack.radar.track == "071D"
    assert {p.perpendicular_baseline for p in stack.pairs} == {-30.0}


@pytest.mark.parametrize(("track", "heading"), [("D-R-071", -168.0), ("A-R-064", -12.0), ("D-R-137", -170.5)])
def test_aria_line_of_sight(tmp_path, track, heading):
    stack = network._with_views(read(aria(tmp_path / "gunw", track=track, heading=heading)), tmp_path / "views")
    save_stack(tmp_path / "stack.json", stack)
    grid = Grid.from_raster(stack.pairs[0].files["unwrapped"])
    vectors = line_of_sight(tmp_path / "stack.json").read(next(iter(grid.blocks())), grid)
    expected = look_vector(38.0, heading)
    np.testing.assert_allclose(vectors, np.broadcast_to(expected[:, None, None], vectors.shape), atol=1e-5)
    assert stack.radar.incidence == pytest.approx(38.0, abs=1e-4)


def test_aria_of_two_tracks_and_truncated_products(tmp_path):
    folder = aria(tmp_path / "gunw")
    broken = sorted(folder.iterdir())[3]
    broken.write_bytes(broken.read_bytes()[:9000])
    stack = read(folder)
    assert len(stack.pairs) == len(PAIRS) - 1 and broken.name in stack.left_out[0]
    aria(folder, [(DAYS[0], DAYS[4])], track="A-R-064")
    with pytest.raises(InputError, match="its track is 064A, the other files' is 071D"):
        read(folder)


UTM = Affine(30, 0, 500000, 0, -30, 5000000)


def metres(day):
    """Displacement of a date relative to the first, towards the satellite."""
    rows, cols = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (-0.004 * (day - DAYS[0]).days / 12 * (1 + rows + cols / 10)).astype(np.float32)


def disp(folder, days=DAYS[1:], frame="F11116", track=64, units="meters"):
    """OPERA DISP-S1 products of a frame, all relative to the first date."""
    folder.mkdir(parents=True, exist_ok=True)
    for day in days:
        name = f"OPERA_L3_DISP-S1_IW_{frame}_VV_{DAYS[0]:%Y%m%d}T140755Z_{day:%Y%m%d}T140756Z_v1.0_20250408T163512Z.nc"
        with h5netcdf.File(folder / name, "w") as file:
            file.dimensions = {"y": SHAPE[0], "x": SHAPE[1]}
            for key, centres in (("y", 5e6 - 30 * (0.5 + np.arange(SHAPE[0]))),
                                 ("x", 5e5 + 30 * (0.5 + np.arange(SHAPE[1])))):  # fmt: skip
                _axis(file, key, centres, "m")
                file[key].attrs["standard_name"] = f"projection_{key}_coordinate"
            _crs(file, "spatial_ref", "EPSG:32632")
            file["spatial_ref"].attrs["GeoTransform"] = "500000 30 0 5000000 0 -30"
            mask = np.ones(SHAPE, np.uint8)
            mask[2, :4] = 0
            for key, data, fill in (("displacement", metres(day), np.float32(np.nan)),
                                    ("short_wavelength_displacement", metres(day) / 2, np.float32(np.nan)),
                                    ("temporal_coherence", np.full(SHAPE, 0.7, np.float32), np.float32(np.nan)),
                                    ("recommended_mask", mask, np.uint8(255))):  # fmt: skip
                variable = file.create_variable(key, ("y", "x"), data=data, fillvalue=fill)
                variable.attrs.update(grid_mapping="spatial_ref", units=units if "disp" in key else "unitless")
            about = file.create_group("identification")
            about.create_variable("track_number", (), data=np.int64(track))
            about.create_variable("orbit_pass_direction", (), data=np.bytes_("Ascending"))
    return folder


def test_opera_displacement_comes_back_as_it_was(tmp_path):
    stack = read(disp(tmp_path / "disp"))
    assert stack.format == "opera_disp" and stack.radar.track == "64" and stack.radar.orbit_direction == "ASCENDING"
    found, coherence, grid = values(stack)
    assert (grid.transform, CRS.from_user_input(grid.crs).to_epsg()) == (UTM, 32632)
    assert np.isnan(found[:, 2, :4]).all() and np.isfinite(found).sum() == (np.prod(SHAPE) - 4) * 4
    for pair, array in zip(stack.pairs, found, strict=True):
        back = array * mm_per_radian(stack.radar.wavelength)
        expected = 1000 * metres(pair.secondary)
        np.testing.assert_allclose(back[np.isfinite(back)], expected[np.isfinite(back)], rtol=1e-5)
    np.testing.assert_allclose(coherence[np.isfinite(coherence)], 0.7)


def test_opera_line_of_sight_of_the_static_product(tmp_path):
    vector = look_vector(38.0, -12.0).astype(np.float32)
    tif(disp(tmp_path / "disp") / "OPERA_L3_DISP-S1-STATIC_F11116_20140403_S1A_v1.0_line_of_sight_enu.tif",
        *(np.full(SHAPE, part) for part in vector), place=UTM)  # fmt: skip
    stack = network._with_views(read(tmp_path / "disp"), tmp_path / "views")
    save_stack(tmp_path / "stack.json", stack)
    grid = Grid.from_raster(stack.pairs[0].files["unwrapped"])
    vectors = line_of_sight(tmp_path / "stack.json").read(next(iter(grid.blocks())), grid)
    np.testing.assert_allclose(vectors, np.broadcast_to(vector[:, None, None], vectors.shape), atol=1e-6)
    assert stack.radar.incidence == pytest.approx(38.0, abs=1e-3)


@pytest.mark.parametrize(
    ("other", "says"),
    [({"frame": "F11117"}, "its frame is F11117"), ({"track": 71}, "its track is 71"), ({"units": "mm"}, "is in 'mm'")],
)
def test_opera_products_that_are_not_of_one_stack(tmp_path, other, says):
    disp(tmp_path / "disp", DAYS[1:4])
    disp(tmp_path / "disp", DAYS[4:], **other)
    with pytest.raises(InputError, match=says):
        read(tmp_path / "disp")


@pytest.mark.parametrize(("name", "says"), [("S1-GUNW-copy.nc", "ARIA"), ("OPERA_L3_DISP-S1_IW_copy.nc", "OPERA")])
def test_renamed_products_are_asked_for_their_name(tmp_path, name, says):
    (aria if says == "ARIA" else disp)(tmp_path / "a")
    (tmp_path / "a" / name).write_bytes(next((tmp_path / "a").iterdir()).read_bytes())
    stack = read(tmp_path / "a")
    assert [f"not named as {says}" in sentence and name in sentence for sentence in stack.left_out] == [True]


@pytest.mark.parametrize(
    "twin",
    ["34972N_32972N-PP-2cf8-v2_0_4", "36450N_34472N-PP-9ab1-v3_0_1", "38450N_36472N-PP-77aa-v2_0_6"],
    ids=["frame to the south", "another version", "frame to the north"],
)
def test_aria_frames_and_versions_of_one_pass_are_told_apart(tmp_path, twin):
    folder = aria(tmp_path / "gunw")
    path = sorted(folder.iterdir())[0]
    twin = path.with_name(path.name.replace("36450N_34472N-PP-1bf7-v2_0_4", twin))
    twin.write_bytes(path.read_bytes())
    with pytest.raises(InputError, match=r"has the same dates as .*frames of one pass.*versions of one product"):
        read(folder)


@pytest.mark.parametrize("group", ["science/grids/imagingGeometry", "science/radarMetaData"])
def test_aria_without_a_layer_of_the_geometry(tmp_path, group):
    """Products of early versions lack some: what is not there is not known, and phases are read all the same."""
    folder = aria(tmp_path / "gunw")
    for path in folder.iterdir():
        with h5netcdf.File(path, "a") as file:
            del file._h5file[group]
    try:
        stack = read(folder)
    except InputError as error:
        assert "Traceback" not in str(error) and ".nc" in str(error)
    else:
        assert len(stack.pairs) == len(PAIRS)
