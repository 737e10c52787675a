"""The simulator: deterministic, in the agreed formats, and physically true by measures it does not itself use."""

import hashlib
import itertools
from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import xarray as xr
from affine import Affine
from rasterio.features import rasterize
from scipy import ndimage

from slipmap.config.inputs import SimulateSettings
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.simulator import area as simulate
from slipmap.simulator import sentinel1
from slipmap.simulator.fields import power_law, stream
from slipmap.simulator.landcover import FOREST, GRASS, ROCK
from slipmap.simulator.landslides import map_inventory, place_landslides
from slipmap.simulator.terrain import simulate_terrain

WAVELENGTH = 0.055465763
QUIET = {"turbulence": 0, "stratified": 0, "decorrelation": False, "thermal_noise": 0}


def grid_of(cols: int, rows: int | None = None) -> Grid:
    return Grid("EPSG:32632", Affine(12.5, 0, 500_000, 0, -12.5, 5_010_000), cols, rows or cols)


def phase_of(reference, secondary):
    """Mean phase of reference · conj(secondary) over the four SLC pixels of each pixel of the area."""
    with rasterio.open(reference) as first, rasterio.open(secondary) as second:
        phase = np.angle(first.read(1) * second.read(1).conj())
    return phase.reshape(phase.shape[0], -1, 4).mean(2)


def over_pixel(field):
    """Mean over a pixel of the linear interpolation of pixel centres along x."""
    return ndimage.convolve1d(field, [0.125, 0.75, 0.125], axis=1, mode="nearest")


def digests(folder):
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    """A simulated area of 192 × 192 pixels as `run` writes it."""
    folder = tmp_path_factory.mktemp("area")
    simulate.run(SimulateSettings(seed=3, dates=6, landslides=30), grid_of(192), folder)
    return folder


@pytest.fixture(scope="module")
def truth(area):
    """Elevation of the true ground, true LOS velocity, true outlines, number of the landslide on each pixel."""
    ground = raster.read(area / "dem.tif", bands=1) + raster.read(area / "truth/dem_error.tif", bands=1)
    slides = gpd.read_file(area / "truth/landslides.gpkg")
    number = rasterize(
        zip(slides.geometry, range(1, len(slides) + 1), strict=True),
        (192, 192),
        transform=grid_of(192).transform,
    )
    return ground, raster.read(area / "truth/velocity_los.tif", bands=1), slides, number


def test_same_settings_give_the_same_bytes_and_another_seed_gives_another_area(tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        settings = SimulateSettings(seed=seed, dates=4, landslides=6, scenes=2)
        simulate.run(settings, grid_of(128), tmp_path / name)
    first, again, other = (digests(tmp_path / name) for name in "abc")
    assert first == again
    assert all(first[name] != other[name] for name in first.keys() & other.keys() if "geometry" not in name)


def test_threads_make_the_same_files(tmp_path):
    settings = SimulateSettings(seed=5, dates=4, landslides=4, scenes=3, sentinel1="safe")
    for threads in (1, 2):
        simulate.run(settings, grid_of(128), tmp_path / str(threads), threads)
    alone, together = (digests(tmp_path / str(threads)) for threads in (1, 2))
    assert any(".SAFE" in name for name in alone)
    assert alone == together


def test_a_prediction_area_has_no_inventory_and_leftovers_go(tmp_path):
    simulate.run(SimulateSettings(seed=1, dates=5, landslides=4, scenes=1), grid_of(140, 128), tmp_path)
    assert (tmp_path / "inventory.gpkg").exists()
    settings = SimulateSettings(seed=1, dates=4, landslides=4, scenes=1, inventory=False)
    simulate.run(settings, grid_of(140, 128), tmp_path)
    assert not (tmp_path / "inventory.gpkg").exists()
    found = {path.stem for path in (tmp_path / "sentinel1").glob("2*.tif")}
    assert found == {f"{day:%Y%m%d}" for day in simulate.simulated_dates(settings)}
    assert "SIMULATED" in (tmp_path / "SIMULATED.txt").read_text()
    assert not list(tmp_path.rglob("*partial*"))


def test_too_small_a_grid_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"100 x 128 pixels, too small to simulate; give grid\.bounds"):
        simulate.run(SimulateSettings(), grid_of(100, 128), tmp_path)


