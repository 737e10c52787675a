"""`slipmap new-area`: the grid it chooses, what it finds, what it says, and that its config runs."""

import json
import math
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import Point, Polygon

from helpers.fetch_server import quick_web, service
from helpers.fetch_services import START, dem_tile, serve_bucket, serve_stac, stac_scene
from slipmap import cli
from slipmap.check.run import check_run
from slipmap.config import read_config
from slipmap.config.template import rewrite
from slipmap.errors import InputError
from slipmap.fetch import run
from slipmap.fetch.sources import dem
from slipmap.inputs.area_grid import decide
from slipmap.io.grid import Grid
from slipmap.planning import command, new_area

HERE = ["a", "--bbox", 1, 2, 1.1, 2.1, "--dates", "2022-01-01", "2022-02-01", "--offline"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("EARTHDATA_TOKEN", raising=False)
    return tmp_path


def make(*arguments, web=None) -> str:
    options = cli._parser().parse_args(["new-area", *map(str, arguments)])
    return command.new_area(options, web)


@pytest.mark.parametrize(
    "place, zone",
    [
        ((11.3, 44.2), 32632),
        ((-109.8, 38.6), 32612),
        ((-70.0, -33.0), 32719),
        ((179.9, 10.0), 32660),
        ((180, 10), 32660),
    ],
)
def test_zones(place, zone):
    assert new_area.utm(*place) == f"EPSG:{zone}"


def test_the_grid_covers_the_box_and_little_more():
    bbox = (11.2, 44.1, 11.5, 44.3)
    record = new_area.grid_settings(bbox, 12.5)
    left, bottom, right, top = record["bounds"]
    assert all(value % 100 == 0 for value in record["bounds"])
    grid = Grid.from_bounds(record["crs"], 12.5, (left, bottom, right, top))
    west, south, east, north = dem.bounds(grid, 0.0)
    assert west <= bbox[0] and south <= bbox[1] and east >= bbox[2] and north >= bbox[3]
    wide = 0.3 * 111.32e3 * math.cos(math.radians(44.2))
    assert wide < right - left < 1.06 * wide
    assert decide(read_settings(record)).shape == grid.shape


def read_settings(record):
    from slipmap.config.inputs import GridSettings

    return GridSettings.model_validate(record)


@pytest.mark.parametrize(
    "bbox, says",
    [
        ((11.5, 44.1, 11.2, 44.3), "the smaller first"),
        ((44.1, 91.2, 44.3, 91.5), "latitudes from -90 to 90"),
        ((10.0, 84.5, 11.0, 85.0), "beyond UTM"),
        ((0.0, 40.0, 20.0, 41.0), "20.0 degrees wide, more than a UTM zone"),
    ],
)
def test_boxes_that_cannot_be(bbox, says):
    with pytest.raises(InputError, match=says.replace(".", r"\.")):
        make("a", "--bbox", *bbox, "--dates", "2022-01-01", "2022-02-01", "--offline")


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["a", "--bbox", 1, 2, 1.1, 2.1], "--dates is missing"),
        (["a", "--bbox", 1, 2, 1.1, 2.1, "--dates", "2022-13-01", "2022-02-01"], "write YYYY-MM-DD"),
        (["a", "--bbox", 1, 2, 1.1, 2.1, "--dates", "2023-01-01", "2022-02-01"], "swap them"),
        (["1a", "--bbox", 1, 2, 1.1, 2.1, "--dates", "2022-01-01", "2022-02-01"], "is no name for an area"),
        (["downloads", "--bbox", 1, 2, 1.1, 2.1, "--dates", "2022-01-01", "2022-02-01"], "is one of slipmap"),
        (["a", "--polygon", "gone.gpkg", "--dates", "2022-01-01", "2022-02-01"], "gone.gpkg is not a vector file"),
        (
            ["a", "--bbox", 1, 2, 1.1, 2.1, "--dates", "2012-01-01", "2012-02-01", "--offline"],
            "these data begin on 2014",
        ),
        (
            ["a", "--bbox", 1, 2, 1.1, 2.1, "--dates", "2022-01-01", "2022-02-01", "--service", "dam=x"],
            "with a kind of",
        ),
        (["a", "--simulated", 3, "--dates", "2012-01-01", "2012-02-01"], "takes no --dates"),
        (["a", "--simulated", -3], "--simulated -3 is no seed"),
        ([*HERE, "--resolution", 0], "--resolution 0 is not a pixel size"),
        ([*HERE, "--resolution", "nan"], "--resolution nan is not a pixel size"),
        ([*HERE, "--service", "dem=foo"], "foo is no address of a web service"),
        ([*HERE, "--out", "/proc/a.yaml"], "/proc/a.yaml cannot be written"),
        (["a", "--bbox", 179.9, 50, -179.9, 51, *HERE[6:]], "lies across the 180th meridian; make two areas of it"),
        (["a", "--bbox", 1, 2, 1.1, 2.1, "--dates", "2990-01-01", "2991-01-01"], "lie in the future"),
    ],
)
def test_mistakes_are_one_sentence(arguments, says):
    with pytest.raises(InputError) as error:
        make(*arguments)
    assert says in str(error.value)
    assert not Path("config").exists()


