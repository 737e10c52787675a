"""What a script of the workflow imports before it calls the library: imports at the head of modules, followed."""

import ast
from pathlib import Path

import slipmap

LIBRARY = Path(slipmap.__file__).parent
SCRIPTS = LIBRARY.parent / "scripts"
MODULES = {
    ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in LIBRARY.rglob("*.py")
}
# libraries that import another one by themselves
BRINGS = {"pyogrio": ("geopandas",), "geopandas": ("pandas",), "xarray": ("pandas",), "sklearn": ("pandas", "scipy")}


def statements(body):
    """Import statements that run when a module is imported: not in functions, not for type checkers alone."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.FunctionDef) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node)):
            continue
        else:
            for part in ("body", "orelse", "handlers", "finalbody"):
                yield from statements(getattr(node, part, []))


def names(node):
    """Modules that an import statement may load, with the packages they lie in."""
    if isinstance(node, ast.Import):
        found = [alias.name for alias in node.names]
    else:
        full = [f"{node.module}.{alias.name}" for alias in node.names]
        found = [name if name in MODULES else str(node.module) for name in full]
    return {".".join(name.split(".")[:n]) for name in found for n in range(1, name.count(".") + 2)}


def imported(path):
    """Modules that the file at `path` imports by itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return set().union(*(names(node) for node in statements(tree.body)))


class Starts:
    """Imports of scripts, each module read once."""

    def __init__(self):
        self.of = {name: imported(path) for name, path in MODULES.items()}

    def libraries(self, script):
        """Libraries other than our own that a script has imported when it makes its call."""
        reached, open_ = set(), [*imported(script)]
        while open_:
            name = open_.pop()
            if name not in reached:
                reached.add(name)
                open_ += [*self.of.get(name, ()), *BRINGS.get(name.partition(".")[0], ())]
        return {name.partition(".")[0] for name in reached} - {"slipmap"}
