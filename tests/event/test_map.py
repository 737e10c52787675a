"""The event map of a simulated storm: landslides found, rain and harvest not, reductions stated, any block alike."""

import json

import geopandas as gpd
import numpy as np
import pytest
import rasterio

from benchmarks import event as bench
from slipmap.config.event import EventSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.errors import InputError
from slipmap.event import landslides, track
from slipmap.event.landslides import LAYER
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.simulator import area
from slipmap.simulator.event import NEW

SETTINGS = EventSettings(date=bench.EVENT, window=3)
OUTPUTS = {"significance": "significance.tif", "landslides": "l.gpkg", "style": "l.qml", "record": "r.json"}


@pytest.fixture(scope="module")
def storm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("storm")
    grid = bench.simulate(5, 160, folder, dates=8)
    return folder, grid, bench.make(folder, grid, bench.settings())


def stack(folder, name="sentinel1"):
    return Sentinel1Settings(level="slc", path=str(folder / name))


def test_what_failed_is_found_and_outlined_with_what_each_indicator_says(storm):
    folder, _, made = storm
    slides = gpd.read_file(folder / "truth/event_landslides.gpkg")
    frame = gpd.read_file(made["landslides.gpkg"], layer=LAYER)
    met = slides.intersects(frame.union_all())
    assert met.mean() >= 0.7
    on = frame.intersects(slides.union_all())
    assert on.mean() >= 0.7
    assert (frame[on].own_coherence_across < frame[on].own_coherence_before).mean() > 0.9
    truth, values = raster.read(folder / "truth/event.tif", None, 1), raster.read(made["significance"])
    looked = np.isfinite(values[0])
    assert bench.auroc(values[0], truth == NEW, looked) > 0.93
    assert np.isnan(values[0][raster.read(made["slope"], None, 1) < 8]).all(), "gentle ground is left out"
    record = json.loads(made["record.json"].read_text())
    assert record["landslides"] == len(frame) and record["optical"]
    assert record["reduced"] == ["one track: slopes in its layover or shadow are not seen"]


def test_each_indicator_tells_of_landslides_by_itself(storm):
    folder, grid, made = storm
    truth, looked = raster.read(folder / "truth/event.tif", None, 1), np.ones(grid.shape, bool)
    bands = dict(zip(track.BANDS, raster.read(made["track"]), strict=True))
    for name in track.SCORES:
        values = bands[name] if name == "coherence_loss_score" else np.abs(bands[name])
        assert bench.auroc(values, truth == NEW, looked) > 0.75, name
        still = np.isfinite(bands[name]) & (truth == 0)
        assert np.std(np.clip(bands[name][still], -4, 4)) == pytest.approx(1, abs=0.35), name


def test_radar_alone_two_images_and_a_second_track_are_enough_and_said(storm, tmp_path):
    folder, grid, made = storm
    pair = tmp_path / "slc"
    pair.mkdir()
    days = [day for day in area.simulated_dates(bench.storm(5, 8))]
    first = next(k for k, day in enumerate(days) if day > bench.EVENT)
    for day in days[first - 1 : first + 1]:
        (pair / f"{day:%Y%m%d}.tif").symlink_to(folder / f"sentinel1/{day:%Y%m%d}.tif")
    track.run(stack(tmp_path, "slc"), SETTINGS, (1, 4), tmp_path / "t.tif", tmp_path / "i.json")
    told = json.loads((tmp_path / "i.json").read_text())
    assert told["reduced"][0].startswith("one image before the event") and "VV alone" in told["reduced"][1]
    outputs = {name: tmp_path / path for name, path in OUTPUTS.items()}
    tracks = {"own": made["track"], "opposite": tmp_path / "t.tif"}
    records = {"own": made["images.json"], "opposite": tmp_path / "i.json"}
    landslides.run(tracks, records, grid, SETTINGS, outputs)
    record = json.loads(outputs["record"].read_text())
    assert any(text.startswith("opposite: one image before") for text in record["reduced"])
    assert any("no optical change" in text for text in record["reduced"])
    assert not any("one track" in text for text in record["reduced"])
    frame = gpd.read_file(outputs["landslides"], layer=LAYER)
    assert {"own_vv_change", "opposite_vv_change"} <= set(frame.columns)


def test_the_map_does_not_depend_on_blocks_nor_on_when_it_is_made(storm, tmp_path, monkeypatch):
    folder, _, _ = storm
    monkeypatch.setattr(track.Track, "learn", lambda self, learn=track.Track.learn: learnt(self, learn))
    kept = {}

    def learnt(self, learn):
        kept.setdefault("all", learn(self))
        return kept["all"]

    for side, name in ((256, "a"), (48, "b")):
        monkeypatch.setattr(track, "SIDE", side)
        track.run(stack(folder), SETTINGS, (1, 4), tmp_path / f"{name}.tif", tmp_path / "i.json")
    with rasterio.open(tmp_path / "a.tif") as one, rasterio.open(tmp_path / "b.tif") as other:
        np.testing.assert_allclose(one.read(), other.read(), atol=2e-4)


def test_images_that_do_not_go_together_are_one_sentence(storm, tmp_path):
    folder, _, _ = storm
    given = (stack(folder), SETTINGS, (1, 4), tmp_path / "t.tif", tmp_path / "i.json")
    other = tmp_path / "vh"
    other.mkdir()
    days = area.simulated_dates(bench.storm(5, 8))
    (other / "a.tif").symlink_to(folder / f"sentinel1_vh/{days[0]:%Y%m%d}.tif")
    with pytest.raises(InputError, match=r"event.vh: .* has no image of .*; add it, or set event.vh to null"):
        track.run(given[0], SETTINGS.model_copy(update={"vh": str(other)}), *given[2:])
    late = SETTINGS.model_copy(update={"date": days[-1]})
    with pytest.raises(InputError, match="no image after"):
        track.run(given[0], late, *given[2:])


def test_an_area_where_nothing_fell_has_an_empty_layer(storm, tmp_path):
    _, _, made = storm
    grid = Grid.from_raster(made["track"])
    outputs = {name: tmp_path / path for name, path in OUTPUTS.items()}
    strict = SETTINGS.model_copy(update={"significance": 50.0})
    landslides.run({"own": made["track"]}, {"own": made["images.json"]}, grid, strict, outputs)
    frame = gpd.read_file(outputs["landslides"], layer=LAYER)
    assert len(frame) == 0 and "own_vh_change" in frame
