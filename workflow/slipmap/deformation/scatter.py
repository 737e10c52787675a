"""From decorrelation noise to the standard deviation of the velocity: what the scatter of the series adds.

The covariance of the phases (`covariance`) knows of decorrelation alone, and leans on a model of the coherences that
nobody measured. The residuals of the model of time tell the rest. Decorrelation noise adds up from date to date and is
slow; the atmosphere differs from date to date. Where z_k are orthonormal combinations of the dates that see nothing of
the model of time, slow ones first, the series x of a pixel has

    E (z_k · x)² = s · D_k + a²

with D_k from the covariance. One s of the whole stack (1: the covariance is right) and one a² of each pixel describe
its noise, and give the velocity, m · x, the variance s · D_m + a² |m|². A network of short pairs alone leaves open how
the ground decorrelates in the long run; s then tells it.
"""

from dataclasses import dataclass

import numpy as np

from slipmap.arrays import Doubles, Real
from slipmap.deformation.velocity import TimeModel, solve_gaps

CURVE = 2  # degree of `Scatter.curve`
SLOW = 4  # combinations that tell s
LEAST_PIXELS = 50  # of the sample; s is 1 with fewer
SCALES = (0.2, 5.0)  # s is kept between them
PRIOR = 0.5  # s is 1 give or take this, before the scatter is looked at
NEIGHBOURS = 20.0  # pixels of the sample that share one atmosphere: so many count as one
APART = 1.5  # times that the slow combinations must see more decorrelation than the fast ones for s to be told
DRAWS, ROUNDS = 16, 6  # of each pixel's noise, for the median of its mean square; of the search for s


def combinations(model: TimeModel) -> Doubles:
    """(dates − terms, dates) float64: orthonormal, without what the model of time explains, slow ones first."""
    times = model.design[:, model.names.index("velocity")]
    phase = (times - times[0]) / np.ptp(times) * np.pi
    waves = np.cos(np.arange(1, len(times)) * phase[:, None])
    design = model.design / np.abs(model.design).max(axis=0)
    return np.linalg.qr(np.hstack([design, waves]))[0].T[design.shape[1] : len(times)]


@dataclass(frozen=True)
class Scatter:
    """What a sample of pixels tells of the noise of all; see the module.

    Parameters
    ----------
    model : of time. fast : (k, dates), the combinations that tell a².
    common : (dates,), mm, what all pixels share: noise of the reference and of each date, which is no scatter.
    scale : s. curve : log of D_fast / D_m is this polynomial of log D_m.
    """

    model: TimeModel
    fast: Doubles
    common: Doubles
    scale: float
    curve: Doubles

    def of_dates(self, series: Real, decorrelation: Doubles) -> Doubles:
        """a² at each pixel, mm².

        Parameters
        ----------
        series : (dates, pixels), mm; NaN where no pair saw the date. decorrelation : (pixels,), D_m, (mm/yr)².
        """
        if len(self.fast) == 0:
            return np.zeros(series.shape[1])
        square: Doubles = np.mean((self.fast @ series - (self.fast @ self.common)[:, None]) ** 2, axis=0)
        gaps = np.flatnonzero(~np.isfinite(square))
        if len(gaps):
            square[gaps] = _mean_square(self.model.design, series[:, gaps] - self.common[:, None])
        expected: Doubles = self.scale * decorrelation * np.exp(np.polyval(self.curve, _log(decorrelation)))
        added: Doubles = np.nan_to_num(np.maximum(square - np.nan_to_num(expected), 0))
        return added

    def velocity_std(self, series: Real, decorrelation: Doubles, reach: Doubles) -> Doubles:
        """Standard deviation of the velocity at each pixel, mm/yr; `reach` of `subsets.join`, else as `of_dates`."""
        deviation: Doubles = np.sqrt(self.scale * decorrelation + self.of_dates(series, decorrelation) * reach)
        return deviation


