"""Papers' tables without networks: collinearity and risk models of the paper's factors alone."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from affine import Affine
from scipy.special import expit

from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.susceptibility.areas import AreaFiles
from slipmap.training import factor_tables, tables

FOLDER, RUN = Path("config/tables"), Path("config/tables.yaml")
ROLES = ("slope", "elevation", "ndvi", "ndwi", "soil_moisture", "ndbi")
MIXED = 0.6  # correlation put between slope and elevation


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Independent factors but for slope and elevation; landslides follow slope; the right half tests."""
    folder = tmp_path_factory.mktemp("area")
    grid = Grid("EPSG:32632", Affine(10, 0, 0, 0, -10, 0), 120, 120)
    rng, shape = np.random.default_rng(0), (120, 120)
    names = [*ROLES, "sbas_velocity", "aspect_sin", "aspect_cos", "mean_curvature", "rain_intensity", "rain_duration"]
    arrays = {name: rng.normal(size=shape) for name in names}
    arrays["elevation"] = MIXED * arrays["slope"] + np.sqrt(1 - MIXED**2) * arrays["elevation"]
    arrays["rain_intensity"], arrays["rain_duration"] = np.full(shape, 2.0), np.full(shape, 3.0)
    factors = {name: folder / f"{name}.tif" for name in names}
    for name, array in arrays.items():
        raster.write(factors[name], grid, array, bands=[name], units="1", long_name=name)
    landslide = rng.random(shape) < expit(3 * arrays["slope"])
    split = np.where(np.arange(120) < 60, 0, 2) * np.ones(shape)
    rocks = rng.integers(1, 4, shape)
    factors["lithology"] = folder / "lithology.tif"
    for name, array, classes in (
        ("lithology", rocks, {1: "a", 2: "b", 3: "c"}),
        ("inventory", landslide, {0: "stable", 1: "landslide"}),
        ("split", split, {0: "training", 2: "test"}),
    ):
        path, values = folder / f"{name}.tif", array.astype(np.uint8)
        raster.write(path, grid, values, bands=[name], units="1", long_name=name, dtype="uint8", categories=classes)
    return AreaFiles(factors, folder / "inventory.tif", folder / "split.tif")


def made(name, files, tmp_path, screening=None, susceptibility=None):
    out = tmp_path / f"{name}.csv"
    factor_tables.run(
        FOLDER / f"{name}.yaml", RUN, "valley", files, screening or {}, susceptibility, out, out.with_suffix(".json")
    )
    assert tables.written(tmp_path) == [out]
    return pd.read_csv(out).set_index("model"), json.loads(out.with_suffix(".json").read_text())


def test_collinearity_is_that_of_the_papers_factors_alone(files, tmp_path):
    """1 / (1 - r²) of the one pair that was made to correlate, 1 of the others, whatever else the area has."""
    table, about = made("fcadensenet_table2", files, tmp_path, screening={"sample": 7000})
    expected = 1 / (1 - MIXED**2)
    assert table.loc["VIF", ["Slope, ours", "Elevation, ours"]].to_numpy(float) == pytest.approx(expected, rel=0.05)
    others = ["Deformation Rate", "Aspect, sine", "Aspect, cosine", "Curve", "Lithology"]
    assert table.loc["VIF", [f"{name}, ours" for name in others]].to_numpy(float) == pytest.approx(1, abs=0.01)
    for name in ("Slope", *others):
        assert table.loc["TOL", f"{name}, ours"] == pytest.approx(1 / table.loc["VIF", f"{name}, ours"], rel=1e-4)
    assert table.loc["VIF", "Lithology, published"] == 1.028
    assert about["published"]["inputs"]["factors"][0] == "velocity" and about["ours"]["areas"] == ["valley"]


def test_risk_models_are_scored_on_test_ground(files, tmp_path):
    """On what follows slope alone models that learn beat the index; each stands beside its published numbers."""
    settings = {
        "sample": 400,
        "options": {"random_forest": {"n_estimators": 50}, "xgboost": {"n_estimators": 50}},
        "risk_index": {"rain": {"reference_intensity": 1.0, "reference_duration": 3.0}},
    }
    table, about = made("enhanced_unet_table2", files, tmp_path, susceptibility=settings)
    assert list(table.index) == ["SVM", "Random Forest", "XGBoost", "GAMM", "LSI without Rainfall", "LSI"]
    assert table.loc["LSI", "AUC, published"] == 0.968
    auc = table["AUC, ours"]
    assert auc[["SVM", "GAMM"]].min() > 0.85 and auc[["LSI", "LSI without Rainfall"]].max() < auc["GAMM"]
    assert np.allclose(table["MSE, ours"], table["RMSE, ours"] ** 2, rtol=1e-4)
    assert about["ours"]["bands"] == ["soil_moisture", "ndbi", "ndvi", "ndwi", "slope", "elevation"]
    assert about["ours"]["pixels"] == 400


def test_a_model_that_the_area_has_not_leaves_its_row_empty(files, tmp_path):
    settings = {"sample": 200, "options": {"random_forest": {"n_estimators": 10}, "xgboost": {"n_estimators": 10}}}
    table, _ = made("enhanced_unet_table2", files, tmp_path, susceptibility=settings)
    assert table.loc[["LSI", "LSI without Rainfall"], "AUC, ours"].isna().all()
    assert table.loc["LSI", "note"].startswith("Not made") and table.loc["SVM", "AUC, ours"] > 0.5


def test_no_network_is_needed_for_them():
    loaded = tables.load(FOLDER, RUN)
    kinds = {name: loaded.tables[name].kind for name in loaded.of_kind("screening", "susceptibility")}
    assert kinds == {"fcadensenet_table2": "screening", "enhanced_unet_table2": "susceptibility"}
    assert yaml.safe_load((FOLDER / "fcadensenet_table2.yaml").read_text()).get("recipe") is None
