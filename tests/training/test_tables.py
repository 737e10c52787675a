"""The papers' tables: every row is an experiment of a known model; one family trained and tabled; scores of images."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from helpers.training_stores import tiny_store
from slipmap.config.layout import patch_store
from slipmap.config.recipes import RECIPES
from slipmap.config.run import ExperimentSettings, RunSettings
from slipmap.errors import InputError
from slipmap.models import create_model, index
from slipmap.patches import writer
from slipmap.patches.dataset import StoredPatches
from slipmap.training import cost, evaluate, summary, table_results, tables, train
from slipmap.training.metrics import scores

FOLDER, RUN = "config/tables", "config/tables.yaml"


@pytest.fixture(autouse=True)
def one_thread(monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_one_file_for_each_results_table_of_the_papers():
    expected = {"sbconv": (1, 2), "fcadensenet": (2, 3, 4), "emr_hrnet": range(2, 8)}
    expected |= {"msasnet": range(2, 5), "enhanced_unet": range(2, 7)}
    names = {f"{paper}_table{number}" for paper, numbers in expected.items() for number in numbers}
    assert set(tables.load(FOLDER, RUN).tables) == names


def test_every_row_is_an_experiment_of_a_known_model():
    loaded = tables.load(FOLDER, RUN)
    assert len(loaded.experiments) > 50
    for name, experiment in loaded.experiments.items():
        index.check(experiment.model.name, experiment.model.options, name)
        with torch.device("meta"):
            create_model(experiment.model.name, 12, experiment.model.classes, **experiment.model.options)
        assert experiment.map_areas == []
    for name, table in loaded.tables.items():
        networks = table.kind == "networks"
        assert len(loaded.rows[name]) == (len(table.rows) if networks else 0)
        for row in table.rows:
            assert set(row.published) == set(table.columns), (name, row.name)
            assert not networks or row.experiment is not None or row.note, (name, row.name)


def test_the_published_numbers_are_those_printed():
    """Every number of every table, against the lines copied from the papers' text."""
    printed, name = {}, ""
    for line in (Path(__file__).parent / "published_tables.txt").read_text().splitlines():
        if not line.startswith(("#", " ")):
            name = line
        elif line.startswith(" "):
            printed.setdefault(name, []).append([None if n == "\\" else float(n) for n in line.split()])
    found = tables.load(FOLDER, RUN).tables
    assert set(printed) == set(found)
    for name, table in found.items():
        ours = [heading for heading in table.columns if heading not in ("RMSE", "Aspect, cosine")]  # beside the paper's
        assert [[row.published[heading] for heading in ours] for row in table.rows] == printed[name], name


def test_published_numbers_agree_with_each_other():
    """F1 is the harmonic mean of the printed precision and recall, where the papers compute it so."""
    loaded = tables.load(FOLDER, RUN).tables
    checked = 0
    for name, (p, r) in {
        "sbconv_table1": ("Precision", "Recall"),
        "sbconv_table2": ("Precision", "Recall"),
        "fcadensenet_table4": ("Pre", "Rec"),
        "emr_hrnet_table2": ("Precision", "Recall"),
        "emr_hrnet_table3": ("Precision", "Recall"),
        "emr_hrnet_table5": ("Precision", "Recall"),
        "emr_hrnet_table6": ("Precision", "Recall"),
    }.items():
        for row in loaded[name].rows:
            precision, recall, f1 = (row.published[key] for key in (p, r, "F1"))
            if precision is None:
                continue
            scale = 1 if f1 < 1 else 100
            assert 2 * precision * recall / (precision + recall) / scale == pytest.approx(f1 / scale, abs=4e-4), (
                row.name
            )
            checked += 1
    assert checked > 35


def test_the_deformation_rate_is_what_the_pair_differs_in():
    loaded = tables.load(FOLDER, RUN)
    without, with_rate = (loaded.experiments[name] for name in loaded.rows["fcadensenet_table4"])
    assert without.exclude == ["sbas_velocity"] and with_rate.exclude == [] and "sbas_velocity" in with_rate.factors
    assert without.model_copy(update={"exclude": []}) == with_rate
    assert without.training.seeds == [0, 1, 2]
    assert loaded.rows["fcadensenet_table3"][-1] == loaded.rows["fcadensenet_table4"][-1]  # trained once, shown twice


