"""From SLC files to linked phases, pairs and velocity; stacks that cannot be linked are one sentence."""

import dataclasses
from datetime import date, timedelta

import numpy as np
import pytest
import rasterio
from affine import Affine

from helpers.linked_chain import settings_of, velocity_of
from helpers.pair_samples import read_bands
from helpers.speckle_stacks import coherence_of, speckle
from slipmap.config import parse_config
from slipmap.config.deformation import DeformationSettings, LinkingSettings
from slipmap.deformation.interferogram import window_weights
from slipmap.deformation.phase_linking import driver, pairs
from slipmap.deformation.phase_linking.decorrelation import fitted
from slipmap.deformation.phase_linking.link import beyond_chance, link
from slipmap.deformation.reliability import INCOHERENT, RELIABLE
from slipmap.deformation.sources import NetworkReader
from slipmap.deformation.stack import Pair
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid

WAVELENGTH = 0.0554658
FINE = Grid("EPSG:32632", Affine(5, 0, 5e5, 0, -20, 5e6), 240, 48)  # looks of 1 x 4: 60 x 48 pixels of 20 m
LOOKS = (1, 4)


def write_slcs(folder, samples, days, grid=FINE, **tags):
    """Complex GeoTIFFs of samples (dates, rows, cols, looks)."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for day, values in zip(days, samples, strict=True):
        path = folder / f"{day:%Y%m%d}.tif"
        pixels = values.reshape(values.shape[0], -1)
        options = dict(driver="GTiff", dtype="complex64", count=1, crs=grid.crs, transform=grid.transform)
        with rasterio.open(path, "w", width=pixels.shape[1], height=pixels.shape[0], **options) as out:
            out.write(pixels, 1)
            out.update_tags(ACQUISITION_DATE=f"{day:%Y%m%d}", WAVELENGTH=WAVELENGTH, **tags)
        files[day] = str(path)
    return files


def days_of(count):
    return [date(2021, 1, 9) + timedelta(days=12 * k) for k in range(count)]


def linking(**options):
    return LinkingSettings(slc_looks=LOOKS, phase_linking=options)


def read_linked(folder, days):
    return np.stack([read_bands(folder / f"{day:%Y%m%d}.tif")["phase"] for day in days])


def test_files_hold_what_linking_the_whole_gives(tmp_path, monkeypatch):
    samples, days = speckle(coherence_of(6), 48, 60), days_of(6)
    files = write_slcs(tmp_path / "slc", samples, days)
    monkeypatch.setattr(driver, "BLOCK_BYTES", 1)  # blocks of 64 pixels at the least
    monkeypatch.setattr(driver, "_side", lambda dates, looks: 32)
    driver.run(files, linking(window=3), tmp_path / "linked", threads=2, simulated=True)
    whole = link(samples, window_weights(3, "triangular"), looks=4.0)
    phases = read_linked(tmp_path / "linked", days)
    apart = np.angle(np.exp(1j * phases) * whole.phasors.conj())
    assert np.abs(apart).max() < 1e-3
    fit, neighbours, looks, persistent, blend, rate, *ground = raster.read(tmp_path / "linked/quality.tif")
    own = fitted(samples, window_weights(3, "triangular"), whole.looks, 12.0 * np.arange(6))
    np.testing.assert_allclose(ground[:2], own[:2], atol=1e-3)
    np.testing.assert_allclose(fit, beyond_chance(whole, window_weights(3, "triangular"), 4.0), atol=2e-3)
    np.testing.assert_array_equal(neighbours, whole.neighbours)
    np.testing.assert_allclose(looks, whole.looks, rtol=1e-5)
    assert not persistent.any() and not rate.any() and (blend == np.float32(0.5)).all()
    with rasterio.open(tmp_path / "linked/20210121.tif") as source:
        assert source.descriptions == ("phase", "phase_std") and source.units == ("rad", "rad")
        assert source.tags()["SIMULATED"] == "yes" and source.shape == (48, 60)
    found = read_bands(tmp_path / "linked/20210121.tif")["phase_std"]
    np.testing.assert_allclose(found, whole.bound[1], rtol=1e-3, atol=6e-5)
    driver.run(files, linking(window=3, standard_deviation=False, method="evd"), tmp_path / "linked")  # in its place
    with rasterio.open(tmp_path / "linked/20210121.tif") as source:
        assert source.count == 1


def test_a_date_that_covers_a_part_is_nodata_elsewhere(tmp_path):
    samples, days = speckle(coherence_of(6), 48, 60), days_of(6)
    samples[2, :, 30:] = 0
    samples[:, :8] = np.nan
    files = write_slcs(tmp_path / "slc", samples, days)
    driver.run(files, linking(window=3), tmp_path / "linked")
    phases = read_linked(tmp_path / "linked", days)
    assert np.isnan(phases[:, :8]).all()  # neighbours with data lend none
    assert np.isnan(phases[2, 8:, 30:]).all() and np.isfinite(phases[2, 8:, :30]).all()
    assert np.isfinite(phases[[0, 1, 3, 4, 5], 8:]).all()


def test_pairs_are_differences_of_dates(tmp_path):
    samples, days = speckle(coherence_of(4, 400.0, 0.95, 0.5), 48, 60), days_of(4)
    ramp = np.linspace(0, 14, 60)  # more than two turns across
    samples[3] *= np.exp(-1j * ramp)[:, None]
    files = write_slcs(tmp_path / "slc", samples, days)
    driver.run(files, linking(), tmp_path / "linked")
    pair = Pair(days[0], days[3], 0.0, {"reference": files[days[0]], "secondary": files[days[3]]})
    file = tmp_path / f"{pair.name}.tif"
    pairs.run([tmp_path / "linked"], pair, DeformationSettings(slc_looks=LOOKS), file)
    bands = read_bands(file)
    assert set(bands) == {"turns", "connected_component"}
    reader = NetworkReader([pair], [file], [tmp_path / "linked"])
    (unwrapped,), (coherence,) = reader.read(next(iter(reader.grid.blocks())))
    first, last = read_linked(tmp_path / "linked", [days[0], days[3]])
    np.testing.assert_allclose(np.angle(np.exp(1j * (unwrapped - first + last))), 0, atol=1e-5)
    slope = np.polyfit(np.arange(60), np.median(unwrapped, axis=0), 1)[0]
    assert slope == pytest.approx(14 / 59, rel=0.02)
    fit = raster.read(tmp_path / "linked/quality.tif")[0]
    np.testing.assert_allclose(coherence, np.clip(fit, 0.01, 0.999), atol=1e-6)
    assert (bands["connected_component"] > 0).mean() > 0.9


def test_from_slcs_to_velocity(tmp_path):
    """A mover of 30 mm/yr in speckle that decorrelates: the chain of network, linking, unwrapping and inversion."""
    days = days_of(12)
    samples = speckle(coherence_of(12, 60.0, 0.8, 0.3), 48, 60)
    samples[:, :, :8] = speckle(np.eye(12), 48, 8, seed=1)  # a lake
    rows, cols = np.mgrid[:48, :60]
    velocity = -30 * np.exp(-((rows - 24) ** 2 + (cols - 40) ** 2) / 60)
    for k, day in enumerate(days):
        moved = velocity / 1000 * (day - days[0]).days / 365.25  # m, towards the satellite
        samples[k] *= np.exp(1j * 4 * np.pi / WAVELENGTH * moved)[..., None]  # a shorter path: the phase of e^{-i4πR/λ}
    write_slcs(tmp_path / "slc", samples, days)
    chosen = velocity_of(tmp_path / "slc", settings_of(LOOKS), tmp_path)
    assert len(chosen) == 11 + 10 + 9 and max(p.days for p in chosen) == 36
    reliable = raster.read(tmp_path / "reliability.tif", bands=1)
    assert (reliable[:, :6] == INCOHERENT).mean() > 0.98  # though all pairs agree with each other
    assert (reliable[:, 12:] == RELIABLE).mean() > 0.98
    found, velocity = raster.read(tmp_path / "velocity.tif", bands=1)[:, 12:], velocity[:, 12:]
    residual = found - velocity
    residual -= np.median(residual)
    assert np.sqrt(np.mean(residual**2)) < 4
    moving = velocity < -10
    assert np.polyfit(velocity[moving], found[moving], 1)[0] == pytest.approx(1, abs=0.15)
    still, deviation = velocity > -0.5, raster.read(tmp_path / "velocity_std.tif", bands=1)[:, 12:]
    error = residual[still] - np.median(residual[still])
    assert np.mean(np.abs(error) <= 1.96 * deviation[still]) > 0.85  # 0.75 by the covariance of interferograms


def test_one_date_or_another_grid_is_one_sentence(tmp_path):
    days = days_of(3)
    files = write_slcs(tmp_path / "slc", speckle(coherence_of(3), 8, 20), days)
    with pytest.raises(InputError, match="phase_linking needs two dates or more"):
        driver.run({days[0]: files[days[0]]}, linking(), tmp_path / "linked")
    moved = dataclasses.replace(FINE, transform=Affine(5, 0, 5e5 + 2, 0, -20, 5e6))
    files |= write_slcs(tmp_path / "other", speckle(coherence_of(3), 8, 20)[:1], days[:1], moved)
    with pytest.raises(InputError, match=r"its grid is not that of .*; resample one of them"):
        driver.run(files, linking(), tmp_path / "linked")
    assert not (tmp_path / "linked").exists()


def test_stack_without_common_ground(tmp_path):
    days, samples = days_of(2), speckle(coherence_of(2), 8, 20)
    samples[0, :, :10] = samples[1, :, 10:] = 0
    files = write_slcs(tmp_path / "slc", samples, days)
    with pytest.raises(InputError, match="have no pixel with data in common"):
        driver.run(files, linking(window=3, amplitude_dispersion=0.0), tmp_path / "linked")


@pytest.mark.parametrize("level", ["wrapped", "unwrapped", "velocity"])
def test_only_slcs_can_be_linked(level):
    grid = {"crs": "EPSG:32632", "resolution": 20, "bounds": [500000, 5000000, 502000, 5002000]}
    area = {"grid": grid, "inputs": {"sentinel1": {"level": level, "path": "x"}}}
    with pytest.raises(InputError, match=rf"estimator is phase_linking, but inputs\.sentinel1\.level is {level}"):
        parse_config({"areas": {"a": area | {"deformation": {"estimator": "phase_linking"}}}})


def test_an_estimator_is_not_compared_with_itself():
    with pytest.raises(ValueError, match="compare_with: sbas is the estimator itself"):
        DeformationSettings(compare_with="sbas")
    assert DeformationSettings(estimator="phase_linking", compare_with="sbas").compare_with == "sbas"


@pytest.mark.parametrize("window", [4, 1, 33])
def test_windows_have_a_middle_and_a_size(window):
    with pytest.raises(ValueError, match=r"odd number|greater than or equal to 3|less than or equal to 31"):
        linking(window=window)
