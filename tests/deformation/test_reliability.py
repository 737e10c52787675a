"""What is called reliable: evidence in the pixel's own network, and errors that its standard deviation tells."""

import json

import numpy as np
import pytest
import rasterio
import xarray
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from benchmarks._speckle import Ground, interferograms
from deformation.test_chain import DATES, GRID, SHAPE, process, write, write_stack
from slipmap.config.deformation import InversionSettings
from slipmap.deformation import reliability, scatter, subsets
from slipmap.deformation.inversion import invert_stack, years
from slipmap.deformation.phase import deviation_table, mm_per_radian, weight_table
from slipmap.deformation.velocity import fit, time_model
from slipmap.io import raster

SCALE = mm_per_radian(0.0554658)
LOOKS, PIXELS = 60, 400
TABLES = {"table": weight_table("variance", LOOKS), "deviation": deviation_table(LOOKS)}


def classes(solved, dates, coherence, kilometres=None, **options):
    near = np.zeros(len(solved.used)) if kilometres is None else kilometres
    return reliability.classify(solved, dates, near, coherence, LOOKS, InversionSettings(**options))


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@example(dates=24, reach=3, shape=(0.9, 80.0, 0.3), holes=0.3, season=0.0, atmosphere=1.0, seed=1)
@example(dates=34, reach=2, shape=(0.8, 50.0, 0.3), holes=0.1, season=0.0, atmosphere=2.0, seed=2)
@given(
    dates=st.integers(12, 34),
    reach=st.integers(1, 4),
    shape=st.tuples(st.floats(0.5, 1.0), st.floats(10, 150), st.floats(0.0, 0.4)),
    holes=st.floats(0, 0.5),
    season=st.floats(0, 0.6),
    atmosphere=st.floats(0, 3),
    seed=st.integers(0, 1000),
)
def test_what_is_called_reliable_is_right_within_three_standard_deviations(
    dates, reach, shape, holes, season, atmosphere, seed
):
    """Speckle, pairs missing at random and dates missing together, on ground that moves by 20 mm/yr."""
    first, decay, floor = shape
    ground, rng = Ground(dates, first, decay, min(floor, first - 0.2), LOOKS), np.random.default_rng(seed)
    numbers, model = ground.pairs(12 * reach), time_model(ground.days())
    phase, coherence = interferograms(ground, numbers, PIXELS, rng)
    moved = 20.0 * years(ground.days())[:, None] + rng.normal(0, atmosphere, (dates, PIXELS))
    phase += ((moved[numbers[:, 1]] - moved[numbers[:, 0]]) / SCALE).astype(np.float32)
    whole = slice(0, PIXELS // 4)  # of the pixels, which the scatter is learnt from
    gone = rng.random(phase.shape) < holes
    snow = (rng.random((dates, PIXELS)) < 0.9) & (np.abs(np.arange(dates) / dates - 0.5) < season / 2)[:, None]
    gone |= snow[numbers[:, 0]] | snow[numbers[:, 1]]
    gone[:, whole] = False
    phase[gone] = np.nan
    row = model.row("velocity")
    targets = np.vstack([row, scatter.combinations(model)])
    solved = invert_stack(
        phase, coherence, numbers, years(ground.days()), operator=row, targets=targets, samples=LOOKS, **TABLES
    )
    series, variances = (solved.series * SCALE).astype(np.float64), solved.variance * SCALE**2
    follows = subsets.join(series, solved.subset, model.design)
    spread = scatter.fit(model, series[:, whole], variances[:, whole])
    deviation = spread.velocity_std(series, variances[0].astype(np.float64), follows)
    reliable = classes(solved, dates, coherence.mean(axis=0)) == reliability.RELIABLE
    assert reach > 1 or not reliable.any()
    if reach > 1 and floor >= 0.3 and first >= 0.8:  # so much of the phase lasts that whole networks must be reliable
        assert reliable[whole].mean() > 0.95
    if (
        reach > 2 and floor >= 0.3 and first >= 0.8 and holes <= 0.3 and season < 0.03
    ):  # as must some of those with holes
        assert reliable[PIXELS // 4 :].mean() > 0.2
    error = np.abs(fit(model, series)[1] - 20)
    assert np.sum(error[reliable] > 3 * deviation[reliable]) <= max(3, 0.01 * reliable.sum() + 3)
    joined = solved.joined > 0
    known = joined & np.isfinite(deviation)
    assert np.median(error[known] / deviation[known]) < 2 if known.sum() > 20 else True


def test_a_network_without_loops_is_never_reliable():
    """Pure noise fits it exactly: its temporal coherence is 1."""
    numbers = np.array([(k, k + 1) for k in range(14)])
    noise = np.random.default_rng(0).uniform(-np.pi, np.pi, (14, 100)).astype(np.float32)
    solved = invert_stack(noise, np.full_like(noise, 0.9), numbers, np.arange(15) / 30, **TABLES)
    assert solved.temporal_coherence.min() > 0.999
    assert (classes(solved, 15, np.full(100, 0.9)) == reliability.UNCHECKED).all()


def test_each_class_has_its_reason():
    rng, dates = np.random.default_rng(1), 20
    numbers = np.array([(i, j) for i in range(dates) for j in range(i + 1, min(i + 4, dates))])
    phase = rng.normal(0, 0.1, (len(numbers), 20)).astype(np.float32)
    first, second = numbers.T
    phase[(first < 10) & (second >= 10), 1] = np.nan  # two subsets
    across = np.flatnonzero((first < 10) & (second >= 10))
    phase[across[1:], 2] = np.nan  # one pair alone between two halves
    phase[(first >= 9) | (second >= 9), 3] = np.nan  # nine dates of twenty
    phase[:, 4] = rng.uniform(-np.pi, np.pi, len(numbers))
    phase[:, 5] = np.nan
    phase[:, 6] = np.where(second - first == 1, phase[:, 6], np.nan)  # a chain
    solved = invert_stack(phase, np.full_like(phase, 0.8), numbers, np.arange(dates) / 30, **TABLES)
    mean = np.where(np.arange(20) == 8, 0.2, 0.8)  # √(π/4·60) = 0.11 of noise
    found = classes(solved, dates, mean, np.where(np.arange(20) == 7, 60.0, 1.0))
    expected = [
        reliability.RELIABLE, reliability.JOINED, reliability.UNCHECKED, reliability.FEW_PAIRS,
        reliability.INCOHERENT, raster.CLASS_NODATA, reliability.UNCHECKED, reliability.FAR, reliability.INCOHERENT,
    ]  # fmt: skip
    assert found[:9].tolist() == expected and (found[9:] == reliability.RELIABLE).all()
    anywhere = classes(solved, dates, mean, np.full(20, 99.0), max_reference_distance=None)
    assert (anywhere[9:] == reliability.RELIABLE).all()
    assert set(expected) == {*reliability.CLASSES, raster.CLASS_NODATA}


def test_dates_that_nobody_saw_are_missing_in_the_products(tmp_path):
    """Ground under snow in the middle of the stack: two subsets, one velocity, and the class says why."""
    folder = tmp_path / "stack"
    write_stack(folder)
    snow = DATES[6:12]
    for path in folder.rglob("*.geo.unw.tif"):
        if any(f"{day:%Y%m%d}" in path.name for day in snow):
            phase = raster.read(path, bands=1)
            phase[28:33, 48:53] = 0
            write(path, phase)
    found = process(folder, tmp_path, dem_error=False, date_std=True)
    point = json.loads((tmp_path / "reference.json").read_text())
    velocity = -40 * np.exp(-((np.mgrid[:60, :80][0] - 30) ** 2 + (np.mgrid[:60, :80][1] - 50) ** 2) / 60)
    expected = velocity - velocity[point["row"], point["col"]]
    assert np.abs(found - expected)[28:33, 48:53].mean() < 8
    with xarray.open_dataset(tmp_path / "timeseries.nc", engine="h5netcdf") as series:
        gaps = np.isnan(series["displacement"].values[:, 30, 50])
        assert gaps.tolist() == [day in snow for day in DATES]
        assert not np.isnan(series["displacement"].values[:, 10, 10]).any()
        deviation = series["displacement_std"].values
        assert (deviation[0, :20] == 0).all() and (deviation[1:, 10, 10] > 0).all()
        assert np.nanmean(deviation[-1]) > np.nanmean(deviation[1]) and np.isnan(deviation[7, 30, 50])
    with rasterio.open(tmp_path / "reliability.tif") as source:
        values, tags = source.read(1), source.tags()
        assert source.dtypes == ("uint8",) and source.nodata == 255
    assert "no redundancy" in tags["RULE"].lower()
    assert (values[28:33, 48:53] == reliability.JOINED).all()
    mask = raster.read(tmp_path / "mask.tif", bands=1)
    np.testing.assert_array_equal(mask == 1, values == reliability.RELIABLE)
    assert mask.mean() > 0.9 and mask.shape == SHAPE and GRID.shape == SHAPE


def test_a_network_in_two_parts_is_joined_everywhere(tmp_path):
    """No pair leads from the first dates to the others: one velocity all the same, called joined and never reliable."""
    folder = tmp_path / "stack"
    write_stack(folder)
    for path in folder.rglob("*.tif"):
        first, second = path.parent.name.split("_") if "_" in path.parent.name else ("", "")
        if first and first < f"{DATES[10]:%Y%m%d}" <= second:
            path.unlink()
    found = process(folder, tmp_path, dem_error=False, allow_subsets=True)
    point = json.loads((tmp_path / "reference.json").read_text())
    velocity = -40 * np.exp(-((np.mgrid[:60, :80][0] - 30) ** 2 + (np.mgrid[:60, :80][1] - 50) ** 2) / 60)
    errors = found - (velocity - velocity[point["row"], point["col"]])
    assert np.isfinite(found).all() and np.sqrt(np.mean(errors**2)) < 5
    assert (raster.read(tmp_path / "reliability.tif", bands=1) == reliability.JOINED).all()
    with xarray.open_dataset(tmp_path / "timeseries.nc", engine="h5netcdf") as series:
        assert np.isfinite(series["displacement"].values).all()


def test_two_dates_have_a_velocity_that_is_not_called_reliable(tmp_path):
    folder = tmp_path / "stack"
    name = f"{DATES[0]:%Y%m%d}_{DATES[15]:%Y%m%d}"
    moved = np.full(SHAPE, 1.0)
    moved[:30] += 5.0
    write(folder / name / f"{name}.geo.unw.tif", moved)
    write(folder / name / f"{name}.geo.cc.tif", np.full(SHAPE, 0.8))
    found = process(folder, tmp_path, deramp="none")
    assert found[:30].mean() - found[30:].mean() == pytest.approx(5 * SCALE / (360 / 365.25), rel=1e-3)
    assert (raster.read(tmp_path / "mask.tif", bands=1) == 0).all()
    expected = np.sqrt((1 - 0.64) / (2 * 25 * 0.64)) * abs(SCALE) / (360 / 365.25)
    assert np.median(raster.read(tmp_path / "velocity_std.tif", bands=1)) == pytest.approx(expected, rel=0.25)
