"""The catalogue as a table to read."""

from slipmap.factors import catalogue
from slipmap.factors.names import needs
from slipmap.factors.record import Factor

HEAD = ("factor", "units", "default", "needs", "what it is")


def table() -> str:
    """Every factor in a line: name, units, whether it is a default one, what it needs, what it is.

    Of bands and indices only those of the composite have a line; the last line says how the others are named.
    """
    shown = [one for one in catalogue.records() if catalogue.split_period(one.name)[1] == "composite"]
    rows = [HEAD, *(_row(factor) for factor in shown)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD) - 1)]
    lines = ["  ".join([*map(str.ljust, row[:-1], widths), row[-1]]) for row in rows]
    periods = ", ".join(f"ndvi_{period}" for period in catalogue.PERIODS)
    return "\n".join(
        [*lines, "", f"Bands and indices before and after an event, and their change: {periods}, and so on."]
    )


def _row(factor: Factor) -> tuple[str, ...]:
    default = "no"
    if factor.default:
        default = f"if in factors.{factor.listed}" if factor.listed else "yes"
    where = f" (package {factor.package})" if factor.package else ""
    return factor.name, factor.units, default, ", ".join(needs(factor)), factor.long_name + where
