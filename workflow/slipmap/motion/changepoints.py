"""Several changes in one series: steps and changes of velocity at the dates that PELT finds.

PELT (Killick, Fearnhead & Eckley 2012, J. Am. Stat. Assoc. 107, 1590–1598) of the package ruptures (Truong, Oudre &
Vayatis 2020) finds the dates that make the sum of squares about a line of each part, and a penalty for each change,
smallest. The annual cycle is taken off first. The penalty is what the search for one change gains on noise in the
stated share of cases, so that a steady series keeps one part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
from ruptures import Pelt
from ruptures.base import BaseCost

from slipmap.motion.background import scatter
from slipmap.motion.trends import Model


@dataclass(frozen=True)
class Change:
    """A change: the first date after it, by how much displacement steps there (mm) and velocity changes (mm/yr)."""

    date: date
    step: float
    velocity_change: float


class _Lines(BaseCost):  # type: ignore[misc]  # ruptures has no types
    """Sum of squares about the line of each part, from running sums."""

    model = "lines"
    min_size = 3

    def __init__(self, times: np.ndarray) -> None:
        self.times = times - times.mean()

    def fit(self, signal: np.ndarray) -> "_Lines":
        t, y = self.times, np.asarray(signal).ravel()
        self.signal = y[:, None]
        columns = np.stack([np.ones_like(t), t, t * t, y, t * y, y * y])
        self._sums = np.concatenate([np.zeros((6, 1)), np.cumsum(columns, axis=1)], axis=1)
        return self

    def error(self, start: int, end: int) -> float:
        n, t, tt, y, ty, yy = self._sums[:, end] - self._sums[:, start]
        spread = tt - t * t / n
        return float(max(0.0, yy - y * y / n - (ty - t * y / n) ** 2 / spread))


def changes(model: Model, dates: Sequence[date], series: np.ndarray) -> list[Change]:
    """The changes of a series without gaps, in order of date.

    Parameters
    ----------
    model : of `dates`, with its limits. series : (dates,), mm.
    """
    times = model.times
    parameters = model.inverse @ (model.whiten @ series)
    if model.annual:
        turns = 2 * np.pi * times
        series = series - parameters[2] * np.cos(turns) - parameters[3] * np.sin(turns)
    bent = series[2:] - series[:-2] - (times[2:] - times[:-2]) * (series[1:-1] - series[:-2]) / np.diff(times)[:-1]
    weight = ((times[2:] - times[:-2]) / np.diff(times)[:-1]) ** 2
    noise = scatter(bent / np.sqrt(1 + weight + (1 - np.sqrt(weight)) ** 2))
    excess = float(np.max(model.excess["both"]))
    penalty = 2 * model.limits["both"] * excess * max(noise, 1e-9) ** 2
    least = max(_Lines.min_size, _margin(model))
    search = Pelt(custom_cost=_Lines(times), min_size=least, jump=1).fit(series)
    ends = [0, *search.predict(pen=penalty)]
    lines = [np.polyfit(times[a:b], series[a:b], 1) for a, b in pairwise(ends)]
    found = []
    for place, before, after in zip(ends[1:-1], lines[:-1], lines[1:], strict=True):
        middle = (times[place - 1] + times[place]) / 2
        step = float(np.polyval(after, middle) - np.polyval(before, middle))
        found.append(Change(dates[place], step, float(after[0] - before[0])))
    return found


def _margin(model: Model) -> int:
    """Dates on each side of a change, as the model's families have them."""
    return int(model.families["both"].dates[0])
