"""Fixtures that several stages' tests share."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout that is being tested."""
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the small real data sets; tests that need it skip where SLIPMAP_TEST_DATA does not name one."""
    folder = os.environ.get("SLIPMAP_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SLIPMAP_TEST_DATA does not name the folder of real data (README, 'Tests')")
    return Path(folder)


# files of tests/workflow that take longest, so that no worker is left alone with one at the end
LONGEST = ("test_whole", "test_real", "test_published_data", "test_velocity", "test_event", "test_resume")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in tests/workflow runs the workflow itself; these begin, the longest files first."""
    for item in items:
        if "tests/workflow" in item.path.as_posix():
            item.add_marker(pytest.mark.integration)
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    if "tests/workflow" not in item.path.as_posix():
        return len(LONGEST) + 1
    return LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST)
