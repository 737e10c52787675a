"""What the documentation names is there: files, targets of make, commands and options of slipmap."""

import argparse
import re
from pathlib import Path

import pytest

from slipmap import cli

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("README.md", "config/README.md", *sorted(f"docs/{path.name}" for path in DOCS.glob("*.md")))


@pytest.fixture(params=PAGES)
def page(request, repository):
    return repository / request.param


def test_targets_of_make_exist(page, repository):
    targets = set(re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named <= targets


def test_commands_of_slipmap_exist_with_their_options(page):
    commands = subcommands(cli._parser())
    named = re.findall(r"(?:`|^    |bin/)slipmap ([a-z][a-z-]*)([^`\n]*)", page.read_text(), re.MULTILINE)
    assert {command for command, _ in named} <= set(commands)
    for command, rest in named:
        first, _, more = rest.strip().partition(" ")
        parser = subcommands(commands[command]).get(first, commands[command])
        assert set(re.findall(r"--[a-z0-9-]+", rest)) <= set(parser._option_string_actions), (command, rest, more)


def subcommands(parser):
    return next((action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)), {})


def test_every_page_has_a_place_in_the_site(repository):
    navigation = (repository / "mkdocs.yml").read_text()
    assert [page for page in PAGES[2:] if page.removeprefix("docs/") not in navigation] == []


def test_the_readme_is_short_and_says_what_was_not_tried(repository):
    words = (repository / "README.md").read_text().split()
    assert len(words) <= 900
    assert "Not yet tested against the live services" in " ".join(words[:200])


def test_links_of_the_readme_lead_somewhere(repository):
    links = re.findall(r"\]\(([^)#]+)\)", (repository / "README.md").read_text())
    assert [link for link in links if "://" not in link and not (repository / link).exists()] == []
