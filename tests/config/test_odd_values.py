"""What YAML and people write by mistake and a settings model would take: each is refused in a sentence."""

import pytest
import yaml

from slipmap.check.areas import check_patches
from slipmap.config import parse_config, read_config
from slipmap.errors import NEXT, InputError
from slipmap.io.grid import Grid

GRID = {"crs": "EPSG:32632", "bounds": [500000, 5000000, 501600, 5001600]}


def config(split=None, **experiment):
    """Text of a config that is in order but for what is given."""
    area = {"grid": GRID, "inputs": {"inventory": "i.gpkg"}, "split": split or {}}
    one = {"dataset": "p", "train_areas": ["valley"], "test_areas": ["valley"]} | experiment
    return {"areas": {"valley": area}, "datasets": {"p": {"size": 64}}, "experiments": {"e": one}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("resolution: 010", "line 4: YAML takes 010 for 8; write 10 without the zero"),
        ("resolution: 0_25", "YAML takes 0_25 for 21"),
        ("resolution: 1:30", "line 4: YAML takes 1:30 for 90; write the number itself"),
        ("resolution: 1:30.5", "YAML takes 1:30.5 for 90.5"),
        ("bounds: [8333:20, 0, 1, 1]", "YAML takes 8333:20 for 500000"),
        ("resolution: .inf", "areas.a.grid.resolution is inf, but: input should be a finite number"),
        ("bounds: [.nan, 0, 1, 1]", "areas.a.grid.bounds.0 is nan, but: input should be a finite number"),
    ],
)
def test_numbers_that_yaml_takes_for_others(text, words, tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(f"areas:\n  a:\n    grid:\n      {text}\n      crs: EPSG:32632\n")
    with pytest.raises(InputError) as caught:
        read_config(path)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("areas: &a\n  valley: *a\n", "uses an anchor (&) inside the section that it names"),
        ("areas: &a [[*a]]\n", "uses an anchor (&) inside the section that it names"),
        ("a: &a [[], [], []]\n" + "".join(f"{y}: &{y} [{', '.join([f'*{x}'] * 12)}]\n" for x, y in
                                           zip("abcde", "bcdef", strict=True)), "or too many"),
        ("areas: {a: {cutoff: 2021-02-30}}\n", "line 1: there is no date 2021-02-30"),
        ("areas:\n  a: 2021-01-02 25:00:00\n", "line 2: there is no date 2021-01-02 25:00:00"),
        ("areas: {a: 2021-13-01}\n", "there is no date 2021-13-01"),
        ("? [a, b]\n: 2\n", "takes the key '? …' for ['a', 'b'], not for a name"),
        ("areas: 1\0\n", "is not valid YAML"),
    ],
)  # fmt: skip
def test_yaml_that_no_config_can_mean_is_one_sentence(text, words, tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_config(path)
    assert words in str(caught.value) and "\n" not in str(caught.value) and "Node" not in str(caught.value)


def test_numbers_that_are_what_they_look_like(tmp_path):
    path = tmp_path / "my.yaml"
    for text, number in (("0.5", 0.5), ("1e1", 10), ("10", 10), ("1_0", 10), ("0x10", 16)):
        path.write_text(f"areas:\n  a:\n    grid: {{resolution: {text}, crs: 'EPSG:32632', bounds: [0, 0, -0, +1]}}\n")
        assert read_config(path).areas["a"].grid.resolution == number


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (config(train_areas=["valley", "valley"]), "'valley' stands twice"),
        (config(test_areas=["valley", "valley"]), "'valley' stands twice"),
        (config(factors=["slope", "slope"]), "'slope' stands twice"),
        (config(factors=[]), "leave no factor"),
        (config(factors=["slope"], exclude=["slope"]), "leave no factor"),
        (config(training={"seeds": [1, 1]}), "seeds are different whole numbers"),
        (config(training={"seeds": [-1]}), "seeds are different whole numbers"),
        (config(training={"seeds": [2**32]}), "seeds are different whole numbers"),
    ],
)
def test_lists_and_sizes_that_count_wrongly(record, words):
    assert parse_config(config(), "my.yaml").experiments["e"].factors is None
    with pytest.raises(InputError) as caught:
        parse_config(record, "my.yaml")
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_an_experiment_named_as_a_row_of_a_table_is():
    record = config()
    record["experiments"]["table_unet_0f3c22aa"] = record["experiments"].pop("e")
    with pytest.raises(InputError, match=r"experiments: 'table_unet_0f3c22aa' may be the name of a row"):
        parse_config(record, "my.yaml")
    record["experiments"]["table_unet"] = record["experiments"].pop("table_unet_0f3c22aa")
    parse_config(record, "my.yaml")


def test_every_row_of_a_table_has_such_a_name(repository):
    from slipmap.config.names import _ROW
    from slipmap.training import tables

    loaded = tables.load(repository / "config/tables", repository / "config/tables.yaml")
    assert loaded.experiments and all(_ROW.fullmatch(name) for name in loaded.experiments)
    for name in loaded.cuts:
        record = config()
        record["datasets"] = {name: {}}
        with pytest.raises(InputError, match=rf"datasets: '{name}' is the name of the patches of a paper's tables"):
            parse_config(record, "my.yaml")


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ({"block": 96}, "has 4, and 3"),
        ({"block": 128}, "has room for 1 of them, and 3 or more are needed; give smaller blocks"),
        (
            {"method": "kfold", "block": 48, "folds": 10},
            "has room for 9 of them, and 10 or more are needed; give smaller blocks or",
        ),
        ({"method": "area", "block": 128}, ""),
        ({"method": "random", "block": 128}, ""),
    ],
)
def test_blocks_for_every_split(split, words):
    settings = parse_config(config(split=split), "my.yaml")
    grids = {"valley": Grid.from_bounds("EPSG:32632", 11.0, (500000, 5000000, 501595, 5001595))}  # 145 pixels
    if "needed" not in words:
        check_patches(settings, grids)
        return
    with pytest.raises(InputError) as caught:
        check_patches(settings, grids)
    assert str(caught.value).startswith("areas.valley.split.block is ") and words in str(caught.value)


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump(config()))
    assert read_config(path) == parse_config(config())


def test_all_names_that_are_not_there_are_listed_at_once():
    record = config(train_areas=["vally"], test_areas=["hill"], dataset="q", map_areas=["x"])
    record["experiments"]["f"] = {"weights": "w", "train_areas": ["valley"]}
    record["experiments"]["g"] = {}
    with pytest.raises(InputError) as caught:
        parse_config(record, "my.yaml")
    found = str(caught.value).split(NEXT)
    wanted = ("'vally'", "'hill'", "'x'", "dataset is 'q'", "has both weights", "neither train_areas nor weights")
    for words in wanted:
        assert sum(words in sentence for sentence in found) == 1
    assert len(found) == len(wanted)