def test_attention_is_all_that_the_dense_networks_differ_in():
    loaded = tables.load(FOLDER, RUN)
    plain, attentive = (loaded.experiments[name].model for name in loaded.rows["fcadensenet_table3"][-2:])
    with torch.device("meta"):
        made = [create_model(one.name, 10, 1, **one.options) for one in (plain, attentive)]
    shapes = [{key: tensor.shape for key, tensor in one.state_dict().items()} for one in made]
    layers = [{key: str(part) for key, part in one.named_modules() if "attention" not in key and key} for one in made]
    assert layers[0] == layers[1]  # a transposed convolution has the shape of a plain one
    added = set(shapes[1]) - set(shapes[0])
    assert added and all(key.startswith("attention.") for key in added)
    assert all(shapes[1][key] == shape for key, shape in shapes[0].items())


def test_the_cost_columns_are_those_printed():
    """SegNet's and MsASNet's parameters and operations in MsASNet's Table 4, to the printed precision or 1 %."""
    table = tables.load(FOLDER, RUN).tables["msasnet_table4"]
    for row in table.rows:
        if row.name in ("SegNet", "MsASNet"):
            found = table_results._costs(table, row)
            assert found["parameters"] / 1e6 == pytest.approx(row.published["Params (M)"], rel=1e-5)
            assert found["flops"] / 1e9 == pytest.approx(row.published["GFLOPs"], rel=0.01)


def test_the_papers_own_networks_have_its_dropout():
    """Every dropout layer of the built network has the rate that the table names."""
    own = {"fcadensenet": "fcadensenet", "emr_hrnet": "emr_hrnet", "hrnet_dema": "emr_hrnet", "hrnet_rma": "emr_hrnet"}
    loaded, seen = tables.load(FOLDER, RUN), set()
    for name, table in loaded.tables.items():
        for key in loaded.rows[name]:
            model = loaded.experiments[key].model if key else None
            if model and own.get(model.name) == table.recipe:
                with torch.device("meta"):
                    made = create_model(model.name, 3, model.classes, **model.options)
                rates = {part.p for part in made.modules() if isinstance(part, torch.nn.Dropout | torch.nn.Dropout2d)}
                assert rates == {table.inputs.dropout}, (name, model.name)
                seen.add(model.name)
    assert seen == set(own)


TRAINED_ON = {  # what the papers' text says of bands, size, normalisation, split, classes, dropout; None: nothing
    # Land 2024, 13, 835, section 2.1: Landslide4Sense
    "sbconv": (14, 128, None, None, 2, None),
    # Remote Sensing 2024, 16, 992: 12.5 m, Z-score (2.2); 128 x 128, 7:3 (3.1); sigmoid, 0.2 (3.4)
    "fcadensenet": (10, 128, "zscore", "7:3", 1, 0.2),
    # Sensors 2024, 24, 3677, section 3.1; 4:1 in Tables 4 and 5 (4.2)
    "emr_hrnet": (3, 512, None, "6:2:2", 2, 0.5),
    "emr_hrnet_table4": (3, 512, None, "4:1", 2, 0.5),
    "emr_hrnet_table5": (3, 512, None, "4:1", 2, 0.5),
    # Remote Sensing 2024, 16, 1712, section 2.1
    "msasnet": (3, 512, None, "8:1:1", 1, None),
    # J. Comput. Commun. 2025, 13, 80-107: 128 x 128 (2.2), Min Max Scaler (2.3), Table 1
    "enhanced_unet": (7, 128, "minmax", "6:2:2", 2, None),
    "enhanced_unet_table2": (6, None, "minmax", "6:2:2", None, None),
    "fcadensenet_table2": (6, None, "zscore", None, None, None),
}


def test_every_table_names_what_its_paper_learns_from():
    for name, table in tables.load(FOLDER, RUN).tables.items():
        given = table.inputs
        found = len(given.factors), given.size, given.normalisation, given.split, given.classes, given.dropout
        assert found == TRAINED_ON.get(name, TRAINED_ON[name.rpartition("_table")[0]]), name


