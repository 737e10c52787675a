"""The driver of the inversion: from unwrapped interferograms to velocity, series and their quality."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.config.deformation import InversionSettings
from slipmap.deformation import closure, reference, surfaces, timeseries, velocity
from slipmap.deformation.fit_series import DECORRELATION, MAPS, SeriesFit
from slipmap.deformation.geometry import pixel_size
from slipmap.deformation.interferogram import averaged_pixels, pixel_looks
from slipmap.deformation.inversion import invert_stack, pair_numbers, years
from slipmap.deformation.network import drop_incoherent
from slipmap.deformation.phase import SUPPLIED_LOOKS, mm_per_radian, weight_table
from slipmap.deformation.sources import NetworkReader
from slipmap.deformation.stack import Pair, Radar, load_network, load_radar, network_dates
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid

# Of phase and coherence together, read at a time: a whole tile of the files for up to 256 pairs, since a part of a tile
# takes as long to decode as the whole.
BLOCK_BYTES = 512 * 2**20
CLOSURE_PIXELS = 2**14  # whose triplets are looked at together


@dataclass(frozen=True)
class _Coherence:
    """Mean coherence of the network: of each pixel, (rows, cols) float32, and of each pair, (pairs,) float64.

    `share` is the share of interferograms with data at each pixel, (rows, cols) float32.
    """

    of_pixels: np.ndarray
    share: np.ndarray
    of_pairs: np.ndarray


@dataclass(frozen=True)
class _Job:
    """What every block of the first pass needs."""

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
    interferograms_used.tif, open_triplets.tif, timeseries.nc and reference.json into `folder`.

    Parameters
    ----------
    network_csv, stack_json : what `network.run` wrote.
    unwrapped : what `unwrapping.run` wrote, one file for each pair; empty for supplied unwrapped interferograms.
    dem : elevation (m) on any grid, for the phase–elevation fit.
    looks : independent looks behind supplied interferograms; None: `phase.SUPPLIED_LOOKS`.

    Notes
    -----
    Block by block: first the coherences are averaged, then the interferograms become series, then the series are
    corrected and fitted. Memory is about `BLOCK_BYTES` times two, plus two float32 maps of the whole grid.
    """
    folder = Path(folder)
    record = json.loads(Path(stack_json).read_text())
    radar, baselines = load_radar(record), record["perpendicular_baselines"]
    pairs, reader, coherence, left_out = _coherent_network(load_network(network_csv), unwrapped, settings)
    dates, grid, side = network_dates(pairs), reader.grid, _block_side(len(pairs))
    point = _reference(settings, grid, coherence.of_pixels, coherence.share)
    numbers = pair_numbers([(p.reference, p.secondary) for p in pairs], dates)
    job = _Job(
        reader=reader,
        numbers=numbers,
        triples=closure.triplets(numbers),
        dates=dates,
        table=weight_table(settings.weights, int(_phase_looks(pairs, settings, looks, radar, grid))),
        scale=mm_per_radian(radar.wavelength),
        offsets=_reference_phase(reader, point, grid, pairs),
        settings=settings,
    )
    if settings.dem_error and (baselines is None or np.ptp([b for b in baselines if b is not None]) == 0):
        print("dem_error: not estimated, the perpendicular baselines are not known")
    model = velocity.time_model(
        dates,
        annual=settings.annual,
        steps=settings.steps,
        baselines=baselines if settings.dem_error else None,
    )
    simulated = {"SIMULATED": "yes"} if record["simulated"] else {}
    attributes = timeseries.mintpy_attributes(grid, dates, radar, point) | simulated
    with timeseries.create(
        folder / "timeseries.nc", grid, dates, baselines=baselines, attributes=attributes, maps=MAPS | DECORRELATION
    ) as series:
        operator = model.row("velocity")
        sample, closures = _invert(job, series, grid, side, operator)
        removal = surfaces.fit(sample, grid, side, operator, settings, dem)
        tags = {
            "SIGN": "positive towards the satellite",
            "REFERENCE_LONGITUDE": f"{point.longitude:.6f}",
            "REFERENCE_LATITUDE": f"{point.latitude:.6f}",
            "FIRST_DATE": record["dates"][0],
            "LAST_DATE": record["dates"][-1],
        }
        SeriesFit(series, grid, side, model, removal, point, radar, settings, tags | simulated).write(folder)
    closures["mended"] = dict(zip((pair.name for pair in pairs), closures["mended"], strict=True))
    about = point.record() | removal.record() | {"triplets": closures, "pairs_left_out": left_out}
    about |= {"simulated": record["simulated"]}
    write_text(folder / "reference.json", json.dumps(about, indent=2) + "\n")


def _coherent_network(
    pairs: list[Pair], unwrapped: Sequence[str | Path], settings: InversionSettings
) -> tuple[list[Pair], NetworkReader, _Coherence, dict[str, float]]:
    """The pairs that are coherent enough, their files and coherence; mean coherence of the pairs left out, by name."""
    reader = NetworkReader(pairs, unwrapped)
    coherence = _mean_coherence(reader)
    threshold = settings.min_pair_coherence
    if threshold is None:
        return pairs, reader, coherence, {}
    kept = drop_incoherent(pairs, coherence.of_pairs, threshold)
    names = {pair.name for pair in kept}
    means = {pair.name: float(mean) for pair, mean in zip(pairs, coherence.of_pairs, strict=True)}
    left_out = {name: round(mean, 4) for name, mean in means.items() if name not in names}
    bridges = [name for name in sorted(names) if means[name] < threshold]
    print(f"min_pair_coherence: {len(left_out)} of {len(pairs)} pairs are left out, their mean coherence is too low")
    for name, mean in left_out.items():
        print(f"left out: {name}, mean coherence {mean:.3f}")
    for name in bridges:
        print(f"kept, since the network would fall apart: {name}, mean coherence {means[name]:.3f}")
    if left_out:
        reader = NetworkReader(kept, unwrapped)
        coherence = _mean_coherence(reader)
    return kept, reader, coherence, left_out


