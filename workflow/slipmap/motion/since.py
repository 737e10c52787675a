"""Velocity before and since a date: a series fitted with a bend at that date, and how sure the change is.

Offset, velocity, an annual cycle where the dates span a year, and a change of velocity from the date on; errors of
neighbouring dates correlated as `slipmap.motion.trends` finds them. The date is given and not searched, so that one new
image can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy import stats

from slipmap.deformation.inversion import years
from slipmap.deformation.phase import DAYS_PER_YEAR
from slipmap.motion import trends


@dataclass(frozen=True)
class Since:
    """Velocities of some series, each (pixels,), mm/yr.

    Parameters
    ----------
    before, change : with their standard deviations; since = before + change. significance : the change as a standard
        normal deviate, signed.
    """

    before: np.ndarray
    before_std: np.ndarray
    since: np.ndarray
    since_std: np.ndarray
    change: np.ndarray
    change_std: np.ndarray
    significance: np.ndarray


@dataclass(frozen=True)
class Bend:
    """The model of some dates with a bend at one of them.

    Parameters
    ----------
    inverse : (terms, dates), the least-squares inverse, whitening in it. design : (dates, terms), whitened.
    whiten : (dates, dates). excess : standard deviation of the change on steady ground over what independent noise
        would give, at least 1.
    """

    inverse: np.ndarray
    design: np.ndarray
    whiten: np.ndarray
    excess: float = 1.0

    def fit(self, series: np.ndarray) -> Since:
        """Velocities of series without gaps, (dates, pixels), mm."""
        white = self.whiten @ series
        found = self.inverse @ white
        freedom = len(white) - len(found)
        rest = np.maximum((white**2).sum(axis=0) - ((self.design @ found) * white).sum(axis=0), 0)
        scale = self.excess * np.sqrt(rest / freedom)
        covariance = self.inverse @ self.inverse.T
        total = covariance[1, 1] + covariance[-1, -1] + 2 * covariance[1, -1]
        before, since, change = (scale * np.sqrt(v) for v in (covariance[1, 1], total, covariance[-1, -1]))
        student = found[-1] / np.maximum(change, 1e-12)
        significance = np.sign(student) * stats.norm.isf(stats.t.sf(np.abs(student), freedom))
        return Since(found[1], before, found[1] + found[-1], since, found[-1], change, significance)


def bend(dates: Sequence[date], at: date, correlation: float, excess: float = 1.0) -> Bend:
    """The model of `dates` with a bend at the date `at`, errors of neighbouring dates correlated by `correlation`."""
    model = trends.build(dates, margin=2, correlation=correlation)
    times = years(dates)
    from_then = np.maximum(times - (at - dates[0]).days / DAYS_PER_YEAR, 0)
    design = np.column_stack([model.base, model.whiten @ from_then])
    return Bend(np.linalg.pinv(design), design, model.whiten, excess)
