"""The driver of the inversion: from unwrapped interferograms to velocity, series and their quality."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap import raster
from slipmap.atomic import write_text
from slipmap.config.deformation import InversionSettings
from slipmap.deformation import closure, correction, reference, timeseries, velocity
from slipmap.deformation.inversion import invert_stack, pair_numbers, years
from slipmap.deformation.phase import mm_per_radian, weight_table
from slipmap.deformation.sources import NetworkReader
from slipmap.deformation.stack import Pair, Radar, load_network, load_radar, network_dates
from slipmap.errors import InputError
from slipmap.grid import Grid

SAMPLE = 100_000  # pixels in the fit of ramps and troposphere
BLOCK_BYTES = 192 * 2**20  # of phase and coherence together, read at a time
MAPS = {
    "velocity": ("mm/yr", "line-of-sight velocity, positive towards the satellite"),
    "velocity_std": ("mm/yr", "standard deviation of the line-of-sight velocity"),
    "temporal_coherence": ("1", "temporal coherence of the network inversion"),
    "dem_error": ("m", "DEM error (true ground minus DEM); nodata where not estimated"),
    "interferograms": ("1", "number of interferograms used at the pixel"),
    "open_triplets": ("1", "triplets whose phase does not close by whole turns, after correction"),
}
COPIED = ("temporal_coherence", "interferograms", "open_triplets")  # known before the series are corrected


@dataclass(frozen=True)
class _Job:
    """What every block needs."""

    reader: NetworkReader
    numbers: np.ndarray
    dates: list[date]
    table: np.ndarray
    scale: float
    offsets: np.ndarray
    triples: np.ndarray
    settings: InversionSettings


def run(
    network_csv: str | Path,
    stack_json: str | Path,
    unwrapped: Sequence[str | Path],
    settings: InversionSettings,
    folder: str | Path,
    *,
    dem: str | Path | None = None,
    looks: float | None = None,
) -> None:
    """Invert the network and write velocity.tif, velocity_std.tif, temporal_coherence.tif, dem_error.tif, mask.tif,
    interferograms_used.tif, timeseries.nc and reference.json into `folder`.

    Parameters
    ----------
    network_csv, stack_json : what `network.run` wrote.
    unwrapped : what `unwrapping.run` wrote, one file for each pair; empty for supplied unwrapped interferograms.
    dem : elevation (m) on any grid, for the phase–elevation fit.
    looks : independent looks behind supplied coherences (default 25).

    Notes
    -----
    Block by block, twice: first the interferograms become series, then the series are corrected and fitted. Memory
    is about `BLOCK_BYTES` times three, plus two float32 maps of the whole grid.
    """
    folder = Path(folder)
    pairs = load_network(network_csv)
    record = json.loads(Path(stack_json).read_text())
    radar, baselines = load_radar(record), record["perpendicular_baselines"]
    dates = network_dates(pairs)
    reader = NetworkReader(pairs, unwrapped)
    grid = reader.grid
    side = _block_side(len(pairs))
    coherence, share = _mean_coherence(reader, grid, side)
    point = _reference(settings, grid, coherence, share)
    offsets = _reference_phase(reader, point, grid, pairs)
    if looks is None:
        own = settings.looks[0] * settings.looks[1] * settings.coherence_window**2
        looks = own if unwrapped else 25.0
    # The phase has the looks of the multilooked pixel where we formed it, and those of its coherence where supplied.
    phase_looks = settings.looks[0] * settings.looks[1] * settings.phase_window**2 if unwrapped else looks
    numbers = pair_numbers([(p.reference, p.secondary) for p in pairs], dates)
    job = _Job(
        reader=reader,
        numbers=numbers,
        triples=closure.triplets(numbers),
        dates=dates,
        table=weight_table(settings.weights, int(phase_looks)),
        scale=mm_per_radian(radar.wavelength),
        offsets=offsets,
        settings=settings,
    )
    if settings.dem_error and (baselines is None or np.ptp(baselines) == 0):
        print("dem_error: not estimated, the perpendicular baselines are not known")
    model = velocity.time_model(
        dates,
        annual=settings.annual,
        steps=settings.steps,
        baselines=baselines if settings.dem_error else None,
    )
    attributes = timeseries.mintpy_attributes(grid, dates, radar, point)
    if record["simulated"]:
        attributes["SIMULATED"] = "yes"
    with timeseries.create(
        folder / "timeseries.nc", grid, dates, baselines=baselines, attributes=attributes, maps=MAPS
    ) as series:
        sample = _invert(job, series, grid, side)
        surfaces = _fit_surfaces(sample, series, grid, side, model, settings, dem)
        shift = _reference_shift(series, grid, point, surfaces, dem)
        _finish(series, grid, side, model, settings, surfaces, shift, dem, radar, folder, record, point)
    write_text(
        folder / "reference.json",
        json.dumps(
            point.record()
            | {
                "removed": surfaces.terms if surfaces and surfaces.used else [],
                "stable_share": surfaces.stable_share if surfaces else None,
                "simulated": record["simulated"],
            },
            indent=2,
        )
        + "\n",
    )


def _block_side(pairs: int) -> int:
    side = raster.BLOCK
    while side > 64 and pairs * side * side * 8 > BLOCK_BYTES:
        side //= 2
    return side


def _mean_coherence(reader: NetworkReader, grid: Grid, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean coherence and share of interferograms with data, (rows, cols) float32."""
    coherence = np.zeros(grid.shape, np.float32)
    share = np.zeros(grid.shape, np.float32)
    for window in grid.blocks(side):
        _, values = reader.read(window)
        there = np.isfinite(values)
        place = window.toslices()
        share[place] = there.mean(axis=0)
        coherence[place] = np.where(there, values, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    if not coherence.any():
        first = reader.sources[0].coherence or reader.sources[0].phase
        raise InputError(
            f"{first[0]} and the other coherences are zero wherever there is phase; fetch the files again."
        )
    return coherence, share


def _reference(
    settings: InversionSettings, grid: Grid, coherence: np.ndarray, share: np.ndarray
) -> reference.Reference:
    radius = int(settings.reference_radius / reference.pixel_metres(grid))
    if settings.reference_point is not None:
        return reference.given(settings.reference_point, grid, coherence, share, radius)
    return reference.choose(grid, coherence, share, radius)


def _reference_phase(
    reader: NetworkReader, point: reference.Reference, grid: Grid, pairs: Sequence[Pair]
) -> np.ndarray:
    """Median phase of each interferogram over the reference area, (pairs,) float32, rad."""
    rows, cols = point.slices(grid)
    phase, _ = reader.read(Window.from_slices(rows, cols))
    missing = ~np.isfinite(phase).any(axis=(1, 2))
    if missing.any():
        raise InputError(
            f"pair {pairs[int(missing.argmax())].name} has no data at the reference {point.longitude:.4f}, "
            f"{point.latitude:.4f}; set deformation.reference_point where all pairs have data."
        )
    return np.nanmedian(phase, axis=(1, 2)).astype(np.float32)


def _invert(job: _Job, out: timeseries.SeriesFile, grid: Grid, side: int) -> dict[str, np.ndarray]:
    """Series (mm, relative to the reference) of every block into `out`; returns a regular sample of pixels."""
    times = years(job.dates)
    step = max(1, int(np.sqrt(grid.width * grid.height / SAMPLE)))
    samples: list[tuple[np.ndarray, ...]] = []
    closures = np.zeros(3, np.int64)
    for window in grid.blocks(side):
        phase, coherence = job.reader.read(window)
        original = job.reader.read_original(window)
        phase -= job.offsets[:, None, None]
        if original is not None:
            original -= job.offsets[:, None, None]
        if job.settings.min_coherence:
            phase[coherence < job.settings.min_coherence] = np.nan
        shape = phase.shape[1:]
        phase, coherence = phase.reshape(len(phase), -1), coherence.reshape(len(phase), -1)
        still_open, found = _close(job, phase, coherence)
        closures += found
        solved = invert_stack(phase, coherence, job.numbers, times, job.table, original)
        series = (solved.series * np.float32(job.scale)).reshape(-1, *shape)
        quality = solved.temporal_coherence.reshape(shape)
        out.write(series, window)
        out.write_map("temporal_coherence", quality, window)
        out.write_map("open_triplets", still_open.reshape(shape), window)
        out.write_map("interferograms", solved.used.reshape(shape), window)
        rows = np.arange(-window.row_off % step, window.height, step)
        cols = np.arange(-window.col_off % step, window.width, step)
        r, c = (a.ravel() for a in np.meshgrid(rows, cols, indexing="ij"))
        good = quality[r, c] >= job.settings.min_temporal_coherence
        r, c = r[good], c[good]
        samples.append((series[:, r, c], r + window.row_off, c + window.col_off))
    verb = "mended" if job.settings.unwrapping_error_correction else "left"
    print(
        f"closure: {closures[0]} of {closures[2] * max(1, len(job.triples))} triplets open by whole turns, "
        f"{closures[1]} after ({verb}), {len(job.triples)} triplets a pixel"
    )
    return {
        "series": np.concatenate([s[0] for s in samples], axis=1),
        "rows": np.concatenate([s[1] for s in samples]),
        "cols": np.concatenate([s[2] for s in samples]),
    }


def _close(job: _Job, phase: np.ndarray, coherence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mend unwrapping errors of (pairs, pixels) in place; triplets still open, and (before, after, pixels) counted."""
    if not len(job.triples):
        return np.zeros(phase.shape[1]), np.array([0, 0, phase.shape[1]])
    if job.settings.unwrapping_error_correction:
        turns, before, after = closure.correct(phase, coherence, job.triples)
        phase += np.float32(2 * np.pi) * turns
    else:
        after = before = np.count_nonzero(closure.integer_closure(phase, job.triples), axis=0)
    return after, np.array([before.sum(), after.sum(), phase.shape[1]])


def _fit_surfaces(
    sample: dict[str, np.ndarray],
    series: timeseries.SeriesFile,
    grid: Grid,
    side: int,
    model: velocity.TimeModel,
    settings: InversionSettings,
    dem: str | Path | None,
) -> correction.Surfaces | None:
    terms = correction.surface_terms(settings.deramp, settings.troposphere, dem is not None)
    if not terms:
        return None
    if sample["series"].shape[1] < 10 * len(terms):
        print("deramp, troposphere: not removed, too few pixels are coherent")
        return None
    elevation = None
    if "elevation" in terms:
        with raster.warped(str(dem), grid) as src:
            elevation = np.empty(len(sample["rows"]), np.float32)
            for window in grid.blocks(side):
                inside = _inside(sample, window)
                if inside.any():
                    block = raster.read_open(src, window, 1)
                    elevation[inside] = block[
                        sample["rows"][inside] - window.row_off, sample["cols"][inside] - window.col_off
                    ]
        known = np.isfinite(elevation)
        sample = {k: v[..., known] for k, v in sample.items()}
        elevation = elevation[known] / 1000
    x, y = _unit(grid, sample["rows"], sample["cols"])
    design = correction.surface_design(terms, x, y, elevation)
    surfaces = correction.fit_surfaces(
        sample["series"].astype(np.float64), design, model.row("velocity"), terms, settings.moving_velocity
    )
    verb = "removed" if surfaces.used else "not removed"
    print(f"{', '.join(terms[1:])}: {verb}, {surfaces.stable_share:.0%} of the coherent pixels are stable")
    return surfaces


def _inside(sample: dict[str, np.ndarray], window: Window) -> np.ndarray:
    (r0, r1), (c0, c1) = window.toranges()
    rows, cols = sample["rows"], sample["cols"]
    return (rows >= r0) & (rows < r1) & (cols >= c0) & (cols < c1)


def _unit(grid: Grid, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixel positions in −1 … 1 over the grid."""
    return 2 * (cols + 0.5) / grid.width - 1.0, 2 * (rows + 0.5) / grid.height - 1.0


def _surface(
    surfaces: correction.Surfaces | None, grid: Grid, window: Window, dem: str | Path | None
) -> np.ndarray | float:
    """What is removed from each date in `window`: (dates, rows, cols), mm."""
    if surfaces is None or not surfaces.used:
        return 0.0
    (r0, r1), (c0, c1) = window.toranges()
    rows, cols = np.meshgrid(np.arange(r0, r1), np.arange(c0, c1), indexing="ij")
    elevation = None
    if "elevation" in surfaces.terms:
        with raster.warped(str(dem), grid) as src:
            elevation = raster.read_open(src, window, 1) / 1000
    x, y = _unit(grid, rows, cols)
    design = correction.surface_design(surfaces.terms, x, y, elevation)
    return np.einsum("dt,rct->drc", surfaces.coefficients, design)


def _reference_shift(
    series: timeseries.SeriesFile,
    grid: Grid,
    point: reference.Reference,
    surfaces: correction.Surfaces | None,
    dem: str | Path | None,
) -> np.ndarray:
    """Mean corrected displacement of the reference area on each date, (dates,), mm."""
    window = Window.from_slices(*point.slices(grid))
    corrected = series.read(window) - _surface(surfaces, grid, window, dem)
    return np.nanmean(corrected, axis=(1, 2))


def _finish(
    series: timeseries.SeriesFile,
    grid: Grid,
    side: int,
    model: velocity.TimeModel,
    settings: InversionSettings,
    surfaces: correction.Surfaces | None,
    shift: np.ndarray,
    dem: str | Path | None,
    radar: Radar,
    folder: Path,
    record: dict,
    point: reference.Reference,
) -> None:
    """Correct, fit and write every block."""
    tags = {
        "SIGN": "positive towards the satellite",
        "REFERENCE_LONGITUDE": f"{point.longitude:.6f}",
        "REFERENCE_LATITUDE": f"{point.latitude:.6f}",
        "FIRST_DATE": record["dates"][0],
        "LAST_DATE": record["dates"][-1],
    } | ({"SIMULATED": "yes"} if record["simulated"] else {})
    files = {name: "interferograms_used" if name == "interferograms" else name for name in MAPS}
    with ExitStack() as stack:
        out = {
            name: stack.enter_context(
                raster.create(folder / f"{files[name]}.tif", grid, bands=[name], units=units, long_name=text, tags=tags)
            )
            for name, (units, text) in MAPS.items()
        }
        mask = stack.enter_context(
            raster.create(
                folder / "mask.tif",
                grid,
                bands=["mask"],
                units="1",
                long_name="pixels whose velocity can be relied on",
                dtype="uint8",
                categories={0: "masked", 1: "reliable"},
                tags=tags | {"RULE": f"temporal coherence >= {settings.min_temporal_coherence}"},
            )
        )
        for window in grid.blocks(side):
            block = series.read(window) - _surface(surfaces, grid, window, dem) - shift[:, None, None]
            flat = block.reshape(len(block), -1)
            parameters, deviations = velocity.fit(model, flat)
            row = model.names.index("velocity")
            result = {"velocity": parameters[row], "velocity_std": deviations[row]}
            if settings.bootstrap:
                result["velocity_std"] = velocity.bootstrap_std(model, flat, settings.bootstrap)
            result["dem_error"] = np.full_like(result["velocity"], np.nan)
            if "dem_error" in model.names:
                k = model.names.index("dem_error")
                result["dem_error"] = parameters[k] / 1000 * _range_sine(radar)
                flat = flat - model.design[:, k, None] * parameters[k]
            shape = block.shape[1:]
            quality = series.read_map("temporal_coherence", window)
            result |= {name: series.read_map(name, window).ravel() for name in COPIED}
            reliable = quality >= settings.min_temporal_coherence
            flat = flat - flat[:1]
            series.write(flat.reshape(block.shape).astype(np.float32), window)
            for name, values in result.items():
                values = values.reshape(shape).astype(np.float32)
                if name == "velocity" and settings.mask_velocity:
                    values = np.where(reliable, values, np.nan)
                out[name].write(values, window)
                if name not in COPIED:
                    series.write_map(name, values, window)
            mask.write(np.where(np.isfinite(quality), reliable, raster.CLASS_NODATA).astype(np.uint8), window)


def _range_sine(radar: Radar) -> float:
    """R sinθ (m) by which the DEM error follows from its displacement per metre of baseline."""
    if radar.slant_range is None or radar.incidence is None:
        return float("nan")
    return float(radar.slant_range * np.sin(np.radians(radar.incidence)))
