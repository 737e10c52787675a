"""From the geocoded SLCs of a stack to linked phases: one file for each date, and one of their quality."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from rasterio.io import DatasetWriter
from rasterio.windows import Window
from threadpoolctl import threadpool_limits

from slipmap.deformation.interferogram import with_margin
from slipmap.deformation.phase import DAYS_PER_YEAR
from slipmap.deformation.phase_linking import compressed, motion, on_device, spectrum
from slipmap.deformation.phase_linking.block import FIRST_WINDOW, Block, Inner, link_still, without_motion
from slipmap.deformation.phase_linking.dates import PHASE, QUALITY, QUALITY_BANDS, STD, encode, file_of
from slipmap.deformation.phase_linking.ministack import MOST_EARLIER
from slipmap.deformation.scaled_file import TILE, create
from slipmap.deformation.slc_file import SlcFile, open_slc
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.atomic import write_aside
from slipmap.io.grid import Grid
from slipmap.memory import return_arrays
from slipmap.parallel import each, in_parallel
from slipmap.sentinel1.looks import pixel_looks

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.deformation import LinkingSettings, PhaseLinkingSettings

BLOCK_BYTES = 64 * 2**20  # of SLC pixels of a block, at most; with what lies round it up to twice as much
SIDES = (128, 64)  # of blocks, pixels: whole parts of the files' tiles
CACHE_BYTES = 4 * 2**20  # that GDAL keeps; the tiles that are written are whole
LARGE_BYTES = 2**20  # of arrays that go back to the system as soon as they are freed
_SIGN = "reference date less secondary date is the interferogram; displacement = -wavelength * phase / (4 pi)"


def run(
    slcs: Mapping[date, str],
    settings: "LinkingSettings",
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
    Works block by block, each with the pixels round it that its windows reach. Memory is the SLC pixels of one block
    and about as much again of what is computed, whatever the area. Files are written a whole tile at a time.
    """
    return_arrays(LARGE_BYTES)
    dates, options = sorted(slcs), settings.phase_linking
    before = [str(Path(folder) / compressed.NAME) for folder in earlier][-MOST_EARLIER:]
    if len(dates) + len(before) < 2:
        raise InputError("deformation.estimator: phase_linking needs two dates or more; give more SLCs.")
    datum = compressed.datum(before[0]) if before else dates[0]
    if options.device == "gpu":
        on_device.check()
    spans = [times([datum, *compressed.dates(path)])[1:] for path in before]
    reach, years = _reach(options), times([datum] * len(before) + dates)
    with ExitStack() as opened:
        opened.enter_context(rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES))
        # the products of matrices are small: threads for them would spin more than they work
        opened.enter_context(threadpool_limits(1, "blas"))
        given = [*before, *(slcs[day] for day in dates)]
        sources = [opened.enter_context(open_slc(path, chunk_cache=0)) for path in given]
        grid = _one_grid(sources).coarsened(settings.slc_looks[1], settings.slc_looks[0])
        looks = pixel_looks(settings.slc_looks, float(np.prod(grid.resolution)), sources[-1].cell)
        print(f"{len(dates)} dates after {len(before)} compressed SLCs, {options.method}, {options.homogeneity}")
        print(f"{looks:.3g} independent looks in a pixel")
        aside = opened.enter_context(write_aside(output))
        aside.mkdir()
        tags = {"SIMULATED": "yes"} if simulated else {}
        total, count = 0.0, 0
        cells = settings.slc_looks
        kept, side = None, _side(len(sources), cells)
        if options.ministack:
            tile = (side * cells[0], side * cells[1])
            kept = opened.enter_context(
                compressed.create(aside / compressed.NAME, sources[-1].grid, datum, dates, tile)
            )
        with (
            _outputs(aside, grid, dates, options, tags, side) as (files, quality),
            _on_request(aside, grid, min(options.eigenvalues, len(given)), options.closure, tags) as more,
        ):
            for window in _blocks(grid, side):
                outer, inner = with_margin(window, grid, reach)
                block = _linked(sources, outer, settings, looks, years, threads, spans, inner)
                bands = block.quality()
                quality.write(bands, window)
                for name, file in more.items():
                    file.write(getattr(block, name), window)
                _write_dates(files, block, window, threads)
                if kept is not None and block.compressed is not None:
                    kept.write(_pixels(block.compressed, cells), 1, window=_fine(window, cells))
                total += float(np.nansum(bands[0]))
                count += int(np.isfinite(bands[0]).sum())
                del block, bands  # before the next one is read
        if not count:
            raise InputError(f"{slcs[dates[0]]} and the other SLCs have no pixel with data in common; remove some.")
    print(f"mean goodness of fit {total / count:.3f} over {count} pixels")


