"""Geometry of the line of sight on planes whose answers are known by hand."""

import json

import numpy as np
import pytest
import rasterio
import rasterio.warp
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform
from rasterio.windows import Window

from slipmap.deformation import decomposition
from slipmap.deformation.geometry import (
    LAYOVER,
    SHADOW,
    VISIBLE,
    decompose,
    descent,
    downslope,
    gradient,
    run,
    sensitivity,
    visibility,
)
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.io.north import true_north
from slipmap.sentinel1.sight import line_of_sight, look_vector

EAST_LOOKING = look_vector(40.0, 0.0)  # flies north, looks east: the satellite is in the west


def plane(angle, azimuth):
    """Gradient of a plane that descends at `angle` towards `azimuth` (degrees)."""
    rise = np.tan(np.radians(angle))
    return -rise * np.sin(np.radians([azimuth])), -rise * np.cos(np.radians([azimuth]))


def test_line_of_sight_is_a_unit_vector_to_the_west_of_an_ascending_pass():
    assert np.linalg.norm(EAST_LOOKING) == pytest.approx(1)
    np.testing.assert_allclose(EAST_LOOKING, [-np.sin(np.radians(40)), 0, np.cos(np.radians(40))], atol=1e-12)
    assert look_vector(39.0, -168.0)[0] > 0  # descending: the satellite is in the east


@pytest.mark.parametrize(("slope", "aspect"), [(30, 90), (20, 270), (45, 0), (10, 200), (0, 0)])
def test_sensitivity_is_the_projection_of_downslope_motion(slope, aspect):
    """Move 1 m down a plane built from its gradient, and project by hand."""
    los = look_vector(39.0, 348.0)
    s, a = np.radians(slope), np.radians(aspect)
    step = np.array([np.sin(a), np.cos(a), -np.tan(s)])  # one metre over the ground, down by the tangent
    step /= np.linalg.norm(step)
    assert sensitivity(np.float64(slope), np.sin(a), np.cos(a), los) == pytest.approx(los @ step)


def test_gradient_of_a_plane():
    rows, cols = np.mgrid[:5, :6]
    east, north = gradient(2.0 * cols - 3.0 * rows, (10.0, 20.0))
    np.testing.assert_allclose(east, 0.2)
    np.testing.assert_allclose(north, 0.15)  # rows go south


@pytest.mark.parametrize(
    ("angle", "azimuth", "expected"),
    [
        (39, 270, VISIBLE),
        (41, 270, LAYOVER),  # faces the satellite, steeper than the incidence angle
        (49, 90, VISIBLE),
        (51, 90, SHADOW),  # faces away, steeper than its complement
        (60, 0, VISIBLE),  # across the range direction
    ],
)
def test_layover_and_shadow(angle, azimuth, expected):
    assert visibility(*plane(angle, azimuth), EAST_LOOKING)[0] == expected


@pytest.mark.parametrize(
    ("angle", "azimuth", "expected"),
    [
        (50, 90, -1.0),  # descends straight away from the satellite
        (40, 270, 0.0),  # descends at right angles to the line of sight
        (20, 90, -np.sin(np.radians(60))),
        (30, 0, -np.cos(np.radians(40)) * np.sin(np.radians(30))),  # northward: only its sinking is seen
    ],
)
def test_sensitivity(angle, azimuth, expected):
    assert sensitivity(*descent(*plane(angle, azimuth)), EAST_LOOKING)[0] == pytest.approx(expected, abs=1e-9)


def test_downslope_motion_is_recovered_where_it_can_be_seen():
    east, north = plane(np.array([25.0]), 100.0)
    direction = np.array([-east[0], -north[0], -(east[0] ** 2 + north[0] ** 2)])
    motion = 50 * direction / np.linalg.norm(direction)
    seen = sensitivity(*descent(east, north), EAST_LOOKING)
    assert downslope(EAST_LOOKING @ motion, seen, np.array([25.0]))[0] == pytest.approx(50)
    assert np.isnan(downslope(np.array([5.0]), np.array([0.1]), np.array([25.0])))[0]
    assert np.isnan(downslope(np.array([5.0]), np.array([0.9]), np.array([1.0])))[0]


def test_vertical_and_east_west_from_two_tracks():
    ascending, descending = look_vector(38.0, -12.0), look_vector(41.0, -168.0)
    motion = np.array([12.0, 0.0, -30.0])
    up, east = decompose(ascending @ motion, descending @ motion, ascending, descending)
    assert (up, east) == (pytest.approx(-30), pytest.approx(12))
    with pytest.raises(InputError, match="nearly the same side"):
        decompose(1.0, 1.0, ascending, look_vector(39.0, -12.0))