def test_dates_span_two_years_on_the_repeat_and_never_exceed_sixty_days():
    days = simulate.simulated_dates(SimulateSettings())
    assert days[0] == date(2021, 1, 9) and len(set(days)) == 30
    gaps = np.diff([day.toordinal() for day in days])
    assert set(gaps) <= {24, 36} and 700 <= gaps.sum() <= 731


def test_slcs_and_geometry_have_the_agreed_form(area):
    grid = grid_of(192)
    paths = sorted((area / "sentinel1").glob("2*.tif"))
    baselines = []
    for path in paths:
        assert Grid.from_raster(path).matches(grid.nested(4, 1))
        with rasterio.open(path) as src:
            tags = src.tags()
            assert src.dtypes == ("complex64",) and src.profile["tiled"] and "compress" not in src.profile
        assert tags["ACQUISITION_DATE"].replace("-", "") == path.stem and tags["SIMULATED"] == "yes"
        assert float(tags["WAVELENGTH"]) == pytest.approx(299792458 / 5.405e9, rel=1e-4)
        assert {"SLANT_RANGE", "INCIDENCE_ANGLE", "RANGE_BANDWIDTH", "ORBIT_DIRECTION", "TRACK"} <= set(tags)
        baselines.append(float(tags["PERPENDICULAR_BASELINE"]))
    assert baselines[0] == 0 and np.std(baselines) > 5
    assert Grid.from_raster(area / "sentinel1/geometry.tif").matches(grid)
    east, north, up, incidence = raster.read(area / "sentinel1/geometry.tif")
    np.testing.assert_allclose(east**2 + north**2 + up**2, 1, atol=1e-6)
    np.testing.assert_allclose(np.degrees(np.arccos(up)), incidence, atol=1e-3)
    # ascending, right-looking: the satellite stands in the west-south-west, and far range is in the east
    assert (east < -0.5).all() and (north < 0).all() and (incidence[:, -1] > incidence[:, 0]).all()


def test_without_noise_the_interferogram_gives_back_the_displacement(tmp_path):
    settings = SimulateSettings(seed=4, dates=4, landslides=12, moving=1, scenes=1, dem_error=0, **QUIET)
    simulate.run(settings, grid_of(128), tmp_path)
    velocity = raster.read(tmp_path / "truth/velocity_los.tif", bands=1)
    assert np.abs(velocity).max() > 10
    paths = sorted((tmp_path / "sentinel1").glob("2*.tif"))
    phase = phase_of(paths[0], paths[2])
    days = (simulate.simulated_dates(settings)[2] - simulate.simulated_dates(settings)[0]).days
    recovered = -WAVELENGTH * phase / (4 * np.pi) * 1000 * 365.25 / days
    np.testing.assert_allclose(recovered, over_pixel(velocity), atol=0.02)


def test_without_noise_the_dem_error_gives_the_topographic_residual(tmp_path):
    settings = SimulateSettings(seed=4, dates=4, landslides=4, moving=0, scenes=1, dem_error=12, **QUIET)
    simulate.run(settings, grid_of(128), tmp_path)
    error = raster.read(tmp_path / "truth/dem_error.tif", bands=1)
    incidence = raster.read(tmp_path / "sentinel1/geometry.tif", bands=4)
    paths = sorted((tmp_path / "sentinel1").glob("2*.tif"))
    with rasterio.open(paths[0]) as first, rasterio.open(paths[1]) as second:
        tags = first.tags(), second.tags()
    baseline = float(tags[1]["PERPENDICULAR_BASELINE"]) - float(tags[0]["PERPENDICULAR_BASELINE"])
    distance = float(tags[0]["SLANT_RANGE"])
    expected = -4 * np.pi / WAVELENGTH * baseline * error / (distance * np.sin(np.radians(incidence)))
    assert np.abs(expected).max() > 0.2
    np.testing.assert_allclose(phase_of(*paths[:2]), over_pixel(expected), atol=1e-4)


