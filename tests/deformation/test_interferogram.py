"""Interferogram, coherence, Goldstein filter and unwrapping, on analytic fields and on a real SLC pair."""

from datetime import date

import h5py
import numpy as np
import pytest
import rasterio
from affine import Affine
from scipy.ndimage import convolve, uniform_filter

from helpers.pair_samples import read_pair
from slipmap.config.deformation import DeformationSettings
from slipmap.deformation import interferogram, unwrapping
from slipmap.deformation.interferogram import (
    average,
    averaged_pixels,
    boxcar,
    coherence_floor,
    form,
    goldstein,
    multilook,
    pixel_looks,
    relative,
)
from slipmap.deformation.phase import variance_table, wrap
from slipmap.deformation.samples import phase_looks
from slipmap.deformation.stack import Pair, Radar
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid


def speckle(rng, shape):
    return ((rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)).astype(np.complex64)


def coherent_pair(rng, shape, gamma, phase=0.0):
    """Two simulated SLCs of coherence `gamma`; reference × conj(secondary) has `phase`."""
    a, b = speckle(rng, shape), speckle(rng, shape)
    return a, ((gamma * a + np.sqrt(1 - gamma**2) * b) * np.exp(-1j * phase)).astype(np.complex64)


def test_multilook_is_the_mean_of_blocks():
    array = np.random.default_rng(0).random((7, 13)).astype(np.float32)
    expected = array[:6, :12].reshape(3, 2, 3, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(multilook(array, (2, 4)), expected, rtol=1e-5)


def test_boxcar_is_scipys_uniform_filter():
    array = np.random.default_rng(0).random((20, 30))
    np.testing.assert_allclose(boxcar(array, 5), 25 * uniform_filter(array, 5, mode="constant"), rtol=1e-10)


@pytest.mark.parametrize("gamma", [0.0, 0.4, 0.8])
def test_coherence_of_simulated_speckle(gamma):
    first, second = coherent_pair(np.random.default_rng(1), (256, 1024), gamma)
    _, coherence = form(first, second, (1, 4), 5)
    inside = coherence[4:-4, 4:-4]
    expected = gamma if gamma else coherence_floor(100)
    assert inside.mean() == pytest.approx(expected, abs=0.012)
    assert 0 <= coherence.min() and coherence.max() <= 1


def test_sign_and_phase_of_the_interferogram():
    rows, cols = np.mgrid[:64, :256]
    phase = 0.05 * rows + 0.01 * cols
    first, second = coherent_pair(np.random.default_rng(2), rows.shape, 1.0, phase)
    cross, _ = form(first, second, (1, 4), 3)
    assert np.abs(wrap(np.angle(cross) - multilook(phase, (1, 4)))).max() < 0.02


@pytest.mark.parametrize("gamma", [0.5, 0.8])
def test_averaged_phase_has_the_variance_of_that_many_looks(gamma):
    """The exact density of the multilooked phase (Lee et al. 1994) tells it; a mean of phasors has about twice that."""
    first, second = coherent_pair(np.random.default_rng(3), (600, 600), gamma)
    cross, _ = form(first, second, (1, 1), 5)
    inside = (slice(2, -2), slice(2, -2))
    looks = averaged_pixels(3)
    assert looks == pytest.approx(256 / 36)
    least, most = (variance_table(n)[round(1000 * gamma)] for n in (8, 7))
    measured, of_phasors = (np.angle(average(z, 3))[inside].var() for z in (cross, cross / np.abs(cross)))
    assert 0.97 * least < measured < 1.03 * most
    assert of_phasors > 1.2 * measured
    np.testing.assert_array_equal(average(cross, 1), cross)


def test_average_is_scipys_convolution():
    array = np.random.default_rng(0).random((20, 30)).astype(np.complex64)
    weights = np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1])
    np.testing.assert_allclose(average(array, 5), convolve(array, weights, mode="constant"), rtol=1e-5)
    array[4, 5] = 0
    assert average(array, 5)[4, 5] == 0


