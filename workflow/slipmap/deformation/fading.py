"""Fading signal: the bias of short pairs, estimated from the closure phases of triplets.

A part of the ground keeps its phase, another (leaves, wet soil) forgets it within the time τ, and until then its phase
may drift. The average over both gives an interferogram over the time Δt the bias

    b(Δt) = ρ · g(Δt),    g(Δt) = Δt · (γ₀ − γ∞) exp(−Δt/τ) / γ(Δt),    γ(Δt) = γ∞ + (γ₀ − γ∞) exp(−Δt/τ)

to first order in the drift ρ. It fades with Δt: a chain of short pairs tells another motion than one long pair, and
triplets do not close by b(Δij) + b(Δjk) − b(Δik) (Ansari et al. 2021; Zheng et al. 2022; Maghsoudi et al. 2022). No
motion, delay or DEM error does that. γ₀, γ∞ and τ follow from the mean coherences of the network's pairs, so that the
ratio of the biases of two time spans is the same all over an area, as in Maghsoudi et al.; ρ of each place is the only
unknown, from the closures of all triplets of the pixels around it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.arrays import Floats
from slipmap.deformation.closure import triplets
from slipmap.deformation.coherent_network import block_side
from slipmap.deformation.interferogram import boxcar
from slipmap.deformation.inversion import invert_stack, pair_numbers, years
from slipmap.deformation.phase import DAYS_PER_YEAR, wrap
from slipmap.deformation.sources import NetworkReader
from slipmap.deformation.stack import Pair, network_dates
from slipmap.io import raster
from slipmap.io.grid import Grid

SIDE = 11  # pixels; closures are averaged over a square of so many
TAU_DAYS = np.geomspace(6, 400, 40)  # that are tried for τ
FLOOR, FIRST = 0.1, 0.9  # prior means of γ∞ and γ₀ (`covariance`)
PRIOR = 0.005  # pairs that each counts as: the square of a mean coherence's error (0.02) over the prior's (0.25)
BAND = "fading_velocity"
LONG_NAME = "velocity that the fading signal of short pairs adds, by their closure phases; nodata where not estimated"


def memory(days: np.ndarray, coherence: np.ndarray, samples: float = np.inf) -> np.ndarray:
    """g(Δt) of pairs, (pairs,), years: their bias for a drift of one radian a year.

    Parameters
    ----------
    days : (pairs,), Δt. coherence : (pairs,), mean of the area. samples : independent ones behind each estimate, whose
        mean square is too large by about 1/samples (Touzi et al. 1999).
    """
    true = np.sqrt(np.clip((coherence**2 - 1 / samples) / (1 - 1 / samples), 0, 1))
    best: tuple[float, tuple[float, float, float]] | None = None
    for tau in TAU_DAYS:
        e = np.exp(-days / tau)
        rows = np.vstack([np.stack([1 - e, e], axis=1), np.sqrt(PRIOR) * np.eye(2)])
        right = np.r_[true, np.sqrt(PRIOR) * np.array([FLOOR, FIRST])]
        floor, first = np.clip(np.linalg.lstsq(rows, right, rcond=None)[0], 0, 1)
        cost = float(np.sum((rows @ (floor, first) - right) ** 2))
        if best is None or cost < best[0]:
            best = cost, (min(floor, first), first, tau)
    assert best is not None
    floor, first, tau = best[1]
    lost = (first - floor) * np.exp(-days / tau)
    return days / DAYS_PER_YEAR * lost / np.maximum(floor + lost, 1e-6)


def closures(
    phase: np.ndarray, weights: np.ndarray, triples: np.ndarray, per_drift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sums over the triplets of each pixel, (pixels,) each, whose ratio is the drift ρ, rad/yr: Σ w h c and Σ w h².

    Parameters
    ----------
    phase : (pairs, pixels), rad, NaN in gaps. weights : (pairs, pixels), inverse variances. triples : (triplets, 3).
    per_drift : (pairs,), of `memory`; h of a triplet is what it leaves open.
    """
    above, below = np.zeros(phase.shape[1]), np.zeros(phase.shape[1])
    for i, j, k in triples:
        h = per_drift[i] + per_drift[j] - per_drift[k]
        closure = wrap(phase[i].astype(np.float64) + phase[j] - phase[k])
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = 1 / (1 / weights[i] + 1 / weights[j] + 1 / weights[k])
        known = np.isfinite(closure) & np.isfinite(weight)
        above += np.where(known, weight * h * closure, 0)
        below += np.where(known, weight * h * h, 0)
    return above, below


