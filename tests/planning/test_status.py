"""`slipmap status` adds up what a run's jobs took and says whether one is working; `slipmap open` finds the report."""

import fcntl
import json

import pytest

from slipmap import cli
from slipmap.errors import InputError
from slipmap.planning import status

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two areas: one finished, one at work."""
    monkeypatch.chdir(tmp_path)
    rows = {
        "valley/benchmarks/unwrap/a.tsv": "100.5\t30",
        "valley/benchmarks/unwrap/b.tsv": "300\t40",
        "valley/benchmarks/optical_valley.tsv": "50\tNA",
        "valley/benchmarks/train_unet_0.tsv": "20\t7000",
        "gorge/benchmarks/grid.tsv": "20\t1",
    }
    for name, row in rows.items():
        memory, cpu = row.split("\t")
        path = tmp_path / "results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{HEAD}1\t0:00:01\t{memory}\t0\t0\t0\t0\t0\t0\t{cpu}\n")
    report = tmp_path / "results/valley/report/index.html"
    report.parent.mkdir()
    report.write_text("<html>")
    log = tmp_path / "results/gorge/logs/grid.log"
    log.parent.mkdir()
    log.touch()
    return tmp_path


def test_costs_are_sums_and_maxima_of_each_stage(folder):
    found = status.costs(folder / "results/valley")
    assert list(found) == ["deformation", "factors", "training"]
    assert found["deformation"] == status.Cost(jobs=2, core_seconds=70.0, memory=300.0)
    assert found["factors"] == status.Cost(jobs=1, core_seconds=0.0, memory=50.0)


def test_every_area_is_told_of_with_its_report_or_its_last_log(folder, capsys):
    assert cli.main(["status"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("No run works here.")
    assert "report: results/valley/report/index.html" in said
    assert "no report yet; the last log is results/gorge/logs/grid.log" in said
    together = next(line for line in said.splitlines() if "together" in line and "4 jobs" in line)
    assert "118 min" in together and "300 MB" in together


def test_one_area_alone_and_a_misspelt_one(folder):
    assert "valley" not in status.page(["gorge"])
    with pytest.raises(InputError, match="no area 'vally'; did you mean 'valley'"):
        status.page(["vally"])


def test_a_run_at_work_is_seen(folder):
    state = folder / ".snakemake" / "slipmap"
    state.mkdir(parents=True)
    (state / "run.json").write_text(json.dumps({"pid": 4711, "host": "here"}))
    with open(state / "run.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert status.running(folder) == "A run works here: process 4711 on here."
    assert status.running(folder) == "No run works here."


def test_an_empty_folder_says_what_to_do(tmp_path):
    assert "slipmap run" in status.page(root=tmp_path)


def test_open_finds_the_only_report_and_says_where_it_is(folder, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert (folder / "results/valley/report/index.html").as_uri() in status.show()
    (folder / "results/gorge/report").mkdir()
    (folder / "results/gorge/report/index.html").write_text("<html>")
    with pytest.raises(InputError, match=r"name one: slipmap open gorge \| valley"):
        status.show()
    assert "gorge" in status.show("gorge")


def test_open_starts_the_browser_of_the_desktop(folder, monkeypatch):
    opened = folder / "opened"
    tool = folder / "bin" / "xdg-open"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$1" > "{opened}.part" && mv "{opened}.part" "{opened}"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent) + ":/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    assert status.show("valley").startswith("opened ")
    for _ in range(200):
        if opened.exists():
            break
        __import__("time").sleep(0.02)
    assert opened.read_text().strip() == str(folder / "results/valley/report/index.html")


def test_no_report_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="no report here yet"):
        status.show(root=tmp_path)


def test_a_run_that_shows_its_progress_is_told_with_it(folder):
    state = folder / ".snakemake/slipmap"
    state.mkdir(parents=True)
    (state / "run.json").write_text(json.dumps({"pid": 4711, "host": "here"}))
    (state / "progress.txt").write_text(" 45 %  training: train (1 of 3), about 3 min left\n")
    with open(state / "run.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert status.running(folder).splitlines()[1] == "45 %  training: train (1 of 3), about 3 min left"