def test_every_table_is_run_with_the_inputs_of_its_paper():
    """Factors, normalisation and classes reach the experiments; what is changed is said with every table."""
    loaded = tables.load(FOLDER, RUN)
    settings = loaded.settings
    said = " ".join(settings.changes)
    for name, table in loaded.tables.items():
        if table.kind != "networks":
            continue
        for key in filter(None, loaded.rows[name]):
            experiment = loaded.experiments[key]
            cut = loaded.cuts[experiment.dataset]
            assert experiment.model.classes == table.inputs.classes
            assert cut.patches.normalisation == (table.inputs.normalisation or "zscore")
            expected = [own for paper in table.inputs.factors for own in settings.stands_for.get(paper, [paper])]
            assert list(cut.factors) == expected == experiment.factors
            assert set(experiment.exclude) <= set(expected)
        assert cut.patches.size == table.inputs.size or str(cut.patches.size) in said
    assert len(set(loaded.cuts["table_emr_hrnet"].factors)) == 3  # a colour picture


def test_three_seeds_for_each_papers_headline_pair():
    loaded = tables.load(FOLDER, RUN)
    pairs = {}
    for name in loaded.of_kind("networks"):
        for row, key in zip(loaded.tables[name].rows, loaded.rows[name], strict=True):
            if row.headline:
                pairs.setdefault(loaded.tables[name].recipe, []).append(key)
                assert loaded.experiments[key].training.seeds == [0, 1, 2]
    assert set(pairs) == set(RECIPES) - {"prithvi_eo_v2"} and all(len(set(keys)) == 2 for keys in pairs.values())


def test_tables_of_a_public_data_set(tmp_path):
    """What config/tables.yaml says to change for one: rows are trained on its store, at published size."""
    run = yaml.safe_load(open(RUN)) | {"train_areas": ["l4s"], "test_areas": ["l4s"], "dataset": "l4s"}
    del run["width"], run["training"], run["options"], run["changes"]
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(run | {"tables": ["sbconv_table1"]}))
    loaded = tables.load(FOLDER, tmp_path / "run.yaml")
    config = RunSettings(datasets={"l4s": {"source": {"format": "landslide4sense", "path": "l4s"}}})
    for experiment in loaded.experiments.values():
        assert patch_store(config, experiment, "l4s") == "results/l4s/patches/l4s.zarr"
        assert experiment.factors is None and loaded.cuts == {}  # the data set's own bands
        assert "width" not in experiment.model.options
        assert experiment.training.max_steps == 5000  # the paper's recipe


def test_mistakes_in_tables_are_one_sentence(tmp_path):
    run = yaml.safe_load(open(RUN))
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(run | {"tables": ["sbconv_table9"]}))
    with pytest.raises(InputError, match=r"names a table 'sbconv_table9'; did you mean 'sbconv_table\d'"):
        tables.load(FOLDER, tmp_path / "run.yaml")
    table = yaml.safe_load(open(f"{FOLDER}/fcadensenet_table4.yaml"))
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(run))
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "a.yaml").write_text(yaml.safe_dump(table | {"colums": {}}))
    with pytest.raises(InputError, match=r"a\.yaml: colums: .*did you mean 'columns'"):
        tables.load(folder, tmp_path / "run.yaml")
    (folder / "a.yaml").write_text(yaml.safe_dump(table | {"recipe": "fcadense"}))
    with pytest.raises(InputError, match=r"a\.yaml: .*'fcadense' is unknown; did you mean 'fcadensenet'"):
        tables.load(folder, tmp_path / "run.yaml")
    other = table | {"inputs": table["inputs"] | {"normalisation": "minmax"}}
    (folder / "a.yaml").write_text(yaml.safe_dump(table))
    (folder / "b.yaml").write_text(yaml.safe_dump(other))
    with pytest.raises(InputError, match=r"Table b: its factors or normalisation differ from another table's"):
        tables.load(folder, tmp_path / "run.yaml")
    (folder / "b.yaml").write_text(yaml.safe_dump(table | {"kind": "screening"}))
    with pytest.raises(InputError, match=r"b\.yaml: .*every row of a table of screening needs the key `of`"):
        tables.load(folder, tmp_path / "run.yaml")
    table["columns"]["Parameters"] = {"score": "cost.parameters"}
    table.pop("cost", None)
    (folder / "b.yaml").write_text(yaml.safe_dump(table))
    with pytest.raises(InputError, match=r"b\.yaml: .*a column is a cost, but the key `cost` is not given"):
        tables.load(folder, tmp_path / "run.yaml")


