"""Every message fits on a screen and uses none of the words that the design rules out; so do the pages of the site."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
RULED_OUT = re.compile(r"\b(?:mend(?:s|ed|ing)?|anew|obey(?:s|ed)?|what there is)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def messages():
    command = [sys.executable, str(REPOSITORY / "docs/tools/messages.py")]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) > 600
    return lines


def test_no_message_is_longer_than_a_screen(messages):
    assert [line for line in messages if len(line) > 700] == []


def test_messages_are_in_plain_words(messages):
    assert [line for line in messages if RULED_OUT.search(line)] == []


def test_pages_are_in_plain_words():
    pages = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *(REPOSITORY / "docs").glob("*.md")]
    found = {page.name: RULED_OUT.findall(page.read_text(encoding="utf-8")) for page in pages}
    assert {name: words for name, words in found.items() if words} == {}
