"""Active areas of simulated velocity maps of which every mover is known, and of noise, of which none is one."""

from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
from pydantic import ValidationError
from scipy import ndimage
from shapely.geometry import box

from slipmap.config.motion import ActiveAreaSettings
from slipmap.deformation import timeseries
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.motion import active_areas
from slipmap.motion.background import by_cells, scatter
from slipmap.motion.clusters import Standing
from slipmap.motion.describe import noise, velocities

GRID = Grid.from_bounds("EPSG:32632", 12.5, (500000, 5000000, 503200, 5002500))  # 200 × 256 pixels
DATES = [date(2021, 1, 9) + timedelta(days=24 * k) for k in range(12)]
SENSITIVITY = -0.5
SIGMA = 1.5  # mm/yr, of a pixel
MOVERS = {"large": (slice(30, 60), slice(40, 70), -20.0), "small": (slice(120, 128), slice(150, 160), -12.0)}


def noise_map(seed, *, white=SIGMA, filtered=2.0, atmosphere=2.0):
    """Noise as velocity maps have it: of pixels, of what filters spread, and of air over kilometres."""
    rng = np.random.default_rng(seed)

    def smooth(sigma):
        field = ndimage.gaussian_filter(rng.normal(0, 1, GRID.shape), sigma, mode="wrap")
        return field / field.std()

    return rng.normal(0, white, GRID.shape) + filtered * smooth(2) + atmosphere * smooth(100)


def write(folder, velocity, *, mask=None, sensitivity=SENSITIVITY, series=None):
    """The radar's products of a velocity map, as the stage deformation leaves them; files by role."""
    layers = {
        "velocity": velocity,
        "velocity_std": np.full(GRID.shape, SIGMA),
        "sensitivity": np.full(GRID.shape, sensitivity),
        "downslope": velocity / sensitivity,
    }
    for name, values in layers.items():
        raster.write(folder / f"{name}.tif", GRID, values.astype("f4"), bands=[name], units="mm/yr", long_name=name)
    reliable = np.ones(GRID.shape, bool) if mask is None else mask
    for name, values in {"mask": reliable, "visibility": np.ones(GRID.shape)}.items():
        raster.write(
            folder / f"{name}.tif", GRID, values.astype("u1"), bands=[name], units="1", long_name=name, dtype="uint8"
        )
    years = np.array([(day - DATES[0]).days / 365.25 for day in DATES])
    cube = years[:, None, None] * velocity if series is None else series
    maps = {"temporal_coherence": ("1", "coherence")}
    with timeseries.create(folder / "timeseries.nc", GRID, DATES, baselines=None, attributes={}, maps=maps) as file:
        for window in GRID.blocks():
            rows, cols = window.toslices()
            file.write(cube[:, rows, cols].astype(np.float32), window)
    return {name: folder / f"{name}.tif" for name in (*layers, "mask", "visibility")} | {
        "timeseries": folder / "timeseries.nc"
    }


def find(folder, files, settings=None, **more):
    outputs = {"significance": folder / "s.tif", "areas": folder / "a.gpkg", "style": folder / "a.qml"}
    active_areas.run(files, GRID, settings or ActiveAreaSettings(), outputs, **more)
    return pyogrio.read_dataframe(outputs["areas"], layer="active_areas")


def outline(rows, cols):
    t = GRID.transform
    return box(*t @ (cols.start, rows.stop), *t @ (cols.stop, rows.start))


def moved(seed=0):
    """Noise and the two movers, full speed inside, tapered over two pixels."""
    velocity = noise_map(seed)
    for rows, cols, rate in MOVERS.values():
        inside = np.zeros(GRID.shape)
        inside[rows, cols] = 1
        velocity += rate * ndimage.gaussian_filter(inside, 1)
    return velocity


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("moved")
    return find(folder, write(folder, moved())), folder


def test_every_mover_is_one_area_and_nothing_else_is(found):
    frame, _ = found
    assert len(frame) == len(MOVERS)
    for (rows, cols, rate), (_, one) in zip(MOVERS.values(), frame.iterrows(), strict=True):
        true = outline(rows, cols)
        assert one.geometry.intersection(true).area / one.geometry.union(true).area > 0.6
        assert abs(one["velocity_mean"] / rate - 1) < 0.4 and abs(one["velocity_max"] / rate - 1) < 0.35
        assert one["trend"] == "linear" and abs(one["acceleration"]) < 3 * one["acceleration_std"] + 0.5
        assert one["downslope_mean"] == pytest.approx(one["velocity_mean"] / SENSITIVITY, rel=1e-5)
        assert one["downslope_mean_std"] == pytest.approx(one["velocity_mean_std"] / abs(SENSITIVITY), rel=1e-5)


