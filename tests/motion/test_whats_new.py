"""What is new since an earlier run: areas whose motion is known, noise, and runs that do not compare."""

import json
import shutil
from datetime import date, timedelta
from itertools import pairwise

import geopandas as gpd
import h5netcdf
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import MultiPolygon, box

from slipmap.config.layout import Results
from slipmap.config.motion import ChangeSettings
from slipmap.deformation import timeseries
from slipmap.deformation.stack import Pair, save_network
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.io.vector import write_layers
from slipmap.motion import since, whats_new
from slipmap.motion.earlier import open_earlier

GRID = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 502560, 5002560))
DATES = [date(2021, 1, 9) + timedelta(days=12 * k) for k in range(60)]
LAST = 52  # dates of the earlier run
T = np.array([(day - DATES[0]).days for day in DATES]) / 365.25
SINCE = np.maximum(T - T[LAST - 1], 0)
# where (rows, cols from), velocity before, change of it since, in the earlier run's areas, in the present ones
SLIDES = {
    "began to move": ((30, 30), 0.0, -120.0, False, True),
    "sped up": ((30, 120), -30.0, -120.0, True, True),
    "slowed": ((120, 30), -110.0, 60.0, True, True),
    "stopped": ((120, 120), -90.0, 90.0, True, False),
    "no change": ((200, 200), -40.0, 0.0, True, True),
}
SIZE = 14
FILES = {"areas": "c.gpkg", "table": "c.csv", "change": "c.tif", "record": "c.json"}


def outline(corner):
    (x, y), (x2, y2) = (GRID.transform @ (corner[1] + k, corner[0] + k) for k in (0, SIZE))
    return MultiPolygon([box(x, y2, x2, y)])


def areas(path, chosen):
    found = [outline(corner) for corner in chosen]
    frame = gpd.GeoDataFrame({"area": range(1, len(found) + 1)}, geometry=found, crs=GRID.crs)
    write_layers(path, {"active_areas": frame}, geometry_type="MultiPolygon")


def write_velocity(place, grid):
    still = np.zeros(grid.shape, np.float32)
    raster.write(place / Results.velocity, grid, still, bands=["velocity"], units="mm/yr", long_name="velocity")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """An earlier run of `LAST` dates in `then`, the present one in `now`."""
    folder = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(1)
    series = rng.normal(0, 2, (len(DATES), *GRID.shape)) + rng.normal(0, 3, (len(DATES), 1, 1))
    for corner, velocity, change, *_ in SLIDES.values():
        rows, cols = (slice(k, k + SIZE) for k in corner)
        series[:, rows, cols] += (velocity * T + change * SINCE)[:, None, None]
    for name, column in (("then", 3), ("now", 4)):
        place = folder / name
        (place / "deformation").mkdir(parents=True)
        GRID.save(place / Results.grid)
        write_velocity(place, GRID)
        where = {"row": 5, "col": 7, "radius": 2, "longitude": 9.0, "latitude": 45.2}
        (place / Results.reference).write_text(json.dumps(where))
        days = DATES[: LAST if name == "then" else None]
        save_network(place / Results.network, [Pair(a, b, 0.0, {}) for a, b in pairwise(days)])
        areas(place / Results.active_areas, [one[0] for one in SLIDES.values() if one[column]])
    maps = {"temporal_coherence": ("1", "coherence")}
    with timeseries.create(folder / "t.nc", GRID, DATES, baselines=None, attributes={}, maps=maps) as file:
        for window in GRID.blocks():
            file.write(series[(slice(None), *window.toslices())].astype(np.float32), window)
    about = {"bands": ["mask"], "units": "1", "long_name": "mask", "dtype": "uint8"}
    raster.write(folder / "m.tif", GRID, np.ones(GRID.shape, np.uint8), **about)
    return folder


def opened(runs, then="then"):
    now = runs / "now"
    return open_earlier(runs / then, GRID, now / Results.velocity, now / Results.reference)


