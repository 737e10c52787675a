"""The cost model: rates of a finished run times the size of another area; a user's rates in a file of the user's."""

import json
import math
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import demo_cost
from slipmap.cli import main
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.planning import cost, scale
from slipmap.planning.estimate import estimate

HEAD = "s\tmax_rss\tcpu_time\n"
SHIPPED = cost.read_rates(cost.SHIPPED)


@pytest.fixture
def finished(tmp_path):
    """A run of 100 pixels, 2 dates and 2 pairs, from raw Sentinel-1 to factors and two maps."""
    run = tmp_path / "results" / "demo"
    for name, size in {
        "deformation/unwrapped/a_b.tif": 300, "deformation/unwrapped/b_c.tif": 300,
        "deformation/velocity.tif": 50, "factors/slope.tif": 1000,
        "sentinel1/slc/a.h5": 700, "sentinel1/slc/b.h5": 500, "maps/rs/probability.tif": 60, "maps/dr/class.tif": 20,
    }.items():  # fmt: skip
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(b"x" * size)
    (run / "grid.json").write_text(json.dumps({"width": 10, "height": 10}))
    for name, seconds in {
        "unwrap/a_b": 6, "unwrap/b_c": 4, "invert_network": 8, "terrain": 5, "geocode/a": 3,
        "geocode/b": 1, "screening": 9, "map_landslides_rs": 30, "map_landslides_dr": 10, "train_rs_0": "NA",
    }.items():  # fmt: skip
        path = run / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{HEAD}99\t{40 + len(name)}\t{seconds}\n")
    return run


def test_rates_are_measured_of_a_run(finished):
    rates = cost.measure(finished)
    assert rates["interferograms and unwrapping"] == cost.Rate(10 / 200, 600 / 200, 50.0)  # 100 pixels in 2 pairs
    assert rates["geocoding of raw Sentinel-1"] == cost.Rate(4 / 200, 1200 / 200, 49.0)
    assert rates["factors"] == cost.Rate(5 / 100, 1000 / 100, 47.0)
    assert rates["screening and classical models"].core_seconds == 9  # of a sample, whatever the area
    assert rates["mapping, one map"] == cost.Rate(40 / 200, 80 / 200, 57.0)  # two maps: the mean
    assert cost.TRAINING not in rates  # its only job was over before it was looked at


def test_the_run_that_was_measured_costs_what_it_cost(finished):
    rates, size = cost.measure(finished), cost.size_of(finished)
    for need in cost.needs(rates, size):
        if need.stage.name in rates and not need.stage.each:
            spent = {"interferograms and unwrapping": 10, "inversion": 8, "factors": 5, "screening and classical "
                     "models": 9, "geocoding of raw Sentinel-1": 4}  # fmt: skip
            assert need.core_hours * 3600 == pytest.approx(spent[need.stage.name])


@given(st.integers(1, 10**9), st.integers(0, 300), st.integers(0, 3000), st.integers(2, 9))
def test_a_stage_grows_with_what_it_says(pixels, dates, pairs, factor):
    """On `factor` times the pixels every stage costs that much more, but what works on a sample."""
    small = cost.needs(SHIPPED, cost.Size(pixels, dates, pairs, pairs))
    large = cost.needs(SHIPPED, cost.Size(pixels * factor, dates, pairs, pairs))
    for one, other in zip(small, large, strict=True):
        times = 1 if one.stage.grows == "sample" else factor
        assert other.core_hours == pytest.approx(times * one.core_hours) and other.largest_job_mb == one.largest_job_mb
    idle = {need.stage.grows for need in cost.needs(SHIPPED, cost.Size(pixels, 0, 0)) if need.core_hours == 0}
    assert idle == {"pixel pair", "pixel linked pair", "pixel date", "pixel raw date"}


def test_every_stage_of_the_demo_has_a_rate():
    assert list(SHIPPED) == [stage.name for stage in cost.STAGES]  # both estimators run there
    assert all(rate.core_seconds > 0 and rate.largest_job_mb > 50 for rate in SHIPPED.values())


def test_pairs_are_counted():
    days = [date(2022, 1, 1) + timedelta(days=12 * n) for n in range(10)]
    assert [cost.pairs_within(days, longest) for longest in (12, 24, 1000)] == [9, 9 + 8, 45]
    assert cost.pairs_within([*days, *days], 12) == 9


def test_a_new_area_and_a_large_one_are_reckoned_alike():
    """`new-area` adds up the stages that `scale` shows, but training, and but geocoding where SLCs are fetched."""
    grid = Grid.from_bounds("EPSG:32632", 12.5, (0, 0, 12_500, 12_500))
    year = (date(2022, 1, 1), date(2022, 12, 31))
    pairs = sum(31 - n for n in range(1, 6))  # 31 dates, pairs of at most 60 days
    need = estimate(grid, {}, {"sentinel1": "opera_cslc"}, *year, SHIPPED)
    stages = {n.stage.name: n for n in cost.needs(SHIPPED, cost.Size(1_000_000, 31, pairs), without=cost.LINKED)}
    raw, training = stages["geocoding of raw Sentinel-1"], stages[cost.TRAINING]
    assert need.download == pytest.approx(31 * 250e6)
    hours = sum(n.core_hours for n in stages.values()) - training.core_hours
    assert need.core_hours == pytest.approx(hours - raw.core_hours)
    disk = sum(n.disk for n in stages.values()) - training.disk
    assert need.disk - need.download == pytest.approx(disk - raw.disk)
    geocoded = estimate(grid, {}, {"sentinel1": "burst"}, *year, SHIPPED)
    assert geocoded.core_hours == pytest.approx(hours)
    supplied = estimate(grid, {}, {"sentinel1": "hyp3"}, *year, SHIPPED)  # unwrapped by HyP3
    saved = sum(stages[name].core_hours for name in cost.FORMED_HERE)
    assert supplied.core_hours == pytest.approx(need.core_hours - saved)


