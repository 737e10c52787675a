"""Fill a template of the report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from slipmap import __version__

ASSETS = Path(__file__).parent / "assets"


def asset(name: str) -> Markup:
    """A file of `ASSETS`, to be put into the page as it is."""
    return Markup((ASSETS / name).read_text(encoding="utf-8"))


def render(template: str, context: Mapping[str, Any]) -> str:
    """The page that `template` makes of `context`, with the report's style in it; a name that lacks is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(**context, version=__version__, style=asset("style.css"))
