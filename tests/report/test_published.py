"""The papers' tables and the picture of augmentation in an area's report."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from PIL import Image

from helpers.report_samples import NOTE, build_report, run_settings, write_area
from helpers.workflow_runs import visible_text
from slipmap.config.run import ExperimentSettings
from slipmap.config.tables import TableSettings
from slipmap.training import table_results, tables

TABLE = "fcadensenet_table4"
PUBLISHED = {"RS": "0.6743", "RS-DR": "0.7611"}  # F1, FCADenseNet, Remote Sensing 2024, 16, 992, table 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory, repository):
    """A simulated area with two seeds of the two rows of a table."""
    root = tmp_path_factory.mktemp("published")
    write_area(root)
    definition = TableSettings.model_validate(yaml.safe_load((repository / f"config/tables/{TABLE}.yaml").read_text()))
    results, weights = [], []
    for row, f1 in zip(definition.rows, ((0.50, 0.54), (0.60, 0.66)), strict=True):
        paths = []
        for seed, value in enumerate(f1):
            paths.append(root / f"{row.name}_{seed}.json")
            scored = {"precision": value, "recall": value, "f1": value, "kappa": None, "miou": value}
            said = {
                "areas": ["valley"],
                "images": 4,
                "pixels": 3200,
                "bands": ["slope"],
                "independence": ["spatial blocks"],
                "test_distance": 300.0,
            }
            paths[-1].write_text(json.dumps(said | {"pooled_over_pixels": scored}))
        results.append(paths)
        weights.append([root] * 2)
    experiment = ExperimentSettings(
        dataset="p64", train_areas=["valley"], model={"name": "fcadensenet", "options": {"width": 0.125}}
    )
    out = root / f"results/valley/tables/{TABLE}.csv"
    settings = tables.read_run(repository / "config/tables.yaml")
    table_results.run(definition, settings, [experiment] * 2, results, weights, out, out.with_suffix(".json"))
    for name in ("rs", "rs_dr"):
        Image.new("RGB", (40, 20), "green").save(root / f"results/valley/experiments/{name}/augmentation.png")
    return root


@pytest.fixture(scope="module")
def page(folder):
    path = folder / "report/index.html"
    build_report(run_settings(), folder, path)
    return path.read_text(encoding="utf-8")


def section(page, name):
    return visible_text(re.search(rf'<section id="{name}">.*?</section>', page, re.DOTALL).group())


def test_our_numbers_stand_beside_the_published_ones_with_the_caveats(page, folder, repository):
    text = section(page, "published")
    for row, ours in (("RS", "0.5200 ± 0.0283"), ("RS-DR", "0.6300 ± 0.0424")):
        assert f"{PUBLISHED[row]} {ours}" in text
    caveats = yaml.safe_load((repository / f"config/tables/{TABLE}.yaml").read_text())["caveats"]
    assert all(" ".join(caveat.split()) in text for caveat in caveats)
    assert "spatial blocks" in text and "0.125 of their published width" in text and "2 seeds" in text
    assert "not with the published numbers" in text
    assert NOTE in text and "Simulated data" in text
    copied = pd.read_csv(folder / f"report/tables/published_{TABLE}.csv")
    assert copied["F1, published"].tolist() == [float(value) for value in PUBLISHED.values()]


def test_other_tables_are_another_digest(folder, tmp_path):
    before = tables.digest(folder / "results/valley/tables")
    assert tables.digest(tmp_path) != before
    path = folder / f"results/valley/tables/{TABLE}.json"
    path.write_text(path.read_text() + " ")
    assert tables.digest(path.parent) != before


def test_the_same_picture_of_augmentation_is_shown_once(page):
    pictures = re.findall(r'<figure><img src="data:image/webp;base64,[^"]+"[^>]*><figcaption>([^<]*)', page)
    assert len(pictures) == 1
    assert (
        "Training patches of rs, rs_dr" in pictures[0]
        and "Validation and test patches are never changed" in pictures[0]
    )


def test_an_area_without_either_has_neither(tmp_path):
    write_area(tmp_path)
    path = Path(tmp_path / "report/index.html")
    build_report(run_settings(), tmp_path, path)
    text = path.read_text(encoding="utf-8")
    assert 'id="published"' not in text and "<img src=" not in text
