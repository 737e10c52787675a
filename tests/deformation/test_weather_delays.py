"""Delays of weather models: files built after their published layouts, and what they take out of a simulated stack."""

import csv
import json
from datetime import datetime

import h5py
import numpy as np
import pytest
import rasterio.warp
import xarray

from deformation.test_chain import DATES, GRID, SCALE, SHAPE, STABLE, truth, write, write_stack
from slipmap.check import run
from slipmap.config.deformation import DeformationSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.config.run import AreaSettings
from slipmap.deformation import invert_network, network, weather_delays
from slipmap.errors import Faults, InputError
from slipmap.io import raster

WEST, SOUTH, EAST, NORTH = rasterio.warp.transform_bounds(GRID.crs, "EPSG:4326", *GRID.bounds)
INCIDENCE = 39.0
TURNS = np.random.default_rng(4).uniform(0, 2 * np.pi, (len(DATES), 2))
FALL = np.random.default_rng(5).normal(2.7e-4, 1e-5, len(DATES))  # m of delay per m of height


def zenith(number, longitude, latitude, height):
    """Total delay at the zenith, m: it falls with the height and has waves of 12 mm, other ones on each date."""
    waves = np.sin((longitude - WEST) * 150 + TURNS[number, 0]) * np.cos((latitude - SOUTH) * 180 + TURNS[number, 1])
    return 2.4 - FALL[number] * height + 0.012 * waves


def relief():
    rows, cols = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return 900 + 400 * np.sin(rows / 9) * np.cos(cols / 11)


def ground():
    """Longitude and latitude of every pixel, (rows, cols)."""
    x, y = GRID.transform @ np.meshgrid(np.arange(SHAPE[1]) + 0.5, np.arange(SHAPE[0]) + 0.5)
    found = rasterio.warp.transform(GRID.crs, "EPSG:4326", x.ravel(), y.ravel())
    return (np.reshape(values, SHAPE) for values in found)


def nodes(step, beyond=0.02):
    return np.arange(WEST - beyond, EAST + beyond, step), np.arange(NORTH + beyond, SOUTH - beyond, -step)


def height_at(longitude, latitude):
    """The DEM at nodes, as GACOS has its own."""
    x, y = rasterio.warp.transform("EPSG:4326", GRID.crs, longitude.ravel(), latitude.ravel())
    cols, rows = ~GRID.transform @ (np.array(x), np.array(y))
    return (900 + 400 * np.sin((rows - 0.5) / 9) * np.cos((cols - 0.5) / 11)).reshape(longitude.shape)


def gacos(folder, dates=DATES, scale=1.0):
    """GACOS: float32, rows from the north, and ROI_PAC's text beside it."""
    folder.mkdir(exist_ok=True)
    lon, lat = nodes(0.0004)
    mesh = np.meshgrid(lon, lat)
    for number, day in enumerate(dates):
        path = folder / f"{day:%Y%m%d}.ztd"
        (scale * zenith(number, *mesh, height_at(*mesh))).astype("<f4").tofile(path)
        said = {
            "WIDTH": len(lon), "FILE_LENGTH": len(lat), "XMIN": 0, "XMAX": len(lon) - 1, "YMIN": 0,
            "YMAX": len(lat) - 1, "X_FIRST": lon[0], "Y_FIRST": lat[0], "X_STEP": 0.0004, "Y_STEP": -0.0004,
            "X_UNIT": "degres", "Y_UNIT": "degres", "Z_OFFSET": 0, "Z_SCALE": 1, "PROJECTION": "LATLON",
            "DATUM": "WGS84",
        }  # fmt: skip
        path.with_name(path.name + ".rsc").write_text("".join(f"{k:15}{v}\n" for k, v in said.items()))
    return folder


def opera(folder, dates=DATES):
    """OPERA: time, height, latitude from north to south, longitude; two delays of which the sum counts."""
    folder.mkdir(exist_ok=True)
    lon, lat = nodes(0.002)
    levels = np.array([-500.0, 0.0, 400.0, 700.0, 1000.0, 1400.0, 2000.0, 9000.0], "f4")
    mesh = np.meshgrid(levels, lat, lon, indexing="ij")
    for number, day in enumerate(dates):
        total = zenith(number, mesh[2], mesh[1], mesh[0])
        about = {"units": "meters", "grid_mapping": "spatial_ref"}
        dims = ("time", "height", "latitude", "longitude")
        fields = {
            n: (dims, (s * total)[None].astype("f4"), about)
            for n, s in (("wet_delay", 0.1), ("hydrostatic_delay", 0.9))
        }
        when = [datetime(day.year, day.month, day.day, 18)]
        coords = {"time": when, "height": levels, "latitude": lat, "longitude": lon}
        name = f"OPERA_L4_TROPO-ZENITH_{day:%Y%m%d}T180000Z_20250923T224940Z_HRES_v1.0.nc"
        xarray.Dataset(fields, coords).to_netcdf(folder / name, engine="h5netcdf")
    return folder


