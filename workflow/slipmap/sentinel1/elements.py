"""Elements of XML that must be there: what is missing is named."""

import xml.etree.ElementTree as ET


def child(parent: ET.Element, path: str) -> ET.Element:
    """The first element at `path` under `parent`.

    Raises
    ------
    ValueError : there is none.
    """
    found = parent.find(path)
    if found is None:
        raise ValueError(f"{parent.tag} has no {path}")
    return found


def text(parent: ET.Element, path: str) -> str:
    """The text of the first element at `path` under `parent`; "" in an empty one. Raises as `child`."""
    return child(parent, path).text or ""