def test_one_family_is_trained_and_tabled(tmp_path):
    """SBConv's Table 1 on simulated patches, as the workflow's rules do it, at a sixteenth of the width."""
    run = yaml.safe_load(open(RUN)) | {"tables": ["sbconv_table1"], "width": 1 / 16, "options": {}, "seeds": [0]}
    run["stands_for"] = {name: [] for name in [*run["stands_for"], "B2", "B3", "B4", "B8", "elevation"]}
    run["training"] |= {"epochs": 2, "batch_size": 4}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(run))
    loaded = tables.load(FOLDER, tmp_path / "run.yaml")
    store = tiny_store(tmp_path / "results/demo/patches/p64.zarr")
    paths = []
    for name in loaded.rows["sbconv_table1"]:
        folder = tmp_path / "results/demo/experiments" / name / "seed_0"
        train.run([store], None, loaded.experiments[name], 0, folder)
        evaluate.run([store], folder, folder / "test_metrics.json")
        paths.append([str(folder / "test_metrics.json")])
    experiments = [loaded.experiments[name].model_dump(mode="json") for name in loaded.rows["sbconv_table1"]]
    out = tmp_path / "results/demo/tables/sbconv_table1.csv"
    table_results.run_files(
        Path(FOLDER) / "sbconv_table1.yaml", tmp_path / "run.yaml", experiments, paths, out, out.with_suffix(".json")
    )
    frame = pd.read_csv(out)
    assert frame["model"].tolist()[:4] == ["U-Net", "SruU-Net", "BruU-Net", "SBConvU-Net"]
    assert frame["F1, published"].tolist()[:4] == [70.91, 72.28, 70.95, 73.89]
    for row, (path,) in zip(frame.itertuples(), paths, strict=True):
        expected = json.loads(Path(path).read_text())["pooled_over_pixels"]["f1"]
        assert frame.loc[row.Index, "F1, ours"] == pytest.approx(
            np.nan if expected is None else 100 * expected, rel=1e-5, nan_ok=True
        )
    assert set(frame["independence, ours"]) == {"spatial blocks"}
    about = json.loads(out.with_suffix(".json").read_text())
    assert about["ours"]["width"] == 1 / 16 and about["ours"]["areas"] == ["simulated"]
    assert "no test set" in about["published"]["split"] and about["published"]["inputs"]["size"] == 128
    assert run["changes"][0] in about["caveats"]
    assert "not with the published numbers" in about["caveats"][-1]


def test_every_table_has_the_classes_and_the_recipe_of_its_paper():
    for path in sorted(Path(FOLDER).glob("*.yaml")):
        table = yaml.safe_load(path.read_text())
        recipe = path.stem.rpartition("_table")[0]
        assert table.get("recipe", recipe) == recipe and table["paper"] == RECIPES[recipe].paper, path
        assert "classes" not in str(table.get("shared")) + str([row.get("experiment") for row in table["rows"]])


def test_costs_are_the_published_ones():
    """PSPNet and HRNet of EMR-HRNet's Table 7, SegNet of MsASNet's Table 4."""
    assert cost.parameters("pspnet_mobilenetv2", 3, 21, {}) == pytest.approx(2.3774e6, rel=1e-4)
    assert cost.flops("hrnetv2_w32", (3, 480, 480), 21, {}) == pytest.approx(80.18e9, rel=0.01)
    assert cost.flops("segnet", (3, 256, 256), 1, {}) / 2 == pytest.approx(40.1311e9, rel=0.01)
    assert cost.images_per_second("unet", (2, 16, 16), 1, {"width": 0.125}, seconds=0.01) > 0
    spent = cost.training_cost("unet", (2, 64, 64), 1, {"width": 0.125}, 8, 1, "cpu")
    assert spent["patches_per_second"] > 0
    assert 0 < spent["peak_memory_gib"] < 4


