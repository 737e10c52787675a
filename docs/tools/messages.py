"""Every message that slipmap can end with, as it stands in the code: ``python docs/tools/messages.py``; to be read."""

import ast
from collections.abc import Iterator
from pathlib import Path

LIBRARY = Path(__file__).parents[2] / "workflow" / "slipmap"
ERRORS = {"InputError", "SlipmapError", "TransferError", "SupersededError", "ValueError", "Unsound", "_Refused"}


def messages() -> Iterator[tuple[str, str]]:
    """Place (``package/module:line``) and text of each message."""
    for path in sorted(LIBRARY.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            gathered = name == "add" and "faults" in ast.unparse(node.func).lower()
            text = node.args[0]
            if (name in ERRORS or gathered) and isinstance(text, ast.Constant | ast.JoinedStr | ast.BinOp | ast.IfExp):
                place = path.relative_to(LIBRARY).with_suffix("").as_posix()
                yield f"{place}:{node.lineno}", ast.unparse(text)


if __name__ == "__main__":
    for place, text in messages():
        print(f"{place}  {text}")