def test_the_stated_noise_of_local_means_is_the_true_one(tmp_path):
    """Noise that filters spread and the velocity's own standard deviation knows nothing of: σ of the mean has it."""
    find(tmp_path, write(tmp_path, noise_map(3, atmosphere=0)))
    values, std = raster.read(tmp_path / "s.tif")[1:]
    assert 0.8 < np.std(values) / np.median(std) < 1.2
    assert np.mean(np.abs(values / std) < 1.96) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("seed", range(1, 4))
def test_noise_has_no_active_area(tmp_path, seed):
    frame = find(tmp_path, write(tmp_path, noise_map(seed)))
    assert frame.empty and "velocity_mean" in frame and "quality" in frame


def test_motion_up_the_slope_counts_only_if_any_does(tmp_path):
    files = write(tmp_path, -moved())
    assert find(tmp_path, files).empty
    assert len(find(tmp_path, files, ActiveAreaSettings(direction="any"))) == len(MOVERS)


def test_a_slope_along_which_the_radar_sees_nothing_has_no_area(tmp_path):
    assert find(tmp_path, write(tmp_path, moved(), sensitivity=-0.1)).empty


def test_ground_that_is_not_reliable_has_no_area(tmp_path):
    mask = np.ones(GRID.shape, bool)
    mask[:100] = False
    frame = find(tmp_path, write(tmp_path, moved(), mask=mask))
    assert len(frame) == 1 and frame.geometry[0].intersects(outline(*MOVERS["small"][:2]))
    empty = tmp_path / "nothing"
    assert find(empty, write(empty, moved(), mask=np.zeros(GRID.shape, bool))).empty


def test_radar_alone_without_a_dem_is_enough(tmp_path):
    files = write(tmp_path, moved())
    radar = {name: files[name] for name in ("velocity", "velocity_std", "mask", "timeseries")}
    frame = find(tmp_path, radar)
    assert len(frame) == len(MOVERS) and frame["downslope_mean"].isna().all() and "lithology" not in frame


def test_six_dates_give_areas_without_a_trend(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "DATES", DATES[:6])
    frame = find(tmp_path, write(tmp_path, moved()))
    assert len(frame) == len(MOVERS) and frame["trend"].isna().all() and frame["acceleration"].isna().all()
    assert frame["velocity_mean"].notna().all() and frame["quality"].notna().all()
    assert pyogrio.read_dataframe(tmp_path / "a.gpkg", layer="changes").empty


def test_gaps_in_the_series_leave_an_area_what_its_dates_say(found, tmp_path):
    """A date missing in the whole area, and another in half of its pixels."""
    frame, _ = found
    years = np.array([(day - DATES[0]).days / 365.25 for day in DATES])
    series = years[:, None, None] * moved()
    rows, cols, _ = MOVERS["large"]
    series[5, rows, cols] = np.nan
    series[8, rows, cols.start : cols.start + 15] = np.nan
    gappy = find(tmp_path, write(tmp_path, moved(), series=series))
    assert len(gappy) == len(frame) and list(gappy["trend"]) == list(frame["trend"])
    table = pyogrio.read_dataframe(tmp_path / "a.gpkg", layer="displacement")
    first = table[table["area"] == 1]["displacement_mm"].to_numpy()
    whole = pyogrio.read_dataframe(found[1] / "a.gpkg", layer="displacement").query("area == 1")["displacement_mm"]
    assert np.isnan(first[5]), "its edge alone is left, which hardly moves"
    np.testing.assert_allclose(np.delete(first, 5), np.delete(whole.to_numpy(), 5), atol=0.01)


def test_areas_across_blocks_are_one(found, tmp_path, monkeypatch):
    """The same areas with blocks of 48 and 64 pixels: what is read at once changes nothing."""
    frame, folder = found
    blocks = Grid.blocks
    monkeypatch.setattr(Grid, "blocks", lambda self, size=48: blocks(self, min(size, 64)))
    files = {name: folder / f"{name}.tif" for name in ("velocity", "velocity_std", "mask", "sensitivity", "downslope")}
    again = find(tmp_path, files | {"visibility": folder / "visibility.tif", "timeseries": folder / "timeseries.nc"})
    assert [g.equals(h) for g, h in zip(again.geometry, frame.geometry, strict=True)] == [True] * len(frame)
    np.testing.assert_allclose(again["velocity_mean"], frame["velocity_mean"], rtol=1e-5)


