"""What the report says: tables against known numbers, areas with few stages, the same bytes each time."""

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from helpers.report_samples import GRID, NOTE, landslide_raster, run_settings, words
from helpers.report_samples import make_report as make
from slipmap.config.prediction import MapSettings
from slipmap.config.report import ReportSettings
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.report import agreement, calibration, record, validation
from slipmap.report import build as build_module
from slipmap.report.pictures import Style, display_grid, load, paint


def test_both_experiments_stand_side_by_side_with_their_difference(full):
    page, tables = full
    table = pd.read_csv(tables / "scores.csv").set_index(["pooling", "score"])
    row = table.loc[("pooled_over_pixels", "f1")]
    assert row["rs"] == pytest.approx(0.70) and row["rs_dr"] == pytest.approx(0.80)
    assert row["difference"] == pytest.approx(0.10)
    assert "rs_dr − rs" in page and "+0.100" in page


def test_every_heading_under_which_scores_stand_is_followed_by_the_note(full):
    page, _ = full
    for heading in (
        "<h2>Scores</h2>",
        "<h3>Is a probability a frequency?</h3>",
        "<h3>The finished maps against the inventory</h3>",
        "<h3>Single networks on test patches, before calibration</h3>",
    ):
        assert NOTE in page.partition(heading)[2][:300]


def test_the_reliability_diagram_draws_each_calibration(monkeypatch):
    drawn = []
    monkeypatch.setattr(calibration, "chart", lambda lines, **_: drawn.extend(lines) or "")
    found = {
        method: {"reliability": {"probability": [0.1, 0.5, None], "share": [share, 0.6, None]}}
        for method, share in (("none", 0.2), ("isotonic", 0.3))
    }
    settings = SimpleNamespace(prediction=MapSettings(calibration="isotonic", flips=False))
    one = SimpleNamespace(settings=settings, tests=[{"calibration": found, "seed": 4}])
    caption = calibration.charts(SimpleNamespace(tested={"rs": one}))[0]["caption"]
    assert [(line.name, line.x, line.y) for line in drawn] == [
        ("before calibration", [0.1, 0.5], [0.2, 0.6]),
        ("isotonic (used in the maps)", [0.1, 0.5], [0.3, 0.6]),
    ]
    assert caption.endswith("The diagram is of the network of seed 4.")


def test_reliability_is_shown_before_and_after_calibration(full):
    page, _ = full
    shown = words(page.partition("Is a probability a frequency?")[2])
    for text in ("before calibration", "temperature (used in the maps)", "isotonic", "0.0512", "0.0123", "0.0034"):
        assert text in shown, text


def test_agreement_is_counted_on_each_ground(full):
    """Maps are the inventory shifted by two columns: 20 x 2 and 8 x 2 pixels are false alarms, as many are missed."""
    table = pd.read_csv(full[1] / "map_agreement.csv")
    one = table[table["experiment"] == "rs"].set_index("ground")
    assert one.loc["training", ["true_positive", "false_positive", "false_negative"]].tolist() == [160, 40, 40]
    assert one.loc["test", ["true_positive", "false_positive", "false_negative"]].tolist() == [48, 16, 16]
    assert one.loc["test", "f1"] == pytest.approx(0.75)
    counts = ["true_positive", "false_positive", "false_negative", "true_negative"]
    assert one[counts].to_numpy().sum() == GRID.width * GRID.height


def test_precision_and_recall_of_the_map_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, found = rng.random(5000) < 0.1, rng.random(5000) < 0.3
    counts = confusion_matrix(truth, found)[[1, 0, 1, 0], [1, 1, 0, 0]]
    row = agreement._row("test", counts)
    precision, recall, f1, _ = precision_recall_fscore_support(truth, found, average="binary")
    assert [row["precision"], row["recall"], row["f1"]] == pytest.approx([precision, recall, f1])
    assert row["iou"] == pytest.approx((truth & found).sum() / (truth | found).sum())


def test_agreement_leaves_out_what_is_unknown(tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 10, (0, 0, 30, 10))
    for name, values in (("a", [1, 255, 0]), ("b", [1, 1, 255])):
        raster.write(
            tmp_path / f"{name}.tif",
            grid,
            np.array([values], np.uint8),
            bands=["c"],
            units="1",
            long_name="c",
            dtype="uint8",
        )
    table = agreement.count(tmp_path / "a.tif", tmp_path / "b.tif", None)
    assert table.loc[0, ["true_positive", "false_negative", "true_negative"]].tolist() == [1, 0, 0]