@pytest.mark.parametrize(("direction", "east", "north"), [("ASCENDING", -1, -1), ("DESCENDING", 1, -1)])
def test_either_flight_direction_looks_to_its_right(tmp_path, direction, east, north):
    """In the north Sentinel-1 looks to the east-north-east as it ascends and to the west-north-west as it descends."""
    radar = {"incidence": 39.0, "heading": None, "orbit_direction": direction}
    (tmp_path / "stack.json").write_text(json.dumps({"radar": radar, "geometry": {}}))
    found = line_of_sight(tmp_path / "stack.json").vector
    assert np.sign(found).tolist() == [east, north, 1] and abs(found[0]) > 3 * abs(found[1])


def write_track(folder, heading, incidence, velocity, deviation):
    """What a track leaves behind, and its name."""
    folder.mkdir()
    grid = Grid("EPSG:32632", Affine(12.5, 0, 5e5, 0, -12.5, 5e6), 40, 30)
    for name, value in (("velocity", velocity), ("velocity_std", deviation)):
        values = np.broadcast_to(np.asarray(value, float), (30, 40))
        raster.write(folder / f"{name}.tif", grid, values, bands=[name], units="mm/yr", long_name=name)
    radar = {"incidence": incidence, "heading": heading}
    record = {"radar": radar, "geometry": {}, "simulated": False}
    (folder / "stack.json").write_text(json.dumps(record))
    (folder / "reference.json").write_text(json.dumps({"longitude": 0.0, "latitude": 0.0}))
    return decomposition.Track(folder.name, folder), grid


def test_decomposition_brings_tracks_to_one_zero_and_propagates_each_ones_error(tmp_path):
    angles = {"up": (-12.0, 38.0), "down": (-168.0, 41.0)}
    los = [look_vector(incidence, heading) for heading, incidence in angles.values()]
    motion = np.zeros((3, 30, 40))
    motion[0, 20:, 20:], motion[2, 20:, 20:] = 12, -30
    tracks = []
    for (name, angle), sight, zero, deviation in zip(angles.items(), los, (7.0, -4.0), (1.0, 3.0), strict=True):
        velocity = np.tensordot(sight, motion, axes=1) + zero
        velocity[29, 39] = np.nan if name == "down" else velocity[29, 39]
        track, grid = write_track(tmp_path / name, *angle, velocity, deviation)
        tracks.append(track)
    lon, lat = rasterio.warp.transform(grid.crs, "EPSG:4326", *[[v] for v in grid.transform @ (10.5, 10.5)])
    tracks[0].file("reference.json").write_text(json.dumps({"longitude": lon[0], "latitude": lat[0]}))
    decomposition.run(*tracks, grid)
    # Of (east, up): the inverse of the two lines of sight.
    inverse = np.linalg.inv([[one[0], one[2]] for one in los])
    deviations = np.sqrt(inverse**2 @ np.array([1.0, 9.0]))
    for name, component, deviation in (("east", 0, deviations[0]), ("vertical", 2, deviations[1])):
        rate, error = raster.read(tmp_path / "up" / f"velocity_{name}.tif")
        assert np.isnan(rate[29, 39])
        expected = motion[component].copy()
        expected[29, 39] = np.nan
        np.testing.assert_allclose(rate, expected, atol=1e-4)
        np.testing.assert_allclose(error[:29], deviation, rtol=1e-5)


def test_driver_on_a_plane(tmp_path):
    grid = Grid("EPSG:32632", Affine(12.5, 0, 5e5, 0, -12.5, 5e6), 40, 30)
    fall = np.tan(np.radians(20)) * 12.5 * np.arange(40)
    raster.write(
        tmp_path / "dem.tif", grid, np.tile(500 - fall, (30, 1)), bands=["dem"], units="m", long_name="elevation"
    )
    raster.write(tmp_path / "v.tif", grid, np.full((30, 40), -10.0), bands=["v"], units="mm/yr", long_name="velocity")
    raster.write(tmp_path / "std.tif", grid, np.full((30, 40), 1.5), bands=["s"], units="mm/yr", long_name="std")
    radar = {"wavelength": 0.0555, "incidence": 40.0, "heading": 0.0}
    record = {"radar": radar, "geometry": {}, "simulated": False, "dates": ["2021-01-09", "2021-01-21", "2021-02-02"]}
    (tmp_path / "stack.json").write_text(json.dumps(record))
    run(tmp_path / "v.tif", tmp_path / "std.tif", tmp_path / "stack.json", tmp_path / "dem.tif", tmp_path)
    expected = np.sin(np.radians(60))
    np.testing.assert_allclose(raster.read(tmp_path / "detectable_velocity.tif", bands=1), 3 / expected, atol=1e-2)
    # A quarter of 55.5 mm every 12 days (Crosetto et al. 2016: 42.6 cm/yr for Sentinel-1 in the line of sight).
    fastest = raster.read(tmp_path / "aliasing_velocity.tif", bands=1)
    np.testing.assert_allclose(fastest, 422.3 / expected, rtol=1e-3)
    np.testing.assert_allclose(raster.read(tmp_path / "sensitivity.tif", bands=1), -expected, atol=1e-4)
    np.testing.assert_allclose(raster.read(tmp_path / "velocity_downslope.tif", bands=1), 10 / expected, atol=1e-2)
    assert (raster.read(tmp_path / "visibility.tif", bands=1) == VISIBLE).all()
    # Without incidence and heading nothing can be told, and the products say so.
    (tmp_path / "stack.json").write_text(json.dumps({"radar": {}, "geometry": {}, "simulated": False}))
    run(tmp_path / "v.tif", tmp_path / "std.tif", tmp_path / "stack.json", tmp_path / "dem.tif", tmp_path)
    with rasterio.open(tmp_path / "velocity_downslope.tif") as src:
        assert "no incidence angle and heading" in src.tags()["LEFT_OUT"] and np.isnan(src.read()).all()
    with rasterio.open(tmp_path / "visibility.tif") as src:
        assert (src.read() == src.nodata).all()


