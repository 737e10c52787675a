"""Ministacks: compressed SLCs with new dates against all dates at once, and what a new date leaves as it is."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import from_origin

from deformation.test_phase_linking_driver import WAVELENGTH, days_of, linking, read_linked, write_slcs
from helpers.speckle_stacks import coherence_of, speckle
from slipmap.config.deformation import DeformationSettings
from slipmap.deformation.interferogram import window_weights
from slipmap.deformation.phase_linking import compressed, driver, pairs
from slipmap.deformation.phase_linking.link import link
from slipmap.deformation.phase_linking.ministack import MOST_EARLIER, split
from slipmap.deformation.reliability import fit_of_noise
from slipmap.deformation.sources import NetworkReader
from slipmap.deformation.stack import Pair
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid


def in_ministacks(files, folder, size, **options):
    """Link the files by ministacks, as the rules do; returns the folders."""
    made = []
    for own in split(list(files), size):
        made.append(folder / f"{own[0]:%Y%m%d}")
        few = {day: files[day] for day in own}
        driver.run(few, linking(ministack=size, **options), made[-1], earlier=made[:-1])
    return made


def phases_of(folders, days):
    found = {}
    for folder in folders:
        own = [day for day in days if (folder / f"{day:%Y%m%d}.tif").exists()]
        found |= dict(zip(own, read_linked(folder, own), strict=True))
    return np.stack([found[day] for day in days])


@given(st.integers(1, 60), st.integers(3, 20))
def test_every_date_is_in_one_ministack(count, size):
    days = days_of(count)
    parts = split(days[::-1], size)
    assert [day for part in parts for day in part] == days
    assert all(len(part) == size for part in parts[:-1]) and 1 <= len(parts[-1]) <= size
    assert split(days, size)[: len(parts) - 1] == split([*days, days[-1] + timedelta(12)], size)[: len(parts) - 1]
    assert split(days, None) == [days]


def test_compressed_slc_has_the_phase_of_the_first_date():
    """Ground without noise: any mean of the SLCs without their linked phases is the SLC of the first date."""
    rng = np.random.default_rng(0)
    ground = (rng.standard_normal((6, 7, 4)) + 1j * rng.standard_normal((6, 7, 4))).astype(np.complex64)
    phases = rng.uniform(-3, 3, (5, 6, 7))
    phases[0] = 0
    samples = ground * np.exp(1j * phases)[..., None].astype(np.complex64)
    samples[3, 2] = np.nan
    linked = np.exp(1j * phases).astype(np.complex64)
    linked[3, 2] = 0
    linked[:, 5, 6] = 0
    found = compressed.compress(samples, linked)
    np.testing.assert_allclose(found[:5], ground[:5], atol=1e-5)
    assert (found[5, 6] == 0).all()


def test_phases_are_those_of_all_dates_at_once(tmp_path):
    """100 looks, 24 dates in ministacks of 8: the scatter round the truth is no more than a quarter above one go's."""
    days, true = days_of(24), np.cumsum(np.random.default_rng(1).normal(0, 1, 24))
    files = write_slcs(tmp_path / "slc", speckle(coherence_of(24), 48, 60, phases=true), days)
    folders = in_ministacks(files, tmp_path / "linked", 8, remove_motion=False)
    driver.run(files, linking(remove_motion=False), tmp_path / "whole")

    def scatter(found):
        error = np.exp(1j * found) * np.exp(-1j * (true - true[0]))[:, None, None]
        return np.sqrt(np.mean(np.angle(error)[1:, 3:-3, 3:-3] ** 2))

    whole, parts = scatter(read_linked(tmp_path / "whole", days)), scatter(phases_of(folders, days))
    assert 0.1 < whole < 0.5 and parts < 1.25 * whole
    assert not (tmp_path / "whole" / compressed.NAME).exists()  # all at once nothing is compressed
    assert compressed.datum(folders[2] / compressed.NAME) == days[0]


def test_a_new_date_leaves_earlier_ministacks_and_their_pairs(tmp_path):
    days = days_of(8)
    files = write_slcs(tmp_path / "slc", speckle(coherence_of(8), 48, 60), days)
    before = in_ministacks({day: files[day] for day in days[:7]}, tmp_path / "a", 3)
    after = in_ministacks(files, tmp_path / "b", 3)
    for first, second in zip(before[:2], after[:2], strict=True):
        for file in sorted(first.iterdir()):
            assert file.read_bytes() == (second / file.name).read_bytes()
    pair = Pair(days[2], days[4], 0.0, {"reference": files[days[2]], "secondary": files[days[4]]})
    for name, folders in (("a", before), ("b", after)):
        pairs.run(folders[:2], pair, DeformationSettings(slc_looks=(1, 4)), tmp_path / name / f"{pair.name}.tif")
    made = [(tmp_path / name / f"{pair.name}.tif").read_bytes() for name in "ab"]
    assert made[0] == made[1]
    reader = NetworkReader([pair], [tmp_path / "b" / f"{pair.name}.tif"], after)
    _, (coherence,) = reader.read(next(iter(reader.grid.blocks())))
    mean = np.mean([raster.read(folder / "quality.tif")[0] for folder in after[:2]], axis=0)
    np.testing.assert_allclose(coherence, np.clip(mean, 0.01, 0.999), atol=1e-6)
    assert reader.linked_together == [1, 1]


