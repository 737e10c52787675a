"""The whole workflow on a small simulated area and a prediction area: run once, then looked at from outside."""

import json
import re
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import yaml
import zarr
from rio_cogeo import cog_validate

from helpers.workflow_runs import small_config, snakemake, visible_text, write_config

AREAS, EXPERIMENTS = ("valley", "ungauged"), ("rs", "rs_dr")
SPLITS = {"training": 0, "validation": 1, "test": 2}
RAW = re.compile(r"resources/\w+/sentinel[12]/\d{8}\.tif")  # as a satellite's data come: no product of the workflow
SCALED = re.compile(r"/deformation/(linked/\d{8}|(sbas/)?unwrapped)/")  # phases and turns in 16 bits
RESOURCE = re.compile(
    r"""(?:\b(?:src|href|srcset|action|data|poster)\s*=\s*["']?|url\(\s*["']?|@import\s+["']|"""
    r"""\b(?:fetch|import|open)\(\s*["'`])\s*(?:https?:|//|file:)""",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, finished_run):
    """The folder of one run of everything."""
    return Path(shutil.copytree(finished_run, tmp_path_factory.mktemp("whole"), dirs_exist_ok=True))


def rasters(folder: Path) -> list[Path]:
    """Every raster that the workflow made, the simulated raw data excepted."""
    found = [path for top in ("results", "resources") for path in sorted((folder / top).rglob("*.tif"))]
    return [path for path in found if not RAW.fullmatch(path.relative_to(folder).as_posix())]


def test_a_second_run_has_nothing_to_do(whole):
    answer = snakemake(whole)
    assert answer.returncode == 0 and "Nothing to be done" in answer.stdout, answer.stdout[-3000:]


def test_every_raster_is_a_cog_with_crs_nodata_and_units(whole):
    """By rio-cogeo's validator; the sums at the end show that no kind of raster was missed."""
    wrong, kinds = [], set()
    for path in rasters(whole):
        name = path.relative_to(whole).as_posix()
        kinds.add("/".join(name.split("/")[2:-1]))
        slc = path.name == "compressed.tif"  # complex: no viewer shows it, and overviews of phases mean nothing
        valid, errors, warnings = cog_validate(path, strict=True, quiet=True)
        if not valid and not slc:
            wrong.append(f"{name}: no COG: {errors or warnings}")
        with rasterio.open(path) as src:
            if src.crs is None or not src.crs.is_projected:
                wrong.append(f"{name}: CRS {src.crs}")
            for number, dtype in enumerate(src.dtypes, start=1):
                nodata = src.nodatavals[number - 1]
                floats = dtype == "float32" and nodata is not None and np.isnan(nodata)
                scaled = dtype == "uint16" and nodata == 0 and SCALED.search(name)
                if not (floats or scaled or slc or (dtype == "uint8" and nodata == 255)):
                    wrong.append(f"{name}: band {number} is {dtype} with nodata {nodata}")
                if not src.tags(number).get("units") or src.units[number - 1] != src.tags(number)["units"]:
                    wrong.append(f"{name}: band {number} has no units")
                if not src.descriptions[number - 1]:
                    wrong.append(f"{name}: band {number} has no description")
    assert not wrong, "\n".join(wrong)
    assert kinds >= {"deformation", "deformation/unwrapped", "factors", "patches"}
    assert kinds >= {"deformation/linked/20210109", "deformation/sbas", "deformation/sbas/unwrapped"}
    assert kinds >= {"", "truth", "sentinel1", *(f"maps/{name}" for name in EXPERIMENTS)}


@pytest.mark.parametrize("area", AREAS)
def test_factors_and_maps_lie_exactly_on_the_grid(whole, area):
    grid = json.loads((whole / f"results/{area}/grid.json").read_text())
    bounds = small_config()["areas"][area]["grid"]["bounds"]
    folders = ["factors", *(f"maps/{name}" for name in EXPERIMENTS)]
    paths = [path for folder in folders for path in (whole / f"results/{area}" / folder).glob("*.tif")]
    if area == "valley":
        paths += [whole / "results/valley" / name for name in ("inventory.tif", "patches/split.tif")]
    assert len(paths) > 20
    for path in paths:
        with rasterio.open(path) as src:
            assert (src.width, src.height) == (grid["width"], grid["height"]) == (192, 192), path
            assert tuple(src.transform)[:6] == (12.5, 0, bounds[0], 0, -12.5, bounds[3]), path
            assert tuple(src.bounds) == tuple(bounds) and src.crs.to_epsg() == 32632, path


