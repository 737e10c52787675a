"""Ready velocities and OPERA CSLC-S1: the formats' own layouts, written here, read back by value."""

import h5py
import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from slipmap.config.deformation import DeformationSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import interferogram, network
from slipmap.deformation import ready_velocity as velocity
from slipmap.deformation.orbit import perpendicular_baseline, position_at_closest_approach
from slipmap.deformation.reading import read_stack
from slipmap.errors import InputError
from slipmap.io import raster


def convert(path, out, **more):
    velocity.convert(Sentinel1Settings(level="velocity", path=str(path), **more), out)
    with rasterio.open(out) as src:
        return src.read(1), src.transform, src.crs.to_epsg()


def test_mintpy_velocity(tmp_path):
    field = np.random.default_rng(0).normal(0, 0.02, (6, 8)).astype(np.float32)
    field[2, 3] = 0
    with h5py.File(tmp_path / "velocity.h5", "w") as out:
        out["velocity"] = field
        attributes = dict(X_FIRST=11.0, X_STEP=0.001, Y_FIRST=44.0, Y_STEP=-0.001, UNIT="m/year", FILE_TYPE="velocity")
        out.attrs.update({k: str(v) for k, v in attributes.items()})
    found, transform, epsg = convert(tmp_path / "velocity.h5", tmp_path / "v.tif")
    assert epsg == 4326 and transform.c == 11.0 and transform.f == 44.0
    assert np.isnan(found[2, 3])
    np.testing.assert_allclose(np.delete(found.ravel(), 19), np.delete(field.ravel() * 1000, 19), rtol=1e-6)
    with h5py.File(tmp_path / "velocity.h5", "a") as out:
        del out.attrs["X_FIRST"]
    with pytest.raises(InputError, match="radar coordinates"):
        convert(tmp_path / "velocity.h5", tmp_path / "v.tif")


def test_egms_points_are_averaged_in_pixels(tmp_path):
    path = tmp_path / "EGMS_L2b.csv"
    path.write_text(
        "pid,easting,northing,height,mean_velocity,20200105\n"
        "a,4400010,2300010,5,-4.0,0\nb,4400011,2300012,5,-6.0,0\nc,4400070,2300050,5,3.5,0\n"
    )
    found, transform, epsg = convert(path, tmp_path / "v.tif")
    assert epsg == 3035

    def at(x, y):
        col, row = (int(v) for v in ~transform @ (x, y))
        return found[row, col]

    assert at(4400010, 2300010) == -5.0 and at(4400070, 2300050) == 3.5
    assert np.isfinite(found).sum() == 2
    path.write_text("easting,northing\n1,2\n")
    with pytest.raises(InputError, match="column mean_velocity is missing"):
        convert(path, tmp_path / "v.tif")


def test_geotiff_units(tmp_path):
    from slipmap.io.grid import Grid

    grid = Grid.from_bounds("EPSG:32632", 10, (0, 0, 50, 40))
    raster.write(tmp_path / "in.tif", grid, np.full((4, 5), 0.012), bands=["v"], units="m/yr", long_name="velocity")
    assert convert(tmp_path / "in.tif", tmp_path / "v.tif")[0] == pytest.approx(12.0)
    raster.write(tmp_path / "in.tif", grid, np.ones((4, 5)), bands=["v"], units="knots", long_name="velocity")
    with pytest.raises(InputError, match="units are 'knots'"):
        convert(tmp_path / "in.tif", tmp_path / "v.tif")
    with pytest.raises(InputError, match="no velocity of a known format"):
        (tmp_path / "v.xyz").touch()
        convert(tmp_path / "v.xyz", tmp_path / "v.tif")


GROUND = np.array(Transformer.from_crs("EPSG:32632", "EPSG:4978", always_xy=True).transform(5e5, 5e6, 0.0))


def circular_orbit(shift):
    """State vectors of a circular, northward orbit that passes `shift` m farther from the ground point (simulated)."""
    up = GROUND / np.linalg.norm(GROUND)
    north = np.array([0.0, 0.0, 1.0]) - up[2] * up
    north /= np.linalg.norm(north)
    west = np.cross(up, north)
    over = (6371e3 + 700e3) * up + (500e3 + shift) * west
    radius = np.linalg.norm(over)
    speed, times = 7500.0, np.arange(-100.0, 101.0, 10.0) + 0.3
    angle = speed * times / radius
    first = over / radius
    positions = radius * (np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * north)
    velocities = speed * (-np.sin(angle)[:, None] * first + np.cos(angle)[:, None] * north)
    return times, positions, velocities