def test_a_dem_much_finer_than_the_velocity_is_averaged_first(tmp_path):
    fine = Grid("EPSG:32632", Affine(12.5, 0, 5e5, 0, -12.5, 5e6), 160, 120)
    coarse = Grid("EPSG:32632", Affine(50, 0, 5e5, 0, -50, 5e6), 40, 30)
    rows, cols = np.mgrid[:120, :160]
    # A plane of 20 degrees under furrows of 30 m, two pixels apart: of the mean over a pixel of 50 m nothing is left.
    surface = 2000 - np.tan(np.radians(20)) * 12.5 * cols + 15.0 * (-1.0) ** (cols + rows // 3)
    raster.write(tmp_path / "dem.tif", fine, surface, bands=["dem"], units="m", long_name="elevation")
    raster.write(tmp_path / "v.tif", coarse, np.full((30, 40), -10.0), bands=["v"], units="mm/yr", long_name="velocity")
    raster.write(tmp_path / "std.tif", coarse, np.ones((30, 40)), bands=["s"], units="mm/yr", long_name="std")
    radar = {"wavelength": 0.0555, "incidence": 40.0, "heading": 0.0}
    (tmp_path / "stack.json").write_text(json.dumps({"radar": radar, "geometry": {}, "simulated": False}))
    run(tmp_path / "v.tif", tmp_path / "std.tif", tmp_path / "stack.json", tmp_path / "dem.tif", tmp_path)
    seen = raster.read(tmp_path / "sensitivity.tif", bands=1)[1:-1, 1:-1]
    np.testing.assert_allclose(seen, -np.sin(np.radians(60)), atol=1e-3)


def test_slopes_are_seen_along_true_north_in_every_projection(tmp_path):
    """A slope to true north where the grid's north is 15 degrees off it; the sight is in true east, north, up."""
    lambert = "+proj=lcc +lat_1=45 +lat_2=47 +lat_0=46 +lon_0=-12 +datum=WGS84 +units=m"
    crs = CRS.from_string(lambert).to_wkt()
    (x,), (y,) = transform(CRS.from_epsg(4326), CRS.from_wkt(crs), [9.0], [46.0])
    grid = Grid(crs, Affine(50, 0, x - 1500, 0, -50, y + 1500), 60, 60)
    cols, rows = np.meshgrid(np.arange(60) + 0.5, np.arange(60) + 0.5)
    xs, ys = grid.transform @ (cols, rows)
    _, latitude = transform(CRS.from_wkt(crs), CRS.from_epsg(4326), xs.ravel(), ys.ravel())
    height = 1000 - (np.reshape(latitude, (60, 60)) - 46.0) * 111_150 * np.tan(np.radians(20))
    layers = {"dem": (height, "m"), "v": (np.ones((60, 60)), "mm/yr"), "std": (np.ones((60, 60)), "mm/yr")}
    for name, (values, units) in layers.items():
        raster.write(tmp_path / f"{name}.tif", grid, values, bands=[name], units=units, long_name=name)
    radar = {"wavelength": 0.0555, "incidence": 39.0, "heading": -12.0}
    (tmp_path / "stack.json").write_text(json.dumps({"radar": radar, "geometry": {}, "simulated": False}))
    run(tmp_path / "v.tif", tmp_path / "std.tif", tmp_path / "stack.json", tmp_path / "dem.tif", tmp_path)
    _, north, up = look_vector(39.0, -12.0)
    expected = np.cos(np.radians(20)) * north - np.sin(np.radians(20)) * up
    angle = np.degrees(true_north(grid, Window(0, 0, 60, 60)))
    assert abs(angle) == pytest.approx(15.1, abs=0.2)
    found = raster.read(tmp_path / "sensitivity.tif", bands=1)[2:-2, 2:-2]
    np.testing.assert_allclose(found, expected, atol=0.01)
