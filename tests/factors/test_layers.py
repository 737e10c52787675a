"""Distances to vectors, alignment, names of the factors, coverage."""

import csv
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pytest
from rasterio.transform import from_origin
from shapely.geometry import LineString, Point

from helpers.ground_samples import GRID, UTM, X, Y
from slipmap.config.factors import FactorSettings
from slipmap.config.inputs import InputSettings, Sentinel1Settings, Sentinel2Settings, VectorSettings
from slipmap.config.susceptibility import RiskIndexSettings, SusceptibilitySettings
from slipmap.errors import InputError
from slipmap.factors import coverage, proximity
from slipmap.factors.align import align
from slipmap.factors.names import factor_names
from slipmap.io import raster
from slipmap.io.grid import Grid


def test_distance_to_roads(tmp_path):
    """A north-south road inside and a point outside: the nearer counts; to about a pixel."""
    frame = gpd.GeoDataFrame(
        geometry=[LineString([(X + 305, Y + 900), (X + 305, Y - 900)]), Point(X + 1200, Y - 400)], crs=UTM
    )
    frame.to_crs("EPSG:4326").to_file(tmp_path / "roads.gpkg")
    proximity.run(tmp_path / "roads.gpkg", GRID, tmp_path / "d.tif", name="distance_to_roads")
    found = raster.read(tmp_path / "d.tif", bands=1)
    x, y = np.meshgrid(X + (np.arange(100) + 0.5) * 10, Y - (np.arange(80) + 0.5) * 10)
    truth = np.minimum(np.abs(x - X - 305), np.hypot(x - X - 1200, y - Y + 400))
    assert np.abs(found - truth).max() <= 15
    with pytest.raises(InputError, match="has nothing in the area"):
        far = Grid(UTM, from_origin(X + 90000, Y, 10, 10), 20, 20)
        proximity.run(tmp_path / "roads.gpkg", far, tmp_path / "e.tif", name="distance_to_roads")


def test_a_raster_of_the_area_is_taken_over_as_it_is(tmp_path):
    """No interpolation where pixels coincide; on another grid a linear field stays linear."""
    values = np.random.default_rng(0).normal(size=GRID.shape).astype(np.float32)
    description = {"bands": ["velocity"], "units": "mm/yr", "long_name": "v"}
    raster.write(tmp_path / "v.tif", GRID, values, **description)
    align(tmp_path / "v.tif", GRID, tmp_path / "o.tif", name="velocity", units="mm/yr", long_name="v")
    assert (raster.read(tmp_path / "o.tif", bands=1) == values).all()
    coarse = Grid(UTM, from_origin(X - 100, Y + 100, 35, 35), 40, 35)
    col, row = np.meshgrid(np.arange(40), np.arange(35))
    raster.write(tmp_path / "c.tif", coarse, (col * 35.0 + row * 70.0).astype(np.float32), **description)
    align(tmp_path / "c.tif", GRID, tmp_path / "o.tif", name="velocity", units="mm/yr", long_name="v")
    x, y = np.meshgrid((np.arange(100) + 0.5) * 10 + 100 - 17.5, (np.arange(80) + 0.5) * 10 + 100 - 17.5)
    np.testing.assert_allclose(raster.read(tmp_path / "o.tif", bands=1), x + 2 * y, atol=0.5)
    with pytest.raises(InputError, match="no valid pixel inside the area"):
        far = Grid(UTM, from_origin(X + 90000, Y, 10, 10), 20, 20)
        align(tmp_path / "v.tif", far, tmp_path / "f.tif", name="velocity", units="mm/yr", long_name="v")


def area(inputs, **factors):
    return SimpleNamespace(inputs=InputSettings(**inputs), factors=FactorSettings(**factors))


