"""The acquisition through Snakemake: from services on loopback to factors, and again without them."""

import shutil

import numpy as np
import pytest
import rasterio
import yaml

from deformation.test_formats import write_opera
from fetch.test_ground import serve_chirps, serve_dem
from helpers.fetch_server import PAGE, Answer, service
from helpers.fetch_services import dem_tile
from helpers.workflow_runs import snakemake

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


def test_a_new_date_forms_its_own_interferograms_only(tmp_path):
    """OPERA products of a local archive; then one more, and the end moved on."""
    (tmp_path / "archive").mkdir()
    for n, day in enumerate(("20210101", "20210113", "20210125")):
        add_date(tmp_path, day, 30.0 * n)
    pairs = "results/moab/deformation/interferograms"
    (tmp_path / "moab.yaml").write_text(yaml.safe_dump(opera_area("2021-01-31")))
    first = run(tmp_path, f"{pairs}/20210101_20210113.tif")
    assert first.returncode == 0, first.stdout
    add_date(tmp_path, "20210206", 90.0)
    (tmp_path / "moab.yaml").write_text(yaml.safe_dump(opera_area("2021-02-28")))
    second = run(tmp_path, f"{pairs}/20210101_20210113.tif", f"{pairs}/20210125_20210206.tif")
    assert second.returncode == 0, second.stdout
    assert "Form the interferogram 20210125_20210206" in second.stdout
    assert "Form the interferogram 20210101_20210113" not in second.stdout


def add_date(folder, day, shift):
    name = f"OPERA_L2_CSLC-S1_T064-135523-IW2_{day}T132000Z_20240101T000000Z_S1A_VV_v1.1.h5"
    write_opera(folder / "archive" / name, day, shift)


def opera_area(end):
    return {
        "areas": {
            "moab": {
                "grid": {"crs": "EPSG:32632", "resolution": 20.0, "bounds": [500000, 4999800, 500200, 5000000]},
                "acquire": {"start": "2021-01-01", "end": end, "sentinel1": {"archive": "archive"}},
                "deformation": {"slc_looks": [1, 1]},
            }
        }
    }