@pytest.mark.parametrize("cover", [FOREST, GRASS, ROCK])
def test_coherence_decays_exponentially_to_a_floor(cover):
    settings = SimulateSettings(seed=2, dates=30, thermal_noise=0)
    scenes = list(sentinel1.scatterers(settings, np.full((100, 100), cover, np.uint8)))
    days = np.array([day.toordinal() for day in simulate.simulated_dates(settings)])

    def coherence(i, j):
        a, b = scenes[i], scenes[j]
        return abs((a * b.conj()).sum()) / np.sqrt((abs(a) ** 2).sum() * (abs(b) ** 2).sum())

    kind = sentinel1.SCATTERING[cover]
    for i, j in ((0, 1), (3, 4), (0, 3), (5, 20), (0, 29)):
        expected = kind.lasting + (1 - kind.lasting) * np.exp(-(days[j] - days[i]) / kind.days)
        assert coherence(i, j) == pytest.approx(expected, abs=0.03)
    assert np.mean(abs(scenes[7]) ** 2) == pytest.approx(kind.power, rel=0.05)  # it changes, it does not fade


def test_coherence_orders_forest_below_grass_below_rock():
    settings = SimulateSettings(seed=2, dates=4)
    covers = np.repeat(np.array([FOREST, GRASS, ROCK], np.uint8), 60)[:, None] * np.ones((1, 60), np.uint8)
    scenes = list(sentinel1.scatterers(settings, covers))
    a, b = (scene.reshape(3, -1) for scene in scenes[:2])
    gamma = abs((a * b.conj()).sum(1)) / np.sqrt((abs(a) ** 2).sum(1) * (abs(b) ** 2).sum(1))
    assert gamma[0] < 0.35 < 0.6 < gamma[1] < 0.85 < gamma[2]


def test_turbulence_has_the_spectrum_it_claims():
    spectra = 0
    for seed in range(6):
        field = power_law(stream(seed, "x"), (256, 256), 11 / 3)
        window = np.hanning(256)[:, None] * np.hanning(256)
        spectra = spectra + np.abs(np.fft.fftshift(np.fft.fft2(field * window))) ** 2
    y, x = np.indices((256, 256)) - 128
    radius = np.hypot(x, y)
    rings = np.geomspace(6, 80, 9)
    power = [spectra[(radius >= a) & (radius < b)].mean() for a, b in itertools.pairwise(rings)]
    slope = np.polyfit(np.log(np.sqrt(rings[:-1] * rings[1:])), np.log(power), 1)[0]
    assert slope == pytest.approx(-11 / 3, abs=0.25)


def _filled(z):
    """Planchon & Darboux (2001), iterated to convergence: an algorithm that the simulator does not use."""
    water = np.full(z.shape, np.inf)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        water[edge] = z[edge]
    while True:
        lower = np.maximum(z, ndimage.minimum_filter(water, 3, mode="nearest"))
        lower = np.minimum(lower, water)
        if np.array_equal(lower, water):
            return water
        water = lower


def test_the_ground_drains_and_rivers_run_in_valleys(truth):
    ground = truth[0].astype(float)
    depth = _filled(ground) - ground
    assert depth.max() < 0.5  # no large pits
    assert ground.min() == pytest.approx(42, abs=5) and np.ptp(ground) > 200
    terrain = simulate_terrain(3, grid_of(192))
    assert terrain.accumulation.max() > 0.1 * 192**2  # a river, not a field of pits
    river = terrain.accumulation > 300
    around = ndimage.uniform_filter(terrain.elevation, 9) - terrain.elevation
    assert (around[river] > 0).mean() > 0.9
    # water gathers: streams are gentler than the hillslopes above them
    assert np.median(terrain.slope[terrain.accumulation > 1000]) < np.median(terrain.slope)


