"""The house itself: no import ring, no file that is two things, tests beside their package, types that only grow."""

import ast
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LIBRARY = REPOSITORY / "workflow" / "slipmap"
LONGEST = 400  # lines
LONGEST_FUNCTION = 60  # lines of code
LONGEST_KERNEL = 95


def module_name(path):
    parts = path.relative_to(LIBRARY.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in LIBRARY.rglob("*.py")}


def imported(path):
    """Modules of the library that the file at `path` imports, at its head or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "slipmap":
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)


def package(module):
    """`slipmap.factors` of `slipmap.factors.terrain`; a loose module is a package of its own."""
    return ".".join(module.split(".")[:2])


def ring(graph):
    """The first ring in a directed graph, as the nodes along it; [] if it has none."""
    state, path = {}, []

    def visit(node):
        state[node] = "open"
        path.append(node)
        for other in sorted(graph.get(node, ())):
            if state.get(other) == "open":
                return [*path[path.index(other) :], other]
            if other not in state and (found := visit(other)):
                return found
        state[node] = "done"
        path.pop()
        return []

    return next((found for node in sorted(graph) if node not in state and (found := visit(node))), [])


def test_a_ring_is_seen():
    assert ring({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert ring({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_packages_import_each_other_in_one_direction():
    graph = defaultdict(set)
    for module, path in MODULES.items():
        for other in imported(path):
            if package(other) != package(module) and package(other) != "slipmap":
                graph[package(module)].add(package(other))
    assert ring(graph) == []


def test_modules_import_each_other_in_one_direction():
    graph = {module: {o for o in imported(path) if o != module} for module, path in MODULES.items()}
    for module in list(graph):  # a package's face re-exports its modules; they may import from the package
        if MODULES[module].name == "__init__.py":
            graph[module] = set()
    assert ring(graph) == []


@pytest.mark.parametrize("folder", ["workflow", "tests", "benchmarks"])
def test_no_python_file_is_two_things(folder):
    lengths = {path: len(path.read_text().splitlines()) for path in (REPOSITORY / folder).rglob("*.py")}
    assert {str(path): n for path, n in lengths.items() if n > LONGEST} == {}


def test_tests_lie_beside_their_package():
    packages = {path.name for path in LIBRARY.iterdir() if path.is_dir()}
    of_their_own = {"helpers", "house", "docs", "workflow", "plugin_package", "benchmarks"}
    tests = REPOSITORY / "tests"
    folders = {path.relative_to(tests).parts[0] for path in tests.rglob("test_*.py")}
    assert folders <= packages | of_their_own
    assert list(tests.glob("test_*.py")) == []


def test_every_package_is_checked_strictly():
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["mypy"]
    assert settings["strict"] is True and settings["files"][0] == "workflow/slipmap"
    assert not [entry for entry in settings["overrides"] if entry.get("ignore_errors")]
    loosened = [one for entry in settings["overrides"] for one in entry["module"] if one.startswith("slipmap")]
    assert loosened == []


def functions(tree):
    """Each function under `tree` with its lines of code: without its docstring, and without functions inside it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = set(range(node.lineno, node.end_lineno + 1))
            if ast.get_docstring(node) is not None:
                lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
            for inner in ast.walk(node):
                if inner is not node and isinstance(inner, ast.FunctionDef):
                    lines -= set(range(inner.lineno, inner.end_lineno + 1))
            yield node, len(lines)


def compiled(node):
    """Whether numba compiles a function: LLVM wants its loops in one piece."""
    return any("njit" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_no_function_computes_and_judges_and_draws():
    found = [
        (path.name, node.name, length)
        for path in [*LIBRARY.rglob("*.py"), *(REPOSITORY / "benchmarks").rglob("*.py")]
        for node, length in functions(ast.parse(path.read_text(encoding="utf-8")))
        if length > (LONGEST_KERNEL if compiled(node) else LONGEST_FUNCTION)
    ]
    assert found == []