def test_force_takes_no_folder_away(folder):
    (folder / "precious").mkdir()
    (folder / "precious/keep.txt").write_text("kept")
    with pytest.raises(InputError, match=r"precious is a folder; name a file with --out"):
        make(*HERE, "--out", "precious", "--force")
    assert (folder / "precious/keep.txt").read_text() == "kept"


def test_a_polygon_without_ground_is_named():
    gpd.GeoDataFrame(geometry=[Point(11, 44)], crs=4326).to_file("point.gpkg")
    with pytest.raises(InputError, match=r"--polygon point\.gpkg covers no ground"):
        make("v", "--polygon", "point.gpkg", "--dates", "2022-01-01", "2022-06-30", "--offline")


def test_coarse_pixels_get_the_looks_that_leave_fine_slcs():
    make(*HERE, "--resolution", 100)
    area = read_config("config/areas/a.yaml").areas["a"]
    assert area.acquire.sentinel1.product == "burst"
    assert area.deformation.slc_looks == (5, 17)  # of 20 x 6 m, what the radar sees


@pytest.mark.parametrize(
    "bbox, product",
    [
        ((-110, 38, -109.9, 38.1), "opera_cslc"),
        ((-79.6, 9, -79.5, 9.1), "opera_cslc"),
        ((-66, 10, -65.9, 10.1), "burst"),
    ],
)
def test_opera_is_looked_for_down_to_panama_and_not_in_south_america(bbox, product):
    make("a", "--bbox", *bbox, *HERE[6:])
    assert read_config("config/areas/a.yaml").areas["a"].acquire.sentinel1.product == product


def test_an_archive_without_a_dem_is_told_so(folder):
    (folder / "archive").mkdir()
    said = make("v", *HERE[1:-1], "--archive", "archive")
    assert "dem: nothing found, left out" in said


def test_a_polygon_in_any_crs_gives_its_box():
    shape = Polygon([(680_000, 4_890_000), (690_000, 4_891_000), (685_000, 4_899_000)])
    gpd.GeoDataFrame(geometry=[shape], crs="EPSG:32632").to_file("p.gpkg")
    make("valley", "--polygon", "p.gpkg", "--dates", "2022-01-01", "2022-06-30", "--offline", "--out", "v.yaml")
    left, bottom, right, top = read_config("v.yaml").areas["valley"].grid.bounds
    assert left <= 680_000 and bottom <= 4_890_000 and right >= 690_000 and top >= 4_899_000
    assert right - left < 11_000


def test_what_is_found_stands_in_the_config_and_is_not_searched_again():
    with service() as server:
        tile = dem.tile_name(38, -110)
        serve_bucket(server, {"tileList.txt": f"{tile}\n".encode(), f"{tile}/{tile}.tif": dem_tile(38, -110)})
        serve_stac(server, [stac_scene(server, "12SXJ", START + timedelta(days=5 * n), 5.0)[0] for n in range(2)])
        services = [f"dem={server.url}", f"sentinel2={server.url}/v1", "sentinel1=localhost:9"]
        said = make(
            "moab", "--bbox", -109.85, 38.58, -109.81, 38.60, "--dates", "2023-01-01", "2023-03-31",
            *(part for text in services for part in ("--service", text)), web=quick_web()[0],
        )  # fmt: skip
    text = Path("config/areas/moab.yaml").read_text()
    assert "sentinel1: not searched, left to be found when the workflow runs" in said
    assert "# - dem: 1 tiles" in text
    assert "# - sentinel2: tile 12SXJ: 2 scenes, 2 taken" in text
    kept = sorted(path.name.split("_")[0] for path in Path("resources/downloads/searches").iterdir())
    assert kept == ["dem", "sentinel2"]
    # what the workflow will ask has its answer: the server is gone
    area = read_config("config/areas/moab.yaml").areas["moab"]
    for kind in kept:
        run.search(kind, "moab", area.acquire, area.factors, decide(area.grid), f"{kind}.geojson", web=quick_web()[0])


def test_an_archive_gives_what_it_holds_and_the_rest_is_left_out():
    archive = Path("archive")
    archive.mkdir()
    for day in (5, 17):
        name = f"OPERA_L2_CSLC-S1_T056-118815-IW2_202301{day:02d}T132000Z_20240101T000000Z_S1A_VV_v1.1.h5"
        (archive / name).write_bytes(b"x")
    (archive / f"{dem.tile_name(38, -110)}.tif").write_bytes(dem_tile(38, -110))
    said = make(
        "moab", "--bbox", -109.85, 38.58, -109.81, 38.60, "--dates", "2023-01-01", "2023-03-31", "--archive", archive
    )
    acquire = read_config("config/areas/moab.yaml").areas["moab"].acquire
    assert (acquire.sentinel1.track, acquire.sentinel1.burst) == (56, "T056-118815-IW2")
    assert acquire.dem.archive == "archive"
    assert acquire.sentinel2 is None and acquire.rainfall is None and acquire.lithology is None
    assert "sentinel2: nothing found, left out" in said