@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.parametrize("area", AREAS)
def test_maps_are_probabilities_and_the_polygons_are_their_classes(whole, area, experiment):
    folder = whole / f"results/{area}/maps/{experiment}"
    layers = {}
    for name in ("probability", "uncertainty", "class"):
        with rasterio.open(folder / f"{name}.tif") as src:
            layers[name] = src.read(1, masked=True)
    probability = layers["probability"].compressed()
    assert probability.size > 0.9 * 192 * 192
    assert probability.min() >= 0 and probability.max() <= 1 and probability.std() > 0
    assert layers["uncertainty"].compressed().min() >= 0
    assert set(np.unique(layers["class"].compressed())) <= {0, 1}
    assert (layers["class"].mask == layers["probability"].mask).all()
    frame = pyogrio.read_dataframe(folder / "landslides.gpkg", layer="landslides")
    assert frame.crs.to_epsg() == 32632 and frame.is_valid.all()
    ground = 12.5**2 * (layers["class"] == 1).sum()
    # The outlines are the class raster's objects, less those below the smallest area, corners cut.
    assert 0 <= frame.area.sum() <= 1.02 * ground
    assert len(frame) or ground < 40000
    with sqlite3.connect(folder / "landslides.gpkg") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_both_experiments_are_scored_on_the_same_test_ground_and_differ(whole):
    tables = whole / "results/valley/report/tables"
    scores = pd.read_csv(tables / "scores.csv").set_index(["pooling", "score"])
    np.testing.assert_allclose(scores["difference"], scores["rs_dr"] - scores["rs"], atol=1e-5)
    assert scores["difference"].abs().max() > 0
    tests = {}
    for name in EXPERIMENTS:
        metrics = pd.read_csv(whole / f"results/valley/experiments/{name}/metrics.csv").set_index(["pooling", "score"])
        for key in (("pooled_over_pixels", "f1"), ("pooled_over_pixels", "auc_roc")):
            assert metrics.loc[key, "mean"] == pytest.approx(scores.loc[key, name], rel=1e-5)
            assert 0 <= metrics.loc[key, "mean"] <= 1
        record = whole / f"results/valley/experiments/{name}/seed_0/test_metrics.json"
        tests[name] = json.loads(record.read_text())
    assert set(tests["rs_dr"]["bands"]) - set(tests["rs"]["bands"]) == {"velocity"}
    assert set(tests["rs"]["bands"]) < set(tests["rs_dr"]["bands"])
    assert sum(tests["rs"]["counts"].values()) == sum(tests["rs_dr"]["counts"].values())
    with rasterio.open(whole / "results/valley/patches/split.tif") as src:
        ground = int((src.read(1) == SPLITS["test"]).sum())
    assert 0 < sum(tests["rs"]["counts"].values()) <= ground


def test_an_area_without_inventory_has_maps_and_no_scores(whole):
    folder = whole / "results/ungauged"
    assert not (whole / "resources/ungauged/inventory.gpkg").exists()
    for name in ("inventory.tif", "patches", "screening", "experiments", "report/tables/scores.csv"):
        assert not (folder / name).exists(), name
    assert not (folder / "report/tables/map_agreement.csv").exists()
    page = (folder / "report/index.html").read_text()
    assert 'id="no-scores"' in page and "has no landslide inventory" in visible_text(page)
    assert 'id="scores-table"' not in page
    gauged = (whole / "results/valley/report/index.html").read_text()
    assert 'id="scores-table"' in gauged and 'id="no-scores"' not in gauged


