"""`slipmap bench` goes through all benchmarks: each can be called without arguments, or says why it is left out."""

import importlib
import inspect
import json

import pytest

import benchmarks
from slipmap.cli import main


@pytest.fixture
def modules():
    return {name: importlib.import_module(f"benchmarks.{name}") for name in benchmarks.benchmarks()}


def test_every_benchmark_can_be_called_without_arguments(modules):
    assert len(modules) > 25
    asking = {}
    for name, module in modules.items():
        parameters = inspect.signature(module.run).parameters.values()
        asking[name] = [one.name for one in parameters if one.default is inspect.Parameter.empty]
    assert {name: names for name, names in asking.items() if names} == {}


def test_without_names_all_of_them_run_in_order(modules, monkeypatch, capsys):
    called = []
    for name, module in modules.items():
        monkeypatch.setattr(module, "run", lambda name=name: called.append(name) or {"measured": name})
    benchmarks.run([])
    assert called == sorted(modules)
    said = capsys.readouterr().out
    assert all(f'"measured": "{name}"' in said for name in modules)


@pytest.mark.parametrize("name", ["active_areas", "demo_cost", "demo_intervals", "motion_edges", "semi_supervised"])
def test_what_needs_a_finished_run_is_left_out_without_one(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = importlib.import_module(f"benchmarks.{name}").run()
    assert list(found) == ["left out"] and "make demo" in found["left out"]


def test_repeated_runs_print_the_range_of_each_number(monkeypatch, capsys):
    runs = iter([{"rate": 3, "rows": {"a": 1.5}}, {"rate": 2, "rows": {"a": 1.5}}, {"rate": 7, "rows": {"a": 1.5}}])
    module = importlib.import_module("benchmarks.patches")
    monkeypatch.setattr(module, "run", lambda: next(runs))
    benchmarks.run(["patches"], repeat=3)
    said = capsys.readouterr().out
    assert said.count("\npatches, ") == 3
    last = said.rpartition("\npatches, 3 of 3")[2]
    assert json.loads(last[last.index("{") :]) == {"rate": [2, 7], "rows": {"a": 1.5}}


def test_no_runs_at_all_is_a_mistake(capsys):
    assert main(["bench", "patches", "--repeat", "0"]) != 0
    assert "--repeat 0: give a number of runs from 1" in capsys.readouterr().err


def test_mapping_is_measured_with_weights_of_today(modules):
    """Both map with untrained weights, whose record must hold all that mapping asks for."""
    assert modules["prediction"].run(side=96, bands=2, width=0.0625, repeats=1)["pixels"] == 96**2
    assert modules["region"].run(side=96, bands=2, width=0.0625)["pixels"] == 96**2