def test_filtering_weighs_weak_pixels_less_and_bright_ground_no_more():
    first, second = coherent_pair(np.random.default_rng(4), (256, 256), 0.6)
    cross, _ = form(first, second, (1, 1), 5)
    unit = (cross / np.abs(cross)).astype(np.complex64)
    noise = [np.angle(goldstein(z, 0.8))[16:-16, 16:-16].var() for z in (relative(cross, 5), unit)]
    assert noise[0] < 0.9 * noise[1]
    gap = np.full((20, 30), 5j, np.complex64)
    gap[4:9, 6:12] = 0
    np.testing.assert_allclose(relative(gap, 5), gap / 5, rtol=1e-5)  # edges of the image and of gaps too
    bright = cross.copy()
    bright[:, :128] *= 1000
    there = relative(bright, 5)
    np.testing.assert_allclose(there[:, :126], relative(cross, 5)[:, :126], rtol=1e-4)
    np.testing.assert_allclose(there[:, 130:], relative(cross, 5)[:, 130:], rtol=1e-4)


def test_real_pair_is_coherent_and_misaligned_is_not(real_data):
    pair = np.load(real_data / "s1_slc_pair" / "s1_slc_pair_20230319_20230331.npz")
    first, second = pair["slc1"], pair["slc2"]
    assert np.nanmean(form(first, second, (4, 16), 1)[1]) == pytest.approx(0.75, abs=0.01)
    shifted = np.roll(second, (10, 40), axis=(0, 1))
    assert np.nanmean(form(first, shifted, (4, 16), 1)[1]) == pytest.approx(0.16, abs=0.02)


def test_goldstein_of_alpha_zero_is_the_identity():
    field = speckle(np.random.default_rng(0), (50, 70))
    assert goldstein(field, 0.0) is field


@pytest.mark.parametrize("shape", [(64, 64), (50, 71), (16, 200)])
def test_goldstein_keeps_a_ramp_and_lowers_noise(shape):
    rng = np.random.default_rng(3)
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    ramp = 2 * np.pi * (rows + 2 * cols) / 32  # a whole number of fringes in each patch
    clean = np.exp(1j * ramp).astype(np.complex64)
    noise = rng.normal(0, 0.8, shape)
    inner = (slice(16, -16), slice(16, -16)) if min(shape) > 40 else (slice(None), slice(16, -16))
    assert np.abs(np.angle(goldstein(clean, 0.8) * np.conj(clean)))[inner].max() < 0.02
    noisy = (clean * np.exp(1j * noise)).astype(np.complex64)
    before = np.angle(noisy * np.conj(clean))[inner].std()
    after = np.angle(goldstein(noisy, 0.8) * np.conj(clean))[inner].std()
    assert after < 0.5 * before


def test_unwrapping_gives_back_a_known_field():
    rng = np.random.default_rng(4)
    rows, cols = np.mgrid[:128, :160] / 128.0
    truth = 25 * np.exp(-((rows - 0.5) ** 2 + (cols - 0.6) ** 2) / 0.05) + 6 * cols
    noisy = wrap(truth + rng.normal(0, 0.2, truth.shape)).astype(np.float32)
    noisy[:5, :7] = np.nan
    unwrapped, components = unwrapping.unwrap(noisy, np.full(truth.shape, 0.8, np.float32), 20.0)
    there = np.isfinite(noisy)
    turns = (unwrapped - truth)[there] / (2 * np.pi)
    assert np.isnan(unwrapped[:5, :7]).all()
    assert np.mean(np.abs(turns - np.round(np.median(turns))) < 0.5) > 0.999
    assert np.abs(wrap(unwrapped - noisy)[there]).max() < 1e-4
    assert np.mean(components[there] == 1) > 0.99


def write_slc(path, array, **tags):
    profile = dict(
        driver="GTiff", dtype="complex64", count=1, crs="EPSG:32632", transform=Affine(3, 0, 5e5, 0, -12, 5e6)
    )
    with rasterio.open(path, "w", height=array.shape[0], width=array.shape[1], **profile) as out:
        out.write(array, 1)
        out.update_tags(**tags)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slc")
    rows, cols = np.mgrid[:150, :800]
    first, second = coherent_pair(np.random.default_rng(5), rows.shape, 0.8, 0.02 * rows + 0.01 * cols)
    first[60:80, 100:200] = 0
    write_slc(folder / "a.tif", first)
    write_slc(folder / "b.tif", second)
    files = {"reference": str(folder / "a.tif"), "secondary": str(folder / "b.tif")}
    return Pair(date(2021, 1, 9), date(2021, 2, 2), 12.0, files)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"goldstein_patch": 20},  # patches that the blocks cut
        {"goldstein_patch": 8, "phase_window": 9, "coherence_window": 11},  # windows wider than patches
    ],
)
def test_blocks_do_not_show(pair, tmp_path, options):
    """The interferogram made in blocks of 64 pixels is that made at once."""
    settings = DeformationSettings(**options)
    names = ("filtered", "averaged", "unfiltered", "coherence")
    whole, blocks = (
        np.stack([getattr(interferogram.formed(pair, settings, block), name) for name in names]) for block in (512, 64)
    )
    np.testing.assert_array_equal(np.isnan(whole), np.isnan(blocks))
    there = np.isfinite(whole)
    assert np.abs(wrap(whole - blocks)[there]).max() < 2e-4
    assert np.isnan(whole[:, 65, 30]).all() and np.isfinite(whole[:, 100, 30]).all()


