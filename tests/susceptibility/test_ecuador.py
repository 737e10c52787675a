"""Ecuador, real data: labelled points and ready factors, and a published spatially cross-validated AUROC."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from slipmap.config import read_config
from slipmap.config.inputs import PointSettings
from slipmap.errors import InputError
from slipmap.factors import ready
from slipmap.inputs import inventory
from slipmap.inputs.points import read_points
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.screening.sampling import Sample
from slipmap.susceptibility import areas, compare
from slipmap.susceptibility.classical import create
from slipmap.susceptibility.crossvalidation import scores

DATA = os.environ.get("SLIPMAP_TEST_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="SLIPMAP_TEST_DATA is not set: real data are not part of the project")
FOLDER = Path(DATA or ".") / "ecuador"
BANDS = ["slope", "cplan", "cprof", "elev", "log10_carea"]
GRID = Grid.from_bounds("EPSG:32717", 10, (700000, 9550000, 700300, 9550200))


def points_csv(path: Path, labels: list[object]) -> Path:
    east = [700005 + 20 * i for i in range(len(labels))]
    pd.DataFrame({"x": east, "y": 9550105, "slide": labels}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("labels", [[True, False, True], [1, 0, 1], ["yes", "no", "Yes"], [1.0, 0.0, 1.0]])
def test_labelled_points_become_known_pixels(tmp_path: Path, labels: list[object]) -> None:
    path = points_csv(tmp_path / "points.csv", labels)
    inventory.run(path, GRID, tmp_path / "out.tif", points=PointSettings(label="slide"))
    array = raster.read(tmp_path / "out.tif", bands=1)
    assert np.isfinite(array).sum() == 3
    np.testing.assert_array_equal(array[9, [0, 2, 4]], [1, 0, 1])


def test_points_of_a_geopackage_in_another_crs_and_a_landslide_beside_a_stable_point(tmp_path: Path) -> None:
    import geopandas as gpd

    place = gpd.points_from_xy([700005, 700006, 700055], [9550105, 9550106, 9550105], crs="EPSG:32717")
    frame = gpd.GeoDataFrame({"slide": [1, 0, 0]}, geometry=place).to_crs(4326)
    frame.to_file(tmp_path / "p.gpkg")
    inventory.run(tmp_path / "p.gpkg", GRID, tmp_path / "out.tif", points=PointSettings(label="slide"))
    array = raster.read(tmp_path / "out.tif", bands=1)
    assert array[9, 0] == 1 and array[9, 5] == 0 and np.isfinite(array).sum() == 2


def test_bad_points_are_one_sentence(tmp_path: Path) -> None:
    path = points_csv(tmp_path / "p.csv", [True, False])
    for settings, sentence in (
        ({"label": "slid"}, r"inventory_points.label: .*p.csv has no column 'slid'; did you mean 'slide'"),
        ({"label": "slide", "x": "east"}, r"inventory_points.x: .* has no column 'east'"),
    ):
        with pytest.raises(InputError, match=sentence):
            read_points(path, GRID, PointSettings(**settings))
    with pytest.raises(InputError, match="'maybe' in its column slide; labels are true"):
        read_points(points_csv(tmp_path / "q.csv", ["yes", "maybe"]), GRID, PointSettings(label="slide"))
    with pytest.raises(InputError, match="has no stable point in the area"):
        read_points(points_csv(tmp_path / "r.csv", [1, 1]), GRID, PointSettings(label="slide"))


def test_points_without_a_label_are_landslides_and_all_else_is_not(tmp_path: Path) -> None:
    import geopandas as gpd

    place = gpd.points_from_xy([700005, 700055], [9550105, 9550105], crs="EPSG:32717")
    gpd.GeoDataFrame({"n": [1, 2]}, geometry=place).to_file(tmp_path / "p.gpkg")
    inventory.run(tmp_path / "p.gpkg", GRID, tmp_path / "out.tif")
    array = raster.read(tmp_path / "out.tif", bands=1)
    assert (array == 1).sum() == 2 and (array == 0).sum() == GRID.width * GRID.height - 2


@pytest.fixture(scope="module")
def ecuador(tmp_path_factory: pytest.TempPathFactory) -> areas.AreaFiles:
    folder = tmp_path_factory.mktemp("ecuador")
    grid = Grid.from_raster(FOLDER / "terrain_attributes.tif")
    factors = {band: folder / f"{band}.tif" for band in BANDS}
    ready.run(FOLDER / "terrain_attributes.tif", grid, factors)
    points = PointSettings(label="lslpts")
    inventory.run(FOLDER / "landslide_points.csv", grid, folder / "inventory.tif", points=points)
    return areas.AreaFiles(factors, folder / "inventory.tif")


@needs_data
def test_factors_at_the_points_are_those_of_the_table(ecuador: areas.AreaFiles) -> None:
    """The CSV holds the factors at each point, extracted by its authors: an independent check of place."""
    table = pd.read_csv(FOLDER / "landslide_points.csv")
    grid = Grid.from_raster(ecuador.inventory)
    cols, rows = ~grid.transform @ (table.x.to_numpy(), table.y.to_numpy())
    rows, cols = np.floor(rows).astype(int), np.floor(cols).astype(int)
    for band in BANDS:
        values = raster.read(ecuador.factors[band], bands=1)[rows, cols]
        np.testing.assert_allclose(values, table[band], rtol=1e-5)
    label = raster.read(ecuador.inventory, bands=1)
    assert (label[rows, cols] == table.lslpts).mean() > 0.99  # one pixel holds two points


@needs_data
def test_spatial_auroc_is_the_published_one(ecuador: areas.AreaFiles, tmp_path: Path) -> None:
    """Geocomputation with R (Lovelace, Nowosad & Muenchow, 2nd ed., ch. 12): GLM, k-means folds, mean AUROC 0.77."""
    settings = {"models": ["logistic"], "schemes": ["random", "kmeans"], "repeats": 8}
    means = compare.run({"ecuador": ecuador}, settings, tmp_path / "out").set_index("scheme")
    assert means.auc["kmeans"] == pytest.approx(0.77, abs=0.02)
    assert means.auc["random"] > means.auc["kmeans"] + 0.01
    assert not (tmp_path / "out" / "test_scores.csv").exists()  # no split, no held-out scores


@needs_data
def test_logistic_regression_is_the_published_glm() -> None:
    """The same book prints the GLM of the 350 points: coefficients, deviance 373, AUC 0.8216."""
    table = pd.read_csv(FOLDER / "landslide_points.csv")
    labels, values = table.lslpts.to_numpy(np.uint8), table[BANDS].to_numpy(np.float32)
    sample = Sample(values, labels, np.zeros(350, int), np.arange(350), tuple(BANDS))
    pipeline = create("logistic", BANDS).fit(sample).pipeline
    coefficients = pipeline[-1][-1].coef_[0] / pipeline[0].named_transformers_["numbers"].scale_
    published = [7.90e-02, -2.89e01, -1.76e01, 1.79e-04, -2.27e00]
    np.testing.assert_allclose(coefficients, published, rtol=0.005)
    probability = pipeline.predict_proba(values)[:, 1]
    assert 2 * 350 * log_loss(labels, probability) == pytest.approx(373, abs=0.6)
    assert scores(labels, probability)["auc"] == pytest.approx(0.8216, abs=1e-3)


@needs_data
def test_the_config_of_the_area_is_in_order() -> None:
    config = read_config(Path(__file__).parents[2] / "config" / "areas" / "ecuador.yaml")
    area = config.areas["ecuador"]
    assert area.inputs.ready_factors.bands == BANDS and area.susceptibility.folds == 5
    with pytest.raises(InputError, match="there is no band 'aspect'"):
        ready.run(
            FOLDER / "terrain_attributes.tif", Grid.from_raster(FOLDER / "terrain_attributes.tif"), {"aspect": "x"}
        )
