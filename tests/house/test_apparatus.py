"""Files that repeat a fact agree: versions, requirements, what the workflow on GitHub calls."""

import re
import tomllib
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def test_one_version():
    version = PROJECT["version"]
    assert yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())["version"] == version
    assert f'VERSION = "{version}"' in (REPOSITORY / "workflow/Snakefile").read_text()
    assert f"## {version}" in (REPOSITORY / "CHANGELOG.md").read_text()
    assert f"slipmap-{version}-py3" in (REPOSITORY / "docs/installing.md").read_text()


def test_the_conda_environment_installs_what_pip_installs():
    """Python of the versions that are supported, and by pip this package with its own requirements and constraints."""
    environment = yaml.safe_load((REPOSITORY / "envs/slipmap.yaml").read_text())
    python, pip, by_pip = environment["dependencies"]
    assert python == "python=3.11" and "3.11" in PROJECT["requires-python"] and pip == "pip"
    place = REPOSITORY / ".snakemake" / "conda"  # where Snakemake copies the file to
    for line in by_pip["pip"]:
        option, path = line.split()
        assert option in ("-c", "-e")
        assert (place / path).resolve() == (REPOSITORY / ("constraints.txt" if option == "-c" else "")).resolve()


def test_every_requirement_has_a_version_in_the_constraints():
    names = {
        re.match(r"[A-Za-z0-9_.-]+", line)[0].lower().replace("_", "-")
        for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
        for line in group
    }
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (REPOSITORY / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    not_for_tests = {"snaphu", "snakemake-executor-plugin-slurm", "mypy"}  # installed by those who ask for them
    assert names - pinned <= not_for_tests


def test_what_github_calls_is_there():
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/test.yml").read_text())
    steps = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert {step.removeprefix("make ") for step in steps if step.startswith("make ")} <= targets
    assert ".ci/run" in steps
    for form in (REPOSITORY / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        assert yaml.safe_load(form.read_text()), form


def test_containers_are_built_from_the_constraints():
    for recipe in ("Containerfile", "slipmap.def"):
        text = (REPOSITORY / "envs" / recipe).read_text()
        assert "--constraint" in text and "constraints.txt" in text and "3.11" in text