def test_chain_of_one_pair_keeps_the_phase(pair, tmp_path):
    settings = DeformationSettings(phase_window=1)
    unwrapping.run(pair, settings, tmp_path / "u.tif")
    phase, coherence, _, original = read_pair(tmp_path / "u.tif")
    rows, cols = np.mgrid[:150, :200]
    truth = 0.02 * rows + 0.04 * cols + 0.015
    there = np.isfinite(phase)
    turns = np.round(np.median((phase - truth)[there]) / (2 * np.pi))
    assert np.abs(np.mean((phase - truth)[there] - 2 * np.pi * turns)) < 0.02
    assert np.mean(np.abs((phase - truth)[there] - 2 * np.pi * turns) < np.pi) > 0.99
    assert np.abs(wrap(phase - original)[there]).max() < np.pi / 255 + 1e-4
    assert np.nanmean(coherence) == pytest.approx(0.8, abs=0.02)


def test_what_is_filtered_and_what_is_kept(pair, tmp_path):
    """Phase averaged by amplitude; the filter gets it relative to its surroundings; the result keeps the averaged."""
    settings = DeformationSettings(goldstein_alpha=0.8)
    interferogram.run(pair, settings, tmp_path / "i.tif")
    unwrapping.run(pair, settings, tmp_path / "u.tif")
    slcs = []
    for role in ("reference", "secondary"):
        with rasterio.open(pair.files[role]) as source:
            slcs.append(source.read(1))
    cross, _ = form(*slcs, (1, 4), 5)
    weights = np.outer([1, 2, 1], [1, 2, 1])
    expected = np.angle(convolve(cross, weights, mode="constant"))
    filtered, averaged, unfiltered, _ = raster.read(tmp_path / "i.tif")
    unwrapped = read_pair(tmp_path / "u.tif")[0]
    there = np.isfinite(averaged)
    np.testing.assert_array_equal(there, np.abs(cross) > 0)
    for found, wanted in (
        (averaged, expected),
        (unfiltered, np.angle(cross)),
        (unwrapped, expected),
        (filtered, np.angle(goldstein(relative(average(cross, 3), 5), 0.8))),
    ):
        assert np.abs(wrap(found - wanted)[there]).max() < 1e-3
    assert wrap(unwrapped - filtered)[there].std() > 0.05


def supplied(folder, coherence, values):
    """A wrapped interferogram of `values` and its coherence, on one grid."""
    about = dict(driver="GTiff", height=96, width=128, count=1, crs="EPSG:32632", transform=Affine(20, 0, 0, 0, -20, 0))
    for name, array in (("phase", values), ("coherence", coherence)):
        with rasterio.open(folder / f"{name}.tif", "w", dtype=array.dtype, **about) as out:
            out.write(array, 1)
            if name == "phase":
                out.nodata = 0 if array.dtype.kind == "f" and not np.isnan(array).any() else None
    return {"interferogram": folder / "phase.tif", "coherence": folder / "coherence.tif"}


@pytest.mark.parametrize("gap", [0.0, np.nan])
def test_gaps_of_a_supplied_interferogram_stay_gaps(pair, tmp_path, gap):
    """Declared or not, zero or NaN: no pixel without phase gets one, though its coherence is known."""
    rows, cols = np.mgrid[:96, :128]
    truth = 0.3 + 0.05 * rows + 0.08 * cols
    phase = wrap(truth).astype(np.float32)
    phase[20:40, 30:60] = gap
    files = supplied(tmp_path, np.full(phase.shape, 0.8, np.float32), phase)
    unwrapping.run(pair, DeformationSettings(), tmp_path / "u.tif", **files)
    found, _, _, original = read_pair(tmp_path / "u.tif")
    gaps = np.zeros(phase.shape, bool)
    gaps[20:40, 30:60] = True
    np.testing.assert_array_equal(np.isnan(found), gaps)
    np.testing.assert_array_equal(np.isnan(original), gaps)
    inside = (slice(2, -2), slice(2, -2))
    error = (found - truth)[inside][~gaps[inside]]
    assert np.abs(error - 2 * np.pi * np.round(np.median(error) / (2 * np.pi))).max() < 0.1