@dataclass(frozen=True)
class Fading:
    """The fading signal of a network.

    Parameters
    ----------
    drift : (rows, cols) float32, ρ, rad/yr relative to the reference; NaN where no triplet tells it.
    per_drift : (pairs,), years (`memory`). gain : velocity of the network (mm/yr) for a drift of 1 rad/yr.
    """

    drift: np.ndarray
    per_drift: np.ndarray
    gain: float

    def bias(self, window: Window) -> Floats:
        """What to take from each interferogram, (pairs, rows, cols) float32, rad; 0 where it is not known."""
        known = np.nan_to_num(self.drift[window.toslices()])
        bias: Floats = self.per_drift.astype(np.float32)[:, None, None] * known
        return bias

    def velocity(self, window: Window) -> np.ndarray:
        """What it adds to the velocity, (rows, cols), mm/yr."""
        return np.asarray(self.gain * self.drift[window.toslices()])


@dataclass(frozen=True)
class Unfaded:
    """A reader of the network that takes the fading signal from its phases (and from those before any filter)."""

    reader: NetworkReader
    fading: Fading

    @property
    def has_original(self) -> bool:
        """As the reader's."""
        return self.reader.has_original

    def read(self, window: Window, *, original: bool = False, offsets: np.ndarray | None = None) -> list[np.ndarray]:
        """As `NetworkReader.read`."""
        phase, coherence, *more = self.reader.read(window, original=original, offsets=offsets)
        bias = self.fading.bias(window)
        for array in (phase, *more):
            array -= bias
        return [phase, coherence, *more]


def of_network(
    wanted: str,
    reader: NetworkReader,
    offsets: np.ndarray,
    pairs: Sequence[Pair],
    coherence: np.ndarray,
    table: np.ndarray,
    operator: np.ndarray,
    samples: float,
) -> tuple[Fading | None, NetworkReader | Unfaded]:
    """The fading signal where it is `wanted` ("none", "map" or "correct"), and the reader of what is inverted.

    Parameters
    ----------
    offsets : (pairs,), phase of each at the reference, rad. The others are those of `estimate`.
    """
    if wanted == "none":
        return None, reader
    grid, side = reader.grid, block_side(len(pairs))
    blocks = ((window, *reader.read(window, offsets=offsets)) for window in grid.blocks(side))
    dates = network_dates(pairs)
    days = [(p.reference, p.secondary) for p in pairs]
    fading = estimate(blocks, grid, days, dates, coherence, table, operator, samples)
    return fading, Unfaded(reader, fading) if wanted == "correct" else reader


def estimate(
    blocks: Iterable[tuple[Window, np.ndarray, np.ndarray]],
    grid: Grid,
    pairs: Sequence[tuple[date, date]],
    dates: Sequence[date],
    coherence: np.ndarray,
    table: np.ndarray,
    operator: np.ndarray,
    samples: float = np.inf,
) -> Fading:
    """The fading signal from the closures of all blocks; two float64 maps of the grid are held.

    Parameters
    ----------
    blocks : window, phase and coherence (pairs, rows, cols). pairs : dates of each. coherence : (pairs,), mean of each.
    table : weight at coherence 0 … 1 (`phase.weight_table`). operator : (dates,), velocity (mm/yr) = operator @ phase.
    """
    numbers = pair_numbers(pairs, dates)
    triples = triplets(numbers)
    days = np.array([(b - a).days for a, b in pairs], np.float64)
    per_drift = memory(days, coherence, samples)
    sums = np.zeros((2, *grid.shape))
    for window, phase, quality in blocks:
        flat = phase.reshape(len(phase), -1)
        place = np.nan_to_num(np.clip(quality, 0, 1)) * (len(table) - 1)
        weights = table[np.rint(place).astype(int)].reshape(flat.shape)
        found = closures(flat, weights, triples, per_drift)
        sums[(slice(None), *window.toslices())] = np.reshape(found, (2, *phase.shape[1:]))
    above, below = (boxcar(each, SIDE) for each in sums)
    drift = np.where(below > 0, above / np.where(below > 0, below, 1), np.nan).astype(np.float32)
    pixel = np.repeat(per_drift[:, None], 2, axis=1)
    quality = np.repeat(np.asarray(coherence)[:, None], 2, axis=1)
    gain = operator @ invert_stack(pixel, quality, numbers, years(dates), table).series[:, 0].astype(np.float64)
    spread = f"; it adds {np.nanstd(gain * drift):.2f} mm/yr rms to the velocity" if np.isfinite(drift).any() else ""
    print(f"fading signal: {len(triples)} triplets a pixel{spread}")
    return Fading(drift, per_drift, float(gain))


def write(path: str | Path, grid: Grid, fading: Fading | None, tags: dict[str, str]) -> None:
    """Write the velocity that the fading signal adds; nodata everywhere where it was not asked for."""
    with raster.create(path, grid, bands=[BAND], units="mm/yr", long_name=LONG_NAME, tags=tags) as out:
        for window in grid.blocks():
            shape = int(window.height), int(window.width)
            values = np.full(shape, np.nan) if fading is None else fading.velocity(window)
            out.write(values.astype(np.float32), window)