@pytest.mark.parametrize("seed", [7, 11])
def test_landslides_lie_on_steep_weak_ground_and_point_downslope(seed):
    grid = grid_of(256)
    terrain = simulate_terrain(seed, grid)
    slides = place_landslides(seed, grid, terrain, 40, 0.45)
    assert len(slides) == 40 and sum(slide.moving for slide in slides) == 18
    mask = rasterize([slide.outline for slide in slides], grid.shape, transform=grid.transform) == 1
    gradient = np.gradient(terrain.elevation, 12.5)
    slope = np.degrees(np.arctan(np.hypot(*gradient)))
    assert slope[mask].mean() > slope.mean() + 1
    weak = np.isin(terrain.lithology, (1, 3))  # claystone and flysch
    assert weak[mask].mean() > weak.mean()
    area = grid.bounds
    for slide in slides:
        assert 80 <= slide.length <= 600 and (10 <= slide.rate <= 80 or not slide.moving)
        x0, y0, x1, y1 = slide.outline.bounds
        assert area[0] < x0 and area[1] < y0 and x1 < area[2] and y1 < area[3]
        x, y = slide.outline.centroid.coords[0]
        step = slide.length / 3 * np.array(slide.towards)
        head, toe = (~grid.transform @ (x + sign * step[0], y + sign * step[1]) for sign in (-1, 1))
        assert terrain.elevation[int(head[1]), int(head[0])] > terrain.elevation[int(toe[1]), int(toe[0])]
    for a in range(len(slides)):
        assert not any(slides[a].outline.intersects(slides[b].outline) for b in range(a))


def test_true_velocity_is_the_projection_of_downslope_motion(area, truth):
    ground, velocity, slides, number = truth
    assert not velocity[number == 0].any() and slides.moving.sum() >= 3
    east, north, up, _ = raster.read(area / "sentinel1/geometry.tif")
    fall_rows, fall_cols = np.gradient(ndimage.gaussian_filter(ground, 3), 12.5)
    steep = np.hypot(fall_rows, fall_cols)
    unit = np.stack([-fall_cols, fall_rows, -(steep**2)]) / np.maximum(steep, 1e-9)
    unit /= np.linalg.norm(unit, axis=0)
    projection = (unit * np.stack([east, north, up])).sum(0)
    expected, found = [], []
    for n, slide in enumerate(slides.itertuples(), start=1):
        here = number == n
        if not slide.moving:
            assert not velocity[here].any()
        elif here.sum() > 40:
            expected.append(slide.rate * projection[here].mean())
            found.append(velocity[here][np.argmax(np.abs(velocity[here]))])
            edge = here & ~ndimage.binary_erosion(here)
            assert np.abs(velocity[edge]).mean() < 0.5 * np.abs(velocity[here]).max()  # tapered
    assert len(found) >= 3
    np.testing.assert_allclose(found, expected, atol=12)
    assert np.corrcoef(found, expected)[0, 1] > 0.9


def test_clouds_are_bright_and_flagged_and_clear_ground_is_not(area):
    paths = sorted((area / "sentinel2").glob("*.tif"))
    assert len(paths) == 5
    cloudy, clear, unseen = [], [], []
    for path in paths:
        with rasterio.open(path) as src:
            assert src.descriptions == (
                "B2",
                "B3",
                "B4",
                "B5",
                "B6",
                "B7",
                "B8",
                "B8A",
                "B11",
                "B12",
                "SCL",
            )
            assert src.dtypes[0] == "int16" and src.nodata == -9999 and src.res == (10, 10)
            scene = src.read()
        blue, scl = scene[0], scene[10]
        assert set(np.unique(scl)) <= set(range(12))
        assert ((blue == -9999) == (scl == 0)).all()
        cloudy.append(blue[scl == 9])
        clear.append(blue[np.isin(scl, (4, 5, 6, 7))])
        unseen.append(np.isin(scl, (0, 3, 8, 9, 10)))
    assert np.concatenate(cloudy).size > 100 and np.percentile(np.concatenate(cloudy), 1) > 4000
    assert np.percentile(np.concatenate(clear), 99.5) < 3500
    assert not np.all(unseen, axis=0).any()


