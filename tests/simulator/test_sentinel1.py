"""Simulated SAFE products from scatterers to interferograms: motion, DEM error and decorrelation as put in."""

import hashlib

import h5py
import numpy as np
import pytest
from affine import Affine

from slipmap.config.geocoding import GeocodingSettings
from slipmap.config.inputs import SimulateSettings
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.sentinel1 import geocode
from slipmap.sentinel1.looks import multilook
from slipmap.sentinel1.products import open_product
from slipmap.simulator import safe as simulate_safe
from slipmap.simulator import sentinel1 as simulate_sentinel1
from slipmap.simulator.landcover import GRASS

GRID = Grid("EPSG:32632", Affine(12.5, 0, 500_000, 0, -12.5, 5_009_600), 120, 120)
QUIET = {"turbulence": 0, "stratified": 0, "decorrelation": False, "thermal_noise": 0, "dem_error": 0}
ROWS, COLS = np.mgrid[: GRID.height, : GRID.width]
ELEVATION = (300 + 120 * np.sin(COLS / 25) * np.cos(ROWS / 30)).astype(np.float32)
VELOCITY = -80 * np.exp(-((COLS - 60) ** 2 + (ROWS - 60) ** 2) / 400)  # mm/yr
METRES = simulate_sentinel1.WAVELENGTH / (4 * np.pi)  # of displacement, for each radian


def stack(folder, settings, elevation=ELEVATION, error=0.0):
    """Geocoded SLCs of simulated products, by date; `error` is the true ground minus the DEM, m."""
    raster.write(folder / "dem.tif", GRID, elevation - np.float32(error), bands=["z"], units="m", long_name="elevation")
    cover = np.full(GRID.shape, GRASS, np.uint8)
    found = []
    for day, product in simulate_safe.simulate_products(settings, GRID, cover, VELOCITY, elevation, folder / "safe"):
        output = folder / f"{day}.h5"
        geocode.run([product], folder / "dem.tif", GeocodingSettings(), GRID.nested(4, 1), output)
        with h5py.File(output) as file:
            assert file.attrs["SIMULATED"] == "yes"
            found.append(file["data/VV"][:])
    return found


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quiet")
    return folder, stack(folder, SimulateSettings(seed=7, dates=4, sentinel1="safe", **QUIET))