def test_linked_phases_have_the_velocity_by_sbas_beside_them(whole):
    """Both networks from the same SLCs; the report says how each agrees with the truth, and nothing of it elsewhere."""
    own, beside = (whole / "results/ungauged/deformation" / part for part in ("", "sbas"))
    pairs = [set(pd.read_csv(folder / "network.csv")["pair"]) for folder in (own, beside)]
    assert len(pairs[0]) == 9 and pairs[0] != pairs[1]  # each of 6 dates with its two next ones
    for folder, names in zip((own, beside), pairs, strict=True):
        assert {path.stem for path in (folder / "unwrapped").glob("*.tif")} == names
    assert len(list((own / "linked").iterdir())) == 2 and not (beside / "linked").exists()
    table = pd.read_csv(whole / "results/ungauged/report/tables/estimators.csv")
    assert table["estimator"].tolist() == ["phase_linking", "sbas"] and (table["reliable_share"] > 0.3).all()
    assert "Linked phases beside SBAS" in visible_text((whole / "results/ungauged/report/index.html").read_text())
    assert not (whole / "results/valley/deformation/sbas").exists()
    assert "beside SBAS" not in (whole / "results/valley/report/index.html").read_text()


def test_the_velocity_by_sbas_is_a_factor_of_any_area(whole):
    """Of an area whose estimator it is, its own; else the one beside the linked phases."""
    made = [f"results/{area}/factors/sbas_velocity.tif" for area in AREAS]
    answer = snakemake(whole, *made)
    assert answer.returncode == 0, answer.stdout[-3000:]
    values = []
    for path in (*made, *(f"results/{area}/factors/velocity.tif" for area in AREAS)):
        with rasterio.open(whole / path) as src:
            values.append(src.read(1))
            assert src.descriptions == (Path(path).stem,)
    np.testing.assert_array_equal(values[0], values[2])
    assert not np.array_equal(values[1], values[3], equal_nan=True)


def test_the_split_is_disjoint_in_the_patches_themselves(whole):
    """What a patch shows or is scored on lies on ground of its own split, and is scored once."""
    with rasterio.open(whole / "results/valley/patches/split.tif") as src:
        split = src.read(1)
    assert set(np.unique(split)) - {255} == {0, 1, 2}
    store = whole / "results/valley/patches/p32.zarr"
    index = pd.read_parquet(store / "index.parquet")
    assert set(index["split"]) == set(SPLITS)
    group = zarr.open_group(store, mode="r")
    image, mask = group["image"], group["mask"]
    scored = np.zeros(split.shape, int)
    for patch in index[index["parent"] < 0].itertuples():
        shown = np.isfinite(image[patch.patch]).any(axis=0) | (mask[patch.patch] != 255)
        rows, cols = np.nonzero(shown)
        rows, cols = rows + patch.row, cols + patch.col
        assert (split[rows, cols] == SPLITS[patch.split]).all(), f"patch {patch.patch} shows other ground"
        if patch.split != "training":
            labelled = np.nonzero(mask[patch.patch] != 255)
            np.add.at(scored, (labelled[0] + patch.row, labelled[1] + patch.col), 1)
    assert scored.max() == 1


@pytest.mark.parametrize("area", AREAS)
def test_the_report_needs_nothing_from_elsewhere_and_says_that_its_data_are_simulated(whole, area):
    page = (whole / f"results/{area}/report/index.html").read_text()
    markup = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)  # its policy lets scripts fetch nothing
    assert RESOURCE.findall(markup) == [] and "default-src 'none'; img-src data:;" in markup
    assert "Everything in this report comes from simulated data" in visible_text(page)
    assert len(re.findall(r"data:image/", page)) >= 10


@pytest.mark.parametrize(
    "line, found",
    [
        ('<script src="https://cdn.example/x.js">', True),
        ("<link rel=stylesheet href=//fonts.example/x.css>", True),
        ("background: url( 'http://example/x.png')", True),
        ("fetch(`https://example/data.json`)", True),
        ('<img src="data:image/png;base64,AA//">', False),
        ('<svg xmlns="http://www.w3.org/2000/svg">', False),
        ('<a href="#scores">', False),
    ],
)
def test_the_search_for_outside_resources_finds_them(line, found):
    assert bool(RESOURCE.search(line)) == found


@pytest.fixture(scope="module")
def elsewhere(whole):
    """A second config in the same folder: one more area, mapped with the weights that the first run left."""
    area = {
        "grid": {"crs": "EPSG:32632", "resolution": 12.5, "bounds": [530000, 5000000, 531600, 5001600]},
        "simulate": {"seed": 4, "dates": 6, "landslides": 10, "scenes": 2, "inventory": False},
    }
    experiment = {"weights": "results/valley/experiments/rs_dr", "prediction": {"tile": 64, "overlap": 0.25}}
    before = {path: path.stat().st_mtime_ns for path in (whole / "results/valley").rglob("*.tif")}
    write_config(whole, {"areas": {"elsewhere": area}, "experiments": {"borrowed": experiment}}, name="second.yaml")
    answer = snakemake(whole, config="second.yaml")
    assert answer.returncode == 0, answer.stdout[-6000:]
    assert before == {path: path.stat().st_mtime_ns for path in (whole / "results/valley").rglob("*.tif")}
    return whole / "results/elsewhere"