def test_a_users_rates_are_kept_in_a_file_of_the_users(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    shipped = cost.SHIPPED.read_bytes()
    assert cost.read_rates() == SHIPPED
    assert main(["rates", str(finished)]) == 0
    mine = tmp_path / "settings/slipmap/rates.csv"
    said = capsys.readouterr().out
    assert f"wrote {mine}" in said and f"{cost.TRAINING:32} no such jobs in this run" in said
    assert cost.SHIPPED.read_bytes() == shipped
    rates = cost.read_rates()
    assert rates["interferograms and unwrapping"] == cost.measure(finished)["interferograms and unwrapping"]
    assert rates[cost.TRAINING] == SHIPPED[cost.TRAINING]  # what the run did not have
    assert main(["rates", str(finished), "--out", str(tmp_path / "other.csv")]) == 0
    assert cost.read_rates(tmp_path / "other.csv") == rates
    assert "reads with --rates" in capsys.readouterr().out


@pytest.mark.parametrize("home", ["", "settings"])
def test_without_a_place_of_its_own_configuration_lies_under_home(home, tmp_path, monkeypatch):
    """As the XDG base directory specification has it: unset, empty and relative paths are ignored."""
    monkeypatch.setenv("XDG_CONFIG_HOME", home)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cost.user_rates() == tmp_path / ".config/slipmap/rates.csv"


@pytest.mark.parametrize(
    "text",
    [
        "rate,value\npixel_bytes,5\n",
        "stage,grows with,core seconds,bytes,largest job MB\nunwraping,pixel pair,1,1,1\n",
        "stage,grows with,core seconds,bytes,largest job MB\nunwrapping,pixel,1,1,1\n",
        "stage,grows with,core seconds,bytes,largest job MB\nunwrapping,pixel pair,much,1,1\n",
        "stage,grows with,core seconds,bytes,largest job MB\nunwrapping,pixel pair,-1,1,1\n",
        "stage,grows with,core seconds,bytes,largest job MB\nunwrapping,pixel pair\n",
    ],
)
def test_a_file_that_holds_no_rates_is_one_sentence(text, tmp_path):
    (tmp_path / "rates.csv").write_text(text)
    with pytest.raises(InputError, match=r"rates.csv holds no rates .*; write it again with 'slipmap rates'\.$"):
        cost.read_rates(tmp_path / "rates.csv")


def test_what_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"other\.csv cannot be read"):
        cost.read_rates(tmp_path / "other.csv")
    with pytest.raises(InputError, match="holds no finished run with deformation"):
        cost.measure(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written .*; name another file with --out"):
        cost.write_rates(SHIPPED, tmp_path / "file" / "rates.csv")
    assert math.isnan(cost.needs({}, cost.Size(1, 1, 1))[0].core_hours)


def test_the_demo_costs_what_it_was_measured_to_cost():
    """Rates times the demo's size, against all its jobs and all its files, whoever they belong to (`measured`)."""
    measured = json.loads((Path(__file__).parent / "demo_measured.json").read_text())
    needs = cost.needs(SHIPPED, cost.Size(**measured["size"]))
    times = [measured["experiments"] if need.stage.each else 1 for need in needs]
    seconds = sum(n * need.core_hours * 3600 for n, need in zip(times, needs, strict=True))
    disk = sum(n * need.disk for n, need in zip(times, needs, strict=True))
    assert seconds == pytest.approx(measured["core_seconds"], rel=0.15)
    assert disk == pytest.approx(measured["peak_bytes"], rel=0.15)


def test_a_large_area_of_linked_phases_stays_below_its_bounds():
    """50,000 km² with 103 dates: at most 2 TB of disk, and no more core hours than SBAS."""
    large = scale.size(50_000, 12.5, 103, neighbours=3)
    linked, sbas = (cost.needs(SHIPPED, large, without=other) for other in (cost.SBAS, cost.LINKED))
    assert sum(need.disk for need in linked) <= 2e12 < sum(need.disk for need in sbas)
    assert sum(need.core_hours for need in linked) <= sum(need.core_hours for need in sbas)


def test_all_jobs_and_files_of_a_run_are_counted(finished):
    (finished / "logs").mkdir()
    (finished / "logs/terrain.log").write_bytes(b"x" * 40)
    (finished / "benchmarks/simulate.tsv").write_text(f"{HEAD}9\t9\t1000\n")
    told = demo_cost.run(finished)
    assert told["core_seconds"] == 6 + 4 + 8 + 5 + 3 + 1 + 9 + 30 + 10 and told["experiments"] == 2
    assert told["peak_bytes"] == sum(path.stat().st_size for path in finished.rglob("*") if path.is_file())
    assert cost.Size(**told["size"]) == cost.size_of(finished)
