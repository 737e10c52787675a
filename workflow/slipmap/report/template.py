"""Fill a template of the report or of the viewer: styles and scripts in it, and the policy that lets only them run."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from slipmap import __version__

ASSETS = Path(__file__).parent / "assets"
VENDOR = Path(__file__).parent / "vendor"


def asset(name: str) -> Markup:
    """A file of `ASSETS`, to be put into the page as it is."""
    return Markup((ASSETS / name).read_text(encoding="utf-8"))


def as_json(data: Mapping[str, Any]) -> str:
    """Data as text for a page."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def vendored(name: str) -> Markup:
    """A file of a kept library (`VENDOR`), without what a page may not load: pictures of styles, maps of sources."""
    text = (VENDOR / name).read_text(encoding="utf-8")
    if name.endswith(".css"):
        text = re.sub(r"[^{}]*\{[^{}]*url\([^{}]*\}", "", text)
    return Markup(re.sub(r"//# sourceMappingURL=\S+", "", text))


def page(name: str, context: Mapping[str, Any], data: Mapping[str, Any], last: str = "report.js") -> str:
    """A page with Explore in it.

    Parameters
    ----------
    name : the template. data : what Explore shows (`slipmap.report.explore`). last : the script that starts it.
    """
    scripts = [vendored("leaflet.js"), vendored("uplot.js"), *(asset(s) for s in ("common.js", "explore.js", last))]
    text = Markup(as_json(data).replace("</", "<\\/"))
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    return render(
        name,
        {
            **context,
            "map_data": text,
            "scripts": scripts,
            "policy": "script-src " + " ".join(f"'sha256-{digest}'" for digest in digests),
            "libraries": vendored("leaflet.css") + vendored("uplot.css") + asset("explore.css"),
        },
    )


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
