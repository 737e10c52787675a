"""Linking real data: every file where the config looks for it, found by a search through folders, nothing replaced."""

from pathlib import Path

import pytest

from slipmap.errors import InputError
from slipmap.inputs.link import link


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "data" / "valley"
    (folder / "unwrapped").mkdir(parents=True)
    (folder / "dem.tif").write_text("dem")
    (folder / "unwrapped" / "a.tif").write_text("a")
    return folder


def test_files_in_subfolders_are_found_by_a_search(source, tmp_path):
    resources = tmp_path / "resources"
    link("valley", source.parent, resources)
    found = {
        path.relative_to(resources / "valley"): path.read_text() for path in resources.rglob("*") if path.is_file()
    }
    assert found == {Path("dem.tif"): "dem", Path("unwrapped/a.tif"): "a"}


def test_linking_again_makes_nothing(source, tmp_path):
    assert len(link("valley", source, tmp_path / "resources")) == 2
    assert link("valley", source, tmp_path / "resources") == []


def test_a_file_in_the_way_is_not_replaced(source, tmp_path):
    place = tmp_path / "resources/valley/dem.tif"
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        link("valley", source, tmp_path / "resources")
    assert place.read_text() == "mine"


def test_no_folder_and_empty_folder(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        link("valley", tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is empty"):
        link("valley", tmp_path / "empty")
