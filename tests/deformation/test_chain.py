"""From unwrapped interferograms to velocity: a simulated stack of known truth, and Mexico City's published rates."""

import json
import shutil
from datetime import date, timedelta

import numpy as np
import pytest
import rasterio
import rasterio.warp
import xarray
from affine import Affine

from slipmap.config.deformation import DeformationSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import coherent_network, invert_network, network, sources
from slipmap.deformation.phase import mm_per_radian
from slipmap.deformation.velocity import fit, time_model
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid

SCALE = mm_per_radian(0.0554658)
SHAPE = (60, 80)
GRID = Grid("EPSG:32632", Affine(50, 0, 5e5, 0, -50, 5e6), SHAPE[1], SHAPE[0])
STABLE = tuple(v[0] for v in rasterio.warp.transform(GRID.crs, "EPSG:4326", *[[v] for v in GRID.transform @ (10, 30)]))
DATES = [date(2021, 1, 9) + timedelta(days=24 * k) for k in range(20)]


def truth():
    """Simulated: one mover (−40 mm/yr), and a DEM error of 20 m in two strips (no ramp can take it up)."""
    rows, cols = np.mgrid[: SHAPE[0], : SHAPE[1]]
    velocity = -40 * np.exp(-((rows - 30) ** 2 + (cols - 50) ** 2) / 60)
    return velocity, np.where(np.isin(rows // 10, (1, 4)), 20.0, 0.0)


def write_stack(folder, *, jump=False):
    """LiCSAR-like unwrapped interferograms and coherences of the simulated truth, with ramps and noise per date."""
    rng = np.random.default_rng(8)
    velocity, dem_error = truth()
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    baselines = rng.normal(0, 80, len(DATES)).round(1)
    baselines[0] = 0
    displacement = []
    for day, baseline in zip(DATES, baselines, strict=True):
        years = (day - DATES[0]).days / 365.25
        ramp = rng.normal(0, 0.15) * x + rng.normal(0, 0.15) * y
        noise = rng.normal(0, 1.0, SHAPE)
        topography = baseline * dem_error / (850e3 * np.sin(np.radians(39.0))) * 1000
        displacement.append(velocity * years + topography + ramp + noise)
    first = True
    for i in range(len(DATES)):
        for j in range(i + 1, min(i + 3, len(DATES))):
            name = f"{DATES[i]:%Y%m%d}_{DATES[j]:%Y%m%d}"
            phase = (displacement[j] - displacement[i]) / SCALE + 3.0
            if jump and (i, j) == (9, 10):
                phase[:15, 60:] += 2 * np.pi  # an unwrapping error over one corner
            write(folder / name / f"{name}.geo.unw.tif", phase)
            write(folder / name / f"{name}.geo.cc.tif", np.full(SHAPE, 0.9 if not first else 0.85))
            first = False
    lines = [f"{DATES[0]:%Y%m%d} {d:%Y%m%d} {b} 0" for d, b in zip(DATES, baselines, strict=True)]
    (folder / "baselines").write_text("\n".join(lines))
    (folder / "metadata.txt").write_text("centre_range_m=850000\nheading=-12\navg_incidence_angle=39.0\n")


def write(path, array, grid=GRID):
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = dict(driver="GTiff", dtype="float32", count=1, crs=grid.crs, transform=grid.transform)
    with rasterio.open(path, "w", height=array.shape[0], width=array.shape[1], **profile) as out:
        out.write(array.astype(np.float32), 1)


def process(folder, out, **settings):
    network.run(
        Sentinel1Settings(level="unwrapped", path=str(folder)),
        DeformationSettings(**settings),
        out / "network.csv",
        out / "network.png",
        out / "stack.json",
    )
    invert_network.run(out / "network.csv", out / "stack.json", [], DeformationSettings(**settings), out)
    return raster.read(out / "velocity.tif", bands=1)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("licsar")
    write_stack(folder, jump=True)
    return folder


def test_velocity_dem_error_and_turns_are_recovered(stack, tmp_path):
    found = process(stack, tmp_path)
    velocity, dem_error = truth()
    reference = json.loads((tmp_path / "reference.json").read_text())
    assert reference["removed"] == ["1", "x", "y"]
    expected = velocity - velocity[reference["row"], reference["col"]]
    # White noise of 1 mm a date over 1.25 years: about 0.6 mm/yr at a pixel, and as much at the reference.
    residual = found - expected
    assert residual.std() < 0.9
    assert abs(np.median(residual)) < 1.5
    moving = np.abs(velocity) > 10
    assert np.polyfit(velocity[moving], found[moving], 1)[0] == pytest.approx(1.0, abs=0.05)
    estimated = raster.read(tmp_path / "dem_error.tif", bands=1)
    contrast = np.median(estimated[dem_error > 0]) - np.median(estimated[dem_error == 0])
    assert contrast == pytest.approx(20.0, abs=1.0)
    # The corner's error of one turn is gone: it would move the corner by about λ/2 · a share of it.
    assert abs(np.median(residual[:15, 62:]) - np.median(residual)) < 0.3
    assert raster.read(tmp_path / "open_triplets.tif", bands=1).max() == 0
    corrected = reference["triplets"]["corrected"]
    shares = [share for share in corrected.values() if share]
    assert len(corrected) > 2 and shares == [pytest.approx(residual[:15, 60:].size / residual.size, rel=1e-3)]
    wrong = process(stack, tmp_path, unwrapping_error_correction=False, robust=False)
    assert raster.read(tmp_path / "open_triplets.tif", bands=1)[:15, 62:].min() == 2
    assert raster.read(tmp_path / "temporal_coherence.tif", bands=1)[:15, 62:].mean() < 0.98
    assert np.abs(wrong - found)[:15, 62:].mean() > 0.3


def test_products_say_what_they_are(stack, tmp_path):
    process(stack, tmp_path)
    with rasterio.open(tmp_path / "velocity.tif") as src:
        assert src.units == ("mm/yr",) and np.isnan(src.nodata) and src.crs.to_epsg() == 32632
        assert src.tags()["SIGN"] == "positive towards the satellite"
    with xarray.open_dataset(tmp_path / "timeseries.nc", engine="h5netcdf", decode_coords="all") as series:
        assert series["displacement"].dims == ("time", "y", "x") and series["displacement"].units == "mm"
        assert [str(t)[:10] for t in series["time"].values] == [str(d) for d in DATES]
        assert series.attrs["FILE_TYPE"] == "timeseries" and series.attrs["START_DATE"] == "20210109"
        assert "spatial_ref" in series.coords
        x, y = GRID.transform @ (0.5, 0.5)
        assert series["x"][0] == x and series["y"][0] == y
        # The series bears the velocity that the map shows.
        years = (series["time"].values - series["time"].values[0]) / np.timedelta64(1, "D") / 365.25
        slope = np.polyfit(years, series["displacement"].values[:, 30, 50], 1)[0]
        assert slope == pytest.approx(float(raster.read(tmp_path / "velocity.tif", bands=1)[30, 50]), abs=1.0)


def test_a_constant_over_an_interferogram_changes_nothing(stack, tmp_path):
    first = process(stack, tmp_path)
    changed = next(iter(sorted(stack.rglob("*.unw.tif"))))
    original = raster.read(changed, bands=1)
    write(changed, original + 1.7)
    try:
        np.testing.assert_allclose(process(stack, tmp_path), first, atol=2e-4)
    finally:
        write(changed, original)


def test_same_files_give_the_same_bytes_however_they_are_read(stack, tmp_path, monkeypatch):
    """Kept in memory, read in every pass, and in blocks of 64 pixels."""
    process(stack, tmp_path)
    before = (tmp_path / "velocity.tif").read_bytes()
    monkeypatch.setattr(sources, "KEPT_BYTES", 0)
    process(stack, tmp_path)
    assert (tmp_path / "velocity.tif").read_bytes() == before
    monkeypatch.setattr(coherent_network, "BLOCK_BYTES", 1)
    process(stack, tmp_path)
    assert (tmp_path / "velocity.tif").read_bytes() == before


def test_reference_point_outside_or_on_nodata(stack, tmp_path):
    with pytest.raises(InputError, match="lies outside the interferograms"):
        process(stack, tmp_path, reference_point=(0.0, 0.0))
    changed = next(iter(sorted(stack.rglob("*.unw.tif"))))
    original = raster.read(changed, bands=1)
    holed = original.copy()
    holed[30, 40] = 0
    write(changed, holed)
    lon, lat = rasterio.warp.transform(GRID.crs, "EPSG:4326", *[[v] for v in GRID.transform @ (40.5, 30.5)])
    try:
        with pytest.raises(InputError, match="lies on nodata in 3% of the interferograms"):
            process(stack, tmp_path, reference_point=(lon[0], lat[0]))
    finally:
        write(changed, original)


def test_coherence_of_zero_everywhere(tmp_path):
    folder = tmp_path / "stack"
    write_stack(folder)
    for path in folder.rglob("*.cc.tif"):
        write(path, np.zeros(SHAPE))
    with pytest.raises(InputError, match="coherences are zero"):
        process(folder, tmp_path)


def test_annual_cycle_and_step_are_told_from_velocity():
    dates = [date(2021, 1, 1) + timedelta(days=12 * k) for k in range(60)]
    model = time_model(
        dates, annual=True, steps=[date(2022, 1, 15)], baselines=np.random.default_rng(0).normal(0, 50, 60)
    )
    given = np.array([2.0, -15.0, 4.0, -3.0, 12.0, 0.01])
    parameters = fit(model, (model.design @ given)[:, None])
    np.testing.assert_allclose(parameters[:, 0], given, atol=1e-8)


def test_a_cycle_or_step_that_the_dates_cannot_tell_is_refused():
    """In a sentence that names what was asked for, and nothing that was not."""
    dates = [date(2021, 1, 1) + timedelta(days=12 * k) for k in range(60)]
    with pytest.raises(InputError, match=r"deformation\.annual: the dates span 0.39 years"):
        time_model(dates[:13], annual=True)
    with pytest.raises(InputError, match=r"drop deformation\.steps, or add dates"):
        time_model(dates[:5], steps=[dates[-1] + timedelta(days=1)])


def test_dem_error_only_where_the_baselines_allow_it():
    """Baselines that drift with time look like velocity; of scattered ones the DEM error is told, and says how well."""
    rng = np.random.default_rng(1)
    drift = 5.0 * np.arange(len(DATES)) + rng.normal(0, 0.1, len(DATES))
    model = time_model(DATES, baselines=drift)
    assert model.names == ("offset", "velocity") and "condition number" in model.about
    assert float(model.about.split()[2].rstrip(",")) > 100
    scattered = time_model(DATES, baselines=rng.normal(0, 80, len(DATES)))
    assert scattered.names[-1] == "dem_error" and float(scattered.about.split()[2].rstrip(",")) < 10
    assert time_model(DATES[:2], baselines=[0.0, 30.0]).names == ("offset", "velocity")


def test_mexico_city_subsides_as_published(real_data, tmp_path):
    """Airport and Cathedral against Chapultepec (Cigna & Tapete 2021 and the data's README)."""
    settings = dict(reference_point=(-99.1817, 19.4204), dem_error=False)
    found = process(real_data / "mexico_city", tmp_path, **settings)
    with rasterio.open(tmp_path / "velocity.tif") as src:
        airport, cathedral = (found[src.index(*p)] for p in ((-99.072, 19.436), (-99.1331, 19.4346)))
    assert airport == pytest.approx(-300, abs=15)
    assert cathedral / np.cos(np.radians(39.70)) / 10 == pytest.approx(-8.8, abs=1.0)
    record = json.loads((tmp_path / "stack.json").read_text())
    assert record["format"] == "gamma" and len(record["dates"]) == 13
    assert record["radar"]["incidence"] == pytest.approx(39.70, abs=0.01)
    # Nearly everything moves: a ramp must not be fitted to the motion.
    assert json.loads((tmp_path / "reference.json").read_text())["removed"] == []


def spoil(folder, name, coherence):
    """Make an interferogram noise, of the coherence that such an interferogram has."""
    write(folder / name / f"{name}.geo.unw.tif", np.random.default_rng(3).normal(0, 2, SHAPE))
    write(folder / name / f"{name}.geo.cc.tif", np.full(SHAPE, coherence))


def test_incoherent_pairs_are_left_out_and_named(tmp_path):
    """As if the pairs were not there; those without which the network would fall apart stay."""
    folder, names = tmp_path / "stack", [f"{a:%Y%m%d}_{b:%Y%m%d}" for a, b in zip(DATES[:-2], DATES[2:], strict=True)]
    write_stack(folder)
    for name in names[4:6]:
        spoil(folder, name, 0.2)
    settings = dict(reference_point=STABLE, unwrapping_error_correction=False, robust=False)
    products = [tmp_path / part for part in ("all", "coherent", "without", "tree")]
    for path in products:
        path.mkdir()
    spoilt = process(folder, products[0], **settings)
    found = process(folder, products[1], min_pair_coherence=0.5, **settings)
    record = json.loads((products[1] / "reference.json").read_text())
    assert record["pairs_left_out"] == {name: 0.2 for name in names[4:6]}
    measured = json.loads((products[0] / "reference.json").read_text())["pair_coherence"]
    assert {name for name, mean in measured.items() if mean == 0.2} == set(names[4:6]) and len(measured) > 10
    process(folder, products[3], min_pair_coherence=1.0, **settings)
    assert raster.read(products[3] / "interferograms_used.tif", bands=1).max() == len(DATES) - 1
    assert len(json.loads((products[3] / "reference.json").read_text())["pairs_left_out"]) == len(DATES) - 2
    for name in names[4:6]:
        shutil.rmtree(folder / name)
    without = process(folder, products[2], **settings)
    np.testing.assert_array_equal(found, without)
    assert np.abs(spoilt - without).mean() > 0.1
    assert json.loads((products[2] / "reference.json").read_text())["pairs_left_out"] == {}
