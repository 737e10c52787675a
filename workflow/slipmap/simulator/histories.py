"""How simulated landslides move over time: steadily, ever faster, with the season, by a step after rain, or late.

Each history comes as "years": by how many years of its mean velocity a landslide has moved on a date. They start at 0
and end at the whole span, so that the true velocity of the area stays the mean one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from slipmap.arrays import Doubles
from slipmap.simulator.fields import stream

STEADY, ACCELERATING, SEASONAL, STEPPING, STARTING = range(5)
KINDS = {
    STEADY: "steady",
    ACCELERATING: "accelerating",
    SEASONAL: "seasonal",
    STEPPING: "step after rain",
    STARTING: "starts at a date",
}
SEASON = 0.12  # years of the mean velocity, amplitude of the annual cycle
STEPPED = 0.6  # share of the displacement that comes by the step
QUIET = 0.45  # share of the span before which a starting landslide stands
WET_DAYS = 10  # over which rain is summed
DAYS = 365.25


@dataclass(frozen=True)
class Histories:
    """Kind and progress of each landslide.

    Parameters
    ----------
    kinds : (landslides,), of `KINDS`. years : (dates, landslides). step : day of the step after rain.
    """

    kinds: np.ndarray
    years: Doubles
    step: date

    def at(self, k: int, number: NDArray[np.integer]) -> Doubles:
        """Years of mean velocity on date `k` at each pixel, by the number of its landslide (from 1; 0: none)."""
        years: Doubles = np.concatenate([[0.0], self.years[k]])[number]
        return years


def histories(seed: int, share: float, moving: Sequence[bool], dates: Sequence[date], rain: np.ndarray) -> Histories:
    """Draw kinds for a `share` of the landslides that move, and follow them over `dates`.

    Parameters
    ----------
    moving : of each landslide. rain : mm of each day from the first date on.
    """
    rng = stream(seed, "histories")
    kinds = np.zeros(len(moving), int)
    movers = np.flatnonzero(moving)
    chosen = rng.permutation(movers)[: round(share * len(movers))]
    kinds[chosen] = 1 + np.arange(len(chosen)) % (len(KINDS) - 1)
    t = np.array([(day - dates[0]).days for day in dates]) / DAYS
    span = t[-1]
    wet = _wettest(rain, round(span * DAYS))
    begin = QUIET * span
    by_kind = {
        STEADY: t,
        ACCELERATING: t**2 / span,
        SEASONAL: t + SEASON * (np.sin(2 * np.pi * t) - t / span * np.sin(2 * np.pi * span)),
        STEPPING: (1 - STEPPED) * t + STEPPED * span * (t >= wet / DAYS),
        STARTING: np.maximum(t - begin, 0) * span / (span - begin),
    }
    years = np.stack([by_kind[kind] for kind in kinds], axis=1) if len(kinds) else np.zeros((len(t), 0))
    return Histories(kinds, years, date.fromordinal(dates[0].toordinal() + wet))


def _wettest(rain: np.ndarray, days: int) -> int:
    """The last day of the wettest spell in the middle 60 % of the span."""
    total = np.convolve(rain[: days + 1], np.ones(WET_DAYS))[: days + 1]
    total[: round(0.2 * days)] = total[round(0.8 * days) :] = -1
    return int(total.argmax())
