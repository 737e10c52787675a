"""Every command of the documentation is run by a test, or marked with why none runs it; the cheap ones are run here."""

import shlex

import pytest

from helpers import doc_commands
from helpers.doc_commands import REPOSITORY
from slipmap import cli


@pytest.mark.parametrize("page", doc_commands.pages(), ids=lambda page: page.name)
def test_every_command_has_what_runs_it(page):
    unknown = [command for command in doc_commands.commands(page) if doc_commands.runner(command) is None]
    assert unknown == []


def test_the_tests_that_are_named_exist():
    for _, how in doc_commands.RUN_BY:
        path, _, name = how.partition("::")
        if how.startswith("tests/"):
            assert (REPOSITORY / path).is_file(), how
            assert not name or f"def {name}(" in (REPOSITORY / path).read_text(encoding="utf-8"), how


def test_every_pattern_is_of_use():
    shown = {command for page in doc_commands.pages() for command in doc_commands.commands(page)}
    first = {next((p for p, _ in doc_commands.RUN_BY if doc_commands.re.fullmatch(p, c)), "") for c in shown}
    assert [pattern for pattern, _ in doc_commands.RUN_BY if pattern not in first] == []


def test_a_command_that_nobody_runs_is_seen(tmp_path):
    (tmp_path / "page.md").write_text("Do:\n\n    .venv/bin/slipmap fly  # away\n\nand `snakemake wings --cores 1`.\n")
    found = list(doc_commands.commands(tmp_path / "page.md"))
    assert found == ["slipmap fly", "snakemake wings --cores 1"]
    assert doc_commands.runner("slipmap fly") is None


def test_the_commands_of_a_tutorial_work_one_after_the_other(tmp_path, monkeypatch, capsys):
    """Those before the run, in an empty folder, from practice files to a config that is in order."""
    monkeypatch.chdir(tmp_path)
    done = set()
    for name in ("my_valley.md", "sentinel1_to_active_areas.md"):
        for command in doc_commands.commands(REPOSITORY / "docs" / name):
            words = shlex.split(command)
            if doc_commands.runner(command) != "cheap" or command in done or "--force" in words:
                continue
            done.add(command)
            status = cli.main(words[1:])
            said = capsys.readouterr()
            assert status == 0, (command, said.out + said.err)
    assert {"slipmap check valley.yaml", "slipmap check slope.yaml", "slipmap template valley.yaml"} <= done


@pytest.mark.parametrize(
    "command", ["models", "models unet", "factors", "weights", "status", "weights --near 11.35 44.2"]
)
def test_what_only_tells_something_tells_it(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(command.split()) == 0
    assert capsys.readouterr().out.strip()
