"""Linked phases of a block of SLC pixels by the options: neighbours, motion, estimator, scatterers, ground."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from slipmap.deformation.interferogram import window_weights
from slipmap.deformation.phase import DAYS_PER_YEAR
from slipmap.deformation.phase_linking import compressed, decorrelation, motion, spectrum
from slipmap.deformation.phase_linking.link import Linked, beyond_chance, link
from slipmap.deformation.phase_linking.neighbours import EMPTY, homogeneous, power
from slipmap.deformation.phase_linking.scatterers import keep_persistent
from slipmap.parallel import each

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.deformation import PhaseLinkingSettings

Inner = tuple[slice, slice]
FIRST_WINDOW = 3  # of the pass that finds motion: the smaller, the less of it is smeared


@dataclass(frozen=True)
class Block:
    """What a block becomes.

    Parameters
    ----------
    persistent : bool (rows, cols), pixels that keep their own phases. rate : taken out and put back, rad/yr.
    ground : (3, rows, cols), how it decorrelates (`decorrelation.fitted`).
    compressed : complex64 (rows, cols, SLC pixels), of the dates that are no compressed SLCs; None: not asked for.
    closure, eigenvalues : of `spectrum.described`.
    """

    linked: Linked
    persistent: np.ndarray
    rate: np.ndarray
    ground: np.ndarray
    compressed: np.ndarray | None = None
    closure: np.ndarray | None = None
    eigenvalues: np.ndarray | None = None

    def quality(self) -> np.ndarray:
        """`dates.QUALITY_BANDS`, float32 (bands, rows, cols), NaN without data."""
        linked = self.linked
        bands = [linked.fit, linked.neighbours, linked.looks, self.persistent, linked.blend, self.rate, *self.ground]
        return np.where(np.isfinite(linked.fit), np.stack(bands), np.nan).astype(np.float32)

    def date(self, k: int) -> np.ndarray:
        """Phase of date `k` and, if asked for, its standard deviation; (bands, rows, cols), NaN without data."""
        phasor, bound = self.linked.phasors[k], self.linked.bound
        bands = [np.angle(phasor)] if bound is None else [np.angle(phasor), bound[k]]
        there = (np.abs(phasor) > 0.5) & np.isfinite(self.linked.fit)
        return np.where(there, np.stack(bands), np.nan).astype(np.float32)


@dataclass(frozen=True)
class Still:
    """SLC pixels of what is wanted of a block, with the window round it, whose motion has been taken out.

    Parameters
    ----------
    samples : complex64 (dates, rows, cols, SLC pixels of a pixel). rate : (rows, cols), what was taken out, rad/yr.
    inner : rows and columns that are wanted.
    """

    samples: np.ndarray
    rate: np.ndarray
    inner: Inner


def link_block(
    samples: np.ndarray,
    options: "PhaseLinkingSettings",
    looks: float,
    years: np.ndarray,
    threads: int = 1,
    spans: Sequence[np.ndarray] = (),
    inner: Inner | None = None,
) -> Block:
    """Link a block by the options: `without_motion`, then `link_still`."""
    still = without_motion(samples, options, looks, years, threads, inner)
    return link_still(still, options, looks, years, threads, spans)


def without_motion(
    samples: np.ndarray,
    options: "PhaseLinkingSettings",
    looks: float,
    years: np.ndarray,
    threads: int = 1,
    inner: Inner | None = None,
) -> Still:
    """Find the motion of a block by a first pass, if the options say so, and take it out.

    Parameters
    ----------
    samples : complex64 (dates, rows, cols, SLC pixels of a pixel). looks : independent ones among these.
    years : (dates,) time of each date, the first 0.
    inner : rows and columns that are wanted; the others are there for what lies round these. None: all.
    """
    rate = np.zeros(samples.shape[1:3], np.float32)
    if options.remove_motion and len(samples) >= motion.LEAST_DATES:
        near = window_weights(min(options.window, FIRST_WINDOW), options.window_weights)
        first = _how(options, looks, threads)(samples, near, bound=False)
        rate = motion.rates(first.phasors, first.fit, years, samples, looks, threads)
        del first
    around, inner = _within(inner or (slice(None), slice(None)), rate.shape, options.window // 2)
    rate, samples = rate[around].copy(), samples[:, *around]
    samples = motion.turned(samples, rate, years, -1, threads=threads) if rate.any() else np.ascontiguousarray(samples)
    return Still(samples, rate, inner)


def link_still(
    still: Still,
    options: "PhaseLinkingSettings",
    looks: float,
    years: np.ndarray,
    threads: int = 1,
    spans: Sequence[np.ndarray] = (),
) -> Block:
    """Link what `without_motion` gave, and put the motion back.

    Parameters
    ----------
    spans : of each compressed SLC, the times of the dates of which it is the mean. These SLCs come first; their phases
        are not given back.

    Notes
    -----
    All is done without the motion, also what becomes of persistent scatterers and of the compressed SLC; the phases
    alone get it back, at the end.
    """
    samples, rate, inner, before = still.samples, still.rate, still.inner, len(spans)
    weights = window_weights(options.window, options.window_weights)
    chosen = homogeneous(samples[before:], options.window, options.homogeneity, options.significance, looks)
    linked = _how(options, looks, threads)(samples, weights, bound=options.standard_deviation, chosen=chosen)
    there = np.zeros(samples.shape[:3], bool)

    def keep_own(k: int) -> None:  # what the neighbours alone say is no phase of the pixel
        there[k] = (power(samples[k : k + 1])[0] > EMPTY) & (np.abs(linked.phasors[k]) > 0.5)
        linked.phasors[k, ~there[k]] = 0

    each(keep_own, range(len(samples)), threads)
    linked.fit[...] = beyond_chance(linked, weights, looks)
    linked.fit[(there.sum(axis=0) < 2) | ~there[before:].any(axis=0)] = np.nan
    days = [time * DAYS_PER_YEAR for time in (years[before:], *spans)]
    ground = decorrelation.fitted(samples, weights, linked.looks, days[0], days[1:])
    persistent = keep_persistent(linked, samples, options.amplitude_dispersion, before)
    ground[:2, persistent] = decorrelation.of_fit(linked.fit[persistent])
    kept = compressed.compress(samples[before:], linked.phasors[before:])[inner] if options.ministack else None
    if rate.any():
        motion.turned(linked.phasors, rate, years, 1, linked.phasors, threads)
    oldest, most = before if options.closure else None, min(options.eigenvalues, len(samples))
    closure, largest = spectrum.described(samples, weights, chosen, closure=oldest, eigenvalues=most)
    without = ~np.isfinite(linked.fit)
    for band in (closure, largest):
        if band is not None:
            band[..., without] = np.nan
    of_gamma = (None if band is None else band[..., *inner] for band in (closure, largest))
    return Block(linked.part(before, inner), persistent[inner], rate[inner], ground[:, *inner], kept, *of_gamma)


def _how(options: "PhaseLinkingSettings", looks: float, threads: int) -> Callable[..., Linked]:
    """`link` by the options."""
    return partial(
        link,
        estimator=options.method,
        regularisation=options.regularisation,
        looks=looks,
        threads=threads,
        device=options.device,
    )


def _within(inner: Inner, shape: tuple[int, ...], half: int) -> tuple[Inner, Inner]:
    """`inner` with `half` a window round it, inside `shape`, and where it lies in that."""
    found: list[tuple[slice, slice]] = []
    for wanted, size in zip(inner, shape, strict=True):
        first, last, _ = wanted.indices(size)
        start = max(0, first - half)
        found.append((slice(start, min(size, last + half)), slice(first - start, last - start)))
    (rows, own_rows), (cols, own_cols) = found
    return (rows, cols), (own_rows, own_cols)
