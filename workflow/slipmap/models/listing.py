"""What `slipmap models` prints."""

from __future__ import annotations

from slipmap.models import index


def table() -> str:
    """Return the table of all architectures: name, parameters in millions, advice, paper."""
    heading = ("MODEL", "MILLION", "WHEN TO TAKE IT", "PAPER")
    records = sorted(index.records().items())
    rows = [(name, f"{about.parameters / 1e6:.2f}", about.advice, about.paper) for name, about in records]
    name, count, advice = (max(len(row[column]) for row in (heading, *rows)) for column in range(3))
    lines = (f"{row[0]:{name}}  {row[1]:>{count}}  {row[2]:{advice}}  {row[3]}" for row in (heading, *rows))
    notes = (
        "MILLION: parameters with 3 bands, 1 class and every option as it is by default (width 1).",
        "'slipmap models NAME' lists the options of one.",
    )
    return "\n".join((*lines, "", *notes))


def page(name: str) -> str:
    """Return what is known of one architecture, its options with it.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    about = index.find(name, "slipmap models")
    lines = [
        f"{name}: {about.advice}",
        f"paper: {about.paper}",
        f"parameters: {about.parameters:,} with 3 bands, 1 class and the defaults",
        f"code: {about.module}, class {about.class_name}",
        *(f"fixed: {key} = {value!r}" for key, value in about.fixed.items()),
        "options (model.options in a config):",
        *(f"  {key}: {option.default!r}{option.allowed()}" for key, option in about.options.items()),
    ]
    return "\n".join(lines)
