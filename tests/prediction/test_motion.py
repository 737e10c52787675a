"""What the radar says of a landslide, against geometry that is known; outlines' corners; object-based rules."""

import json
from datetime import date

import geopandas as gpd
import h5netcdf
import hypothesis
import numpy as np
import pyogrio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, box
from shapely.ops import unary_union

from slipmap.colours import MOTION
from slipmap.config.prediction import ObjectRules, PredictionSettings
from slipmap.deformation import timeseries
from slipmap.deformation.geometry import sensitivity
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.prediction import attributes, motion, polygons
from slipmap.prediction.outlines import outlines, smoothed
from slipmap.sentinel1.sight import line_of_sight, look_vector

SETTINGS = PredictionSettings()
DATES = [date(2021, 1, 9), date(2021, 7, 1), date(2022, 1, 9)]


def pixels(n=50, **values):
    given = {"velocity": -12.0, "deviation": 1.0, "mask": 1, "sensitivity": -0.6} | values
    return [np.full(n, v) if np.isscalar(v) else np.asarray(v) for v in given.values()]


def test_a_landslide_moves_stands_or_is_not_seen():
    found = motion.summarise(*pixels(), SETTINGS)
    assert found["motion"] == motion.MOVING and found["velocity_downslope"] == pytest.approx(20.0)
    assert motion.summarise(*pixels(velocity=-3.0), SETTINGS)["motion"] == motion.SLOW
    assert motion.summarise(*pixels(velocity=-1.9), SETTINGS)["motion"] == motion.STILL
    assert motion.summarise(*pixels(velocity=12.0), SETTINGS)["motion"] == motion.ELSEWHERE, "up the slope"
    assert motion.summarise(*pixels(deviation=8.0), SETTINGS)["motion"] == motion.STILL, "within twice its deviation"
    assert motion.summarise(*pixels(sensitivity=-0.29), SETTINGS)["motion"] == motion.UNSEEN
    assert motion.summarise(*pixels(sensitivity=-0.31), SETTINGS)["motion"] == motion.MOVING
    assert motion.summarise(*pixels(mask=0), SETTINGS)["motion"] == motion.UNSEEN, "not reliable"
    few = np.where(np.arange(50) < 2, 1, 0)
    assert motion.summarise(*pixels(mask=few), SETTINGS)["motion"] == motion.UNSEEN
    half = np.arange(50) < 25
    mixed = motion.summarise(*pixels(mask=half, velocity=np.where(half, -12.0, 300.0)), SETTINGS)
    assert mixed["velocity_mean"] == pytest.approx(-12) and mixed["coherent_share"] == 0.5
    assert motion.summarise(*pixels(velocity=np.nan), SETTINGS)["motion"] == motion.UNSEEN


@pytest.mark.parametrize(
    ("settings", "changed", "said"),
    [
        ({"min_sensitivity": 0.7}, {}, motion.UNSEEN),
        ({"min_sensitivity": 0.1}, {"sensitivity": -0.2}, motion.MOVING),
        ({"moving_velocity": 25.0}, {}, motion.SLOW),
        ({"moving_velocity": 4.0}, {"velocity": -3.0}, motion.MOVING),
    ],
)
def test_the_limits_of_motion_are_the_settings(settings, changed, said):
    assert motion.summarise(*pixels(**changed), PredictionSettings(**settings))["motion"] == said


@given(
    v=st.floats(-200, 200), spread=st.floats(0.1, 30), s=st.floats(-0.95, 0.95).filter(lambda s: abs(s) > 0.31),
    least=st.floats(1, 40),
)  # fmt: skip
@hypothesis.settings(max_examples=200, deadline=None)
def test_no_motion_beyond_two_deviations_is_called_none(v, spread, s, least):
    """By hand, from line-of-sight velocity, its deviation and sensitivity of one slope; a sign decides the rest."""
    found = motion.summarise(
        *pixels(velocity=v, deviation=spread, sensitivity=s), PredictionSettings(moving_velocity=least)
    )
    seen, downhill = abs(v) > 2 * spread * (1 + 1e-9), v * s > 0
    unseen = abs(v) < 2 * spread * (1 - 1e-9)
    if unseen:
        assert found["motion"] == "no movement detected"
    elif seen and abs(v) > 1.0001 * least * abs(s):
        assert found["motion"] == ("moving" if downhill else "moves, not downslope")
    elif seen and abs(v) < 0.9999 * least * abs(s):
        assert found["motion"] == "moves slowly"
    assert found["motion"] in MOTION


