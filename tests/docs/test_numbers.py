"""Every measured number of the documentation stands in a section that names the command or the test it comes from."""

import re

import pytest

import benchmarks
from helpers import doc_commands, doc_numbers

# sections whose numbers are not measured
SET = {("phase_linking.md", "What is done"): "thresholds of the method"}


@pytest.mark.parametrize("page", doc_commands.pages(), ids=lambda page: page.name)
def test_measured_numbers_trace_to_a_command(page):
    found = doc_numbers.without_source(page.read_text(encoding="utf-8"))
    expected = {title for name, title in SET if name == page.name}
    assert {title: numbers for title, numbers in found.items() if title not in expected} == {}
    assert expected <= found.keys()  # else the exception is no longer one


def test_the_pages_of_measurements_are_seen_as_such():
    """The pattern finds the numbers that there are, page by page; one that found none would hold everything."""
    counted = {p.name: len(doc_numbers.MEASURED.findall(p.read_text(encoding="utf-8"))) for p in doc_commands.pages()}
    for name, least in {"benchmarks.md": 20, "demo.md": 8, "phase_linking.md": 15, "event_map.md": 4}.items():
        assert counted[name] >= least, name


@pytest.mark.parametrize(
    "number",
    [
        "takes 0.61 to 0.75 CPU seconds",
        "peaks at 1.8 GiB",
        "a page of 18 MB",
        "takes 145 s of CPU time",
        "has 2.5 million pixels/s",
        "rms of 3.3 mm/yr",
        "is 74 times as fast",
        "F1 0.433 ± 0.057",
        "holds in 94 % of the pixels",
    ],
)
def test_a_number_without_a_command_is_seen(number):
    page = (
        f"# Page\n\n`slipmap bench pair`\n\n## One\n\nIt {number}.\n\n## Two\n\nIt {number} (`slipmap bench pair`).\n"
    )
    assert list(doc_numbers.without_source(page)) == ["One"]


def test_settings_are_no_measurements():
    page = "# Page\n\nA window of 5 × 5 pixels, `max_gap: 12 days`, a pixel of 12.5 m, 30 dates, 98 pairs.\n"
    assert doc_numbers.without_source(page) == {}


@pytest.mark.parametrize("page", doc_commands.pages(), ids=lambda page: page.name)
def test_the_benchmarks_that_are_named_exist(page):
    text = " ".join(page.read_text(encoding="utf-8").split())
    named = re.findall(r"slipmap bench ((?:[a-z_0-9]+ ?)+)`", text) + re.findall(r"python -m benchmarks\.(\w+)", text)
    assert {name for names in named for name in names.split()} <= set(benchmarks.benchmarks())