def test_baseline_of_orbits_is_that_of_the_geometry():
    at = [position_at_closest_approach(*circular_orbit(s), GROUND) for s in (0.0, 100.0)]
    look = (GROUND - at[0][0]) / np.linalg.norm(GROUND - at[0][0])
    for position, speed in at:
        assert abs((GROUND - position) @ speed) / np.linalg.norm(speed) < 1e-3  # abeam
    baseline = at[1][0] - at[0][0]
    across = np.sqrt(baseline @ baseline - (baseline @ look) ** 2)
    found = perpendicular_baseline(*at, GROUND)
    assert found == pytest.approx(-across, rel=1e-3)  # farther out, so below the line of sight
    # Ground of the same range that is higher by dz: it seems displaced by B dz / (R sinθ) towards the satellite.
    up = GROUND / np.linalg.norm(GROUND)
    aside = up - (up @ look) * look
    higher = GROUND + 10 * aside / np.linalg.norm(aside)
    paths = [np.linalg.norm(at[1][0] - point) - np.linalg.norm(at[0][0] - point) for point in (GROUND, higher)]
    slant, sine = np.linalg.norm(at[0][0] - GROUND), np.sqrt(1 - (up @ look) ** 2)
    assert paths[0] - paths[1] == pytest.approx(found * ((higher - GROUND) @ up) / (slant * sine), rel=1e-3)
    assert perpendicular_baseline(at[0], at[0], GROUND) == 0


def write_opera(path, day, shift, burst="T064-135523-IW2"):
    rng = np.random.default_rng(int(day))
    with h5py.File(path, "w") as out:
        out["data/VV"] = (rng.standard_normal((20, 40)) + 1j * rng.standard_normal((20, 40))).astype(np.complex64)
        out["data/x_coordinates"] = 5e5 + 2.5 + 5.0 * np.arange(40)
        out["data/y_coordinates"] = 5e6 - 5.0 - 10.0 * np.arange(20)
        out["data/projection"] = 32632
        out["identification/zero_doppler_start_time"] = f"{day[:4]}-{day[4:6]}-{day[6:]} 05:35:51.2"
        out["identification/track_number"] = 64
        out["identification/burst_id"] = burst
        out["identification/orbit_pass_direction"] = "Ascending"
        base = "metadata/processing_information/input_burst_metadata/"
        out[base + "wavelength"] = 0.05546576
        out[base + "range_bandwidth"] = 48.3e6
        out[base + "starting_range"] = 850e3
        out[base + "range_pixel_spacing"] = 2.33
        times, positions, velocities = circular_orbit(shift)
        out["metadata/orbit/time"] = times
        for k, axis in enumerate("xyz"):
            out[f"metadata/orbit/position_{axis}"] = positions[:, k]
            out[f"metadata/orbit/velocity_{axis}"] = velocities[:, k]


def test_opera_products_become_a_network_and_interferograms(tmp_path):
    folder = tmp_path / "cslc"
    folder.mkdir()
    for k, day in enumerate(("20210101", "20210113", "20210125")):
        write_opera(folder / f"OPERA_L2_CSLC-S1_{day}.h5", day, 30.0 * k)
    (folder / "broken.h5").write_bytes(b"no hdf5")
    stack = read_stack(Sentinel1Settings(level="slc", path=str(folder)))
    assert stack.format == "opera" and len(stack.acquisitions) == 3 and "broken.h5" in stack.left_out[0]
    ray = position_at_closest_approach(*circular_orbit(0.0), GROUND)[0] - GROUND
    slant, up = np.linalg.norm(ray), GROUND / np.linalg.norm(GROUND)
    assert stack.radar.track == "64" and stack.radar.bandwidth == 48.3e6
    assert stack.radar.slant_range == pytest.approx(slant, rel=1e-3)
    assert stack.radar.incidence == pytest.approx(np.degrees(np.arccos(ray @ up / slant)), abs=0.25)
    first, second, third = (each.perpendicular_baseline for each in stack.acquisitions)
    assert first == 0 > second and third == pytest.approx(2 * second, rel=0.01)
    settings = DeformationSettings(slc_looks=(1, 2), max_temporal_baseline=12)
    pairs = network.choose_pairs(stack, settings)
    interferogram.run(pairs[0], settings, tmp_path / "i.tif")
    with rasterio.open(tmp_path / "i.tif") as src:
        assert src.shape == (20, 20) and src.transform.a == 10.0 and src.transform.c == 5e5
        assert np.isfinite(src.read(2)).all()
    write_opera(folder / "other.h5", "20210206", 0.0, burst="T064-135524-IW2")
    with pytest.raises(InputError, match=r"other\.h5: its burst is T064-135524-IW2"):
        read_stack(Sentinel1Settings(level="slc", path=str(folder)))
