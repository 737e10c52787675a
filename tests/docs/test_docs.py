"""What the documentation names is there: files, targets of make, commands and options of slipmap."""

import re
from pathlib import Path

import pytest

from slipmap import cli

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("README.md", "config/README.md", *sorted(f"docs/{path.name}" for path in DOCS.glob("*.md")))


@pytest.fixture(params=PAGES)
def page(request, repository):
    return repository / request.param


def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_targets_of_make_exist(page, repository):
    targets = set(re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named <= targets


def test_commands_of_slipmap_exist_with_their_options(page):
    commands = next(action.choices for action in cli._parser()._actions if action.choices)
    named = re.findall(r"(?:`|^    |bin/)slipmap ([a-z-]+)([^`\n]*)", page.read_text(), re.MULTILINE)
    assert {command for command, _ in named} <= set(commands)
    for command, rest in named:
        assert set(re.findall(r"--[a-z0-9-]+", rest)) <= set(commands[command]._option_string_actions)


def test_every_page_is_named_in_the_readme(repository):
    readme = (repository / "README.md").read_text()
    assert [page for page in PAGES[2:] if page not in readme] == []