def test_an_area_without_inventory_has_maps_and_no_scores(tmp_path):
    page, tables = make(
        tmp_path,
        run_settings(inventory=False, weights=tmp_path / "results" / "valley" / "experiments"),
        inventory=False,
    )
    assert "No scores: this area has no landslide inventory" in page
    assert not (tables / "scores.csv").exists() and not (tables / "map_agreement.csv").exists()
    text = words(page)
    assert "Maps side by side" in text and "prediction area" in text and "F1 of" not in text


def test_an_area_with_deformation_alone_has_network_and_velocity(tmp_path):
    run = run_settings(experiments=False, simulate=False)
    page, tables = make(tmp_path, run, optical=False)
    text = words(page)
    assert (
        "Deformation" in text
        and "Scores" not in text
        and "Screening" not in text
        and "Simulated" not in text.replace("Simulated test valley", "")
    )
    assert (tables / "network.csv").exists()
    assert pd.read_csv(tables / "network.csv")["mean_coherence"].iloc[0] == 0.3  # as the inversion measured it
    data = viewer_data(page)
    ids = ["reliability", "temporal_coherence", "velocity_std", "velocity"]
    assert [layer["id"] for layer in data["layers"]] == ids and data["first"] == "velocity"


def viewer_data(page):
    return json.loads(re.search(r'<script type="application/json" id="map-data">(.*?)</script>', page, re.S)[1])


def test_the_same_results_give_the_same_bytes(tmp_path, full):
    again, tables = make(tmp_path, run_settings())
    assert again == full[0]
    for path in sorted(full[1].iterdir()):
        assert (tables / path.name).read_bytes() == path.read_bytes()


def test_nothing_in_the_page_points_elsewhere(full):
    page = full[0]
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:|//|file:)""", markup)
    assert "url(" not in markup and "@import" not in markup
    assert "default-src 'none'" in page


def test_only_the_scripts_of_the_page_may_run(full):
    """Each script by its SHA-256, no other: what a text of the user smuggled in would not run."""
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', full[0])[1])
    allowed = set(re.findall(r"'sha256-([^']+)'", policy.partition("script-src")[2].partition(";")[0]))
    scripts = re.findall(r"<script>(.*?)</script>", full[0], re.S)
    made = {base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts}
    assert len(scripts) == 5 and made == allowed
    assert "unsafe-inline" not in policy.partition("script-src")[2] and "unsafe-eval" not in policy