def mintpy(folder, dates=DATES):
    """MintPy's ERA5.h5 by PyAPS, geocoded: delay along the line of sight with its sign reversed."""
    folder.mkdir(exist_ok=True)
    slant = [-zenith(n, *ground(), relief()) / np.cos(np.radians(INCIDENCE)) for n in range(len(dates))]
    with h5py.File(folder / "ERA5.h5", "w") as file:
        file["timeseries"] = np.stack(slant).astype("f4")
        file["date"] = np.array([f"{day:%Y%m%d}".encode() for day in dates])
        t = GRID.transform
        file.attrs.update(FILE_TYPE="timeseries", UNIT="m", WIDTH=SHAPE[1], LENGTH=SHAPE[0], EPSG="32632")
        file.attrs.update(X_UNIT="meters", X_FIRST=t.c, Y_FIRST=t.f, X_STEP=t.a, Y_STEP=t.e)
    return folder


LAYOUTS = {"GACOS": gacos, "OPERA": opera, "PyAPS": mintpy}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """The simulated stack with the delays of all dates on their way to the satellite, and a DEM."""
    folder = tmp_path_factory.mktemp("delayed")
    write_stack(folder / "ifg")
    away = [-1000 * zenith(n, *ground(), relief()) / np.cos(np.radians(INCIDENCE)) for n in range(len(DATES))]
    by_name = {f"{day:%Y%m%d}": values for day, values in zip(DATES, away, strict=True)}
    for path in (folder / "ifg").rglob("*.unw.tif"):
        first, second = path.parent.name.split("_")
        write(path, raster.read(path, bands=1) + (by_name[second] - by_name[first]) / SCALE)
    raster.write(folder / "dem.tif", GRID, relief(), bands=["dem"], units="m", long_name="elevation")
    return folder


def process(stack, out, delays, **settings):
    chosen = DeformationSettings(reference_point=STABLE, unwrapping_error_correction=False, **settings)
    supplied = Sentinel1Settings(level="unwrapped", path=str(stack / "ifg"))
    network.run(supplied, chosen, out / "network.csv", out / "network.png", out / "stack.json")
    invert_network.run(out / "network.csv", out / "stack.json", [], chosen, out, dem=stack / "dem.tif", delays=delays)
    velocity, _ = truth()
    off = raster.read(out / "velocity.tif", bands=1) - velocity
    with open(out / "troposphere.csv", newline="") as file:
        rows = {row["troposphere"]: row for row in csv.DictReader(file)}
    return float((off - np.median(off)).std()), rows


@pytest.mark.parametrize("layout", LAYOUTS)
def test_delays_are_read_where_they_lie(layout, tmp_path):
    """Against the analytic field, along the line of sight for PyAPS and at the zenith for the others."""
    delays = weather_delays.find(LAYOUTS[layout](tmp_path / "d"), DATES, GRID)
    assert (delays.source, delays.levels) == (layout, layout == "OPERA") and list(delays.by_date) == DATES
    lon, lat = ground()
    pick = (slice(5, 55, 9), slice(4, 76, 11))
    x, y = GRID.transform @ np.meshgrid(np.arange(SHAPE[1]) + 0.5, np.arange(SHAPE[0]) + 0.5)
    given = [v[pick].ravel() for v in (x, y)]
    found = delays.at(DATES[:4], *given, GRID.crs, relief()[pick].ravel())
    slant = np.cos(np.radians(INCIDENCE)) if layout == "PyAPS" else 1.0
    for number in range(4):
        expected = zenith(number, lon[pick], lat[pick], relief()[pick]).ravel() / slant
        np.testing.assert_allclose(found[number], expected, atol=1e-3)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_delays_leave_the_motion(layout, stack, tmp_path):
    """Signs, dates and line of sight: with the model's delays the velocity is that of the undelayed stack."""
    off, rows = process(stack, tmp_path, LAYOUTS[layout](tmp_path / "d"), troposphere="model")
    assert off < 1.5
    assert [row["used"] for row in rows.values()] == ["False", "False", "True", "False"] and len(rows) == 4
    left = {name: float(row["rms_mm"]) for name, row in rows.items()}
    assert left["model"] < 0.5 * left["none"] and left["model"] < 0.7 * left["elevation"]
    assert left["both"] == pytest.approx(left["model"], rel=0.1)
    assert json.loads((tmp_path / "reference.json").read_text())["weather_model"] == layout


