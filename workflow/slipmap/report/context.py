"""What the templates and scripts of the page are given."""

from typing import Any

Context = dict[str, Any]  # names and values of a section, a figure, a table, a legend, as JSON could hold them