def compare(runs, out, earlier=None, **more):
    files = {"timeseries": runs / "t.nc", "mask": runs / "m.tif", "active_areas": runs / "now" / Results.active_areas}
    outputs = {name: out / path for name, path in FILES.items()}
    settings = ChangeSettings(earlier=str(runs / "then"))
    whats_new.run(earlier or opened(runs), files, settings, outputs, **more)
    return gpd.read_file(outputs["areas"], layer="changes"), json.loads(outputs["record"].read_text())


def test_every_change_is_called_what_it_is_with_its_velocities_and_dates(runs, tmp_path):
    frame, told = compare(runs, tmp_path)
    assert len(frame) == len(SLIDES)
    assert told["by_change"] == dict.fromkeys(whats_new.CHANGES, 1) | {whats_new.UNKNOWN: 0}
    for name, (corner, velocity, change, then, now) in SLIDES.items():
        (row,) = frame[frame.intersects(outline(corner).buffer(-20))].to_dict("records")
        assert row["change"] == name
        assert row["new"] == (now and not then) and row["gone"] == (then and not now)
        assert np.isnan(row["earlier_area"]) == (not then) and np.isnan(row["area"]) == (not now)
        assert row["velocity_before"] == pytest.approx(velocity, abs=4 * row["velocity_before_std"])
        assert row["velocity_change"] == pytest.approx(change, abs=4 * row["velocity_change_std"])
        assert row["velocity_since"] == pytest.approx(row["velocity_before"] + row["velocity_change"])
    assert set(frame.from_date) == {DATES[LAST].isoformat()} and told["new_dates"][0] == DATES[LAST].isoformat()
    table = pd.read_csv(tmp_path / "c.csv")
    assert list(table.change) == list(frame.change)


def test_the_map_shows_where_and_raises_the_stated_alarms_elsewhere(runs, tmp_path):
    compare(runs, tmp_path)
    bands = dict(zip(whats_new.BANDS, raster.read(tmp_path / "c.tif"), strict=True))
    rows, cols = (slice(k, k + SIZE) for k in SLIDES["sped up"][0])
    assert np.median(bands["velocity_change"][rows, cols]) == pytest.approx(-120, abs=30)
    still = np.ones(GRID.shape, bool)
    for corner, *_ in SLIDES.values():
        still[corner[0] : corner[0] + SIZE, corner[1] : corner[1] + SIZE] = False
    assert np.mean(np.abs(bands["velocity_change_significance"][still]) > 3) < 0.02


def test_a_bend_at_a_known_date_lies_in_its_interval_as_often_as_stated():
    model = since.bend(DATES, DATES[LAST - 1], 0.0)
    noise = np.random.default_rng(3).normal(0, 4, (len(DATES), 4000))
    fit = model.fit((-30 * T - 80 * SINCE + 5 * np.cos(2 * np.pi * T))[:, None] + noise)
    for name, truth in (("before", -30), ("since", -110), ("change", -80)):
        values, std = getattr(fit, name), getattr(fit, f"{name}_std")
        assert 0.92 <= np.mean(np.abs(values - truth) <= 1.96 * std) <= 0.97, name
    null = model.fit((-30 * T)[:, None] + noise).significance
    assert np.mean(np.abs(null) > 1.96) == pytest.approx(0.05, abs=0.012) and np.std(null) == pytest.approx(1, abs=0.05)


def test_new_outlines_of_a_map_are_those_that_meet_none_of_the_earlier(runs, tmp_path):
    folder = runs / "then/maps/unet"
    folder.mkdir(parents=True, exist_ok=True)
    corners = [one[0] for one in SLIDES.values()]
    for path, chosen in ((folder / "landslides.gpkg", corners[:3]), (tmp_path / "now.gpkg", corners)):
        frame = gpd.GeoDataFrame(
            {"landslide": range(len(chosen))}, geometry=[outline(one) for one in chosen], crs=GRID.crs
        )
        write_layers(path, {"landslides": frame}, geometry_type="MultiPolygon")
    _, told = compare(runs, tmp_path, maps={"unet": tmp_path / "now.gpkg", "other": tmp_path / "now.gpkg"})
    assert told["new_outlines"] == {"unet": 2}
    assert len(gpd.read_file(tmp_path / "c.gpkg", layer="new_unet")) == 2