def test_outside_north_america_bursts_and_orbits_are_asked_for():
    said = make("valley", "--bbox", 11.2, 51.1, 11.3, 51.2, "--dates", "2022-01-01", "2022-06-30", "--offline")
    settings = read_config("config/areas/valley.yaml").areas["valley"]
    assert settings.acquire.sentinel1.product == "burst"
    assert (settings.inputs.sentinel1.level, settings.inputs.sentinel1.orbits) == ("safe", "resources/valley/orbits")
    assert settings.acquire.rainfall.product == "chirps3"  # CHIRPS 2.0 ends at 50 degrees
    assert "machine urs.earthdata.nasa.gov" in said
    with pytest.raises(InputError, match="is there already"):
        make("valley", "--bbox", 11.2, 51.1, 11.3, 51.2, "--dates", "2022-01-01", "2022-06-30", "--offline")


def test_the_written_config_can_be_completed_by_template():
    make(
        "valley",
        "--bbox",
        -110,
        38,
        -109.9,
        38.1,
        "--dates",
        "2022-01-01",
        "2022-06-30",
        "--offline",
        "--out",
        "v.yaml",
    )
    before = read_config("v.yaml")
    rewrite("v.yaml")
    assert read_config("v.yaml") == before
    assert "max_cloud" in Path("v.yaml").read_text()


# --- a second simulated area, fine-tuning --------------------------------------------------------------------------


@pytest.fixture
def trained(folder, repository):
    """A trained experiment as the demo leaves it, by its record."""
    place = folder / "results/demo/experiments/rs_dr/seed_0"
    place.mkdir(parents=True)
    bands = ["B2", "slope", "lithology", "velocity"]
    channels = ["B2", "slope", "lithology=marl", "lithology=flysch", "velocity"]
    (place / "model.json").write_text(json.dumps({"bands": bands, "channels": channels}))
    (place / "weights.safetensors").write_bytes(b"weights")
    (folder / "config").mkdir()
    for name in ("config/config.yaml", "config/tables.yaml", "config/tables", "Snakefile", "workflow"):
        (folder / name).symlink_to(repository / name)
    return place.parent


def test_a_second_simulated_area_and_fine_tuning_on_it(trained):
    said = make("second", "--simulated", 11, "--fine-tune", trained.relative_to(Path.cwd()))
    settings = read_config("config/areas/second.yaml")
    first, second = settings.areas["demo"], settings.areas["second"]
    assert second.simulate.seed == 11 and second.simulate.inventory
    assert Grid.from_bounds(second.grid.crs, 12.5, second.grid.bounds).shape == (768, 768)
    assert second.grid.bounds[0] > first.grid.bounds[2]  # other ground
    whole, tuned = settings.experiments["rs_dr"], settings.experiments["rs_dr_tuned"]
    assert (whole.train_areas, whole.test_areas) == (["demo"], ["demo", "second"])
    assert (tuned.train_areas, tuned.test_areas) == (["second"], ["second", "demo"])
    assert tuned.training.initial_weights == "results/demo/experiments/rs_dr/seed_0"
    assert tuned.factors == ["B2", "slope", "lithology", "velocity"]
    assert second.factors.lithology.classes == ["marl", "flysch"]  # the model's own, in its order
    assert tuned.model == whole.model
    assert tuned.training.learning_rate == pytest.approx(whole.training.learning_rate / 10)
    assert "Each area's report compares the two" in said


def test_weights_map_an_area_without_landslides(trained):
    make("far", "--simulated", 12, "--weights", trained.relative_to(Path.cwd()))
    settings = read_config("config/areas/far.yaml")
    assert settings.areas["far"].inputs.inventory is None
    assert settings.experiments["rs_dr"].map_areas == ["far"]


def test_fine_tuning_needs_a_trained_model(trained):
    with pytest.raises(InputError, match=r"rs/seed_0 holds no trained model"):
        make("second", "--simulated", 11, "--fine-tune", "results/demo/experiments/rs")


def test_the_fine_tuned_area_runs_through_the_workflow(trained):
    make("second", "--simulated", 11, "--fine-tune", trained.relative_to(Path.cwd()))
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "--configfile", "config/areas/second.yaml", "--cores", "1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "train " in done.stdout and "evaluate" in done.stdout
    assert "results/demo/experiments/rs_dr/seed_0/weights.safetensors" in done.stdout


def test_weights_to_go_on_from_must_be_there_or_be_trained_first(trained):
    make("second", "--simulated", 11, "--fine-tune", trained.relative_to(Path.cwd()))
    text = Path("config/areas/second.yaml").read_text()
    for file in trained.rglob("*.*"):
        file.unlink()
    check_run(read_config("config/areas/second.yaml"))  # rs_dr is of the same run: it is trained first
    Path("other.yaml").write_text(text.replace("rs_dr/seed_0", "rs_dx/seed_0"))
    with pytest.raises(
        InputError, match=r"initial_weights: .*rs_dx/seed_0 holds no trained model .*did you mean '.*rs_dr/s"
    ):
        check_run(read_config("other.yaml"))