def test_the_scripts_of_our_own_stay_short_and_readable():
    files = sorted((Path(build_module.__file__).parent / "assets").glob("*.js"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) <= 600 and max(map(len, lines)) <= 120


def test_text_of_the_user_cannot_become_markup(tmp_path):
    run = run_settings(experiments=False, inventory=False)
    area = run.areas["valley"].model_copy(
        update={"description": "<script>alert(1)</script>", "note": "a < b & </script>"}
    )
    run = run.model_copy(update={"areas": {"valley": area}})
    page, _ = make(tmp_path, run, inventory=False, experiments=False)
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_pictures_stay_below_the_size_that_is_allowed(tmp_path):
    run = run_settings()
    report = run.areas["valley"].report.model_copy(update={"max_megabytes": 0.02, "max_pixels": 128})
    area = run.areas["valley"].model_copy(update={"report": report})
    page, _ = make(tmp_path, run.model_copy(update={"areas": {"valley": area}}))
    assert viewer_data(page)["width"] == 100  # never below 128 pixels
    big = Grid.from_bounds("EPSG:32632", 10, (0, 0, 40000, 30000))
    shown = display_grid(big, 1024)
    assert (shown.width, shown.height) == (1024, 768) and shown.bounds == pytest.approx(big.bounds)


@pytest.mark.parametrize(("taken", "room"), [(0, 100_000), (60_000, 40_000), (200_000, 0)])
def test_what_outlines_and_histories_take_is_not_left_for_pictures(monkeypatch, taken, room):
    """Pictures of a tenth of a byte for each pixel, in 0.1 MB together with the rest; never below 128 pixels."""
    made = []

    def make_layers(_, shown):
        made.append(SimpleNamespace(picture=SimpleNamespace(uri="x" * (shown.width * shown.height // 10))))
        return made[-1:]

    monkeypatch.setattr(build_module, "make_layers", make_layers)
    sources = SimpleNamespace(grid=Grid.from_bounds("EPSG:32632", 10, (0, 0, 20000, 20000)))
    settings = ReportSettings(max_megabytes=0.1, max_pixels=2000)
    shown, layers = build_module._layers_within(sources, settings, sources.grid, taken)
    assert len(layers[0].picture.uri) <= room or max(shown.shape) == 128
    assert len(made) == 1 or len(made[-2].picture.uri) > room  # no coarser than it must be


def test_a_picture_says_its_values():
    values = np.linspace(-3, 5, 400).reshape(20, 20).astype(np.float32)
    values[0, 0] = np.nan
    picture = paint(values, Style(colours="viridis", limits=(-3, 5)), units="m")
    import base64
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(picture.uri.partition(",")[2]))).convert("RGBA")
    pixels = np.asarray(image)
    assert pixels[0, 0, 3] == 0 and (pixels[..., 3].ravel()[1:] == 255).all()
    ramp = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in picture.legend["colours"]])
    level = np.abs(pixels[..., None, :3].astype(int) - ramp).sum(-1).argmin(-1)
    read = picture.legend["min"] + (level + 0.5) / len(ramp) * (picture.legend["max"] - picture.legend["min"])
    assert np.nanmax(np.abs(read - values)[1:]) <= 8 / len(ramp) / 2 + 1e-6


def test_a_coarse_picture_is_the_mean_of_what_it_covers(tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 10, (0, 0, 6400, 6400))
    values = np.random.default_rng(0).normal(size=grid.shape).astype(np.float32)
    raster.write(tmp_path / "a.tif", grid, values, bands=["a"], units="1", long_name="a")
    shown = load(tmp_path / "a.tif", display_grid(grid, 160))
    np.testing.assert_allclose(shown, values.reshape(160, 4, 160, 4).mean((1, 3)), atol=1e-5)


def test_the_comparison_with_truth_is_that_of_scipy():
    rng = np.random.default_rng(3)
    truth = np.where(rng.random((50, 60)) < 0.2, rng.uniform(-60, 20, (50, 60)), 0.0)
    recovered = 0.93 * truth + rng.normal(0.4, 2, truth.shape)
    quality = rng.uniform(0.4, 1, truth.shape)
    found = validation.compare(recovered, truth, quality, least=0.7, moving=10.0)
    good = quality >= 0.7
    fast = good & (np.abs(truth) > 10)
    line = stats.linregress(truth[fast], recovered[fast])
    assert found.slope == pytest.approx(line.slope) and found.intercept == pytest.approx(line.intercept)
    assert found.correlation == pytest.approx(line.rvalue)
    assert found.rms == pytest.approx(np.sqrt(np.mean((recovered - truth)[good] ** 2)))
    assert found.movers_rms == pytest.approx(np.sqrt(np.mean((recovered - truth)[fast] ** 2)))
    assert (found.pixels, found.movers_kept) == (good.sum(), fast.sum())
    assert found.movers == (np.abs(truth) > 10).sum()


def test_an_empty_velocity_map_fails_the_comparison():
    truth = np.where(landslide_raster() == 1, np.linspace(-50, -20, GRID.width), 0.0)
    found = validation.compare(np.zeros_like(truth), truth, np.ones_like(truth), least=0.7, moving=10.0)
    assert found.slope == pytest.approx(0) and found.movers_rms > 20


def test_checksums_are_those_of_hashlib(tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("b", "a"):
        (tmp_path / "folder" / name).write_bytes(name.encode() * 1000)
    one = record.checksum(tmp_path / "folder" / "a", 1)
    assert one["sha256"] == hashlib.sha256(b"a" * 1000).hexdigest() and one["bytes"] == 1000
    both = record.checksum(tmp_path / "folder", 1)
    assert (both["files"], both["bytes"]) == (2, 2000) and len(both["sha256"]) == 64
    assert record.checksum(tmp_path / "folder", 0.001)["sha256"] == ""


def test_run_times_are_summed_over_the_pairs_of_a_rule(tmp_path):
    (tmp_path / "unwrap").mkdir()
    for name, seconds in (("unwrap/a", 2.0), ("unwrap/b", 3.0), ("train", 60.0)):
        (tmp_path / f"{name}.tsv").write_text(f"s\tmax_rss\tcpu_time\n{seconds}\t{100 * seconds}\t-\n")
    table = record.benchmarks(tmp_path).set_index("job")
    assert table.loc["unwrap", ["jobs", "seconds", "max_rss_mb"]].tolist() == [2, 5.0, 300.0]
    assert table.loc["train", "seconds"] == 60.0
