"""Screening of rasters: the sample, the tables, what leaks (nothing), and what bad input says."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from affine import Affine

from slipmap.config.screening import ScreeningSettings
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.screening import driver, layers, sampling

GRID = Grid("EPSG:32632", Affine(12.5, 0, 700000, 0, -12.5, 4900000), 160, 120)
SETTINGS = ScreeningSettings(sample=1500, trees=20, permutations=2, keep=[])


class Area:
    """A simulated area: landslides where slope is high and the rock is class 2."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        rng = np.random.default_rng(11)
        rows, cols = np.indices(GRID.shape)
        slope = 20 + 15 * np.sin(rows / 9) * np.cos(cols / 13) + rng.normal(size=GRID.shape)
        self.arrays = {
            "slope": slope,
            "elevation": 900 + 3 * rows - 2 * cols + rng.normal(scale=20, size=GRID.shape),
            "ndvi": 0.5 - 0.01 * slope + rng.normal(scale=0.1, size=GRID.shape),
        }
        self.lithology = (1 + (cols // 20 + rows // 30) % 3).astype(np.uint8)
        chance = 1 / (1 + np.exp(-(slope - 30) / 2 - (self.lithology == 2)))
        self.inventory = (rng.random(GRID.shape) < chance).astype(np.uint8)
        self.split = np.where((rows // 30 + cols // 40) % 3 == 0, 2, 0).astype(np.uint8)

    def write(self) -> tuple[dict[str, Path], Path, Path]:
        paths = {}
        for name, array in self.arrays.items():
            paths[name] = self.folder / f"{name}.tif"
            raster.write(paths[name], GRID, array, bands=[name], units="1", long_name=name)
        paths["lithology"] = self.folder / "lithology.tif"
        self._classes(paths["lithology"], self.lithology, {1: "marl", 2: "flysch", 3: "sandstone"})
        self._classes(self.folder / "inventory.tif", self.inventory, {0: "stable", 1: "landslide"})
        self._classes(self.folder / "split.tif", self.split, {0: "training", 2: "test"})
        return paths, self.folder / "inventory.tif", self.folder / "split.tif"

    def _classes(self, path: Path, array: np.ndarray, names: dict[int, str]) -> None:
        raster.write(
            path, GRID, array, bands=[path.stem], units="1", long_name=path.stem, dtype="uint8", categories=names
        )


@pytest.fixture
def area(tmp_path: Path) -> Area:
    return Area(tmp_path)


def tables(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_every_table_is_written_and_the_decision_names_every_factor(area: Area, tmp_path: Path) -> None:
    out = tmp_path / "screening"
    selected = driver.run(*area.write(), SETTINGS, out)
    assert {p.name for p in out.iterdir()} >= {
        "correlation.csv", "spearman.csv", "vif.csv", "importance.csv", "pca.csv", "decision.csv", "selection.json",
    }  # fmt: skip
    record = json.loads((out / "selection.json").read_text())
    assert record["factors"] == selected == ["slope", "elevation", "ndvi", "lithology"]
    assert pd.read_csv(out / "decision.csv").factor.tolist() == ["slope", "elevation", "ndvi", "lithology"]
    assert pd.read_csv(out / "correlation.csv", index_col=0).shape == (3, 3)  # lithology has no correlation
    vif = pd.read_csv(out / "vif.csv", index_col=0)
    assert list(vif.columns) == ["slope", "elevation", "ndvi", "lithology"] and vif.loc["DF", "lithology"] == 2
    assert pd.read_csv(out / "importance.csv").factor[0] == "slope"
    training = area.split == 0
    assert record["sample"]["complete_landslide_pixels"] == int((area.inventory[training] == 1).sum())
    assert record["sample"]["landslide_pixels"] == 750


def test_test_blocks_change_nothing(area: Area, tmp_path: Path) -> None:
    """Truth before score: whatever stands on test pixels, the tables are the same to the byte."""
    driver.run(*area.write(), SETTINGS, tmp_path / "one")
    test = area.split == 2
    rng = np.random.default_rng(99)
    for array in area.arrays.values():
        array[test] = rng.normal(scale=1e4, size=int(test.sum()))
    area.lithology[test] = 3
    area.inventory[test] = 1 - area.inventory[test]
    driver.run(*area.write(), SETTINGS, tmp_path / "other")
    assert tables(tmp_path / "one") == tables(tmp_path / "other")
    area.arrays["ndvi"][~test] += 1.0 * area.inventory[~test]  # and training pixels do matter
    driver.run(*area.write(), SETTINGS, tmp_path / "third")
    assert tables(tmp_path / "one")["importance.csv"] != tables(tmp_path / "third")["importance.csv"]


def test_sample_does_not_depend_on_the_blocks(area: Area) -> None:
    with layers.opened(*area.write()) as stack:
        whole, small = (sampling.draw(stack, 600, seed=4, block=side) for side in (512, 17))
        other = sampling.draw(stack, 600, seed=5)
    for field in ("values", "labels", "rows", "cols"):
        np.testing.assert_array_equal(getattr(whole, field), getattr(small, field))
    assert not np.array_equal(whole.rows, other.rows)
    assert (whole.labels == 1).sum() == (whole.labels == 0).sum() == 300
    np.testing.assert_array_equal(area.inventory[whole.rows, whole.cols], whole.labels)
    assert (area.split[whole.rows, whole.cols] == 0).all()
    np.testing.assert_allclose(whole.column("slope"), area.arrays["slope"][whole.rows, whole.cols], rtol=1e-6)


def test_sample_is_uniform_within_a_class(area: Area) -> None:
    """Chi-square of the number drawn from each of 24 parts of the training pixels, over seeds."""
    from scipy.stats import chisquare

    part = (np.indices(GRID.shape)[0] // 30) * 6 + np.indices(GRID.shape)[1] // 27
    pool = (area.split == 0) & (area.inventory == 0)
    share = np.bincount(part[pool], minlength=24)
    drawn = np.zeros(24)
    with layers.opened(*area.write()) as stack:
        for seed in range(10):
            sample = sampling.draw(stack, 200, seed, names=["slope"])
            stable = sample.labels == 0
            drawn += np.bincount(part[sample.rows[stable], sample.cols[stable]], minlength=24)
    used = share > 0
    expected = share[used] / share.sum() * drawn.sum()
    assert chisquare(drawn[used], expected).pvalue > 1e-3


def test_constant_and_empty_factors_are_named_or_dropped(area: Area, tmp_path: Path) -> None:
    area.arrays["rainfall"] = np.where(area.split == 0, 80.0, area.arrays["slope"])  # varies on test blocks alone
    with pytest.raises(InputError, match=r"factor 'rainfall' is constant \(80 at every pixel\) on the training"):
        driver.run(*area.write(), SETTINGS, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    area.arrays["rainfall"][:] = np.nan
    with pytest.raises(InputError, match=r"factor 'rainfall' has no value \(all NaN\)"):
        driver.run(*area.write(), SETTINGS, tmp_path / "out")
    dropped = SETTINGS.model_copy(update={"unusable": "drop"})
    for chosen, named in ((dropped, None), (SETTINGS, ["slope"]), (dropped, ["rainfall"])):  # nobody asked for it
        selected = driver.run(*area.write(), chosen, tmp_path / "out", named=named)
        decided = pd.read_csv(tmp_path / "out" / "decision.csv").set_index("factor")
        assert "rainfall" not in selected and "all NaN" in decided.reason["rainfall"]
    with pytest.raises(InputError, match="factor 'rainfall' has no value"):
        driver.run(*area.write(), SETTINGS, tmp_path / "out", named=["rainfall"])


def test_thin_coverage_and_a_perfect_copy_are_dropped_with_a_reason(area: Area, tmp_path: Path) -> None:
    area.arrays["soil_moisture"] = np.where(np.indices(GRID.shape)[1] < 40, area.arrays["ndvi"], np.nan)
    area.arrays["slope_percent"] = 100 * area.arrays["slope"]
    selected = driver.run(*area.write(), SETTINGS, tmp_path / "out")
    decided = pd.read_csv(tmp_path / "out" / "decision.csv").set_index("factor")
    assert "a value at only" in decided.reason["soil_moisture"]
    pair = decided.loc[["slope", "slope_percent"]]
    assert pair.kept.sum() == 1 and "perfectly collinear with slope" in pair.reason[~pair.kept].iloc[0]
    assert "soil_moisture" not in selected


def test_bad_input_is_one_sentence(area: Area, tmp_path: Path) -> None:
    factors, inventory, split = area.write()
    shifted = Grid(GRID.crs, GRID.transform @ Affine.translation(1, 0), *GRID.shape[::-1])
    raster.write(tmp_path / "moved.tif", shifted, area.arrays["slope"], bands=["a"], units="1", long_name="a")
    with pytest.raises(InputError, match=r"moved.tif \(moved\) does not lie on the grid"):
        driver.run({**factors, "moved": tmp_path / "moved.tif"}, inventory, split, SETTINGS, tmp_path / "o")
    area.inventory[area.split == 0] = 0
    with pytest.raises(InputError, match="have no landslide"):
        driver.run(*area.write(), SETTINGS, tmp_path / "out")
    area.split[:] = 2
    with pytest.raises(InputError, match="no labelled pixel lies in a training block"):
        driver.run(*area.write(), SETTINGS, tmp_path / "out")
