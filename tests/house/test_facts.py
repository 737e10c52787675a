"""Each fact stands in one place: factors, models, formats, result paths, what a job depends on, what a stage costs."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

import slipmap
from slipmap.config.layout import Results, _Path
from slipmap.deformation import readers
from slipmap.factors import catalogue
from slipmap.models import index
from slipmap.patches import importers

LIBRARY = Path(slipmap.__file__).parent
WORKFLOW = LIBRARY.parent
RULES = "\n".join(path.read_text() for path in [WORKFLOW.parent / "Snakefile", *WORKFLOW.rglob("*.smk")])


def constants(path):
    """Strings in the code of a module, its docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blocks = (n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef) and n.body)
    docstrings = {id(block.body[0].value) for block in blocks if isinstance(block.body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.fixture(scope="module")
def places():
    """Modules in whose code a string stands, by that string."""
    found = defaultdict(set)
    for path in [*LIBRARY.rglob("*.py"), *(WORKFLOW / "scripts").glob("*.py")]:
        for value in constants(path):
            found[value].add(path.relative_to(WORKFLOW).as_posix().removeprefix("slipmap/"))
    return found


def test_a_factor_is_described_in_its_record_alone(places):
    titles = {one.long_name for one in catalogue.OWN if " " in one.long_name}
    assert len(titles) > 20
    assert {title: places[title] for title in titles if places[title] - {"factors/catalogue.py"}} == {}


@pytest.mark.parametrize("factor", [one for one in catalogue.OWN if one.family == "terrain"], ids=lambda one: one.name)
def test_a_terrain_factor_is_known_to_its_record_and_its_function(factor, places):
    """Others may take it as an input, as motion takes the slope; what describes, checks or plans factors may not."""
    own = {"factors/catalogue.py", factor.compute.partition(":")[0].removeprefix("slipmap.").replace(".", "/") + ".py"}
    elsewhere = places[factor.name] - own
    describing = ("config/factors", "config/schema", "factors/terrain", "factors/names", "factors/listing", "check/")
    assert not {path for path in elsewhere if path.startswith((*describing, "planning/"))}
    assert not re.search(rf"""["']{factor.name}["']""", RULES)


def test_a_models_options_have_their_defaults_in_the_index():
    """The constructor of a model has none, so that there is no second one."""
    for record in index.records().values():
        tree = ast.parse(record.file.read_text(encoding="utf-8"))
        classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        for node in classes[record.class_name].body:
            if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                assert not node.args.defaults and not any(node.args.kw_defaults), record.name


@pytest.mark.parametrize(
    ("formats", "home", "packages"),
    [
        (readers.own_formats(), "deformation/readers", ("deformation/", "check/", "sentinel1/", "planning/init")),
        (importers.own_formats(), "patches/importers", ("patches/", "check/", "config/", "fetch/", "report/")),
    ],
)
def test_a_format_is_known_to_its_module_alone(formats, home, packages, places):
    for name in formats:
        others = {path for path in places[name] if path.startswith(packages)} - {f"{home}/{name}.py"}
        assert others == set(), name


def test_result_paths_stand_in_the_layout(places):
    own = [value.relative for value in vars(Results).values() if isinstance(value, _Path) and "/" in value.relative]
    assert len(own) > 30
    assert {path: places[path] for path in own if places[path] - {"config/layout.py"}} == {}
    assert "results/" not in re.sub(r"#.*", "", RULES)
    # a job's log and benchmark have their places from the rule's own outputs
    assert places["results/"] == {"config/layout.py", "jobs/rules.py"}


def test_no_rule_lists_the_code_that_it_depends_on():
    scripts = set(re.findall(r'script: "\.\./scripts/(\w+)\.py"', RULES))
    assert len(scripts) > 40
    assert set(re.findall(r'"[^"\n]*?(\w+)\.py"', RULES)) <= scripts
    assert "code_digest" not in RULES


def test_what_a_stage_costs_is_known_to_one_module(places):
    assert places["rates.csv"] == {"planning/cost.py"}


def test_what_a_turn_does_to_directions_is_said_once():
    """Whoever turns patches or batches asks the one function that knows of vectors and azimuths."""
    asking = {
        path.relative_to(LIBRARY).as_posix()
        for path in LIBRARY.rglob("*.py")
        if re.search(r"\bturn_directions\(|\bdraw_turns\(", path.read_text(encoding="utf-8"))
    }
    assert asking == {"patches/augmentation.py", "training/augment.py", "prediction/ensemble.py"}
    assert definitions("turn_directions") == definitions("draw_turns") == ["patches/augmentation.py"]


def definitions(name):
    """Modules that define a function called `name`."""
    return [
        path.relative_to(LIBRARY).as_posix()
        for path in LIBRARY.rglob("*.py")
        if re.search(rf"^def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