def test_no_new_image_and_few_of_them_are_said(runs, tmp_path):
    late = whats_new.Earlier(runs / "then", DATES[-1])
    frame, told = compare(runs, tmp_path, late)
    assert "no image since the earlier run" in told["reduced"][0] and set(frame.change) == {whats_new.UNKNOWN}
    _, told = compare(runs, tmp_path, whats_new.Earlier(runs / "then", DATES[-2]))
    assert told["reduced"] == ["1 new image: only large changes can be told"]


def only(runs, folder, mask, seen):
    """The present run with another mask, and series without values where not `seen`, (dates,) bool or all of them."""
    place = folder / "runs"
    (place / "now/deformation").mkdir(parents=True)
    (place / "then").symlink_to(runs / "then")
    shutil.copytree(runs / "now", place / "now", dirs_exist_ok=True)
    about = {"bands": ["mask"], "units": "1", "long_name": "mask", "dtype": "uint8"}
    raster.write(place / "m.tif", GRID, mask.astype(np.uint8), **about)
    maps = {"temporal_coherence": ("1", "coherence")}
    days = [day for day, there in zip(DATES, seen, strict=True) if there]
    with h5netcdf.File(runs / "t.nc", "r") as file:
        old = timeseries.SeriesFile(file, GRID)
        with timeseries.create(place / "t.nc", GRID, days, baselines=None, attributes={}, maps=maps) as new:
            for window in GRID.blocks():
                new.write(old.read(window)[seen], window)
    return place


@pytest.mark.parametrize("unreliable", ["everywhere", "in one area"])
def test_an_area_that_is_not_measured_is_not_said_to_be_the_same(runs, tmp_path, unreliable):
    mask = np.ones(GRID.shape, bool)
    (row, _), *_ = SLIDES["sped up"]
    mask[slice(None) if unreliable == "everywhere" else slice(row - 2, row + SIZE + 2)] = False
    frame, told = compare(only(runs, tmp_path, mask, np.ones(len(DATES), bool)), tmp_path)
    unknown = 5 if unreliable == "everywhere" else 2  # "began to move" lies in the same rows
    assert told["by_change"][whats_new.UNKNOWN] == unknown == (frame.change == whats_new.UNKNOWN).sum()
    assert frame.velocity_change[frame.change == whats_new.UNKNOWN].isna().all()
    assert told["reduced"] == [
        f"{unknown} of 5 areas have no reliable pixel with a whole series: whether they changed is not known"
    ]
    if unreliable == "everywhere":
        assert np.isnan(raster.read(tmp_path / "c.tif")).all()


def test_four_dates_are_too_few_to_compare_and_that_is_said(runs, tmp_path):
    seen = np.zeros(len(DATES), bool)
    seen[[0, 20, 55, 59]] = True
    frame, told = compare(only(runs, tmp_path, np.ones(GRID.shape, bool), seen), tmp_path)
    assert set(frame.change) == {whats_new.UNKNOWN}
    assert told["reduced"][0] == "4 dates: velocities before and since are not compared"


@pytest.mark.parametrize("wrong", ["missing", "grid", "velocity", "reference"])
def test_a_run_that_does_not_compare_is_refused_in_a_sentence(runs, tmp_path, wrong):
    then = tmp_path / "then"
    shutil.copytree(runs / "then", then)
    other = Grid.from_bounds("EPSG:32632", 20, GRID.bounds)
    said = {"missing": "no deformation/network.csv", "grid": "another grid", "velocity": "velocity in .* another grid",
            "reference": r"another reference \(9.00000, 45.20000\); set deformation.reference_point"}  # fmt: skip
    if wrong == "missing":
        (then / Results.network).unlink()
    elif wrong == "grid":
        other.save(then / Results.grid)
    elif wrong == "velocity":
        write_velocity(then, other)
    else:
        record = json.loads((then / Results.reference).read_text()) | {"row": 6}
        (then / Results.reference).write_text(json.dumps(record))
    now = runs / "now"
    with pytest.raises(InputError, match=said[wrong]):
        open_earlier(then, GRID, now / Results.velocity, now / Results.reference)