def test_an_area_is_mapped_with_the_weights_of_an_earlier_run(elsewhere):
    with rasterio.open(elsewhere / "maps/borrowed/probability.tif") as src:
        probability = src.read(1, masked=True)
        assert tuple(src.bounds) == (530000, 5000000, 531600, 5001600)
    assert probability.count() > 0.9 * 128 * 128
    assert probability.min() >= 0 and probability.max() <= 1
    pyogrio.read_info(elsewhere / "maps/borrowed/landslides.gpkg", layer="landslides")
    assert not (elsewhere / "experiments").exists()
    page = (elsewhere / "report/index.html").read_text()
    assert 'id="no-scores"' in page and "simulated" in visible_text(page).lower()


def test_a_map_in_three_jobs_is_the_map_of_one_byte_for_byte(whole, elsewhere):
    config = yaml.safe_load((whole / "second.yaml").read_text())
    experiment = config["experiments"].pop("borrowed")
    config["experiments"]["divided"] = experiment | {"prediction": experiment["prediction"] | {"parts": 3}}
    write_config(whole, config, name="third.yaml")
    answer = snakemake(whole, "results/elsewhere/maps/divided/class.tif", config="third.yaml")
    assert answer.returncode == 0, answer.stdout[-6000:]
    assert len(list((whole / "results/elsewhere/logs/map_part_divided").glob("*-of-3.log"))) == 3
    assert not (elsewhere / "maps/divided/parts").exists() or not any((elsewhere / "maps/divided/parts").iterdir())
    for name in ("probability", "uncertainty", "class", "probability_class"):
        divided, single = (elsewhere / "maps" / job / f"{name}.tif" for job in ("divided", "borrowed"))
        assert divided.read_bytes() == single.read_bytes(), name


def test_another_smallest_area_outlines_again_and_maps_nothing(whole, elsewhere):
    config = yaml.safe_load((whole / "second.yaml").read_text())
    config["experiments"]["borrowed"]["prediction"]["min_area"] = 2000.0
    write_config(whole, config, name="fourth.yaml")
    answer = snakemake(whole, "--dry-run", "--quiet", "host", config="fourth.yaml")
    planned = set(re.findall(r"^(\w+) +\d+$", answer.stdout, re.MULTILINE)) - {"total", "all"}
    assert planned == {"outline_landslides", "publish_map", "report"}, answer.stdout[-3000:]


@pytest.mark.parametrize(
    ("change", "remade"),
    [
        ({"reference_point": [9.01, 45.15]}, {"invert_network"}),
        ({"phase_window": 1}, {"unwrap", "invert_network"}),
        ({"goldstein_alpha": 0.2}, {"unwrap", "invert_network"}),
    ],
)
def test_an_option_of_deformation_remakes_what_depends_on_it_and_no_more(whole, change, remade):
    config = small_config()
    config["areas"]["valley"]["deformation"] = change
    write_config(whole, config, name="fifth.yaml")
    target = "results/valley/deformation/velocity.tif"
    answer = snakemake(whole, target, "--dry-run", "--quiet", "host", config="fifth.yaml")
    planned = set(re.findall(r"^(\w+) +\d+$", answer.stdout, re.MULTILINE)) - {"total"}
    assert planned == remade, answer.stdout[-3000:]


def test_snakemakes_own_report_has_captions_that_say_what_is_simulated(whole):
    answer = snakemake(whole, "--report", "snakemake_report.html")
    assert answer.returncode == 0, answer.stdout[-3000:]
    page = (whole / "snakemake_report.html").read_text()
    for text in (
        "Simulated data. Landslides of valley outlined by rs_dr",
        "Simulated data. The whole report of ungauged",
    ):
        assert text in page, text


def test_the_first_run_is_still_finished_after_the_second(whole, elsewhere):
    answer = snakemake(whole)
    assert answer.returncode == 0 and "Nothing to be done" in answer.stdout, answer.stdout[-3000:]
