"""The wheel alone, without a checkout: it holds the workflow, and `slipmap run` finds it."""

import os
import subprocess
import sys
import zipfile

import pytest

from helpers.workflow_runs import REPOSITORY, small_config, write_config


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder that holds what the wheel installs."""
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    source = place / "source"  # building writes beside the sources
    names = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        if (REPOSITORY / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((REPOSITORY / name).read_bytes())
    subprocess.run([*build, "--wheel-dir", str(place), str(source)], check=True, capture_output=True)
    (wheel,) = place.glob("slipmap-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


def slipmap(site, folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "slipmap.cli", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(site)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_the_wheel_plans_a_config_and_the_demo_anywhere(installed, tmp_path):
    write_config(tmp_path, small_config())
    answer = slipmap(installed, tmp_path, "run", "run.yaml", "-n", "--", "--quiet", "host")
    assert answer.returncode == 0, answer.stdout
    assert "results/valley/report/index.html" in answer.stdout
    (tmp_path / "empty").mkdir()
    answer = slipmap(installed, tmp_path / "empty", "run", "-n")
    assert answer.returncode == 0 and "results/demo/report/index.html" in answer.stdout, answer.stdout


def test_the_wheel_makes_a_file(installed, tmp_path):
    write_config(tmp_path, small_config())
    answer = slipmap(installed, tmp_path, "run", "run.yaml", "--target", "results/valley/grid.json", "--cores", "1")
    assert answer.returncode == 0, answer.stdout
    assert (tmp_path / "results/valley/grid.json").is_file()


def test_a_config_that_is_not_there_is_one_sentence(installed, tmp_path):
    answer = slipmap(installed, tmp_path, "run", "nowhere.yaml")
    assert answer.returncode == 1
    assert answer.stdout.startswith("slipmap: nowhere.yaml does not exist") and answer.stdout.count("\n") == 1


def test_benchmarks_are_said_to_need_a_checkout(installed, tmp_path):
    answer = slipmap(installed, tmp_path, "bench")
    assert answer.returncode == 1 and "checkout" in answer.stdout and "Traceback" not in answer.stdout
