"""What the checks find in data that are in order, for the summary."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Found:
    """What the Sentinel-1 data of an area are like.

    Parameters
    ----------
    left_out : of the data, and why, a sentence each. dates : of the acquisitions, in order. pairs : interferograms
        that are inverted. notes : on data that count, a sentence each. hinged : whether one pair alone holds all
        series together, so that no velocity is reliable. format : of the reader. sight : whether the line of sight is
        known.
    """

    left_out: list[str] = field(default_factory=list)
    dates: list[date] = field(default_factory=list)
    pairs: int = 0
    format: str = ""
    sight: bool = True
    notes: list[str] = field(default_factory=list)
    hinged: bool = False