def test_no_movement_detected_says_what_could_have_been_seen():
    """Of 5 mm/yr in the line of sight at a sensitivity of 0.5: 20 mm/yr downslope at two standard deviations."""
    pixels = np.ones(50)
    given = (9.9 * 0.5 * pixels, 5.0 * pixels, pixels, 0.5 * pixels, SETTINGS, 421.0)
    found = motion.summarise(*given)
    assert found["motion"] == motion.STILL
    assert found["velocity_downslope_std"] == pytest.approx(10) and found["detectable_velocity"] == pytest.approx(20)
    assert found["aliasing_velocity"] == pytest.approx(842)
    faster = motion.summarise(10.1 * 2 * 0.5 * pixels, *given[1:])
    assert faster["motion"] == motion.MOVING and faster["velocity_downslope"] == pytest.approx(20.2)
    # Well above the threshold of velocity, and within two standard deviations of nothing.
    assert motion.summarise(19.8 * 0.5 * pixels, *given[1:])["motion"] == motion.STILL


def test_the_downslope_velocity_is_a_least_squares_fit():
    rng = np.random.default_rng(0)
    s = rng.uniform(-0.9, -0.2, 200)
    v = 25 * s + rng.normal(0, 1, 200)
    found = motion.summarise(v, np.ones(200), np.ones(200), s, SETTINGS)
    assert found["velocity_downslope"] == pytest.approx(np.linalg.lstsq(s[:, None], v, rcond=None)[0][0])


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    """Two landslides on a slope of 30° to the east, seen from the west; only the first one moves, by 20 mm/yr."""
    folder = tmp_path_factory.mktemp("motion")
    grid = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 500600, 5000400))
    hits = np.zeros(grid.shape, np.uint8)
    hits[5:15, 5:20] = hits[25:35, 40:50] = 1
    los = look_vector(39.0, 0.0)
    s = float(sensitivity(np.float64(30), 1.0, 0.0, np.array(los)))
    velocity = np.zeros(grid.shape, np.float32)
    velocity[5:15, 5:20] = 20 * s
    mask = np.ones(grid.shape, np.uint8)
    mask[5:15, 5] = 0
    fields = {
        "velocity": velocity, "velocity_std": np.ones(grid.shape),
        "slope": np.full(grid.shape, 30.0), "aspect_sin": np.ones(grid.shape), "aspect_cos": np.zeros(grid.shape),
        "ndvi": np.where(np.arange(60) < 30, 0.1, 0.7) * np.ones(grid.shape), "probability": np.full(grid.shape, 0.8),
    }  # fmt: skip
    files = {"classes": folder / "class.tif"}
    raster.write(files["classes"], grid, hits, bands=["c"], units="1", long_name="c", dtype="uint8")
    for name, values in fields.items():
        files[name] = folder / f"{name}.tif"
        raster.write(files[name], grid, values.astype(np.float32), bands=[name], units="1", long_name=name)
    files["lithology"] = folder / "lithology.tif"
    units = np.where(np.arange(60) < 18, 2, 1) * np.ones(grid.shape, np.uint8)
    raster.write(
        files["lithology"], grid, units.astype(np.uint8), bands=["l"], units="class", long_name="l", dtype="uint8",
        categories={1: "marl", 2: "flysch"},
    )  # fmt: skip
    files["mask"] = folder / "mask.tif"
    raster.write(files["mask"], grid, mask, bands=["mask"], units="1", long_name="mask", dtype="uint8")
    files["stack"] = folder / "stack.json"
    files["stack"].write_text(json.dumps({"radar": {"incidence": 39.0, "heading": 0.0}, "geometry": {}}))
    files["timeseries"] = folder / "timeseries.nc"
    years = np.array([(d - DATES[0]).days / 365.25 for d in DATES], np.float32)
    maps = {name: ("1", name) for name in ("temporal_coherence", "reliability")}
    with timeseries.create(files["timeseries"], grid, DATES, baselines=None, attributes={}, maps=maps) as series:
        everything = next(iter(grid.blocks()))
        series.write(years[:, None, None] * velocity, everything)
        series.write_map("reliability", np.where(mask == 1, 1, 2).astype(np.float32), everything)
    return folder, grid, files, s