def test_mean_and_spread_over_seeds(tmp_path):
    base = {"boundary": {"f1": None}, "objects": {"detection_rate": 0.5, "by_size": []}, "mean_over_images": {}}
    base |= {"independence": ["spatial blocks"], "test_distance": 412.0}
    results = [{**base, "pooled_over_pixels": {"f1": f1, "iou": None}} for f1 in (0.5, 0.6, 0.7)]
    table = summary.over_seeds(results).set_index(["pooling", "score"])
    f1 = table.loc[("pooled_over_pixels", "f1")]
    assert (f1["mean"], f1["std"], f1["min"], f1["max"], f1["seeds"]) == pytest.approx((0.6, 0.1, 0.5, 0.7, 3))
    assert np.isnan(table.loc[("pooled_over_pixels", "iou"), "mean"])
    assert table.loc[("pooled_over_pixels", "iou"), "seeds"] == 0
    assert set(table["independence"]) == {"spatial blocks"}
    assert set(table["test_distance"]) == {412.0}  # beside every score


def test_images_are_put_together_from_their_patches(tmp_path):
    """Two overlapping patches of one block, each pixel labelled once, and one patch of another block."""
    store = tiny_store(tmp_path / "d.zarr")
    with writer.create(tmp_path / "e.zarr", 4, (16, 16)) as made:
        from slipmap.config.patches import PatchSettings
        from slipmap.patches.store import load_statistics

        random = np.random.default_rng(0)
        for block, row, col, first in ((3, 0, 0, 0), (3, 0, 8, 8), (5, 32, 0, 0)):
            mask = random.integers(0, 2, (16, 16)).astype(np.uint8)
            mask[:, :first] = 255
            made.add(
                random.normal(0, 1, (4, 16, 16)).astype(np.float32),
                mask,
                mask != 255,
                area="a",
                split="test",
                row=row,
                col=col,
                block=block,
                source="s",
                parent=-1,
                augmentation="",
                sampled=True,
            )
        made.describe(load_statistics(store), PatchSettings(size=16), areas=["a"], pixel_size=[10, 10])
    statistics = load_statistics(store)
    patches = StoredPatches([tmp_path / "e.zarr"], "test", ["velocity", "slope"], statistics)

    class Echo(torch.nn.Module):
        def forward(self, x):
            return x[:, :1]

    found = list(evaluate.images(Echo(), patches, torch.device("cpu")))
    assert [logit.shape for logit, _ in found] == [(16, 24), (16, 16)]
    images, masks = patches.read([0, 1, 2])
    logit, truth = found[0]
    np.testing.assert_array_equal(truth[:, :16], masks[0])
    np.testing.assert_array_equal(truth[:, 16:], masks[1][:, 8:])
    np.testing.assert_array_equal(logit[:, :16], images[0, 0])
    np.testing.assert_array_equal(logit[:, 16:], images[1, 0][:, 8:])
    assert sum((truth != 255).sum() for _, truth in found) == (masks != 255).sum()


def test_test_scores_do_not_choose_the_threshold(tmp_path):
    """The threshold that scores best on test is another; the file has the one from validation."""
    store = tiny_store(tmp_path / "d.zarr")
    settings = ExperimentSettings(
        dataset="d",
        train_areas=["simulated"],
        model={"name": "unet", "options": {"width": 0.125}},
        training={"epochs": 3, "batch_size": 4},
    )
    record = train.run([store], None, settings, 0, tmp_path / "seed_0")
    scored = evaluate.run([store], tmp_path / "seed_0", tmp_path / "m.json")
    assert scored["threshold"] == record["threshold"]
    counts = [scored["counts"][k] for k in ("true_positive", "false_positive", "false_negative", "true_negative")]
    assert scores(counts)["f1"] == scored["pooled_over_pixels"]["f1"]
