"""The digest of a job covers every module of the library that its script runs, and no other."""

import ast
import re
import sys
from importlib.metadata import EntryPoint

import pytest

from slipmap.jobs import provenance
from slipmap.jobs.provenance import LIBRARY, code_digest, code_files
from slipmap.jobs.rules import SCRIPTS


@pytest.fixture
def library(monkeypatch, tmp_path):
    """An empty library in which a test writes modules; nothing of it is remembered."""
    monkeypatch.setattr(provenance, "LIBRARY", tmp_path / "slipmap")
    (tmp_path / "slipmap").mkdir()
    clear()
    yield tmp_path / "slipmap"
    clear()


def clear():
    for cached in vars(provenance).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()


def write(library, modules):
    for name, text in modules.items():
        path = library / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    clear()


def reached(library, script="from slipmap.stage import run\n"):
    (library.parent / "script.py").write_text(script)
    clear()
    script_file = library.parent / "script.py"
    return {file.relative_to(library.parent).as_posix() for file in code_files(script_file) - {script_file}}


def test_imports_are_followed_into_functions_and_packages(library):
    write(library, {
        "stage.py": "def run():\n    from slipmap.filters.goldstein import ALPHA\n", "filters/__init__.py": "",
        "filters/goldstein.py": "ALPHA = 0.5\n", "other.py": "",
    })  # fmt: skip
    assert reached(library) == {"slipmap/stage.py", "slipmap/filters/__init__.py", "slipmap/filters/goldstein.py"}
    script = library.parent / "script.py"
    before = code_digest(script)
    write(library, {"other.py": "X = 1\n"})
    assert code_digest(script) == before
    write(library, {"filters/goldstein.py": "ALPHA = 0.4\n"})
    assert code_digest(script) != before


def test_what_a_package_imports_by_name_counts_with_it(library):
    write(library, {
        "stage.py": "from slipmap.nets import make\n", "nets/__init__.py": "from slipmap.nets.index import make\n",
        "nets/index.py": "import importlib\n\ndef make(name):\n    return importlib.import_module(name)\n",
        "nets/unet.py": "from slipmap.blocks import conv\n", "nets/deep/mit.py": "", "blocks/__init__.py": "",
        "blocks/conv.py": "", "others/net.py": "",
    })  # fmt: skip
    assert {"slipmap/nets/unet.py", "slipmap/nets/deep/mit.py", "slipmap/blocks/conv.py"} <= reached(library)
    assert not any("others" in name for name in reached(library))


def test_templates_of_a_package_count(library):
    write(library, {"report/page.py": "", "report/assets/page.html.j2": "<h1>", "maps/style.css": ""})
    found = reached(library, "from slipmap.report.page import build\n")
    assert found == {"slipmap/report/page.py", "slipmap/report/assets/page.html.j2"}


def test_plug_ins_count_where_their_group_is_asked_for(library, monkeypatch):
    """A package from outside offers a model: a change of it reruns the jobs that may call it, and only these."""
    plugin = library.parent / "mamba"
    write(library, {
        "stage.py": "def run():\n    return points(\"slipmap.models\")\n", "other.py": "",
        "../mamba/__init__.py": "", "../mamba/net.py": "WIDTH = 3\n",
    })  # fmt: skip
    monkeypatch.syspath_prepend(str(library.parent))
    point = EntryPoint("mamba", "mamba.net:Mamba", "slipmap.models")
    monkeypatch.setattr(provenance.plugins, "points", lambda group: [point] if group == "slipmap.models" else [])
    assert {"mamba/__init__.py", "mamba/net.py"} <= reached(library)
    before = code_digest(library.parent / "script.py")
    write(library, {"../mamba/net.py": "WIDTH = 5\n"})
    assert code_digest(library.parent / "script.py") != before
    assert reached(library, "from slipmap.other import run\n") == {"slipmap/other.py"}
    assert plugin.name not in sys.modules  # found, not run


@pytest.mark.parametrize(
    ("script", "has", "lacks"),
    [
        ("train.py", {"models/resunet.py", "training/losses.py", "models/blocks/se.py"}, "training/tables.py"),
        ("map_landslides.py", {"models/hrnet.py", "prediction/mosaic.py"}, "training/callbacks.py"),
        ("report.py", {"report/assets/style.css", "report/assets/page.html.j2", "colours.py"}, "simulator/terrain.py"),
        ("geocode.py", {"sentinel1/geocode.py", "io/grid.py"}, "deformation/inversion.py"),
        ("terrain.py", {"factors/terrain.py", "factors/surface.py"}, "sentinel1/geocode.py"),
    ],
)
def test_what_the_scripts_reach(script, has, lacks):
    """Known by reading: an architecture is named in a config, a page has templates; a loss does not draw a map."""
    found = {path.relative_to(LIBRARY).as_posix() for path in code_files(SCRIPTS / script) - {SCRIPTS / script}}
    assert has <= found and lacks not in found


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("*.py")), ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_imports_that_are_cut_out_are_all_there_are(path):
    text = path.read_text(encoding="utf-8")
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    ours = {ast.unparse(node) for node in imports if re.search(r"\bslipmap\b", ast.unparse(node))}
    cut = {ast.unparse(node) for node in provenance._imports(text) if isinstance(node, ast.Import | ast.ImportFrom)}
    assert ours <= cut


def test_imports_in_brackets_with_comments_are_followed():
    text = "def run():\n    from slipmap.io.raster import (\n        grid,  # a) first\n        write,\n    )\n"
    assert "from slipmap.io.raster import grid, write" in map(ast.unparse, provenance._imports(text))


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("*.py")), ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_no_module_imports_relatively(path):
    """Relative imports would escape the digest."""
    assert not [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom) and n.level]
