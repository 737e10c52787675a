"""The acquisition through Snakemake: from services on loopback to factors, and again without them."""

import shutil

import numpy as np
import pytest
import rasterio
import yaml

from acquisition_server import PAGE, Answer, service
from acquisition_services import dem_tile
from test_acquisition_ground import serve_chirps, serve_dem
from workflow_runs import snakemake

BOUNDS = [600_000, 4_270_000, 602_400, 4_272_400]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with an area whose elevation and rain are fetched from local servers, run once."""
    folder = tmp_path_factory.mktemp("run")
    with service() as bucket, service() as rain:
        serve_dem(bucket, {(38, -110): dem_tile(38, -110)})
        serve_chirps(rain)
        area = {
            "grid": {"crs": "EPSG:32612", "bounds": BOUNDS},
            "acquire": {
                "start": "2023-01-01", "end": "2023-01-10", "tries": 2,
                "dem": {"service": bucket.url, "margin": 500.0},
                "rainfall": {"service": f"{rain.url}/p05", "start": "2023-01-03"},
            },
            "factors": {"climate": {"window": 8}, "include": ["slope", "rainfall"]},
        }  # fmt: skip
        (folder / "moab.yaml").write_text(yaml.safe_dump({"areas": {"moab": area}}))
        real = bucket.routes[-1][1]
        page = Answer(PAGE, headers={"Content-Type": "text/html"})
        bucket.route(r"/.*\.tif", lambda asked: real(asked) if asked.method == "HEAD" else page)
        failed = run(folder, "resources/moab/dem.tif")
        bucket.routes.pop(0)
        done = run(folder, "results/moab/factors/slope.tif", "results/moab/factors/rainfall.tif")
        asked = len(bucket.asked) + len(rain.asked)
    return folder, failed, done, asked


def run(folder, *targets):
    return snakemake(folder, *targets, config="moab.yaml")


def test_a_page_instead_of_data_ends_the_job_with_one_sentence_and_leaves_nothing(place):
    _, failed, _, _ = place
    assert failed.returncode != 0
    assert "slipmap, acquire_dem: http://127.0.0.1" in failed.stdout
    assert "is a web page, not data, twice; it was thrown away" in failed.stdout
    assert "Traceback" not in failed.stdout


def test_what_services_hold_becomes_factors(place):
    folder, _, done, _ = place
    assert done.returncode == 0, done.stdout
    with rasterio.open(folder / "results/moab/factors/slope.tif") as source:
        slope = source.read(1)
    # the tile rises 1000 m a degree northwards and 10 m a degree eastwards
    truth = np.degrees(np.arctan(np.hypot(1000 / 111_000, 10 / 87_000)))
    assert np.nanmedian(slope) == pytest.approx(truth, abs=0.02)
    with rasterio.open(folder / "results/moab/factors/rainfall.tif") as source:
        assert np.unique(source.read(1)).tolist() == [sum(range(2, 10))]
    assert (folder / "resources/moab/search/dem.geojson").is_file()


def test_everything_works_offline_once_downloaded(place):
    folder, _, _, _ = place  # its servers are gone
    shutil.rmtree(folder / "resources/moab")
    shutil.rmtree(folder / "results")
    again = run(folder, "resources/moab/dem.tif", "resources/moab/rainfall")
    assert again.returncode == 0, again.stdout
    assert len(list((folder / "resources/moab/rainfall").glob("*.tif"))) == 8