def test_factor_names_follow_the_inputs():
    pair = Sentinel2Settings(before="a.tif", after="b.tif")
    names = factor_names(area({"dem": "d.tif", "sentinel2": pair}))
    assert names[:4] == ["elevation", "slope", "aspect_sin", "aspect_cos"]
    assert "ndvi_change" in names and "ndvi_after" in names and "ndvi_before" not in names and "ndvi" not in names
    assert not {"lithology", "velocity", "rainfall"} & set(names)
    everything = {
        "dem": "d.tif", "sentinel1": Sentinel1Settings(level="velocity", path="v.tif"), "faults": "f.gpkg",
        "sentinel2": Sentinel2Settings(path="s2"), "lithology": VectorSettings(path="l.gpkg", attribute="a"),
        "rainfall": "r.nc", "soil_moisture": "s.nc", "roads": "r.gpkg",
    }  # fmt: skip
    names = factor_names(area(everything, extra=["smi", "tpi_300"], exclude=["rainfall"]))
    assert {"B8", "ndvi", "lithology", "velocity", "smi", "tpi_300", "distance_to_roads", "rain_intensity"} <= set(
        names
    )
    assert "rainfall" not in names and len(names) == len(set(names))
    assert factor_names(area(everything, include=["slope", "bsi"])) == ["slope", "bsi"]
    assert factor_names(area(everything, include=["slope"], extra=["rain_lag_3"])) == ["slope", "rain_lag_3"]
    indexed = area(everything, include=["slope"], extra=["lsi"])
    indexed.susceptibility = SusceptibilitySettings(risk_index=RiskIndexSettings())
    assert factor_names(indexed) == ["slope", "lsi"]


@pytest.mark.parametrize(
    ("inputs", "factors", "message"),
    [
        ({"dem": "d"}, {"include": ["slop"]}, "factors.include names 'slop', which is no factor; did you mean 'slope'"),
        ({"dem": "d"}, {"extra": ["ndvi"]}, "'ndvi', which the area's inputs do not allow; give inputs.sentinel2.path"),
        ({"dem": "d"}, {"extra": ["smi"]}, "give inputs.soil_moisture"),
        ({}, {"extra": ["tpi_300"]}, "give inputs.dem"),
        ({"dem": "d"}, {"extra": ["rain_lag_0"]}, "give inputs.rainfall"),
        ({"dem": "d"}, {"extra": ["lsi"]}, "give susceptibility.risk_index"),
        ({"rainfall": "r"}, {"extra": ["rain_lag_30"]}, "factors.extra names 'rain_lag_30', but only 30 days count"),
        ({}, {}, "none is left to make"),
    ],
)
def test_bad_factor_names_get_one_sentence(inputs, factors, message):
    with pytest.raises(InputError, match=message):
        factor_names(area(inputs, **factors))


def test_coverage_report(tmp_path):
    rng = np.random.default_rng(0)
    full = rng.normal(3, 2, GRID.shape).astype(np.float32)
    part = np.where(np.arange(100)[None, :] < 25, np.nan, 5.0).repeat(80, axis=0).astype(np.float32)
    for name, values in (("full", full), ("part", part)):
        raster.write(tmp_path / f"{name}.tif", GRID, values, bands=[name], units="m", long_name=name)
    files = {name: tmp_path / f"{name}.tif" for name in ("full", "part")}
    coverage.run(files, GRID, tmp_path / "coverage.csv")
    with open(tmp_path / "coverage.csv", encoding="utf-8") as file:
        rows = {row["factor"]: row for row in csv.DictReader(file)}
    assert float(rows["full"]["valid_percent"]) == 100 and float(rows["part"]["valid_percent"]) == 75
    assert float(rows["all"]["valid_percent"]) == 75
    assert float(rows["full"]["mean"]) == pytest.approx(full.mean(), rel=1e-4)
    assert float(rows["full"]["std"]) == pytest.approx(full.std(), rel=1e-4)
    assert rows["part"]["note"] == "constant" and rows["full"]["note"] == "" and rows["full"]["units"] == "m"
    raster.write(
        tmp_path / "none.tif", GRID, np.full(GRID.shape, np.nan, np.float32), bands=["n"], units="m", long_name="n"
    )
    with pytest.raises(InputError, match="the factor 'none' has no valid pixel"):
        coverage.run(files | {"none": tmp_path / "none.tif"}, GRID, tmp_path / "c.csv")