def test_the_ways_are_compared_whichever_is_used(stack, tmp_path):
    given = gacos(tmp_path / "d")
    by_elevation, rows = process(stack, tmp_path, given)
    assert rows["elevation"]["used"] == "True" and float(rows["model"]["rms_mm"]) < float(rows["elevation"]["rms_mm"])
    both, rows = process(stack, tmp_path, given, troposphere="both")
    assert rows["both"]["used"] == "True" and both < 0.6 * by_elevation
    _, rows = process(stack, tmp_path, None)
    assert list(rows) == ["none", "elevation"]


def refusal(folder, dates=DATES):
    with pytest.raises(InputError) as caught:
        weather_delays.find(folder, dates, GRID)
    return str(caught.value)


def test_what_is_wrong_is_said_in_one_sentence(tmp_path):
    folder = gacos(tmp_path / "g", DATES[:-2])
    said = refusal(folder)
    assert f"no delay of 2 of 20 dates ({DATES[-2]:%Y%m%d}, {DATES[-1]:%Y%m%d})" in said and said.count("\n") == 0
    (folder / f"{DATES[0]:%Y%m%d}.ztd").write_bytes(b"0000")
    assert "it is truncated or not of this date" in refusal(folder, DATES[:3])
    (folder / f"{DATES[1]:%Y%m%d}.ztd.rsc").unlink()
    assert "which says where it lies" in refusal(folder, DATES[1:3])
    assert "no total delay in metres" in refusal(gacos(tmp_path / "mm", DATES[:1], 1000.0), DATES[:1])
    assert "no total delay in metres" in refusal(gacos(tmp_path / "wet", DATES[:1], 0.1), DATES[:1])
    (tmp_path / "none").mkdir()
    assert "no delays of a layout that slipmap knows" in refusal(tmp_path / "none")
    assert "no folder of delays" in refusal(tmp_path / "nowhere")
    twice = opera(tmp_path / "o", DATES[:1])
    one = next(twice.iterdir())
    one.with_name(one.name.replace("T18", "T06")).write_bytes(one.read_bytes())
    assert "keep the one nearer to the time of the acquisitions" in refusal(twice, DATES[:1])


def test_files_that_do_not_cover_the_ground_or_have_another_sign_are_refused(tmp_path):
    far = gacos(tmp_path / "g", DATES[:1])
    text = (far / f"{DATES[0]:%Y%m%d}.ztd.rsc").read_text()
    (far / f"{DATES[0]:%Y%m%d}.ztd.rsc").write_text(text.replace(f"{nodes(0.0004)[0][0]}", "12.0"))
    assert "does not cover the interferograms" in refusal(far, DATES[:1])
    turned = mintpy(tmp_path / "m", DATES[:1])
    with h5py.File(turned / "ERA5.h5", "r+") as file:
        file["timeseries"][:] *= -1
    assert "MintPy's delays are negative" in refusal(turned, DATES[:1])


def test_a_config_that_asks_for_a_model_names_its_delays():
    given = {"grid": {"crs": "EPSG:32632", "bounds": [0, 0, 1, 1]}, "deformation": {"troposphere": "model"}}
    with pytest.raises(ValueError, match=r"inputs\.delays"):
        AreaSettings(**given)
    AreaSettings(**given, inputs={"delays": "gacos"})


def test_check_looks_at_the_delays_of_the_networks_dates(stack, tmp_path):
    given = {"level": "unwrapped", "path": str(stack / "ifg")}
    west, south, east, north = GRID.bounds
    area = AreaSettings(
        grid={"crs": GRID.crs, "resolution": 50, "bounds": [west, south, east, north]},
        inputs={"sentinel1": given, "delays": str(gacos(tmp_path / "d"))},
    )

    def faults():
        found, seen = Faults(), {}
        run._look_at_area("here", area, [], found, seen)
        assert len(seen["here"].dates) == len(DATES)
        return found.found

    assert faults() == []
    (tmp_path / "d" / f"{DATES[7]:%Y%m%d}.ztd").unlink()
    (said,) = faults()
    assert said.startswith("areas.here.inputs.delays: ") and f"no delay of 1 of 20 dates ({DATES[7]:%Y%m%d})" in said