def test_cost_does_not_grow_with_the_dates(tmp_path, monkeypatch):
    """What is linked at once: the dates of a ministack and the latest compressed SLCs."""
    days = days_of(30)
    files = write_slcs(tmp_path / "slc", speckle(coherence_of(30), 8, 20), days)
    linked, original = [], driver.read_cells
    monkeypatch.setattr(driver, "read_cells", lambda slcs, *a: linked.append(len(slcs)) or original(slcs, *a))
    in_ministacks(files, tmp_path / "linked", 4, window=3)
    assert linked == [4, 5, 6, 7, 8, 4 + MOST_EARLIER, 4 + MOST_EARLIER, 2 + MOST_EARLIER]


def test_motion_goes_on_across_ministacks(tmp_path):
    """A mover of 40 mm/yr: the phase of the last date is that of its motion since the first."""
    days, samples = days_of(16), speckle(coherence_of(16, 200.0, 0.9, 0.6), 48, 60)
    rows, cols = np.mgrid[:48, :60]
    rate = -40 * np.exp(-((rows - 24) ** 2 + (cols - 40) ** 2) / 100) / 1000 * 4 * np.pi / WAVELENGTH  # rad/yr
    years = driver.times(days)
    samples = samples * np.exp(1j * rate * years[:, None, None])[..., None].astype(np.complex64)
    files = write_slcs(tmp_path / "slc", samples, days)
    folders = in_ministacks(files, tmp_path / "linked", 5)
    last = phases_of(folders, days)[-1]
    error = np.angle(np.exp(1j * (last - rate * years[-1])))
    assert abs(np.median(error)) < 0.1 and np.sqrt(np.mean(error**2)) < 0.5


def test_ground_that_comes_later_and_dates_that_cover_a_part(tmp_path):
    days, samples = days_of(9), speckle(coherence_of(9), 48, 60)
    samples[:4, :, 40:] = 0  # no date of the first ministack
    samples[6, :20] = np.nan  # a gap in the second
    files = write_slcs(tmp_path / "slc", samples, days)
    phases = phases_of(in_ministacks(files, tmp_path / "linked", 4, window=3), days)
    assert np.isnan(phases[:4, :, 42:]).all() and np.isfinite(phases[4:6, :, 42:]).all()
    assert np.isnan(phases[6, :19]).all() and np.isfinite(phases[[4, 5, 7, 8], :19]).all()
    np.testing.assert_allclose(phases[4][:, 42:], 0, atol=1e-3)  # its first date is the reference there
    assert np.isfinite(phases[8]).all()  # one date alone, after two compressed ones


def test_fewer_dates_than_a_ministack_are_one(tmp_path):
    days = days_of(4)
    files = write_slcs(tmp_path / "slc", speckle(coherence_of(4), 24, 30), days)
    (folder,) = in_ministacks(files, tmp_path / "linked", 10)
    driver.run(files, linking(), tmp_path / "whole")
    np.testing.assert_array_equal(read_linked(folder, days), read_linked(tmp_path / "whole", days))


def test_persistent_scatterers_keep_the_phase_since_the_first_date(tmp_path):
    days, samples = days_of(44), speckle(coherence_of(44, 12.0, 0.3, 0.0), 11, 20)
    phases = np.random.default_rng(5).uniform(-3, 3, 44)
    samples[:, 5, 9, 2] = 30 * (1 + 0.05 * np.cos(np.arange(44))) * np.exp(1j * phases)
    files = write_slcs(tmp_path / "slc", samples, days)
    folders = in_ministacks(files, tmp_path / "linked", 22)
    found = phases_of(folders, days)[:, 5, 9]
    np.testing.assert_allclose(np.angle(np.exp(1j * (found - phases + phases[0]))), 0, atol=2e-3)
    assert raster.read(folders[1] / "quality.tif")[3][5, 9] == 1


@pytest.mark.parametrize(("size", "window"), [(10, 3), (15, 5)])
def test_fit_of_noise_over_ministacks(size, window):
    samples, weights = speckle(np.eye(30), 40, 48), window_weights(window, "triangular")
    slcs, fits = [], []
    for start in range(0, 30, size):
        own = samples[start : start + size]
        linked = link(np.concatenate([*(s[None] for s in slcs), own]), weights, bound=False)
        slcs.append(compressed.compress(own, linked.phasors[len(slcs) :]))
        fits.append(linked.fit)
    level = fit_of_noise([size] * (30 // size))
    assert 0.75 * level < np.percentile(np.mean(fits, axis=0), 99) < 1.05 * level


def test_a_compressed_slc_without_its_dates_is_refused(tmp_path):
    path = tmp_path / compressed.NAME
    grid = Grid("EPSG:32632", from_origin(0, 40, 10, 10), 4, 4)
    raster.write(path, grid, np.zeros((4, 4), np.float32), bands=["slc"], units="1", long_name="slc")
    with pytest.raises(InputError, match="lacks the tag DATES: another version wrote it; remove its folder"):
        compressed.dates(path)
