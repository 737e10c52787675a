"""Reports of every kind of place in headless Chromium at three sizes of window, light and dark: axe-core finds nothing,
the console is silent, nothing is asked for."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from helpers.report_browser import CHROMIUM
from helpers.report_samples import _training, build_report, run_settings, write_area
from slipmap.config import parse_config
from slipmap.report import imported

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)"),
    pytest.mark.xdist_group("report_browser"),
]
LEVELS = ("#summary", "#explore", "#methods")


@pytest.fixture(scope="module")
def pages(valley, tmp_path_factory):
    """One report of each kind, by name."""
    found = {"everything": valley / "results" / "valley" / "report" / "index.html"}
    root = tmp_path_factory.mktemp("prediction")
    write_area(root, inventory=False)
    weights = root / "results" / "valley" / "experiments"
    found["prediction area"] = root / "index.html"
    build_report(run_settings(inventory=False, weights=weights), root, found["prediction area"])
    for path in (root / "results" / "valley" / "deformation").iterdir():
        path.unlink()
    found["no radar"] = root / "without" / "index.html"
    build_report(run_settings(inventory=False, weights=weights), root, found["no radar"])
    root = tmp_path_factory.mktemp("velocity")
    write_area(root, optical=False)
    found["velocity alone"] = root / "index.html"
    build_report(run_settings(experiments=False, simulate=False), root, found["velocity alone"])
    return found | {"imported": import_report(tmp_path_factory.mktemp("imported"))}


def import_report(root):
    """The report of an imported data set with one experiment, its store no more than what it says of itself."""
    counts = {"patches": 4, "landslide_pixels": 64, "background_pixels": 3136}
    store, place = root / "images.zarr", "results/images"
    store.mkdir()
    attributes = {"bands": ["B2", "B3"], "counts": dict.fromkeys(("training", "validation", "test"), counts)}
    (store / "zarr.json").write_text(json.dumps({"attributes": attributes}))
    _training(root / place / "experiments" / "rs", "rs", True)
    folder = root / place / "comparison"
    folder.mkdir()
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(folder / "predictions.png")
    curve = {"model": "rs", "kind": "network", "false_positive_rate": [0, 0.2, 1], "true_positive_rate": [0, 0.9, 1]}
    pd.DataFrame(curve | {"auc": 0.85}).to_csv(folder / "roc.csv", index=False)
    pd.DataFrame({"source": ["inventory", "inventory", "rs"], "area": [40, 9, 35]}).to_csv(
        folder / "sizes.csv", index=False
    )
    run = parse_config(
        {
            "datasets": {"images": {"source": {"format": "landslide4sense", "path": "resources/images"}}},
            "experiments": {"rs": {"train_areas": ["images"], "test_areas": ["images"]}},
        },
        source="test",
    )
    files = [path.relative_to(root).as_posix() for path in (root / "results").rglob("*.*")]
    imported.build(
        dataset="images", run=run, store=store, files=files, page=root / "index.html", tables=root / "tables", root=root
    )
    return root / "index.html"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (390, 844)], ids=str)
def test_axe_finds_no_violation_in_any_kind_of_report(pages, chromium, size, dark):
    for kind, page in pages.items():
        chromium.become(*size, mobile=size[0] < 500, dark=dark)
        chromium.open(page)
        levels = LEVELS if kind != "imported" else ("",)
        for level in levels if kind != "everything" else ("#summary", "#landslide=2&map=rs_dr", "#methods"):
            chromium.evaluate(f"location.hash = '{level}'")
            chromium.frame()
            chromium.evaluate("document.getElementById('all') && document.getElementById('all').click()")
            chromium.frame()
            assert chromium.violations() == [], (kind, level)
            assert chromium.evaluate("document.documentElement.scrollWidth") <= size[0], (kind, level)
        assert chromium.complaints == [], kind
        assert [url for url in chromium.requests if not url.startswith("data:")] == [page.resolve().as_uri()]


def test_explore_without_outlines_has_no_empty_table(pages, chromium):
    for kind, there in (("velocity alone", False), ("prediction area", True)):
        chromium.become(1440, 900)
        chromium.open(pages[kind], "#explore")
        assert chromium.evaluate("document.getElementById('list').offsetHeight > 0") == there
        asked = chromium.evaluate("document.getElementById('panel').innerText")
        assert asked.startswith("Choose an outline on the map or in the table" if there else "Click a place on the map")


def test_an_imported_data_set_begins_with_numbers_and_what_it_finds(pages):
    text = pages["imported"].read_text(encoding="utf-8")
    order = ["<b>4</b><strong>test images", "What it finds", "<h2>Images", "<h2>Training", "<h2>Scores"]
    found = [text.index(part) for part in order]
    assert found == sorted(found) and "landslides cover 2 % of what is labelled" in text
    assert "Areas under the curves: rs: 0.850." in text and "inventory: 2" in text and "area (pixels)" in text
