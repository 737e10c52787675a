"""Ministacks: dates linked a few at a time, with one compressed SLC of each earlier few (Ansari et al. 2017)."""

from collections.abc import Sequence
from datetime import date

MOST_EARLIER = 5  # compressed SLCs that are linked with the dates of a ministack: the latest


def split(dates: Sequence[date], size: int | None) -> list[list[date]]:
    """The dates in order, `size` at a time; the last may be fewer. All at once without a size."""
    ordered = sorted(dates)
    step = size or max(1, len(ordered))
    return [ordered[k : k + step] for k in range(0, len(ordered), step)]
