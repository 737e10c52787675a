"""The config: closed, described, in step with its schema, and every mistake one sentence."""

import json
import re

import pytest
import yaml
from pydantic import BaseModel

from slipmap.config import load, parse_config
from slipmap.config.load import RENAMED, known_keys
from slipmap.config.run import RunSettings
from slipmap.config.schema import SCHEMA, schema_text
from slipmap.config.template import header, render
from slipmap.errors import InputError

GRID = {"crs": "EPSG:32632", "bounds": [500000, 5000000, 501600, 5001600]}


def config(**changes):
    record = {
        "areas": {"valley": {"grid": dict(GRID), "simulate": {"seed": 1}}},
        "datasets": {"p64": {"size": 64, "stride": 64}},
        "experiments": {"rs": {"dataset": "p64", "train_areas": ["valley"], "test_areas": ["valley"]}},
    }
    return record | changes


def sentence(record):
    with pytest.raises(InputError) as caught:
        parse_config(record, source="my.yaml")
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_misspelt_key_is_named_and_the_nearest_known_key_proposed():
    text = sentence({"areas": {"valley": {"grid": GRID, "deformation": {"goldstein_alfa": 0.3}}}})
    assert "areas.valley.deformation.goldstein_alfa" in text
    assert "did you mean 'goldstein_alpha'?" in text


def test_misspelt_key_inside_an_optional_section_gets_that_sections_keys():
    text = sentence({"areas": {"valley": {"grid": GRID, "inputs": {"sentinel1": {"levle": "slc", "path": "x"}}}}})
    assert "inputs.sentinel1.levle" in text and "did you mean 'level'?" in text


def test_wrong_type_names_key_and_value():
    text = sentence({"areas": {"valley": {"grid": GRID | {"resolution": "fine"}}}})
    assert "areas.valley.grid.resolution is 'fine'" in text


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("coherence_window", 4, "odd number, 3 or 5"),
        ("phase_window", 2, "odd number, 1 or 3"),
        ("goldstein_patch", 33, "even number, 32 or 34"),
        ("slc_looks", [0, 4], "greater than or equal to 1"),
    ],
)
def test_sizes_that_no_window_has_are_refused(key, value, said):
    text = sentence({"areas": {"valley": {"grid": GRID, "deformation": {key: value}}}})
    assert f"areas.valley.deformation.{key}" in text and said in text


def _at(location, value):
    return {location[0]: _at(location[1:], value)} if location else value


@pytest.mark.parametrize("old", RENAMED, ids=".".join)
def test_a_renamed_key_is_refused_with_its_new_name(old):
    """An old config says what to do; its new name is a key there, its old one is none."""
    place = tuple("valley" if part == "*" else part for part in old)
    record = {"areas": {"valley": {"grid": GRID}}} if old[0] == "areas" else {}
    record[old[0]] = {"valley": record.get(old[0], {}).get("valley", {}) | _at(place[2:], 1)}
    assert sentence(record) == f"my.yaml: the key '{'.'.join(place)}' is called '{RENAMED[old]}' now; rename it."
    known = known_keys(place[:-1])
    assert RENAMED[old] in known and place[-1] not in known


def test_value_with_a_unit_is_refused():
    text = sentence({"areas": {"valley": {"grid": GRID | {"resolution": "12.5 m"}}}})
    assert "areas.valley.grid.resolution is '12.5 m'" in text and "number" in text


def test_missing_key_is_named():
    assert "'areas.valley.grid' is missing" in sentence({"areas": {"valley": {}}})


def test_experiment_that_names_an_unknown_area():
    record = config()
    record["experiments"]["rs"]["train_areas"] = ["vally"]
    text = sentence(record)
    assert "experiments.rs.train_areas" in text and "did you mean 'valley'?" in text


def test_experiment_that_names_an_unknown_dataset():
    record = config()
    record["experiments"]["rs"]["dataset"] = "p46"
    assert "did you mean 'p64'?" in sentence(record)


def test_training_on_an_area_without_inventory_is_refused():
    record = config()
    record["areas"]["valley"]["simulate"]["inventory"] = False
    record["experiments"]["rs"]["test_areas"] = []
    assert "has no inventory" in sentence(record)