def fit(model: TimeModel, series: Real, variances: Real) -> Scatter:
    """Compare the scatter of a sample with its covariance.

    Parameters
    ----------
    series : (dates, pixels), mm, of pixels that all pairs saw.
    variances : (1 + combinations, pixels), by the covariance, of the velocity (mm/yr)² and of `combinations` (mm²).
    """
    every = combinations(model)
    slow = min(SLOW, len(every) // 3)
    fast = every[len(every) // 2 :]
    fine = np.isfinite(series).all(axis=0) & (variances > 0).all(axis=0)
    moved, spread = series[:, fine].astype(np.float64), variances[:, fine].astype(np.float64)
    if moved.shape[1] < LEAST_PIXELS:
        none = np.zeros(len(model.design))
        curve = np.array([_log(spread[1 + len(every) // 2 :].mean() / spread[0].mean())]) if fine.any() else none
        return Scatter(model, fast, none, 1.0, curve[:1] if len(every) else none[:1])
    common = np.asarray(np.median(moved, axis=1))
    if len(every) == 0:
        return Scatter(model, fast, common, 1.0, np.zeros(1))
    expected = spread[1 + len(every) // 2 :].mean(axis=0)
    curve = _curve(_log(spread[0]), _log(expected / spread[0]))
    if slow == 0:
        return Scatter(model, fast, common, 1.0, curve)
    noise = spread[1 : 1 + slow], spread[1 + len(every) // 2 :]
    squares = [np.mean((some @ (moved - common[:, None])) ** 2, axis=0) for some in (every[:slow], fast)]
    return Scatter(model, fast, common, _scale(squares, noise), curve)


def _scale(squares: list[Doubles], noise: tuple[Doubles, Doubles]) -> float:
    """s, so that the median pixel's mean squares of slow and of fast combinations are what s and one a² foretell.

    Medians, since some pixels move otherwise than the model of time. Where the atmosphere hides the decorrelation, s
    is hardly told, and drawn to 1.

    Parameters
    ----------
    squares : (pixels,) of the slow combinations and of the fast ones, mm². noise : their D, (combinations, pixels).
    """
    rng = np.random.default_rng(0)
    draws = [rng.chisquare(1, (DRAWS, *part.shape)).astype(np.float32) for part in noise]
    means = [part.mean(axis=0) for part in noise]
    level = [float(np.median(mean)) for mean in means]
    scale, square = 1.0, 0.0
    for _ in range(ROUNDS):
        found = []
        for k in (0, 1):
            foretold = scale * means[k] + square
            whole = scale * noise[k] + square
            share = np.median((whole * draws[k]).mean(axis=1) / foretold)
            found.append(float(np.median(squares[k] / foretold) / share) * (scale * level[k] + square))
        if level[0] < APART * level[1]:
            scale, square = min(1.0, found[1] / level[1]), max(0.0, found[1] - level[1])
            continue
        square = max(0.0, (level[0] * found[1] - level[1] * found[0]) / (level[0] - level[1]))
        scale = float(np.clip((found[0] - square) / level[0], *SCALES))
    independent = len(noise[0]) * len(means[0]) / NEIGHBOURS
    error = np.sqrt(2 / independent) * (scale * level[0] + square) / level[0]
    return float(1 + (scale - 1) / (1 + (error / PRIOR) ** 2))


def _mean_square(design: Doubles, series: Real) -> Doubles:
    """Mean square of the residuals about the model of time, for a degree of freedom, of series with gaps."""
    there = np.isfinite(series)
    residual = series - design @ solve_gaps(design, series)
    freedom = there.sum(axis=0) - design.shape[1]
    mean: Doubles = np.square(np.where(there, residual, 0.0)).sum(axis=0) / np.where(freedom > 0, freedom, np.nan)
    return mean


def _log(values: Doubles) -> Doubles:
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm: Doubles = np.log(np.maximum(values, 1e-12))
    return logarithm


def _curve(x: Doubles, y: Doubles) -> Doubles:
    """Coefficients of the parabola of y over x, or of the mean of y alone where x tells none.

    It takes three values of x apart from each other: ground of one or two kinds of coherence has fewer.
    """
    apart = np.diff(np.quantile(x, (0.0, 0.5, 1.0)))
    few = np.unique(np.round(x, 3)).size < 10 * (CURVE + 1)
    return np.polyfit(x, y, 0 if few or apart.min() < 1e-3 else CURVE)
