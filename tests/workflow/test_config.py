"""The workflow and its config: a file given replaces the demo, mistakes stop it before any work."""

import pytest
import yaml

from helpers.workflow_runs import REPOSITORY, small_config, snakemake, write_config


@pytest.fixture
def folder(tmp_path):
    write_config(tmp_path, small_config())
    return tmp_path


def test_a_config_file_replaces_the_demo_and_no_key_of_it_survives(folder):
    answer = snakemake(folder, "--dry-run", "--quiet", "host")
    assert answer.returncode == 0, answer.stdout
    assert "valley" in answer.stdout
    assert "demo" not in answer.stdout
    # the demo's own folder holds its config under config/, where Snakemake would have merged it
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text((REPOSITORY / "config/config.yaml").read_text())
    answer = snakemake(folder, "--dry-run", "--quiet", "host")
    assert answer.returncode == 0 and "demo" not in answer.stdout


def test_without_a_config_file_the_demo_is_run(folder):
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text((REPOSITORY / "config/config.yaml").read_text())
    answer = snakemake(folder, "--dry-run", "--quiet", "host", config="")
    assert answer.returncode == 0, answer.stdout
    assert "results/demo/" in answer.stdout and "valley" not in answer.stdout


def stopped(folder, config):
    write_config(folder, config)
    before = sorted(path for path in folder.rglob("*") if ".snakemake" not in path.parts)
    answer = snakemake(folder)
    assert answer.returncode != 0
    assert "Traceback" not in answer.stdout
    assert sorted(path for path in folder.rglob("*") if ".snakemake" not in path.parts) == before, "work was done"
    return [line for line in answer.stdout.splitlines() if line.startswith("slipmap: ")]


def test_a_misspelt_key_stops_the_workflow_with_one_sentence(folder):
    config = small_config()
    config["areas"]["valley"]["simulte"] = config["areas"]["valley"].pop("simulate")
    (line,) = stopped(folder, config)
    assert "unknown key 'areas.valley.simulte'; did you mean 'simulate'?" in line


def test_a_missing_file_stops_the_workflow_with_one_sentence(folder):
    config = small_config()
    del config["areas"]["ungauged"]["simulate"]
    config["areas"]["ungauged"]["inputs"] = {"dem": "resources/ungauged/dem.tif"}
    (line,) = stopped(folder, config)
    assert "areas.ungauged.inputs.dem: resources/ungauged/dem.tif does not exist" in line


def test_every_area_config_of_the_repository_is_valid(repository):
    from slipmap.config import parse_config

    for path in sorted((repository / "config").rglob("*.yaml")):
        record = yaml.safe_load(path.read_text())
        if "areas" in record:
            parse_config(record, source=path.name)


def test_lint(repository, tmp_path):
    answer = snakemake(tmp_path, "--lint", config=str(repository / "config/config.yaml"))
    assert "Congratulations" in answer.stdout, answer.stdout[-3000:]