@pytest.mark.parametrize("kind", ["complex", "phase"])
def test_amplitude_of_a_supplied_interferogram_weighs(pair, tmp_path, kind):
    """A complex one is averaged as it is; of a phase all pixels weigh alike."""
    first, second = coherent_pair(np.random.default_rng(6), (96, 128), 0.7, 0.4)
    cross, _ = form(first, second, (1, 1), 5)
    values = cross if kind == "complex" else np.angle(cross).astype(np.float32)
    files = supplied(tmp_path, np.full(cross.shape, 0.7, np.float32), values)
    unwrapping.run(pair, DeformationSettings(), tmp_path / "u.tif", **files)
    found = read_pair(tmp_path / "u.tif")[0]
    mean = convolve(cross if kind == "complex" else cross / np.abs(cross), np.outer([1, 2, 1], [1, 2, 1]))
    inside = (slice(1, -1), slice(1, -1))
    assert np.abs(wrap(found - np.angle(mean))[inside]).max() < 1e-3


def test_coherence_is_in_bytes_or_not_by_its_type(pair, tmp_path):
    phase = wrap(0.1 + 0.05 * np.add(*np.mgrid[:96, :128])).astype(np.float32)
    for coherence in (np.full(phase.shape, 204, np.uint8), np.full(phase.shape, 0.8, np.float32)):
        if coherence.dtype == np.float32:
            coherence[5, 5] = 1.00001  # as rounding leaves it
        files = supplied(tmp_path, coherence, phase)
        unwrapping.run(pair, DeformationSettings(), tmp_path / "u.tif", **files)
        assert np.nanmedian(read_pair(tmp_path / "u.tif")[1]) == pytest.approx(0.8, abs=1e-3)


def test_coherence_floor_counts_independent_looks_only():
    """Speckle of half the band in either direction: four pixels are one look, and the floor is twice as high."""
    rng, shape = np.random.default_rng(7), (400, 400)
    band = (np.abs(np.fft.fftfreq(400)) < 0.25).astype(float)
    keep = np.outer(band, band)
    slcs = [np.fft.ifft2(np.fft.fft2(speckle(rng, shape)) * keep).astype(np.complex64) for _ in range(2)]
    measured = form(*slcs, (1, 1), 9)[1][8:-8, 8:-8].mean()
    looks = pixel_looks((1, 1), 100.0, 400.0) * 9**2
    assert looks == 81 / 4
    assert measured == pytest.approx(coherence_floor(looks), rel=0.1)
    assert measured > 1.6 * coherence_floor(81)
    assert pixel_looks((1, 4), 100.0, 20.0) == 4 == pixel_looks((1, 4), 100.0, None)


@pytest.mark.parametrize(("cell", "samples"), [(None, 100), (100.0, 1.5625 * 25)])
def test_bias_and_unwrapping_count_independent_looks(pair, tmp_path, monkeypatch, cell, samples):
    """An HDF5 product may say how much ground is one look; pixels of 3.125 x 12.5 m, four of them averaged."""
    for role, path in pair.files.items():
        with rasterio.open(path) as source, h5py.File(tmp_path / f"{role}.h5", "w") as out:
            out["data/VV"] = source.read(1)
        with h5py.File(tmp_path / f"{role}.h5", "a") as out:
            rows, cols = out["data/VV"].shape
            out["data/x_coordinates"] = 5e5 + 3.125 * np.arange(cols)
            out["data/y_coordinates"] = 5e6 - 12.5 * np.arange(rows)
            out["data/projection"] = 32632
            if cell:
                out["metadata/processing_information/algorithms/independent_look_area"] = cell
    files = {role: str(tmp_path / f"{role}.h5") for role in pair.files}
    product = Pair(pair.reference, pair.secondary, 0.0, files)
    interferogram.run(product, DeformationSettings(), tmp_path / "i.tif")
    with rasterio.open(tmp_path / "i.tif") as made:
        tags = made.tags()
    assert float(tags["COHERENCE_SAMPLES"]) == pytest.approx(samples, rel=1e-3)
    assert tags["COHERENCE_BIAS"].startswith(f"{np.sqrt(np.pi / 4 / samples):.3f} ")
    asked = []

    def unwrap(phase, coherence, looks, method):
        asked.append(looks)
        return phase, np.ones(phase.shape, np.uint32)

    monkeypatch.setattr(unwrapping, "unwrap", unwrap)
    unwrapping.run(product, DeformationSettings(), tmp_path / "u.tif")
    assert asked == [pytest.approx(samples, rel=1e-3)]