def test_close_parts_are_one_area_and_far_ones_two(tmp_path):
    for gap, count in ((2, 1), (8, 2)):
        velocity = np.random.default_rng(5).normal(0, 0.3, GRID.shape)
        velocity[40:60, 40:50] = velocity[40:60, 50 + gap : 60 + gap] = -20
        settings = ActiveAreaSettings(smoothing=0, gap=1)
        assert len(find(tmp_path, write(tmp_path, velocity), settings)) == count, gap


def test_mean_series_roads_and_buildings_stand_with_the_area(found, tmp_path):
    frame, folder = found
    table = pyogrio.read_dataframe(folder / "a.gpkg", layer="displacement")
    first = table[table["area"] == 1]
    assert list(first["date"].astype(str).str[:10]) == [day.isoformat() for day in DATES]
    years = (DATES[-1] - DATES[0]).days / 365.25
    assert first["displacement_mm"].iloc[-1] == pytest.approx(years * frame["velocity_mean"][0], abs=3)
    east = frame.geometry[0].bounds[2]
    road = gpd.GeoDataFrame(geometry=[box(east + 100, 5000000, east + 105, 5002500)], crs=GRID.crs)
    houses = gpd.GeoDataFrame(geometry=[frame.geometry[0].representative_point().buffer(3)] * 3, crs=GRID.crs)
    road.to_file(tmp_path / "roads.gpkg")
    houses.to_file(tmp_path / "houses.gpkg")
    nearby = {"roads": (tmp_path / "roads.gpkg", None), "buildings": (tmp_path / "houses.gpkg", None)}
    files = {name: folder / f"{name}.tif" for name in ("velocity", "velocity_std", "mask")}
    near = find(tmp_path, files | {"timeseries": folder / "timeseries.nc"}, nearby=nearby)
    assert near["roads_m"][0] == pytest.approx(100, abs=0.1)
    assert list(near["buildings"]) == [3, 0] and near["buildings_m"][0] == 0


def test_quality_follows_how_series_hang_together():
    years = np.linspace(0, 2, 40)[:, None]
    rng = np.random.default_rng(0)
    clear = noise(-20 * years + rng.normal(0, 1, (40, 30)))
    assert clear["quality"] == 1 and clear["spatial_noise_index"] > 0.95
    lost = noise(rng.normal(0, 3, (40, 30)))
    assert lost["quality"] == 4 and abs(lost["spatial_noise_index"]) < 0.2 and abs(lost["temporal_noise_index"]) < 0.2
    middling = noise(-10 * years + rng.normal(0, 3.5, (40, 30)))
    assert middling["quality"] in (2, 3)
    assert noise(np.full((40, 3), np.nan))["quality"] == 4


def test_the_downslope_velocity_is_a_least_squares_fit():
    rng = np.random.default_rng(0)
    s = rng.uniform(-0.9, -0.25, (10, 12))
    v = 25 * s + rng.normal(0, 1, s.shape)
    standing = Standing(v / 0.5, v, np.full(s.shape, 0.5), s, np.zeros(s.shape, bool))
    found = velocities(standing, np.ones(s.shape, bool))
    assert found["downslope_mean"] == pytest.approx(np.linalg.lstsq(s.ravel()[:, None], v.ravel(), rcond=None)[0][0])


def test_a_field_of_cells_is_the_plane_that_it_samples():
    rows, cols = np.indices(GRID.shape)
    plane = 0.01 * rows + 0.02 * cols
    field = by_cells(lambda window: plane[window.toslices()], np.median, GRID, 20)
    at = field.at(next(GRID.blocks()))
    assert np.abs(at - plane)[40:-40, 40:-60].max() < 0.03
    assert scatter(np.random.default_rng(0).normal(0, 3, 100_000)) == pytest.approx(3, rel=0.02)


def test_an_edge_above_the_significance_is_refused():
    with pytest.raises(ValidationError, match="edge must not exceed significance"):
        ActiveAreaSettings(significance=3.0, edge=4.0)