def made(area, output, settings=SETTINGS):
    _, _, files, _ = area
    layers = {k: files[k] for k in ("slope", "aspect_sin", "aspect_cos", "ndvi", "probability", "lithology")}
    radar = {k: files[k] for k in ("velocity", "velocity_std", "mask", "stack", "timeseries")}
    polygons.run(files["classes"], layers, None, settings, output, radar)
    return gpd.read_file(output, layer="landslides")


def test_polygons_say_whether_they_move_and_how(area, tmp_path):
    _, _, _, s = area
    frame = made(area, tmp_path / "a.gpkg")
    first, second = frame.iloc[0], frame.iloc[1]
    assert (first["motion"], second["motion"]) == (motion.MOVING, motion.STILL)
    assert first["velocity_downslope"] == pytest.approx(20, rel=1e-4)
    assert first["velocity_mean"] == pytest.approx(20 * s, rel=1e-4)
    assert first["sensitivity"] == pytest.approx(abs(s), rel=1e-4)
    assert first["coherent_share"] == pytest.approx(14 / 15)
    assert first["aspect_mean"] == pytest.approx(90)
    assert (first["lithology"], second["lithology"]) == ("flysch", "marl")
    assert first["area_m2"] == 15000


def test_each_landslide_has_its_displacement_over_time(area, tmp_path):
    made(area, tmp_path / "a.gpkg")
    assert pyogrio.list_layers(tmp_path / "a.gpkg")[:, 0].tolist() == ["landslides", "displacement"]
    table = pyogrio.read_dataframe(tmp_path / "a.gpkg", layer="displacement")
    one = table[table["landslide"] == 1]
    assert one["date"].astype(str).tolist() == [str(d) for d in DATES]
    years = np.array([(d - DATES[0]).days / 365.25 for d in DATES])
    assert one["displacement_mm"].to_numpy() == pytest.approx(20 * area[3] * years, abs=1e-3)
    assert set(one["pixels"]) == {140}


def test_the_same_polygons_are_the_same_bytes(area, tmp_path):
    made(area, tmp_path / "a.gpkg")
    made(area, tmp_path / "b.gpkg")
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()


def test_series_on_another_grid_and_crs_are_found(area, tmp_path):
    """Deformation of longitude and latitude: the landslide's own pixels are averaged there."""
    import h5py
    from rasterio.crs import CRS
    from rasterio.transform import from_bounds
    from rasterio.warp import transform_bounds

    _, grid, files, _ = area
    frame = outlines(files["classes"], grid, 0)
    bounds = transform_bounds(grid.crs, "EPSG:4326", *grid.bounds)
    degrees = Grid("EPSG:4326", from_bounds(*bounds, 80, 60), 80, 60)
    west, _, east, _ = frame.to_crs("EPSG:4326").geometry.iloc[0].bounds
    x = degrees.transform.c + degrees.transform.a * (np.arange(80) + 0.5)
    values = np.where((x > west) & (x < east), -5.0, 3.0) * np.ones(degrees.shape)
    path = tmp_path / "series.nc"
    maps = {name: ("1", name) for name in ("temporal_coherence", "reliability")}
    with timeseries.create(path, degrees, DATES, baselines=None, attributes={}, maps=maps) as series:
        everything = next(iter(degrees.blocks()))
        series.write(np.stack([0 * values, values, 2 * values]).astype(np.float32), everything)
        series.write_map("reliability", np.ones(degrees.shape, np.float32), everything)
    assert h5py.is_hdf5(path) and CRS.from_user_input(degrees.crs).is_geographic
    table = motion.displacement(frame, path)
    assert table[table["landslide"] == 1]["displacement_mm"].tolist() == pytest.approx([0, -5, -10], abs=0.6)


