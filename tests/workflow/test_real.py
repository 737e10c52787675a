"""Real areas through the workflow: Mexico City to its published rates, Romagna to a map and a report."""

import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml
from rasterio.warp import transform

from helpers.workflow_runs import REPOSITORY, run_and_kill, snakemake, visible_text
from slipmap.io.grid import Grid
from slipmap.io.raster import CLASS_NODATA
from slipmap.motion.trends import QUADRATIC

INCIDENCE = 39.70  # degrees, shared by the whole crop (the data's README)
AIRPORT, CATHEDRAL = (-99.072, 19.436), (-99.1331, 19.4346)
CHAPULTEPEC = (-99.1817, 19.4204)


def area_folder(folder: Path, data: Path, area: str, change=None) -> Path:
    """A folder to run `area` in, as a user would make it: the config copied, the data linked by ``slipmap link``."""
    record = yaml.safe_load((REPOSITORY / f"config/areas/{area}.yaml").read_text())
    if change:
        change(record)
    (folder / "run.yaml").write_text(yaml.safe_dump(record, sort_keys=False))
    command = [Path(sys.executable).with_name("slipmap"), "link", area, "--from", str(data)]
    answer = run_and_kill(command, cwd=folder, timeout=60)
    assert answer.returncode == 0, answer.stdout
    return folder


@pytest.fixture(scope="module")
def mexico_city(real_data, tmp_path_factory):
    folder = area_folder(tmp_path_factory.mktemp("mexico_city"), real_data, "mexico_city")
    answer = snakemake(folder)
    assert answer.returncode == 0, answer.stdout[-4000:]
    return folder / "results/mexico_city"


def test_mexico_city_subsides_as_published(mexico_city):
    """Line of sight at the airport, vertical at the Cathedral, against Chapultepec (Cigna & Tapete 2021)."""
    with rasterio.open(mexico_city / "deformation/velocity.tif") as src:
        assert src.units == ("mm/yr",) and np.isnan(src.nodata)
        points = zip(*transform("EPSG:4326", src.crs, *zip(AIRPORT, CATHEDRAL, strict=True)), strict=True)
        airport, cathedral = (float(value[0]) for value in src.sample(points))
    print(f"airport {airport:.1f} mm/yr, Cathedral {cathedral / np.cos(np.radians(INCIDENCE)) / 10:.2f} cm/yr vertical")
    assert airport == pytest.approx(-300, abs=15)
    assert cathedral / np.cos(np.radians(INCIDENCE)) / 10 == pytest.approx(-8.8, abs=1.0)


def test_stable_ground_of_mexico_city_raises_no_more_alarms_than_stated(mexico_city):
    """Chapultepec, within about 1.2 km of the reference: 1 % may be told to accelerate, step or change velocity."""
    with rasterio.open(mexico_city / "deformation/trend.tif") as src:
        classes = src.read(1)
        rows, cols = np.indices(classes.shape)
        row, col = src.index(*(xy[0] for xy in transform("EPSG:4326", src.crs, *zip(CHAPULTEPEC, strict=True))))
    near = (np.hypot(rows - row, cols - col) <= 8) & (classes != CLASS_NODATA)
    assert near.sum() > 100 and np.mean(classes[near] >= QUADRATIC) <= 0.01


def test_mexico_city_has_a_report_without_maps(mexico_city):
    text = visible_text((mexico_city / "report/index.html").read_text())
    assert "mm/yr" in text and "Mexico City" in text and "simulated" not in text.lower()
    assert not (mexico_city / "maps").exists()
    assert not (mexico_city / "report/tables/scores.csv").exists()


@pytest.fixture(scope="module")
def romagna(real_data, tmp_path_factory):
    def quickly(record):
        record["experiments"]["unet"]["training"] = {"epochs": 2}

    folder = area_folder(tmp_path_factory.mktemp("romagna"), real_data, "romagna", quickly)
    answer = snakemake(folder)
    assert answer.returncode == 0, answer.stdout[-4000:]
    return folder


def test_romagna_is_mapped_on_the_grid_of_its_patch(romagna):
    grid = Grid.from_raster(romagna / "resources/romagna/p4120_dem.tif")
    assert grid.shape == (128, 128)
    with rasterio.open(romagna / "results/romagna/maps/unet/probability.tif") as src:
        assert (src.shape, src.crs.to_epsg()) == ((128, 128), 32632)
        assert src.transform.almost_equals(grid.transform)
        probability = src.read(1)
    assert np.isfinite(probability).mean() > 0.95
    assert np.nanmin(probability) >= 0 and np.nanmax(probability) <= 1
    assert not (romagna / "results/romagna/deformation").exists()
    assert (romagna / "results/romagna/maps/unet/landslides.gpkg").is_file()


def test_romagna_labels_are_those_of_the_patch(romagna):
    """3.85 % of the patch is landslide (the data's README)."""
    with rasterio.open(romagna / "results/romagna/inventory.tif") as src:
        labels = src.read(1)
    assert 100 * (labels == 1).sum() / (labels != 255).sum() == pytest.approx(3.85, abs=0.005)


def test_romagna_report_warns_that_it_is_an_exercise(romagna):
    note = yaml.safe_load((romagna / "run.yaml").read_text())["areas"]["romagna"]["note"]
    text = visible_text((romagna / "results/romagna/report/index.html").read_text())
    assert " ".join(note.split()) in text
    assert "simulated" not in text.lower()


def test_linked_data_are_never_written_to(romagna, real_data):
    """Links, not copies: the user's folder holds what it held."""
    for link in (romagna / "resources/romagna").iterdir():
        assert link.is_symlink() and link.resolve().parent == (real_data / "romagna").resolve()
