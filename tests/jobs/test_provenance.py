"""The digest of a rule covers every module of the library that its script runs."""

import ast
import re

import pytest

from slipmap.jobs import provenance
from slipmap.jobs.provenance import LIBRARY, code_digest, code_files

SCRIPTS = "workflow/scripts"


def scripts_and_digests(repository):
    """(script, arguments of code_digest) of every rule."""
    for path in sorted((repository / "workflow/rules").glob("*.smk")):
        text = path.read_text()
        named = dict(re.findall(r"^(\w+) = code_digest\(([^)]*)\)", text, re.MULTILINE))
        for rule in re.split(r"\n(?:    )?(?:rule|checkpoint) ", text)[1:]:
            script = re.search(r'"\.\./scripts/(\w+\.py)"', rule)
            if script:
                code = re.search(r"code=(?:code_digest\(([^)]*)\)|(\w+))", rule)
                parts = (code.group(1) or named[code.group(2)]) if code else ""
                yield script.group(1), re.findall(r'"([^"]+)"', parts)


def test_every_rules_digest_covers_what_its_script_imports(repository):
    missing = {}
    for script, parts in scripts_and_digests(repository):
        wanted = set()
        for file in provenance._imported(repository / SCRIPTS / script):
            relative = file.relative_to(LIBRARY).as_posix()
            if relative not in ("jobs/job.py", "__init__.py") and relative not in provenance._PLAN:
                if relative.startswith("config/") or relative.endswith("__init__.py"):
                    continue  # settings are parameters of the rule themselves
                wanted.add(file)
        lacking = {file.name for file in wanted - code_files(*parts)}
        if lacking:
            missing[script] = lacking
    assert not missing


def test_no_rules_digest_covers_what_its_script_does_not_run(repository):
    """A change of the table writer must not train anew. Models are imported by name; the report has templates."""
    surplus = {}
    for script, parts in scripts_and_digests(repository):
        heads = [file.relative_to(LIBRARY).as_posix() for file in provenance._imported(repository / SCRIPTS / script)]
        beyond = {file.relative_to(LIBRARY).as_posix() for file in code_files(*parts) - code_files(*heads)}
        beyond = {name for name in beyond if not name.startswith("models/")}
        if beyond and parts[0] != "report":
            surplus[script] = beyond
    assert not surplus


def test_imports_are_followed(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "LIBRARY", tmp_path)
    (tmp_path / "filter.py").write_text("ALPHA = 0.5\n")
    (tmp_path / "unwrap.py").write_text("def run():\n    from slipmap.filter import ALPHA\n")
    (tmp_path / "other.py").write_text("")
    clear()
    assert code_files("unwrap.py") == {tmp_path / "unwrap.py", tmp_path / "filter.py"}
    before = code_digest("unwrap.py")
    (tmp_path / "other.py").write_text("X = 1\n")
    clear()
    assert code_digest("unwrap.py") == before
    (tmp_path / "filter.py").write_text("ALPHA = 0.4\n")
    clear()
    assert code_digest("unwrap.py") != before
    clear()


def test_templates_of_a_folder_count(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "LIBRARY", tmp_path)
    (tmp_path / "report").mkdir()
    (tmp_path / "report/page.py").write_text("")
    (tmp_path / "report/page.html.j2").write_text("<h1>{{ title }}</h1>")
    clear()
    before = code_digest("report")
    (tmp_path / "report/page.html.j2").write_text("<h2>{{ title }}</h2>")
    clear()
    assert code_digest("report") != before
    clear()


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


def clear():
    code_digest.cache_clear()
    provenance._imported.cache_clear()


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("*.py")), ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_no_module_imports_relatively(path):
    """Relative imports would escape the digest."""
    assert not [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom) and n.level]
