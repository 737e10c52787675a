"""Hook of the site (mkdocs.yml): pages made from the code, and equations turned into MathML, which needs no script."""

import argparse
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files

REPOSITORY = Path(__file__).parents[2]
NOTEBOOK = REPOSITORY / "docs" / "library.ipynb"
GITHUB = "../"  # in files of the repository's root, the docs are a folder of theirs


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made from the code."""
    for name, make in PAGES.items():
        files.append(File.generated(config, name, content=make()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    r"""Turn ``$$…$$`` and ``$…$`` of a page into MathML, outside of code."""
    pieces = re.split(r"(^```.*?^```$|`[^`\n]+`)", markdown, flags=re.DOTALL | re.MULTILINE)
    return "".join(piece if number % 2 else _equations(piece) for number, piece in enumerate(pieces))


def _equations(text: str) -> str:
    text = re.sub(r"\$\$(.+?)\$\$", lambda m: convert(m[1].strip(), display="block"), text, flags=re.DOTALL)
    return re.sub(r"\$([^$\n]+)\$", lambda m: convert(m[1]), text)


def _copy(name: str) -> Callable[[], str]:
    """A Markdown file from outside of docs/, whose links into docs/ become links between pages."""

    def page() -> str:
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        return re.sub(r"\]\((?:\.\./)?docs/", "](", text)

    return page


def _config() -> str:
    from slipmap.config.reference import page

    return (
        "# Config reference\n\nEvery key of a config, from the models that check it. How the parts belong together: "
        f"[Configuration](configuration.md). A key that does not exist is refused, with the nearest one.\n\n{page()}"
    )


def _models() -> str:
    from slipmap.models import index

    rows = [
        f"| `{name}` | {about.parameters / 1e6:.2f} | {about.advice} | {about.paper} |"
        for name, about in sorted(index.records().items())
    ]
    return "\n".join(
        [
            "# Models",
            "",
            "The networks that an experiment can name (`model.name`). `slipmap models NAME` lists the options of one; "
            "[Contributing](contributing.md) says how to add one.",
            "",
            "| model | parameters, million | when to take it | paper |",
            "| --- | ---: | --- | --- |",
            *rows,
            "",
            "Parameters are counted with 3 bands, 1 class and every option at its default.",
        ]
    )


def _factors() -> str:
    from slipmap.factors import catalogue
    from slipmap.factors.listing import HEAD
    from slipmap.factors.names import needs

    shown = [one for one in catalogue.records() if catalogue.split_period(one.name)[1] == "composite"]
    rows = []
    for one in shown:
        default = ("if in `factors." + one.listed + "`" if one.listed else "yes") if one.default else "no"
        rows.append(f"| `{one.name}` | {one.units} | {default} | {', '.join(needs(one))} | {one.long_name} |")
    return "\n".join(
        [
            "# Factors",
            "",
            "What the maps are made from. `slipmap factors` prints this list; `factors.extra` of a config asks for "
            "those that are not made by default.",
            "",
            "| " + " | ".join(HEAD) + " |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            "Bands and indices can also be made before and after an event, and as their change: `ndvi_before`, "
            "`ndvi_after`, `ndvi_change`, and so on.",
        ]
    )


def _commands() -> str:
    from slipmap import cli

    parser = cli._parser()
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    lines = ["# Commands", "", "What `slipmap --help` and `slipmap COMMAND --help` say.", ""]
    told = {choice.dest: choice.help or "" for choice in commands._choices_actions}
    for name, command in commands.choices.items():
        lines += [f"## slipmap {name}", "", _sentence(command.description or told[name]), ""]
        lines += ["| argument | meaning |", "| --- | --- |"]
        lines += [f"| {_argument(action)} | {_sentence(_help(action))} |" for action in command._actions[1:]]
        lines.append("")
    return "\n".join(lines)


def _argument(action: argparse.Action) -> str:
    metavar = action.metavar if action.metavar is not None else action.dest.upper()
    value = " ".join(metavar) if isinstance(metavar, tuple) else metavar
    if not action.option_strings:
        return f"`{value}`"
    return f"`{', '.join(action.option_strings)}{'' if action.nargs == 0 else ' ' + value}`"


def _help(action: argparse.Action) -> str:
    text = (action.help or "").replace("|", "\\|")
    return re.sub(r"%\((\w+)\)\w", lambda m: html.escape(str(getattr(action, m[1], ""))), text)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


def _notebook() -> str:
    """The notebook as a page: its text and its code; a test runs the code."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    parts = []
    for cell in cells:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
    return "\n\n".join(parts)


PAGES: dict[str, Callable[[], str]] = {
    "configuration.md": _copy("config/README.md"),
    "contributing.md": _copy("CONTRIBUTING.md"),
    "changelog.md": _copy("CHANGELOG.md"),
    "config_reference.md": _config,
    "models.md": _models,
    "factors.md": _factors,
    "commands.md": _commands,
    "library.md": _notebook,
}