def test_an_imported_data_set_is_trained_and_tested_on_as_an_area_is():
    record = config()
    record["datasets"]["bijie"] = {"source": {"format": "bijie", "path": "bijie"}}
    record["experiments"]["rs"] = {"train_areas": ["bijie"], "test_areas": ["bijie", "valley"], "dataset": "p64"}
    assert parse_config(record).experiments["rs"].map_areas == []  # its bands are no factors of the valley
    record["experiments"]["rs"] = {"train_areas": ["bijie"], "test_areas": ["bijie"]}
    del record["areas"]
    assert parse_config(record).experiments["rs"].train_areas == ["bijie"]
    assert "'areas' is missing" in sentence({"datasets": {"p64": {}}})


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"train_areas": ["bije"]}, "experiments.rs.train_areas names an area 'bije'.*did you mean 'bijie'?"),
        ({"dataset": "bijie"}, "is imported and not cut from an area; name it instead of 'valley'"),
        ({"map_areas": ["bijie"]}, "map_areas names 'bijie', a data set of images, which cannot be mapped"),
        (
            {"train_areas": ["other"], "test_areas": ["other"], "dataset": "bijie"},
            "is 'bijie', which is neither in train_areas nor in test_areas",
        ),
    ],
)
def test_mistakes_with_imported_data_sets(changes, said):
    record = config()
    for name in ("bijie", "other"):
        record["datasets"][name] = {"source": {"format": "bijie", "path": "bijie"}}
    record["experiments"]["rs"] |= changes
    assert re.search(said, sentence(record))


def test_an_area_and_an_imported_data_set_of_one_name():
    record = config()
    record["datasets"]["valley"] = {"source": {"format": "bijie", "path": "bijie"}}
    assert "'valley' is an area and an imported data set" in sentence(record)


def test_settings_cannot_be_changed_by_accident():
    settings = parse_config(config())
    with pytest.raises(Exception, match="frozen"):
        settings.areas["valley"].deformation.goldstein_alpha = 0.0


def test_an_area_can_be_taken_from_another_file(tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump({"areas": {"far": {"grid": GRID, "description": "far away"}}}))
    record = config()
    record["areas"]["far"] = str(other)
    settings = parse_config(record)
    assert list(settings.areas) == ["valley", "far"]
    assert settings.areas["far"].description == "far away"


def test_an_area_that_the_other_file_has_not(tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump({"areas": {"farm": {"grid": GRID}}}))
    assert "did you mean 'farm'?" in sentence({"areas": {"far": str(other)}})


def test_schema_in_the_repository_is_the_one_that_the_models_give():
    assert SCHEMA.read_text() == schema_text(), "run 'slipmap schema'"


def test_every_key_is_described():
    def undescribed(node, where):
        for name, item in node.get("properties", {}).items():
            if not (item.get("description") or "$ref" in item):
                yield f"{where}.{name}"

    schema = json.loads(schema_text())
    missing = [key for name, node in schema["$defs"].items() for key in undescribed(node, name)]
    assert not missing + list(undescribed(schema, "config"))


def settings_models(model: type[BaseModel], found: set) -> set:
    found.add(model)
    for field in model.model_fields.values():
        for inner in _models_in(field.annotation):
            if inner not in found:
                settings_models(inner, found)
    return found


def _models_in(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models_in(part)


def test_demo_config_shows_every_option_there_is(repository):
    """config/config.yaml is where users learn what they can set: each option stands there, set or commented out."""
    shown = {line.strip().lstrip("# ").partition(":")[0] for line in demo_lines(repository)}
    options = {name for model in settings_models(RunSettings, set()) for name in model.model_fields}
    assert not options - shown


def demo_lines(repository):
    return (repository / "config/config.yaml").read_text().splitlines()


def test_demo_config_is_what_the_template_writes(repository):
    """Comments and defaults in config/config.yaml are the models' own, so that they cannot go stale."""
    path = repository / "config/config.yaml"
    text = path.read_text()
    assert render(load.validate(load.read_yaml(path)), header(text)) == text, (
        "run 'slipmap template config/config.yaml'"
    )


def test_rendered_config_reads_back_as_the_same_settings():
    settings = load.validate(config())
    assert load.validate(yaml.safe_load(render(settings))) == settings


def test_empty_file_and_bad_yaml_are_sentences(tmp_path):
    empty = tmp_path / "empty.yaml"
    empty.write_text("")
    with pytest.raises(InputError, match="is empty"):
        load.read_config(empty)
    bad = tmp_path / "bad.yaml"
    bad.write_text("areas:\n  a: [1,\n")
    with pytest.raises(InputError, match=r"bad\.yaml line \d+ is not valid YAML"):
        load.read_config(bad)
    with pytest.raises(InputError, match="does not exist"):
        load.read_config(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="is a folder, not a config file"):
        load.read_config(tmp_path)


@pytest.mark.parametrize(
    "inputs",
    [
        {"dem": "resources/valley/dem.tif"},
        {"sentinel1": {"level": "unwrapped", "path": "stack"}},
        {"inventory": "landslides.gpkg", "inventory_points": {"label": "slide"}},
    ],
)
def test_own_inputs_beside_simulate_are_refused_by_name(inputs):
    record = config()
    record["areas"]["valley"]["inputs"] = inputs
    text = sentence(record)
    assert "areas.valley has both simulate and" in text
    assert all(f"inputs.{key}" in text for key in inputs)


def test_an_empty_inputs_beside_simulate_takes_nobodys_place():
    record = config()
    record["areas"]["valley"]["inputs"] = {}
    assert parse_config(record).areas["valley"].inputs.dem == "resources/valley/dem.tif"
