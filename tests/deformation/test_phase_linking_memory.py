"""What linking holds beside the SLC pixels of a block, and that it does not grow with the area."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import rasterio.shutil
from affine import Affine

from deformation.test_phase_linking_driver import LOOKS, days_of, linking, write_slcs
from helpers.speckle_stacks import coherence_of, speckle
from slipmap.config.deformation import PhaseLinkingSettings
from slipmap.deformation.phase_linking import driver, motion
from slipmap.deformation.phase_linking.block import link_block
from slipmap.io.grid import Grid

YEARS = 24.0 * np.arange(24) / 365.25


@pytest.fixture
def peak():
    """Most bytes that a call has allocated at once."""

    def measure(function, *given):
        tracemalloc.start()
        try:
            function(*given)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return measure


@pytest.fixture(scope="module")
def moving():
    """Ground all of which moves against its surroundings, so that every pixel's rate is looked for."""
    rows, cols = np.mgrid[:120, :120]
    rate = (9.0 * ((rows // 12 + cols // 12) % 2)).astype(np.float32)
    return motion.turned(speckle(coherence_of(24, 40.0, 0.8, 0.4), 120, 120), rate, YEARS, 1)


@pytest.mark.parametrize("homogeneity", ["none", "ks"])
def test_steps_hold_less_than_twice_the_block(moving, peak, homogeneity):
    """What is wanted without its motion, phases and deviations, and the messages of a band of rates."""
    inner = (slice(28, 92), slice(28, 92))
    options = PhaseLinkingSettings(homogeneity=homogeneity, ministack=30)
    link_block(moving[:, :60, :60].copy(), options, 4.0, YEARS)  # compiles
    assert peak(link_block, moving, options, 4.0, YEARS, 1, (), inner) < 2 * moving.nbytes


def test_memory_does_not_grow_with_the_area(tmp_path, monkeypatch, peak):
    monkeypatch.setattr(driver, "SIDES", (16,))
    monkeypatch.setattr(driver, "TILE", 32)
    samples, days = speckle(coherence_of(6), 64, 32), days_of(6)
    peaks = []
    for rows in (32, 32, 64):  # the first one compiles
        grid = Grid("EPSG:32632", Affine(5, 0, 5e5, 0, -20, 5e6), 32 * LOOKS[1], rows)
        files = write_slcs(tmp_path / str(rows), samples[:, :rows], days, grid)
        settings = linking(window=3, remove_motion=False, ministack=6)
        peaks.append(peak(driver.run, files, settings, tmp_path / f"linked{rows}"))
    assert peaks[2] < 1.1 * peaks[1]


def test_blocks_leave_no_empty_places_in_the_files(tmp_path, monkeypatch):
    """A tile that is written in parts is written at another place each time; a copy has none of the earlier ones."""
    monkeypatch.setattr(driver, "SIDES", (16,))
    monkeypatch.setattr(driver, "CACHE_BYTES", 1)  # as good as none, as of a large area
    samples, days = speckle(coherence_of(6), 64, 32), days_of(6)
    grid = Grid("EPSG:32632", Affine(5, 0, 5e5, 0, -20, 5e6), 32 * LOOKS[1], 64)
    files = write_slcs(tmp_path / "slc", samples, days, grid)
    driver.run(files, linking(window=3, ministack=6), tmp_path / "linked")
    for made in ("20210121.tif", "compressed.tif"):
        rasterio.shutil.copy(tmp_path / "linked" / made, tmp_path / made, driver="GTiff", tiled=True, compress="zstd")
        assert (tmp_path / "linked" / made).stat().st_size < 2 * (tmp_path / made).stat().st_size


FREED = """
import numpy as np
from benchmarks._peers import peak_memory
from slipmap.memory import return_arrays
np.ones(30 * 2**17)  # 30 MiB: once it is freed, glibc takes smaller arrays from the heap
return_arrays(2**20)
arrays = [np.ones(2**18) for _ in range(50)]  # 2 MiB each
last = arrays[-1]
del arrays
np.ones(100 * 2**17)
print(peak_memory())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nothing is changed elsewhere")
def test_arrays_go_back_to_the_system_below_one_that_stays():
    """The 100 MiB come in place of those that were freed, not on top."""
    said = subprocess.run([sys.executable, "-c", FREED], check=True, capture_output=True, text=True).stdout
    assert float(said) < 170
