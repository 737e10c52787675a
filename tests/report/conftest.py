"""The report of the sample area, and the browser, once for all tests that only look at them."""

from pathlib import Path

import pytest

from helpers.report_browser import Browser
from helpers.report_samples import build_report, run_settings, write_area


@pytest.fixture(scope="session")
def valley(tmp_path_factory) -> Path:
    """A run's folder with the sample area and its report, where the workflow would put it; to be read, not changed."""
    root = tmp_path_factory.mktemp("valley")
    write_area(root)
    build_report(run_settings(), root, root / "results" / "valley" / "report" / "index.html")
    return root


@pytest.fixture(scope="session")
def full(valley) -> tuple[str, Path]:
    """The page of `valley`, and the folder of its tables."""
    folder = valley / "results" / "valley" / "report"
    return (folder / "index.html").read_text(encoding="utf-8"), folder / "tables"


@pytest.fixture(scope="session")
def chromium():
    """A browser; each test says first what it is to become."""
    with Browser(1440, 900) as opened:
        yield opened