def residual(first, second, displacement, looks=(10, 40)):
    """Displacement (m) in an interferogram less the expected one, averaged over `looks`."""
    cross = multilook(first * second.conj(), (1, 4))
    phase = multilook(cross * np.exp(1j * displacement / METRES), (looks[0], looks[1] // 4))
    return -METRES * np.angle(phase)


def test_motion_comes_back_to_a_millimetre(quiet):
    settings = SimulateSettings(seed=7, dates=4, sentinel1="safe", **QUIET)
    dates = simulate_sentinel1.acquisition_dates(settings)
    _, slcs = quiet
    for k in range(1, 4):
        moved = VELOCITY * 1e-3 * (dates[k] - dates[0]).days / 365.25
        found = residual(slcs[0], slcs[k], moved)
        assert np.isfinite(found).all()
        assert np.abs(found).max() <= 1e-3
        assert np.sqrt(np.mean(found**2)) <= 2e-4
        still = residual(slcs[0], slcs[k], 0 * moved)
        assert np.abs(still).max() > 0.7 * np.abs(moved).max() - 1e-3  # it is not zero that comes back


def test_bursts_of_a_mosaic_do_not_show(quiet):
    """The residual phase has no step where one burst follows the other, whatever the orbits."""
    _, slcs = quiet
    moved = VELOCITY * 1e-3 * 72 / 365.25
    rows = residual(slcs[0], slcs[3], moved, (4, 480))[:, 0] / METRES
    assert len(rows) == 30
    assert np.degrees(np.abs(rows)).max() <= 3


def test_an_error_of_the_dem_is_seen_by_the_baseline(tmp_path):
    """B⊥ δz / (R sin θ) towards the satellite, though nothing in the simulation says so but the geometry."""
    settings = SimulateSettings(seed=9, dates=4, sentinel1="safe", **QUIET)
    baselines = simulate_sentinel1.perpendicular_baselines(settings)
    k = int(np.argmax(np.abs(baselines)))
    assert abs(baselines[k]) > 40
    slcs = stack(tmp_path, settings, np.full(GRID.shape, 300.0, np.float32), error=25.0)
    dates = simulate_sentinel1.acquisition_dates(settings)
    moved = VELOCITY * 1e-3 * (dates[k] - dates[0]).days / 365.25
    found = residual(slcs[0], slcs[k], moved)
    expected = baselines[k] * 25.0 / (877_000 * np.sin(np.radians(39.0)))
    assert found.mean() == pytest.approx(expected, rel=0.05)


def test_scatterers_decorrelate_as_they_should(tmp_path):
    kind = simulate_sentinel1.SCATTERING[GRASS]
    settings = SimulateSettings(seed=3, dates=4, sentinel1="safe", **(QUIET | {"decorrelation": True}))
    dates = simulate_sentinel1.acquisition_dates(settings)
    slcs = stack(tmp_path, settings)
    for k in (1, 3):
        looks = (10, 40)
        power = [multilook(np.abs(s) ** 2, looks) for s in (slcs[0], slcs[k])]
        moved = np.repeat(VELOCITY, 4, axis=1) * 1e-3 * (dates[k] - dates[0]).days / 365.25
        cross = multilook(slcs[0] * slcs[k].conj() * np.exp(1j * moved / METRES), looks)
        coherence = np.abs(cross / np.sqrt(power[0] * power[1])).mean()
        days = (dates[k] - dates[0]).days
        expected = kind.lasting + (1 - kind.lasting) * np.exp(-days / kind.days)
        assert coherence == pytest.approx(expected, abs=0.06)


def test_products_are_the_same_each_time(quiet, tmp_path):
    settings = SimulateSettings(seed=7, dates=4, sentinel1="safe", **QUIET)
    cover = np.full(GRID.shape, GRASS, np.uint8)
    made = simulate_safe.simulate_products(settings, GRID, cover, VELOCITY, ELEVATION, tmp_path)
    _, product = next(made)
    other = quiet[0] / "safe" / product.name
    files = sorted(f.relative_to(product) for f in product.rglob("*") if f.is_file())
    assert len(files) == 4
    for name in files:
        first, second = (hashlib.sha256((where / name).read_bytes()).hexdigest() for where in (product, other))
        assert first == second


def test_with_an_event_a_product_has_both_polarisations_and_each_comes_back_as_put_in(tmp_path):
    """VH has its share of VV, and where the event brightens VH alone VH alone is brighter."""
    patch = np.zeros(GRID.shape, bool)
    patch[40:80, 40:80] = True

    class Brighter:
        renewed = bared = staticmethod(lambda k: np.zeros(GRID.shape, bool))
        kept = staticmethod(lambda k: np.ones(GRID.shape, np.float32))
        gain = staticmethod(lambda k, cross: np.where(patch & cross, np.float32(2), np.float32(1)))

    settings = SimulateSettings(seed=7, dates=4, sentinel1="safe", **QUIET)
    cover = np.full(GRID.shape, GRASS, np.uint8)
    raster.write(tmp_path / "dem.tif", GRID, ELEVATION, bands=["z"], units="m", long_name="elevation")
    made = simulate_safe.simulate_products(settings, GRID, cover, VELOCITY, ELEVATION, tmp_path, disturbed=Brighter())
    _, product = next(made)
    assert "_1SDV_" in product.name and open_product(product).polarisations() == ["VV", "VH"]
    power = {}
    for name in ("VV", "VH"):
        output = tmp_path / f"{name}.h5"
        chosen = GeocodingSettings(polarisation=name)
        geocode.run([product], tmp_path / "dem.tif", chosen, GRID.nested(4, 1), output)
        with h5py.File(output) as file:
            power[name] = multilook(np.abs(file[f"data/{name}"][:]) ** 2, (1, 4))
    inside, outside = np.s_[45:75, 45:75], np.s_[5:35, 5:115]
    share = simulate_sentinel1.CROSS_SHARE
    for where, expected in ((outside, share), (inside, 4 * share)):
        assert power["VH"][where].mean() / power["VV"][where].mean() == pytest.approx(expected, rel=0.08)
