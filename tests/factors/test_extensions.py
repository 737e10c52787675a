"""Factors that another package registers."""

import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.ground_samples import GRID
from helpers.plugin import install
from slipmap.config.factors import FactorSettings
from slipmap.config.inputs import InputSettings, ReadyFactorSettings
from slipmap.errors import InputError
from slipmap.factors import catalogue, extensions, terrain
from slipmap.factors.code import code_files, code_of
from slipmap.factors.names import factor_names
from slipmap.io import raster
from slipmap.patches.augmentation import turn, turns


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The folder of the example package, which is installed while the test runs."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(install(folder))
    forget()
    yield folder
    monkeypatch.undo()
    forget()


def forget():
    catalogue.forget()
    for name in [name for name in sys.modules if name.startswith("slipmap_example")]:
        del sys.modules[name]


def area(inputs, **factors):
    return SimpleNamespace(inputs=InputSettings(**inputs), factors=FactorSettings(**factors))


def test_the_factors_of_a_package_are_there_while_it_is_installed(installed):
    factor = catalogue.get("example_northness")
    assert (factor.package, factor.family, factor.units) == ("slipmap_example", "terrain", "1")
    assert catalogue.get("steeper_than_30").title("steeper_than_30").startswith("degrees by which the slope is steeper")
    names = factor_names(area({"dem": "d.tif"}, include=["slope"], extra=["example_northness", "steeper_than_30"]))
    assert names == ["slope", "example_northness", "steeper_than_30"]
    assert "example_northness" not in factor_names(area({"dem": "d.tif"}))  # installing a package changes no result
    for typo, meant in (("example_northnes", "example_northness"), ("steper_than_30", "steeper_than_30")):
        with pytest.raises(InputError, match=f"names '{typo}', which is no factor; did you mean '{meant}'"):
            factor_names(area({"dem": "d.tif"}, extra=[typo]))


def test_without_the_package_its_factor_is_refused():
    with pytest.raises(InputError, match="'example_northness', which is no factor"):
        factor_names(area({"dem": "d.tif"}, extra=["example_northness"]))


def test_a_factor_needs_what_the_factors_that_it_uses_need(installed):
    with pytest.raises(InputError, match=r"names 'steeper_than_30', which .* do not allow; give inputs.dem or leave"):
        factor_names(area({"rainfall": "r.nc"}, extra=["steeper_than_30"]))
    ready = ReadyFactorSettings(path="r.tif", bands=["slope"])
    assert "steeper_than_30" in factor_names(area({"ready_factors": ready}, extra=["steeper_than_30"]))


def test_they_are_computed_on_a_plane(installed, tmp_path):
    """10 m down for 100 m north: northness is the sine of the slope, and the slope is steeper than 2° by 3.71°."""
    rows = np.arange(GRID.height)[:, None] + np.zeros(GRID.width)
    dem, slope = tmp_path / "dem.tif", tmp_path / "slope.tif"
    raster.write(dem, GRID, (500 + rows).astype(np.float32), bands=["elevation"], units="m", long_name="elevation")
    terrain.run(dem, GRID, {"slope": slope, "example_northness": tmp_path / "n.tif"}, threads=1)
    terrain.run(None, GRID, {"steeper_than_2": tmp_path / "s.tif"}, others={"slope": slope}, threads=1)
    angle = np.arctan(0.1)
    np.testing.assert_allclose(raster.read(tmp_path / "n.tif", bands=1), np.sin(angle), rtol=1e-5)
    np.testing.assert_allclose(raster.read(tmp_path / "s.tif", bands=1), np.degrees(angle) - 2, rtol=1e-5)


def test_a_direction_of_a_package_turns_with_the_ground(installed):
    """Half a turn puts north in the south; a mirror leaves it; a quarter turn would need the other component."""
    bands = ["slope", "example_northness"]
    image = np.stack([np.full((2, 2), 20, np.float32), np.float32([[0.1, 0.2], [0.3, 0.4]])])
    assert turns(bands) == turns([*bands, "aspect_sin", "aspect_cos"]) == (0, 2)
    half, _ = turn(image, np.zeros((2, 2)), bands, 2, False)
    np.testing.assert_allclose(half[1], np.float32([[-0.4, -0.3], [-0.2, -0.1]]))
    mirrored, _ = turn(image, np.zeros((2, 2)), bands, 0, True)
    np.testing.assert_allclose(mirrored[1], np.float32([[0.2, 0.1], [0.4, 0.3]]))
    with pytest.raises(ValueError, match="one component of a vector"):
        turn(image, np.zeros((2, 2)), bands, 1, False)


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        (lambda block: block.elevation(1), r"ValueError: .* shape \(82, 102\) from a block of \(80, 100\)"),
        (lambda block: block.elevation(2), "ValueError: a halo of 2 pixels is asked for, but the record's reach gives"),
        (lambda block: block.source("slope"), "KeyError: 'slope'"),
    ],
)
def test_a_function_that_fails_is_its_packages_fault(installed, tmp_path, monkeypatch, compute, said):
    dem = tmp_path / "dem.tif"
    raster.write(dem, GRID, np.zeros(GRID.shape, np.float32), bands=["elevation"], units="m", long_name="elevation")
    factor = replace(catalogue.get("example_northness"), compute=compute)
    monkeypatch.setattr(catalogue, "find", lambda name: factor)
    with pytest.raises(InputError, match=f"'example_northness' cannot be made: the package 'slipmap_example'.*{said}"):
        terrain.run(dem, GRID, {"example_northness": tmp_path / "n.tif"}, threads=1)
    assert not (tmp_path / "n.tif").exists()


def test_a_change_of_the_package_changes_the_code_of_its_factors(installed):
    factor, own = catalogue.get("example_northness"), catalogue.get("tri")
    before, others = code_of(factor), code_of(own)
    path = installed / "slipmap_example/ground.py"
    assert {path, installed / "slipmap_example/factors.py"} <= code_files(factor)  # the record's units and title too
    path.write_text(path.read_text() + "\n# another version\n")
    assert code_of(factor) != before and code_of(own) == others
    assert {"relief.py", "block.py"} <= {path.name for path in code_files(own)}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'name="example_northness"',
            'name="slope"',
            "registers the factor 'slope', a name that slipmap has taken",
        ),
        ('name="example_northness"', 'name="tpi_300"', "registers the factor 'tpi_300', a name that slipmap has taken"),
        ("reach=1,", "default=True,", "'example_northness' as a default factor; .* leave `default` out"),
        (
            'needs=("inputs.dem",)',
            'needs=("inputs.rainfall",)',
            "'example_northness', which needs inputs.rainfall; a factor of",
        ),
        ("from slipmap", "from slipmop", "cannot be imported .ModuleNotFoundError: .*; repair or uninstall it"),
        ("FACTORS = (", "FACTORS = (1,", "registers int under slipmap.factors"),
    ],
)
def test_what_a_package_may_not_register_gets_one_sentence(installed, old, new, said):
    path = installed / "slipmap_example/factors.py"
    path.write_text(path.read_text().replace(old, new, 1))
    forget()
    with pytest.raises(InputError, match=re.compile(said)) as caught:
        catalogue.records()
    assert "\n" not in str(caught.value)


def test_the_entry_point_may_name_one_record(installed):
    path = installed / "slipmap_example/factors.py"
    path.write_text(path.read_text() + "\nFACTORS = FACTORS[0]\n")
    forget()
    assert [factor.name for factor in extensions.load(catalogue.OWN)] == ["example_northness"]
