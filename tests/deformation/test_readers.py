"""The index of readers, the protocol that each of them meets, readers of other packages, the page about them."""

import subprocess
import sys

import numpy as np
import pytest

from helpers import plugin
from helpers.interferogram_samples import PAIRS, SHAPE, name, phase, read, tif, values
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import page, readers
from slipmap.deformation.reader import Listing
from slipmap.deformation.reading import find_reader
from slipmap.errors import InputError
from slipmap.io import marks

LEVELS = ("slc", "wrapped", "unwrapped", "velocity")


def test_names_are_known_without_importing_a_reader():
    code = (
        "import sys; from slipmap.deformation import readers; readers.formats(); "
        "sys.exit(bool({'numpy', 'rasterio', 'slipmap.deformation.readers.hyp3'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("format_", readers.own_formats())
def test_a_reader_says_what_it_reads(format_, tmp_path):
    reader = readers.load(format_)
    assert reader.name == format_ and reader.levels and set(reader.levels) <= set(LEVELS)
    for text in (reader.title, reader.source, reader.units, reader.sign, reader.beside, reader.checks, reader.__doc__):
        assert text and text.strip() == text
    for level in reader.levels:
        assert reader.files[reader.wanted[level]]
        assert not reader.recognises(Listing.of(tmp_path), level)  # an empty folder
    other = tmp_path / "notes.txt"
    other.write_text("nothing of a radar")
    assert not any(reader.recognises(Listing.of(tmp_path), level) for level in LEVELS)


@pytest.mark.parametrize("format_", readers.own_formats())
@pytest.mark.parametrize("level", LEVELS)
def test_a_reader_of_another_level_is_refused_by_name(format_, level, tmp_path):
    (tmp_path / "a.txt").touch()
    settings = Sentinel1Settings(level=level, path=str(tmp_path), format=format_)
    if level in readers.load(format_).levels:
        assert find_reader(settings)[0].name == format_
    else:
        with pytest.raises(InputError, match=f"'{format_}' does not hold data of level {level}; choose one of"):
            find_reader(settings)


@pytest.mark.parametrize(("typo", "meant"), [("hyp", "hyp3"), ("licasr", "licsar"), ("isce", "isce2")])
def test_a_misspelt_format_is_met_with_the_right_one(typo, meant, tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(InputError, match=f"no reader of the format '{typo}'; did you mean '{meant}'"):
        read(tmp_path, format=typo)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on the Python path that holds the package of ``tests/plugin_package``."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(plugin.install(folder))
    yield folder
    for module in [module for module in sys.modules if module.partition(".")[0] == "slipmap_example"]:
        del sys.modules[module]


def laboratory(folder):
    for days in PAIRS:
        tif(folder / f"phase_{name(*days)}.tif", phase(*days))
        tif(folder / f"quality_{name(*days)}.tif", np.full(SHAPE, 80, np.float32))
    return folder


@pytest.mark.parametrize("format_", ["auto", "example"])
def test_a_reader_of_another_package(site, tmp_path, format_):
    stack = read(laboratory(tmp_path / "ifg"), format=format_)
    assert stack.format == "example" and "example" in readers.formats()
    found, coherence, _ = values(stack)
    for pair, array in zip(stack.pairs, found, strict=True):
        np.testing.assert_allclose(array, 2 * np.pi * phase(pair.reference, pair.secondary), rtol=1e-6)
    np.testing.assert_allclose(coherence, 0.8, rtol=1e-6)


def test_without_its_package_a_reader_is_refused(tmp_path):
    with pytest.raises(InputError, match="no reader of the format 'example'"):
        read(laboratory(tmp_path / "ifg"), format="example")


@pytest.mark.parametrize("code", ["import nothing_of_that_name", "1 / 0", "READER ="])
def test_a_package_that_cannot_be_imported_is_named(site, tmp_path, code):
    (site / "slipmap_example/pairs.py").write_text(code)
    with pytest.raises(InputError, match=r"the reader of 'example' \(slipmap_example\.pairs\) but cannot be imported"):
        read(laboratory(tmp_path / "ifg"), format="example")


def test_the_page_is_what_the_readers_say(repository):
    """Made again by ``python -m slipmap.deformation.page docs/input_formats.md``."""
    text = (repository / "docs/input_formats.md").read_text(encoding="utf-8")
    assert marks.between(text, page.MARK, page.section()) == text
    for format_ in readers.own_formats():
        assert f"`format: {format_}`" in text
