"""One record for each factor: every name leads to one, and to nothing else's pixels."""

import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.ground_samples import GRID, UTM
from slipmap.cli import main
from slipmap.config.factors import FactorSettings
from slipmap.config.inputs import InputSettings
from slipmap.errors import InputError
from slipmap.factors import catalogue, climate, hydrology, optical, proximity, terrain
from slipmap.factors.names import factor_names
from slipmap.factors.record import Factor
from slipmap.factors.surface import ATTRIBUTES, attributes
from slipmap.io import raster

EVERY = [*catalogue.OWN, catalogue.HILLSHADE]


def example(factor: Factor) -> str:
    """A name that the record stands for."""
    return re.sub(r"\{\w+\}", "7", factor.name)


def test_every_name_leads_to_one_record_that_can_be_made_and_shown():
    import matplotlib

    names = [factor.name for factor in EVERY]
    assert len(names) == len(set(names))
    for factor in EVERY:
        assert factor.units and factor.long_name and factor.needs and callable(factor.function())
        assert factor.style.colours in matplotlib.colormaps
        assert [other.name for other in EVERY if other.matches(example(factor))] == [factor.name]
    for factor in catalogue.OWN:
        assert catalogue.get(example(factor)) is factor


def test_needs_are_keys_of_an_area():
    """Walked through the settings models themselves, so that a renamed key is seen here."""
    from slipmap.config.run import AreaSettings

    for need in {need for factor in catalogue.OWN for need in factor.needs}:
        model = AreaSettings
        for part in need.split("."):
            kinds = model.model_fields[part].annotation
            model = next((k for k in getattr(kinds, "__args__", (kinds,)) if hasattr(k, "model_fields")), None)


def test_the_kernel_makes_what_the_catalogue_says_it_makes():
    made = {factor.name for factor in EVERY if factor.family == "terrain" and factor.function() is attributes}
    assert made == set(ATTRIBUTES)


@given(st.integers(0, 10**6))
def test_a_family_has_one_name_for_each_number(number):
    tpi, lag = catalogue.by_pattern("tpi_{metres}"), catalogue.by_pattern("rain_lag_{days}")
    assert lag.matches(f"rain_lag_{number}") and lag.number(f"rain_lag_{number}") == number
    assert tpi.matches(f"tpi_{number}") == (number > 0)
    assert not tpi.matches(f"tpi_0{number}") and not tpi.matches(f"tpi_{number}m") and not lag.matches("rain_lag_")
    if number:
        assert f"within {number} m" in tpi.title(f"tpi_{number}")
        assert catalogue.find(f"tpi_{number}") is tpi


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("slop", "'slope'?"),
        ("aspect_sine", "'aspect_sin'?"),
        ("ndvi_chang", "'ndvi_change'?"),
        ("tpl_300", "'tpi_300'?"),
        ("tpi_3o0", "'tpi_{metres}', metres a whole number from 1?"),
    ],
)
def test_a_typo_is_refused_with_the_nearest_name(typo, meant):
    area = SimpleNamespace(inputs=InputSettings(dem="d.tif"), factors=FactorSettings(extra=[typo]))
    with pytest.raises(
        InputError, match=re.escape(f"factors.extra names '{typo}', which is no factor; did you mean {meant}")
    ):
        factor_names(area)
    with pytest.raises(InputError, match=re.escape(meant)):
        catalogue.get(typo)


def test_a_name_like_none_is_refused_with_where_to_look():
    with pytest.raises(InputError, match="which is no factor; 'slipmap factors' lists them"):
        catalogue.get("zzz")


@pytest.mark.parametrize("key", ["bands", "indices"])
def test_bands_and_indices_of_the_config_are_looked_up(key):
    settings = FactorSettings(optical={key: ["B88" if key == "bands" else "ndv"]})
    with pytest.raises(InputError, match=rf"factors\.optical\.{key} names .*; did you mean '(B8|ndvi)'\?"):
        factor_names(SimpleNamespace(inputs=InputSettings(dem="d.tif"), factors=settings))


def test_the_hillshade_is_no_factor():
    assert catalogue.find("hillshade") is None


