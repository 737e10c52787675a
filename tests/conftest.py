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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in tests/workflow runs the workflow itself."""
    for item in items:
        if "tests/workflow" in item.path.as_posix():
            item.add_marker(pytest.mark.integration)