def _phase_looks(
    pairs: Sequence[Pair], settings: InversionSettings, looks: float | None, radar: Radar, grid: Grid
) -> float:
    """Independent looks behind the phase that is inverted: of our own averaging, else of who formed the pairs."""
    if "reference" in pairs[0].files:  # formed from SLCs
        x, y = pixel_size(grid)
        return pixel_looks(settings.slc_looks, x * y, radar.cell) * averaged_pixels(settings.phase_window)
    return looks or SUPPLIED_LOOKS


def _block_side(pairs: int) -> int:
    side = raster.BLOCK
    while side > 64 and pairs * side * side * 8 > BLOCK_BYTES:
        side //= 2
    return side


def _mean_coherence(reader: NetworkReader) -> _Coherence:
    grid, pairs = reader.grid, len(reader.sources)
    mean, share = (np.zeros(grid.shape, np.float32) for _ in range(2))
    total, count = np.zeros(pairs), np.zeros(pairs)
    for window in grid.blocks(_block_side(pairs)):
        _, values = reader.read(window)
        there = np.isfinite(values)
        values = np.where(there, values, 0)
        place = window.toslices()
        share[place] = there.mean(axis=0)
        mean[place] = values.sum(axis=0) / np.maximum(there.sum(axis=0), 1)
        total += values.sum(axis=(1, 2), dtype=np.float64)
        count += there.sum(axis=(1, 2))
    if not mean.any():
        first = reader.sources[0].coherence or reader.sources[0].phase
        raise InputError(
            f"{first[0]} and the other coherences are zero wherever there is phase; fetch the files again."
        )
    return _Coherence(mean, share, total / np.maximum(count, 1))


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


def _invert(
    job: _Job, out: timeseries.SeriesFile, grid: Grid, side: int, operator: np.ndarray
) -> tuple[surfaces.Sample, dict]:
    """Series (mm, relative to the reference) of every block into `out`.

    Returns a regular sample of pixels, and how many triplets are open by whole turns before and after their
    correction, with the share of pixels mended in each interferogram.

    `operator` (dates,) makes the velocity of the series.
    """
    times = years(job.dates)
    by_variance = job.settings.weights == "variance"  # only then do the weights tell how large the noise is
    samples = []
    closures, mended = np.zeros(3, np.int64), np.zeros(len(job.numbers), np.int64)
    for window in grid.blocks(side):
        phase, coherence, *more = job.reader.read(window, original=job.reader.has_original)
        for array in (phase, *more):
            array -= job.offsets[:, None, None]
        if job.settings.min_coherence:
            phase[coherence < job.settings.min_coherence] = np.nan
        shape = phase.shape[1:]
        phase, coherence = phase.reshape(len(phase), -1), coherence.reshape(len(phase), -1)
        still_open, found, turned = _close(job, phase, coherence)
        closures += found
        mended += turned
        solved = invert_stack(phase, coherence, job.numbers, times, job.table, *more or [None], operator)
        series = (solved.series * np.float32(job.scale)).reshape(-1, *shape)
        quality = solved.temporal_coherence.reshape(shape)
        out.write(series, window)
        noise = abs(job.scale) * np.sqrt(solved.variance).reshape(shape) if by_variance else np.zeros(shape)
        out.write_map("decorrelation_std", np.nan_to_num(noise).astype(np.float32), window)
        out.write_map("temporal_coherence", quality, window)
        out.write_map("open_triplets", still_open.reshape(shape), window)
        out.write_map("interferograms", solved.used.reshape(shape), window)
        samples.append(surfaces.sample_of(series, quality >= job.settings.min_temporal_coherence, window, grid))
    verb = "mended" if job.settings.unwrapping_error_correction else "left"
    counted = {
        "open_before": int(closures[0]),
        "open_after": int(closures[1]),
        "all": int(closures[2]) * len(job.triples),
        "mended": (mended / max(closures[2], 1)).round(6).tolist(),
    }
    print(
        f"closure: {counted['open_before']} of {counted['all']} triplets open by whole turns, "
        f"{counted['open_after']} after ({verb}), {len(job.triples)} triplets a pixel"
    )
    return surfaces.Sample.joined(samples), counted


def _close(job: _Job, phase: np.ndarray, coherence: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mend unwrapping errors of (pairs, pixels) in place.

    Returns the triplets still open (pixels,), (before, after, pixels) counted, and of each pair the pixels mended.
    """
    pixels = phase.shape[1]
    mended = np.zeros(len(phase), np.int64)
    still_open, counted = np.zeros(pixels), np.array([0, 0, pixels])
    for start in range(0, pixels if len(job.triples) else 0, CLOSURE_PIXELS):
        part = slice(start, start + CLOSURE_PIXELS)
        if job.settings.unwrapping_error_correction:
            turns, before, after = closure.correct(phase[:, part], coherence[:, part], job.triples)
            phase[:, part] += np.float32(2 * np.pi) * turns
            mended += np.count_nonzero(turns, axis=1)
        else:
            after = before = np.count_nonzero(closure.integer_closure(phase[:, part], job.triples), axis=0)
        still_open[part] = after
        counted[:2] += before.sum(), after.sum()
    return still_open, counted, mended