def test_nothing_is_made_under_a_name_that_is_unknown_or_anothers(tmp_path):
    """Before, an unknown terrain factor was the topographic position under its title."""
    dem = tmp_path / "dem.tif"
    raster.write(dem, GRID, np.zeros(GRID.shape, np.float32), bands=["elevation"], units="m", long_name="elevation")
    for name in ("no_such_factor", "twi"):
        with pytest.raises(InputError, match=f"'{name}'"):
            terrain.run(dem, GRID, {name: tmp_path / "x.tif"})
    with pytest.raises(InputError, match="'slope' is a factor of terrain, not of hydrology"):
        hydrology.run(dem, GRID, {"slope": tmp_path / "x.tif"})
    with pytest.raises(InputError, match="'slope' is a factor of terrain, not of optical"):
        optical.run(None, GRID, {"slope": tmp_path / "x.tif"})
    with pytest.raises(InputError, match="'rainfal'"):
        climate.run_rain(None, GRID, {"rainfal": tmp_path / "x.tif"})
    with pytest.raises(InputError, match="'smi' is a factor of soil, not of rain"):
        climate.run_rain(None, GRID, {"smi": tmp_path / "x.tif"})
    with pytest.raises(InputError, match="'distance_to_rivers'"):
        proximity.run(None, GRID, tmp_path / "x.tif", name="distance_to_rivers")
    assert not (tmp_path / "x.tif").exists()


def test_rasters_say_what_the_catalogue_says_and_stay_within_its_limits(tmp_path):
    """On rough ground with level patches, every terrain factor."""
    rng = np.random.default_rng(4)
    z = np.round(rng.normal(1000, 300, GRID.shape)).astype(np.float32)
    z[20:40, 20:40] = 1000
    dem = tmp_path / "dem.tif"
    raster.write(dem, GRID, z, bands=["elevation"], units="m", long_name="elevation")
    names = [example(factor) for factor in EVERY if factor.family == "terrain"]
    outputs = {name: tmp_path / f"{name}.tif" for name in names}
    terrain.run(dem, GRID, outputs, threads=1)
    import rasterio

    for name, path in outputs.items():
        factor = next(one for one in EVERY if one.matches(name))
        with rasterio.open(path) as src:
            assert src.crs.to_string() == UTM and src.descriptions == (name,)
            assert src.units == (factor.units,) and src.tags()["long_name"] == factor.title(name)
            low, high = factor.limits or (-np.inf, np.inf)
            values = src.read(1, masked=True).compressed()
        known = values[np.isfinite(values)]
        assert known.size and known.min() >= low and known.max() <= high, name


def test_the_catalogue_is_read_without_heavy_libraries():
    """It runs each time the workflow is planned."""
    code = (
        "import sys\nfrom slipmap.factors import catalogue\ncatalogue.get('slope')\n"
        "print(sorted({'torch', 'rasterio', 'numba', 'pandas', 'pydantic', 'matplotlib'} & sys.modules.keys()))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_command_lists_every_factor(capsys):
    assert main(["factors"]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = {line.split("  ")[0]: line for line in lines}
    assert {factor.name for factor in catalogue.OWN} - listed.keys() == {
        f"{stem}_{period}"
        for stem in (*catalogue.BANDS, *catalogue.INDICES)
        for period in ("before", "after", "change")
    }
    assert re.fullmatch(r"slope +degrees +yes +inputs\.dem +slope", listed["slope"])
    assert re.fullmatch(r"ndvi +1 +if in factors\.optical\.indices +inputs\.sentinel2\.path +norm.*", listed["ndvi"])
    assert re.fullmatch(r"smi +1 +no +inputs\.soil_moisture +soil moisture index.*", listed["smi"])


def test_factors_of_motion_take_a_series_of_displacements():
    inputs = {"sentinel1": {"level": "unwrapped", "path": "stack"}, "dem": "dem.tif"}
    factors = {"include": ["slope"], "extra": ["acceleration", "significance"]}
    area = SimpleNamespace(inputs=InputSettings.model_validate(inputs), factors=FactorSettings.model_validate(factors))
    assert factor_names(area) == ["slope", "acceleration", "significance"]
    velocity = inputs | {"sentinel1": {"level": "velocity", "path": "v.tif"}}
    alone = SimpleNamespace(inputs=InputSettings.model_validate(velocity), factors=area.factors)
    with pytest.raises(InputError, match="'acceleration', which takes a series of displacements"):
        factor_names(alone)
