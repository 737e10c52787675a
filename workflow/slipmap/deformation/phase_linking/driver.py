"""From the geocoded SLCs of a stack to linked phases: one file for each date, and one of their quality."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from rasterio.io import DatasetWriter
from rasterio.windows import Window

from slipmap.config.deformation import LinkingSettings, PhaseLinkingSettings
from slipmap.deformation.interferogram import window_weights, with_margin
from slipmap.deformation.phase import DAYS_PER_YEAR
from slipmap.deformation.phase_linking import compressed, decorrelation, motion, on_device
from slipmap.deformation.phase_linking.dates import PHASE, QUALITY, QUALITY_BANDS, STD, encode, file_of
from slipmap.deformation.phase_linking.link import Linked, link
from slipmap.deformation.phase_linking.ministack import MOST_EARLIER
from slipmap.deformation.phase_linking.neighbours import EMPTY, homogeneous, power
from slipmap.deformation.phase_linking.scatterers import keep_persistent
from slipmap.deformation.scaled_file import create
from slipmap.deformation.slc_file import SlcFile, open_slc
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.atomic import write_aside
from slipmap.io.grid import Grid
from slipmap.sentinel1.looks import pixel_looks

BLOCK_BYTES = 64 * 2**20  # of SLC pixels read at a time
FIRST_WINDOW = 3  # of the pass that finds motion: the smaller, the less of it is smeared
_SIGN = "reference date less secondary date is the interferogram; displacement = -wavelength * phase / (4 pi)"


def run(
    slcs: Mapping[date, str],
    settings: LinkingSettings,
    output: str | Path,
    *,
    earlier: Sequence[str | Path] = (),
    threads: int = 1,
    simulated: bool = False,
) -> None:
    """Link the phases of all dates and write them into the folder `output`: {date}.tif, quality.tif, compressed.tif.

    Parameters
    ----------
    slcs : geocoded, coregistered SLC of each date, on one grid. threads : of the linking.
    earlier : folders that this function wrote for the dates before, by ministacks (`ministack`), in order.

    Raises
    ------
    InputError : fewer than two dates and none earlier, grids that differ, no pixel with data on two dates.

    Notes
    -----
    Works block by block, each with the pixels round it that its windows reach. Memory is `BLOCK_BYTES` of SLC pixels
    and about as much of results, whatever the area.
    """
    dates, options = sorted(slcs), settings.phase_linking
    before = [str(Path(folder) / compressed.NAME) for folder in earlier][-MOST_EARLIER:]
    if len(dates) + len(before) < 2:
        raise InputError("deformation.estimator: phase_linking needs two dates or more; give more SLCs.")
    datum = compressed.datum(before[0]) if before else dates[0]
    if options.device == "gpu":
        on_device.check()
    reach, years = _reach(options), times([datum] * len(before) + dates)
    with ExitStack() as opened:
        sources = [opened.enter_context(open_slc(path)) for path in [*before, *(slcs[day] for day in dates)]]
        grid = _one_grid(sources).coarsened(settings.slc_looks[1], settings.slc_looks[0])
        looks = pixel_looks(settings.slc_looks, float(np.prod(grid.resolution)), sources[-1].cell)
        print(f"{len(dates)} dates after {len(before)} compressed SLCs, {options.method}, {options.homogeneity}")
        print(f"{looks:.3g} independent looks in a pixel")
        aside = opened.enter_context(write_aside(output))
        aside.mkdir()
        tags = {"SIMULATED": "yes"} if simulated else {}
        total, count = 0.0, 0
        kept = None
        if options.ministack:
            fine = sources[-1].grid
            kept = opened.enter_context(compressed.create(aside / compressed.NAME, fine, datum))
        with _outputs(aside, grid, dates, options, tags) as (files, quality):
            for window in grid.blocks(_side(len(sources), settings.slc_looks)):
                outer, inner = with_margin(window, grid, reach)
                samples = np.stack([_cells(source, outer, settings.slc_looks) for source in sources])
                block = link_block(samples, options, looks, years, threads, len(before))
                bands = block.quality()[:, *inner]
                quality.write(bands, window)
                for k, file in enumerate(files):
                    file.write(encode(block.date(k)[:, *inner]), window=window)
                if kept is not None:
                    rest = compressed.compress(samples[len(before) :], block.linked.phasors)[inner]
                    kept.write(_pixels(rest, settings.slc_looks), 1, window=_fine(window, settings.slc_looks))
                total += float(np.nansum(bands[0]))
                count += int(np.isfinite(bands[0]).sum())
        if not count:
            raise InputError(f"{slcs[dates[0]]} and the other SLCs have no pixel with data in common; remove some.")
    print(f"mean goodness of fit {total / count:.3f} over {count} pixels")


@dataclass(frozen=True)
class Block:
    """What a block becomes.

    Parameters
    ----------
    persistent : bool (rows, cols), pixels that keep their own phases. rate : taken out and put back, rad/yr.
    ground : (3, rows, cols), how it decorrelates (`decorrelation.fitted`).
    """

    linked: Linked
    persistent: np.ndarray
    rate: np.ndarray
    ground: np.ndarray

    def quality(self) -> np.ndarray:
        """`QUALITY_BANDS`, float32 (bands, rows, cols), NaN without data."""
        linked = self.linked
        bands = [linked.fit, linked.neighbours, linked.looks, self.persistent, linked.blend, self.rate, *self.ground]
        return np.where(np.isfinite(linked.fit), np.stack(bands), np.nan).astype(np.float32)

    def date(self, k: int) -> np.ndarray:
        """Phase of date `k` and, if asked for, its standard deviation; (bands, rows, cols), NaN without data."""
        phasor, bound = self.linked.phasors[k], self.linked.bound
        bands = [np.angle(phasor)] if bound is None else [np.angle(phasor), bound[k]]
        there = (np.abs(phasor) > 0.5) & np.isfinite(self.linked.fit)
        return np.where(there, np.stack(bands), np.nan).astype(np.float32)


def link_block(
    samples: np.ndarray,
    options: PhaseLinkingSettings,
    looks: float,
    years: np.ndarray,
    threads: int = 1,
    before: int = 0,
) -> Block:
    """Link a block by the options.

    Parameters
    ----------
    samples : complex64 (dates, rows, cols, SLC pixels of a pixel). looks : independent ones among these.
    years : (dates,) time of each date.
    before : how many of the dates are compressed SLCs. They come first; their phases are not given back.
    """
    chosen = homogeneous(samples[before:], options.window, options.homogeneity, options.significance, looks)
    weights = window_weights(options.window, options.window_weights)
    how = {"estimator": options.method, "regularisation": options.regularisation, "looks": looks, "chosen": chosen}
    how |= {"threads": threads, "device": options.device}
    rate, averaged = np.zeros(samples.shape[1:3], np.float32), samples
    if options.remove_motion:
        near = window_weights(min(options.window, FIRST_WINDOW), options.window_weights)
        first = link(samples, near, bound=False, **(how | {"chosen": None}))
        rate = motion.rates(first.phasors, first.fit, years, samples, looks)
        averaged = motion.turned(samples, rate, years, -1) if rate.any() else samples
    linked = link(averaged, weights, bound=options.standard_deviation, **how)
    if rate.any():
        linked = replace(linked, phasors=motion.turned(linked.phasors, rate, years, 1))
    seen = power(samples) > EMPTY
    linked.phasors[~seen] = 0  # what the neighbours alone say is no phase of the pixel
    there = np.abs(linked.phasors) > 0.5
    linked.fit[(there.sum(axis=0) < 2) | ~there[before:].any(axis=0)] = np.nan
    own = before if len(samples) - before > 2 else 0
    ground = decorrelation.fitted(averaged[own:], weights, linked.looks, years[own:] * DAYS_PER_YEAR)
    linked, persistent = keep_persistent(linked, samples, options.amplitude_dispersion, before)
    ground[:2, persistent] = decorrelation.of_fit(linked.fit[persistent])
    bound = None if linked.bound is None else linked.bound[before:]
    return Block(replace(linked, phasors=linked.phasors[before:], bound=bound), persistent, rate, ground)


def _reach(options: PhaseLinkingSettings) -> int:
    """Pixels round a block on which its phases depend."""
    half = options.window // 2
    return half + FIRST_WINDOW // 2 + motion.REACH if options.remove_motion else half


def times(dates: Sequence[date]) -> np.ndarray:
    """Years after the first of `dates`, (dates,)."""
    return np.array([(day - dates[0]).days for day in dates]) / DAYS_PER_YEAR


def _one_grid(sources: list[SlcFile]) -> Grid:
    for source in sources[1:]:
        if not sources[0].grid.matches(source.grid):
            raise InputError(f"{source.path}: its grid is not that of {sources[0].path}; resample one of them.")
    return sources[0].grid


def _side(dates: int, looks: tuple[int, int]) -> int:
    """Side of the blocks, pixels: a multiple of 64."""
    pixels = BLOCK_BYTES / (8 * dates * looks[0] * looks[1])
    return max(64, int(np.sqrt(pixels)) // 64 * 64)


def _cells(source: SlcFile, window: Window, looks: tuple[int, int]) -> np.ndarray:
    """SLC pixels of each pixel of `window`, complex64 (rows, cols, looks)."""
    high, wide = looks
    values = np.asarray(source.read(_fine(window, looks)), np.complex64)
    cells = values.reshape(int(window.height), high, int(window.width), wide)
    return np.ascontiguousarray(cells.transpose(0, 2, 1, 3)).reshape(*cells.shape[::2], high * wide)


def _fine(window: Window, looks: tuple[int, int]) -> Window:
    """The SLC pixels of `window`."""
    high, wide = looks
    return Window(window.col_off * wide, window.row_off * high, window.width * wide, window.height * high)


def _pixels(cells: np.ndarray, looks: tuple[int, int]) -> np.ndarray:
    """(rows, cols, looks) of `_cells` as the SLC pixels that they are, (rows · high, cols · wide)."""
    rows, cols, _ = cells.shape
    return cells.reshape(rows, cols, *looks).transpose(0, 2, 1, 3).reshape(rows * looks[0], cols * looks[1])


@contextmanager
def _outputs(
    folder: Path, grid: Grid, dates: list[date], options: PhaseLinkingSettings, tags: dict[str, str]
) -> Iterator[tuple[list[DatasetWriter], raster.RasterWriter]]:
    """Writers of the dates' files and of the quality."""
    bands = [PHASE, STD] if options.standard_deviation else [PHASE]
    with ExitStack() as stack:
        files = [
            stack.enter_context(
                create(file_of(folder, day), grid, bands, {"ACQUISITION_DATE": day, "SIGN": _SIGN} | tags)
            )
            for day in dates
        ]
        quality = stack.enter_context(
            raster.create(
                folder / QUALITY,
                grid,
                bands=QUALITY_BANDS,
                units=("1", "1", "1", "1", "1", "rad/yr", "1", "1", "day"),
                long_name=(
                    "goodness of fit of the linked phases",
                    "pixels averaged",
                    "independent looks of the average",
                    "1 where a persistent scatterer is kept",
                    "regularisation used",
                    "phase rate that was taken out of the neighbours and put back",
                    "coherence of dates far apart, by the fitted decay",
                    "coherence of dates close together, by the fitted decay",
                    "time in which the coherence decays",
                ),
                tags={"METHOD": options.method, "WINDOW": options.window} | tags,
                compress="zstd",
            )
        )
        yield files, quality
