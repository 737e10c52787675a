"""The demo's accuracy criterion on a smaller simulated stack: SLCs to velocity, against the truth that was put in."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from slipmap.config import read_config
from slipmap.config.deformation import DeformationSettings
from slipmap.config.inputs import Sentinel1Settings, SimulateSettings
from slipmap.deformation import invert_network, network, unwrapping
from slipmap.deformation.phase_linking import driver
from slipmap.deformation.phase_linking import pairs as linked_pairs
from slipmap.deformation.stack import load_network
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.report.validation import compare_rasters
from slipmap.sentinel1 import geocode
from slipmap.simulator import area as simulate

GRID = Grid("EPSG:32632", Affine(12.5, 0, 500000, 0, -12.5, 5000000), 256, 256)
# A ninth of the demo's ground, and all that makes interferograms hard (atmosphere, decorrelation, noise, DEM error) as
# there; as many landslides as there is room for, so that there are movers enough to fit a line to.
SIMULATED = SimulateSettings(seed=7, dates=30, landslides=140, scenes=1)
COHERENCE, MOVING = 0.7, 10.0
DEMO = Path(__file__).parents[2] / "config/config.yaml"


def assert_accurate(velocity, truth, quality, *, least=COHERENCE, coherent=0.5):
    """The criterion of the demo: mm/yr against the simulated truth, over coherent pixels, and over the movers alone.

    Parameters
    ----------
    least : quality from which a pixel counts: temporal coherence, or a mask of 1.
    coherent : share of the area that counts at least; the criterion names none, an empty map shall not pass.
    """
    found = compare_rasters(velocity, truth, quality, least=least, moving=MOVING)
    assert found.pixels > coherent * found.area_pixels, found
    assert found.rms <= 3, found
    assert found.movers >= 1000, found
    assert found.movers_kept >= 0.5 * found.movers, found
    assert found.movers_rms <= 5, found
    assert 0.9 <= found.slope <= 1.1, found


@pytest.fixture(scope="module")
def recovered(tmp_path_factory):
    """Folder with ``velocity.tif`` and ``temporal_coherence.tif`` from simulated SLCs, and ``truth/``."""
    folder = tmp_path_factory.mktemp("velocity")
    simulate.run(SIMULATED, GRID, folder)
    invert(folder, folder / "sentinel1", DeformationSettings())
    return folder


def invert(folder, slcs, settings):
    """From the geocoded SLCs in the folder `slcs` to velocity, in `folder`."""
    network.run(
        Sentinel1Settings(level="slc", path=str(slcs)),
        settings,
        folder / "network.csv",
        folder / "network.png",
        folder / "stack.json",
    )
    pairs, unwrapped, linked, more = load_network(folder / "network.csv"), [], [], {}
    if settings.estimator == "phase_linking":
        dates = {getattr(pair, role): pair.files[role] for pair in pairs for role in ("reference", "secondary")}
        driver.run(dates, settings, folder / "linked")
        linked, options = [folder / "linked"], settings.phase_linking
        more = {"least_fit": options.min_goodness_of_fit, "linked": (options.window, options.window_weights)}
    for pair in pairs:
        unwrapped.append(folder / "unwrapped" / f"{pair.name}.tif")
        if linked:
            linked_pairs.run(linked, pair, settings, unwrapped[-1])
        else:
            unwrapping.run(pair, settings, unwrapped[-1])
    files = (folder / "network.csv", folder / "stack.json", unwrapped)
    invert_network.run(*files, settings, folder, dem=folder / "dem.tif", linked_phases=linked, **more)


def judged(folder, velocity="velocity.tif"):
    return folder / velocity, folder / "truth/velocity_los.tif", folder / "temporal_coherence.tif"


def test_the_recovered_velocity_agrees_with_the_simulated_truth(recovered):
    assert_accurate(*judged(recovered))


def test_so_does_that_from_raw_safe_products_with_the_demos_settings(tmp_path):
    """As the demo runs: TOPS bursts geocoded, 1.45 independent looks in a pixel, phases linked; reliable ground."""
    demo = read_config(DEMO).areas["demo"]
    assert demo.simulate.sentinel1 == "safe"
    simulate.run(demo.simulate.model_copy(update={"scenes": 1}), GRID, tmp_path)
    rows, cols = demo.deformation.slc_looks
    (tmp_path / "slc").mkdir()
    for product in sorted((tmp_path / "sentinel1").glob("*.SAFE")):
        output = tmp_path / f"slc/{product.stem}.h5"
        geocode.run([product], tmp_path / "dem.tif", demo.geocoding, GRID.nested(cols, rows), output)
    invert(tmp_path, tmp_path / "slc", demo.deformation)
    velocity, truth, _ = judged(tmp_path)
    assert_accurate(velocity, truth, tmp_path / "mask.tif", least=1, coherent=0.8)


def variant(folder, name, change):
    """Write a changed copy of the recovered velocity."""
    path = folder / f"{name}.tif"
    array = change(raster.read(folder / "velocity.tif", bands=1))
    raster.write(path, GRID, array.astype(np.float32), bands=["velocity"], units="mm/yr", long_name=name)
    return path.name


@pytest.mark.parametrize(
    "name, change",
    [
        ("flipped", lambda v: -v),
        ("zero", np.zeros_like),
        ("empty", lambda v: np.full_like(v, np.nan)),
        ("halved", lambda v: 0.5 * v),
        ("displaced", lambda v: np.roll(v, 12, axis=1)),
        ("noisy", lambda v: v + np.random.default_rng(1).normal(0, 4, v.shape)),
        ("offset", lambda v: v + 4),
        ("centimetres", lambda v: v / 10),
    ],
)
def test_a_wrong_velocity_fails_the_criterion(recovered, name, change):
    with pytest.raises(AssertionError):
        assert_accurate(*judged(recovered, variant(recovered, name, change)))


def test_intervals_hold_the_truth_of_movers_and_of_still_ground(recovered):
    """The movers' intervals need what averaging hides: by the noise alone three quarters of them hold."""
    names = ("velocity", "velocity_std", "averaging_std", "mask", "truth/velocity_los")
    found, deviation, hidden, mask, truth = (raster.read(recovered / f"{n}.tif", bands=1).astype(float) for n in names)
    good = (mask == 1) & np.isfinite(found)
    still, movers = good & (truth == 0), good & (np.abs(truth) > MOVING)
    away = np.abs(found - np.median(found[still]) - truth)
    assert 0.88 <= np.mean(away[still] <= 1.96 * deviation[still]) <= 0.97
    assert np.mean(away[movers] <= 1.96 * deviation[movers]) >= 0.85
    noise = np.sqrt(deviation**2 - hidden**2)
    assert np.mean(away[movers] <= 1.96 * noise[movers]) < 0.85
    assert np.median(deviation[still]) <= 1.2 * np.sqrt(np.mean(away[still] ** 2))


def test_a_map_that_leaves_the_movers_out_fails_the_criterion(recovered, tmp_path):
    """Masking what is hard, the movers, must not pass for accuracy on the rest."""
    (tmp_path / "truth").mkdir()
    for name in ("velocity.tif", "truth/velocity_los.tif"):
        shutil.copy(recovered / name, tmp_path / name)
    coherence = raster.read(recovered / "temporal_coherence.tif", bands=1)
    moving = np.abs(raster.read(recovered / "truth/velocity_los.tif", bands=1)) > MOVING
    raster.write(
        tmp_path / "temporal_coherence.tif",
        GRID,
        np.where(moving, np.float32(0.3), coherence),
        bands=["temporal_coherence"],
        units="1",
        long_name="without the movers",
    )
    with pytest.raises(AssertionError, match="movers_kept"):
        assert_accurate(*judged(tmp_path))