def test_rules_drop_what_breaks_them_and_name_what_is_missing(area, tmp_path):
    kept = made(area, tmp_path / "a.gpkg", PredictionSettings(rules=ObjectRules(max_ndvi=0.4)))
    assert len(kept) == 1 and kept["motion"].item() == motion.MOVING and kept["landslide"].item() == 1
    assert len(made(area, tmp_path / "b.gpkg", PredictionSettings(rules=ObjectRules(min_slope=31)))) == 0
    compact = PredictionSettings(rules=ObjectRules(min_compactness=0.77))  # 10 x 10: π/4; 10 x 15: 0.754
    assert made(area, tmp_path / "c.gpkg", compact)["area_m2"].tolist() == [10000]
    frame = gpd.GeoDataFrame({"slope_mean": [20.0]}, geometry=[box(0, 0, 1, 1)])
    with pytest.raises(InputError, match=r"prediction.rules.max_ndvi_change needs the factor 'ndvi_change'"):
        attributes.kept_by_rules(frame, ObjectRules(max_ndvi_change=-0.1))


def test_unknown_line_of_sight_leaves_motion_out(area, tmp_path):
    _, grid, files, _ = area
    silent = tmp_path / "stack.json"
    silent.write_text(json.dumps({"radar": {"incidence": 39.0, "orbit_direction": ""}, "geometry": {}}))
    assert line_of_sight(silent) is None
    frame = outlines(files["classes"], grid, 0)
    layers = {k: files[k] for k in ("slope", "aspect_sin", "aspect_cos")}
    radar = {k: files[k] for k in ("velocity", "velocity_std", "mask")} | {"stack": silent}
    described = motion.describe_motion(frame, layers, radar, grid, SETTINGS)
    assert "motion" not in described and described["velocity_mean"].notna().all()


def test_the_line_of_sight_is_read_from_its_raster(tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 10, (0, 0, 100, 100))
    path = tmp_path / "geometry.tif"
    bands = ["los_east", "los_north", "los_up", "incidence_angle"]
    values = np.stack([np.full(grid.shape, v, np.float32) for v in (-0.6, -0.1, 0.79, 38)])
    raster.write(path, grid, values, bands=bands, units="1", long_name="los")
    stack = tmp_path / "stack.json"
    stack.write_text(json.dumps({"radar": {}, "geometry": {"los": str(path)}}))
    window = next(iter(grid.blocks()))
    np.testing.assert_allclose(line_of_sight(stack).read(window, grid), values[:3])


def test_cut_corners_stay_within_half_a_pixel_and_never_overlap():
    rng = np.random.default_rng(4)
    from rasterio.features import shapes
    from shapely.geometry import shape

    hits = (rng.random((40, 40)) < 0.55).astype(np.uint8)
    rough = [shape(g) for g, _ in shapes(hits, mask=hits == 1)]
    smooth = [smoothed(polygon, 1.0) for polygon in rough]
    for before, after in zip(rough, smooth, strict=True):
        assert after.is_valid and len(after.interiors) == len(before.interiors)
        assert before.hausdorff_distance(after) <= np.sqrt(2) / 4 + 1e-9
        assert before.area - after.area == pytest.approx(0.5 * (1 - len(before.interiors)))
    assert unary_union(smooth).area == pytest.approx(sum(polygon.area for polygon in smooth))
    assert smoothed(box(0, 0, 4, 3), 1.0).covers(Point(2, 1.5))
    assert len(smoothed(box(0, 0, 4, 3), 1.0).exterior.coords) == 9


def test_series_grid_reads_what_the_deformation_stage_writes(area):
    _, grid, files, _ = area
    with h5netcdf.File(files["timeseries"], "r") as file:
        found, dates = timeseries.series_grid(file)
    assert found.matches(grid) and dates == [str(d) for d in DATES]
