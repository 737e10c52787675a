"""A simulated storm: what its truth says is in the images, rain and harvest too, and nothing changes without one."""

import numpy as np
import pytest
import rasterio
import xarray as xr

from slipmap.config.inputs import SimulatedEventSettings, SimulateSettings
from slipmap.config.layout import EVENT_TRUTH
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.simulator import area, sentinel1
from slipmap.simulator.event import CHANGES, HARVESTED, NEW, UNCHANGED, WET
from slipmap.simulator.landcover import FOREST, GRASS

GRID = Grid.from_bounds("EPSG:32632", 12.5, (680000, 4880000, 682000, 4882000))
STORM = SimulatedEventSettings(date="2021-03-25", landslides=6)
SETTINGS = SimulateSettings(seed=3, dates=6, landslides=15, scenes=1, event=STORM, baseline=5, turbulence=0.5)


@pytest.fixture(scope="module")
def storm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("storm")
    area.run(SETTINGS, GRID, folder)
    return folder


def power(folder, day):
    with rasterio.open(folder / f"{day:%Y%m%d}.tif") as source:
        return (np.abs(source.read(1)) ** 2).reshape(GRID.height, GRID.width, 4).mean(2)


def coherence(storm, days, here):
    slcs = [rasterio.open(storm / f"sentinel1/{day:%Y%m%d}.tif").read(1) for day in days]
    one, other = (slc.reshape(GRID.height, GRID.width, 4)[here].ravel() for slc in slcs)
    return np.abs(np.vdot(one, other)) / np.sqrt(np.vdot(one, one).real * np.vdot(other, other).real)


def about(days):
    first = next(k for k, day in enumerate(days) if day > STORM.date)
    return days[first - 2], days[first - 1], days[first]


def test_new_landslides_lose_coherence_and_change_backscatter_as_their_truth_says(storm):
    earlier, before, after = about(area.simulated_dates(SETTINGS))
    truth, change = raster.read(storm / "truth/event.tif", None, 1), raster.read(storm / "truth/event_backscatter.tif")
    new, rest = truth == NEW, truth == UNCHANGED
    assert new.sum() > 200 and raster.read_classes(storm / "truth/event.tif") == CHANGES
    assert coherence(storm, (before, after), new) < 0.1 < 0.2 < coherence(storm, (earlier, before), new)
    assert coherence(storm, (before, after), rest) > 0.2
    for band, folder in enumerate(("sentinel1", "sentinel1_vh")):
        ratio = 10 * np.log10(power(storm / folder, after) / power(storm / folder, before))
        for level in np.unique(change[band][new].round(2)):
            slide = new & (change[band].round(2) == level)
            if slide.sum() > 80:
                found = 10 * np.log10(
                    power(storm / folder, after)[slide].mean() / power(storm / folder, before)[slide].mean()
                )
                assert found == pytest.approx(change[band][slide].mean(), abs=0.8)
        assert abs(np.median(ratio[rest]) - np.median(change[band][rest])) < 0.3


def test_rain_and_harvest_are_there_to_distract(storm):
    truth = raster.read(storm / "truth/event.tif", None, 1)
    change = raster.read(storm / "truth/event_backscatter.tif")
    assert (truth == HARVESTED).sum() > 50
    assert (change[0][truth == WET] >= 1).all()
    with xr.open_dataset(storm / "rainfall.nc") as rain:
        assert rain.rainfall.sel(time=str(STORM.date)).mean() > 0.7 * STORM.rain
    for name in ("before", "after"):
        (scene,) = (storm / f"sentinel2_{name}").glob("*.tif")
        assert (scene.stem > f"{STORM.date:%Y%m%d}") == (name == "after")


def test_without_an_event_nothing_of_it_is_left_and_scatterers_are_the_same_to_the_last_bit(storm, tmp_path):
    class Nothing:
        renewed = bared = staticmethod(lambda k: np.zeros(cover.shape, bool))
        kept = staticmethod(lambda k: np.ones(cover.shape, np.float32))
        gain = staticmethod(lambda k, cross: np.ones(cover.shape, np.float32))

    cover = np.where(np.arange(40) < 20, GRASS, FOREST) * np.ones((20, 1), int)
    plain = SETTINGS.model_copy(update={"event": None, "dates": 4})
    for one, other in zip(
        sentinel1.scatterers(plain, cover), sentinel1.scatterers(plain, cover, disturbed=Nothing()), strict=True
    ):
        assert np.array_equal(one, other)
    area._write_event(GRID, None, storm_copy(storm, tmp_path))
    assert not any((tmp_path / "truth" / name).exists() for name in EVENT_TRUTH)
    assert '"event"' in (storm / "SIMULATED.txt").read_text()
    assert '"event"' not in area._statement(plain, GRID, [])


def storm_copy(storm, folder):
    (folder / "truth").mkdir()
    for name in EVENT_TRUTH:
        (folder / "truth" / name).write_bytes((storm / "truth" / name).read_bytes())
    return folder


@pytest.mark.parametrize("day", ["2020-12-31", "2022-01-01"])
def test_an_event_that_no_two_images_lie_about_is_refused(tmp_path, day):
    wrong = SETTINGS.model_copy(
        update={"event": STORM.model_copy(update={"date": SimulatedEventSettings(date=day).date})}
    )
    with pytest.raises(InputError, match=r"simulate.event.date: .* is not between two images"):
        area.run(wrong, GRID, tmp_path)