def _linked(
    sources: Sequence[SlcFile],
    window: Window,
    settings: "LinkingSettings",
    looks: float,
    years: np.ndarray,
    threads: int,
    spans: Sequence[np.ndarray],
    inner: Inner,
) -> Block:
    """Read a block and link it; see `link_block`."""
    options = settings.phase_linking
    samples = read_cells(sources, window, settings.slc_looks, threads)
    still = without_motion(samples, options, looks, years, threads, inner)
    del samples  # of which the second pass needs the inner ones alone
    return link_still(still, options, looks, years, threads, spans)


def _write_dates(files: Sequence[DatasetWriter], block: Block, window: Window, threads: int) -> None:
    """Write here what threads encode: blocks that several threads wrote would lie in the files in any order."""
    for k, bands in in_parallel(range(len(files)), lambda k: encode(block.date(k)), threads):
        files[k].write(bands, window=window)


def _reach(options: "PhaseLinkingSettings") -> int:
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
    """Side of the blocks, pixels."""
    fitting = [side for side in SIDES if 8 * dates * looks[0] * looks[1] * side**2 <= BLOCK_BYTES]
    return (fitting or SIDES[-1:])[0]


def _blocks(grid: Grid, side: int) -> Iterator[Window]:
    """Blocks in the order of the files' tiles, so that a tile is whole soon and is written once."""
    for tile in grid.blocks(TILE):
        for row in range(0, int(tile.height), side):
            for col in range(0, int(tile.width), side):
                high, wide = min(side, tile.height - row), min(side, tile.width - col)
                yield Window(tile.col_off + col, tile.row_off + row, wide, high)


def read_cells(sources: Sequence[SlcFile], window: Window, looks: tuple[int, int], threads: int = 1) -> np.ndarray:
    """SLC pixels of each pixel of `window`, complex64 (dates, rows, cols, looks); 0 where there is no data."""
    high, wide = looks
    rows, cols = int(window.height), int(window.width)
    cells = np.empty((len(sources), rows, cols, high, wide), np.complex64)

    def read(k: int) -> None:
        pixels = sources[k].read(_fine(window, looks))
        cells[k] = pixels.reshape(rows, high, cols, wide).transpose(0, 2, 1, 3)
        cells[k][np.isnan(cells[k])] = 0

    each(read, range(len(sources)), threads)
    return cells.reshape(len(sources), rows, cols, high * wide)


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
    folder: Path, grid: Grid, dates: list[date], options: "PhaseLinkingSettings", tags: dict[str, str], tile: int
) -> Iterator[tuple[list[DatasetWriter], raster.RasterWriter]]:
    """Writers of the dates' files, whose tiles are the blocks, and of the quality."""
    bands = [PHASE, STD] if options.standard_deviation else [PHASE]
    with ExitStack() as stack:
        files = [
            stack.enter_context(
                create(file_of(folder, day), grid, bands, {"ACQUISITION_DATE": day, "SIGN": _SIGN} | tags, tile)
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
                tags={"METHOD": options.method, "WINDOW": options.window, **tags},
                compress="zstd",
            )
        )
        yield files, quality


@contextmanager
def _on_request(
    folder: Path, grid: Grid, eigenvalues: int, closure: bool, tags: dict[str, str]
) -> Iterator[dict[str, raster.RasterWriter]]:
    """Writers of what `spectrum` finds, by the name of the block's attribute."""
    with ExitStack() as stack:
        found = {}
        if closure:
            file = raster.create(
                folder / spectrum.CLOSURE,
                grid,
                bands=["closure"],
                units="rad",
                long_name="root mean square of the closure phases of dates next to each other",
                tags=tags,
            )
            found["closure"] = stack.enter_context(file)
        if eigenvalues:
            names = [f"eigenvalue_{k + 1}" for k in range(eigenvalues)]
            file = raster.create(
                folder / spectrum.EIGENVALUES,
                grid,
                bands=names,
                units="1",
                long_name="eigenvalue of the coherence matrix, the largest first",
                tags=tags,
            )
            found["eigenvalues"] = stack.enter_context(file)
        yield found