def test_vegetation_and_bare_landslides_have_their_spectra(area, truth):
    slides, grid = truth[2], Grid.from_raster(sorted((area / "sentinel2").glob("*.tif"))[0])
    with rasterio.open(sorted((area / "sentinel2").glob("*.tif"))[0]) as src:
        scene = src.read().astype(float) / 1e4
    bare = rasterize(slides[slides.bare > 0.45].buffer(-12), grid.shape, transform=grid.transform) == 1
    ndvi = (scene[6] - scene[2]) / (scene[6] + scene[2])
    assert bare.sum() > 50 and np.median(ndvi[bare]) < np.median(ndvi) - 0.05
    assert np.median(scene[2][bare]) > np.median(scene[2]) + 0.01  # red
    # but not only landslides are bare, or optical data alone would do
    assert ((ndvi < np.median(ndvi[bare])) & ~bare).sum() > bare.sum()


def test_the_inventory_overlaps_the_truth_but_is_not_it(area, truth):
    drawn = gpd.read_file(area / "inventory.gpkg")
    true = truth[3] > 0
    mapped = rasterize(drawn.geometry, true.shape, transform=grid_of(192).transform) == 1
    overlap = (true & mapped).sum() / (true | mapped).sum()
    assert 0.5 < overlap < 0.95
    assert "rate" not in drawn and "moving" not in drawn


def test_the_inventory_does_not_know_what_moves():
    grid = grid_of(160)
    terrain = simulate_terrain(9, grid)
    errors = {"error": 10.0, "missed": 0.2, "false": 0.2}
    still, moving = (
        map_inventory(9, grid, terrain, place_landslides(9, grid, terrain, 15, share), **errors) for share in (0.0, 1.0)
    )
    assert still.geometry.geom_equals(moving.geometry).all()
    assert 10 < len(still) <= 15


def test_weather_is_plausible_and_moisture_follows_rain(area):
    with xr.open_dataset(area / "rainfall.nc") as rain, xr.open_dataset(area / "soil_moisture.nc") as soil:
        assert rain.rainfall.units == "mm/day" and soil.soil_moisture.units == "m3/m3"
        assert np.allclose(np.diff(rain.lon), 0.05) and np.allclose(np.diff(soil.lon), 0.1)
        west, south, east, north = rasterio.warp.transform_bounds("EPSG:32632", "EPSG:4326", *grid_of(192).bounds)
        for data in (rain, soil):
            assert data.lon.min() < west and data.lon.max() > east
            assert data.lat.min() < south and data.lat.max() > north
        days = simulate.simulated_dates(SimulateSettings(dates=6))
        assert str(rain.time.values[0])[:10] == str(days[0]) and str(rain.time.values[-1])[:10] == str(days[-1])
        daily = rain.rainfall.mean(("lat", "lon")).values
        moisture = soil.soil_moisture.mean(("lat", "lon")).values
    assert (daily >= 0).all() and 0.3 < (daily < 0.1).mean() < 0.9 and daily.max() > 10
    assert 0.03 <= moisture.min() < moisture.max() <= 0.5
    assert np.corrcoef(np.diff(moisture), daily[1:])[0, 1] > 0.5


def test_lithology_covers_the_area_without_overlaps(area):
    units = gpd.read_file(area / "lithology.gpkg")
    assert 3 <= units.lithology.nunique() <= 6 and units.is_valid.all()
    left, bottom, right, top = grid_of(192).bounds
    extent = (right - left) * (top - bottom)
    assert units.area.sum() == pytest.approx(extent, rel=1e-3)
    assert units.union_all().area == pytest.approx(extent, rel=1e-3)