def test_bad_pairs_get_one_sentence(pair, tmp_path):
    empty = np.zeros((150, 800), np.complex64)
    write_slc(tmp_path / "empty.tif", empty)
    write_slc(tmp_path / "small.tif", empty[:100])
    (tmp_path / "bad.tif").write_bytes(b"II*\0 no raster")
    settings = DeformationSettings()
    for name, message in (
        ("empty", "no pixel with data in common"),
        ("small", "its grid is not"),
        ("bad", "not a raster"),
    ):
        files = pair.files | {"secondary": str(tmp_path / f"{name}.tif")}
        with pytest.raises(InputError, match=message) as error:
            interferogram.run(Pair(pair.reference, pair.secondary, 0.0, files), settings, tmp_path / "out.tif")
        assert f"{name}.tif" in str(error.value)
        assert not (tmp_path / "out.tif").exists()


def test_snaphu_unwraps_too_or_says_how_to_install_it():
    rows, cols = np.mgrid[:96, :128]
    truth = 0.15 * rows + 12 * np.exp(-((rows - 50) ** 2 + (cols - 60) ** 2) / 400)
    first, second = coherent_pair(np.random.default_rng(9), (96 * 4, 128 * 4), 0.8, np.kron(truth, np.ones((4, 4))))
    cross, coherence = form(first, second, (4, 4), 3)
    phase = np.angle(cross).astype(np.float32)
    try:
        import snaphu  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match=r"pip install snaphu"):
            unwrapping.unwrap(phase, coherence, 16, "snaphu")
        return
    unwrapped, components = unwrapping.unwrap(phase, coherence, 16, "snaphu")
    turns = np.round((unwrapped - truth) / (2 * np.pi))
    assert np.mean(turns == np.median(turns)) > 0.99 and np.mean(components == 1) > 0.9
    np.testing.assert_allclose(wrap(unwrapped - phase), 0, atol=1e-4)


@pytest.mark.parametrize(("given", "expected"), [(None, 25.0), (60.0, 60.0)])
def test_looks_behind_what_is_unwrapped(pair, tmp_path, monkeypatch, given, expected):
    """Those of the config or else 25 behind a supplied interferogram; what we averaged ourselves behind our own."""
    asked = []

    def unwrap(phase, coherence, looks, method):
        asked.append(looks)
        return phase, np.ones(phase.shape, np.uint32)

    monkeypatch.setattr(unwrapping, "unwrap", unwrap)
    settings = DeformationSettings(slc_looks=(1, 4), coherence_window=3)
    interferogram.run(pair, settings, tmp_path / "i.tif")
    unwrapping.run(pair, settings, tmp_path / "u.tif", looks=given)
    for band, name in ((1, "phase"), (4, "coherence")):
        about = dict(bands=[name], units="1", long_name=name)
        grid, values = Grid.from_raster(tmp_path / "i.tif"), raster.read(tmp_path / "i.tif", bands=band)
        raster.write(tmp_path / f"{name}.tif", grid, values, **about)
    files = {"interferogram": tmp_path / "phase.tif", "coherence": tmp_path / "coherence.tif"}
    unwrapping.run(pair, settings, tmp_path / "u.tif", looks=given, **files)
    assert asked == [36, expected]
    # Behind the phase that is inverted: our own averaging over 1 x 4 and a window weighted 1 2 1, or what was given.
    pixels = 16**2 / 6**2
    supplied = Pair(pair.reference, pair.secondary, None, {"unwrapped": "a.tif"})
    radar, pixel = Radar(0.0555), np.prod(grid.resolution)
    assert phase_looks([pair], settings, given, radar, grid) == pytest.approx(4 * pixels)
    assert phase_looks([supplied], settings, given, radar, grid) == expected
    # SLC pixels closer than the radar resolves: as many looks as a pixel has cells of resolution.
    fine = Radar(0.0555, cell=float(pixel / 2))
    assert phase_looks([pair], settings, given, fine, grid) == pytest.approx(2 * pixels)
