"""The driver of the inversion: from unwrapped interferograms to velocity, series and their quality."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypedDict

import numpy as np
from rasterio.windows import Window
from threadpoolctl import threadpool_limits

from slipmap.arrays import Floats
from slipmap.config.deformation import InversionSettings
from slipmap.deformation import (
    averaging,
    closure,
    fading,
    reference,
    reliability,
    scatter,
    surfaces,
    timeseries,
    velocity,
)
from slipmap.deformation.coherent_network import Coherence, block_side, coherent_network
from slipmap.deformation.fit_series import KEPT, MAPS, SeriesFit
from slipmap.deformation.inversion import Inversion, invert_stack, pair_numbers, years
from slipmap.deformation.phase import DAYS_PER_YEAR, deviation_table, mm_per_radian, weight_table
from slipmap.deformation.phase_linking.noise import LinkedNoise
from slipmap.deformation.samples import coherence_samples, phase_looks
from slipmap.deformation.sources import NetworkReader
from slipmap.deformation.stack import Pair, Radar, load_network, load_radar, network_dates
from slipmap.deformation.troposphere import model_delay, write_table
from slipmap.errors import InputError
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid

NOISE_SAMPLE = 400  # pixels whose scatter is compared with their covariance


@dataclass(frozen=True)
class _Job:
    """What every block of the first pass needs."""

    reader: NetworkReader | fading.Unfaded
    numbers: np.ndarray
    dates: list[date]
    table: np.ndarray
    deviation: np.ndarray
    samples: float
    mean_coherence: np.ndarray
    scale: float
    offsets: np.ndarray
    point: reference.Reference
    triples: np.ndarray
    model: velocity.TimeModel
    settings: InversionSettings
    least_fit: float | None
    linked: LinkedNoise | None

    @property
    def noise(self) -> float:
        """Variance of a phase of weight 1, rad²; 0 where the weights are no inverse variances."""
        return 1.0 if self.settings.weights == "variance" else 0.0

    def variance(self, solved: Inversion, ground: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Variances of `solved`, (targets, pixels), rad²: by the linked phases' own covariance where phases are linked.

        `ground` : of `_ground` at the same pixels.
        """
        return solved.variance if self.linked is None else self.linked.variance(solved, ground, targets)

    def ground(self, window: Window) -> np.ndarray:
        """How the ground of linked phases decorrelates, (4, pixels); else of no size."""
        if self.linked is None:
            return np.zeros((4, int(window.width * window.height)), np.float32)
        return self.linked.ground(window)

    def solve(
        self,
        phase: np.ndarray,
        coherence: np.ndarray,
        original: np.ndarray | None = None,
        targets: np.ndarray | None = None,
    ) -> Inversion:
        """Invert (pairs, pixels) of phase; variances of the velocity, or of `targets` (`invert_stack`)."""
        return invert_stack(
            phase,
            coherence,
            self.numbers,
            years(self.dates),
            self.table,
            original,
            operator=self.model.row("velocity"),
            deviation=self.deviation,
            targets=targets,
            samples=self.samples,
            design=self.model.design,
            robust=self.settings.robust,
            noise=self.noise,
        )


@dataclass(frozen=True)
class _NoiseSample:
    """Phase (after correction of its jumps) and coherence, (pairs, pixels), of some pixels that all pairs see.

    `ground` : how it decorrelates, (4, pixels), of linked phases; of others of no size.
    """

    phase: np.ndarray
    coherence: np.ndarray
    rows: np.ndarray
    cols: np.ndarray
    ground: np.ndarray

    @classmethod
    def joined(cls, parts: "list[_NoiseSample]") -> "_NoiseSample":
        """About `NOISE_SAMPLE` of the pixels of all `parts`."""
        one = cls(*(np.concatenate([getattr(p, f) for p in parts], axis=-1) for f in cls.__dataclass_fields__))
        step = max(1, len(one.rows) // NOISE_SAMPLE)
        return cls(*(getattr(one, f)[..., ::step] for f in cls.__dataclass_fields__))


class _Closures(TypedDict):
    """Triplets open by whole turns before and after correction, all of them, and the share of pixels corrected."""

    open_before: int
    open_after: int
    all: int
    corrected: list[float]


def run(
    network_csv: str | Path,
    stack_json: str | Path,
    unwrapped: Sequence[str | Path],
    settings: InversionSettings,
    folder: str | Path,
    *,
    dem: str | Path | None = None,
    looks: float | None = None,
    least_fit: float | None = None,
    linked: tuple[int, str] | None = None,
    delays: str | Path | None = None,
    linked_phases: Sequence[str | Path] = (),
) -> None:
    """Invert the network and write the results into `folder`.

    They are velocity.tif, velocity_std.tif, averaging_std.tif, temporal_coherence.tif, dem_error.tif, mask.tif,
    reliability.tif, interferograms_used.tif, open_triplets.tif, timeseries.nc, reference.json,
    troposphere.csv and fading.tif.

    Parameters
    ----------
    network_csv, stack_json : what `network.run` wrote.
    unwrapped : what `unwrapping.run` wrote, one file for each pair; empty for supplied unwrapped interferograms.
    dem : elevation (m) on any grid, for the phase–elevation fit.
    looks : independent looks behind supplied interferograms; None: `phase.SUPPLIED_LOOKS`.
    least_fit : goodness of fit of linked phases that are reliable; None: the pairs are no linked phases.
    linked_phases : folders of the linked phases of which the pairs are differences; none: they are not.
    linked : window of linked phases and kind of its weights, for what averaging hides.
    delays : tropospheric delays of the dates (`weather_delays`).

    Notes
    -----
    Block by block: first the coherences are averaged, then the interferograms become series, then the series are
    corrected and fitted. Memory is about `BLOCK_BYTES` times two, plus two float32 maps of the whole grid.
    """
    folder = Path(folder)
    record = json.loads(Path(stack_json).read_text())
    radar, baselines = load_radar(record), record["perpendicular_baselines"]
    given = load_network(network_csv), unwrapped, settings.min_pair_coherence, linked_phases
    pairs, reader, coherence, left_out = coherent_network(*given)
    dates, grid, side = network_dates(pairs), reader.grid, block_side(len(pairs))
    model = _time_model(dates, baselines, settings)
    point = _reference(settings, grid, coherence.of_pixels, coherence.share)
    if least_fit is not None:
        least_fit = max(least_fit, reliability.fit_of_noise(reader.linked_together))
    given_looks = looks, least_fit, linked_phases
    job, faded = _job(pairs, reader, coherence, point, model, settings, radar, *given_looks)
    simulated = {"SIMULATED": "yes"} if record["simulated"] else {}
    attributes = timeseries.mintpy_attributes(grid, dates, radar, point) | simulated
    created = timeseries.create(
        folder / "timeseries.nc",
        grid,
        dates,
        baselines=baselines,
        attributes=attributes,
        maps=MAPS | KEPT,
        deviations=settings.date_std,
    )
    # The products of matrices are small: threads for them would spin more than they work.
    with threadpool_limits(1, "blas"), created as series:
        sample, noise, closures = _invert(job, series, grid, side)
        delay = None if delays is None else model_delay(delays, dates, grid, stack_json, dem)
        removal = surfaces.fit(sample, grid, side, model, settings, dem, delay)
        write_table(folder / "troposphere.csv", removal.ways)
        spread = _scatter(job, noise, removal, side)
        weights = averaging.weights_of(pairs, settings.phase_window, linked)
        tags = _tags(point, record["dates"]) | simulated
        SeriesFit(series, grid, side, model, removal, spread, point, weights, radar, settings, tags).write(folder)
    fading.write(folder / "fading.tif", grid, faded, tags)
    corrected = dict(zip((pair.name for pair in pairs), closures["corrected"], strict=True))
    about = point.record() | removal.record() | {"triplets": {**closures, "corrected": corrected}}
    about |= {"pairs_left_out": left_out}
    measured = zip(pairs, coherence.of_pairs, strict=True)
    about |= {"pair_coherence": {pair.name: round(float(mean), 4) for pair, mean in measured}}
    about |= {"decorrelation_scale": round(spread.scale, 3), "model_of_time": list(model.names)}
    about |= {"dem_error": model.about, "simulated": record["simulated"]}
    write_text(folder / "reference.json", json.dumps(about, indent=2) + "\n")


def _job(
    pairs: list[Pair],
    reader: NetworkReader,
    coherence: Coherence,
    point: reference.Reference,
    model: velocity.TimeModel,
    settings: InversionSettings,
    radar: Radar,
    looks: float | None,
    least_fit: float | None,
    linked: Sequence[str | Path],
) -> tuple[_Job, fading.Fading | None]:
    """What every block needs, and the fading signal where it is asked for."""
    dates, grid = network_dates(pairs), reader.grid
    numbers = pair_numbers([(p.reference, p.secondary) for p in pairs], dates)
    behind = phase_looks(pairs, settings, looks, radar, grid)
    table, scale = weight_table(settings.weights, int(behind)), mm_per_radian(radar.wavelength)
    samples = coherence_samples(pairs, settings, looks, radar, grid)
    offsets, rate = _reference_phase(reader, point, grid, pairs), scale * model.row("velocity")
    faded, read_by = fading.of_network(
        settings.fading, reader, offsets, pairs, coherence.of_pairs, table, rate, samples
    )
    job = _Job(
        reader=read_by,
        numbers=numbers,
        triples=closure.triplets(numbers),
        dates=dates,
        table=table,
        deviation=deviation_table(behind),
        samples=samples,
        mean_coherence=coherence.of_pixels,
        scale=scale,
        offsets=offsets,
        point=point,
        model=model,
        settings=settings,
        least_fit=least_fit,
        linked=LinkedNoise(linked, (years(dates) * DAYS_PER_YEAR).tolist()) if linked else None,
    )
    return job, faded


def _tags(point: reference.Reference, dates: Sequence[str]) -> dict[str, str]:
    """What every raster says of sign, reference and time."""
    return {
        "SIGN": "positive towards the satellite",
        "REFERENCE_LONGITUDE": f"{point.longitude:.6f}",
        "REFERENCE_LATITUDE": f"{point.latitude:.6f}",
        "FIRST_DATE": dates[0],
        "LAST_DATE": dates[-1],
    }


def _time_model(
    dates: list[date], baselines: list[float | None] | None, settings: InversionSettings
) -> velocity.TimeModel:
    """The model of time that the config asks for, and what it says of the DEM error, on the console."""
    wanted = baselines if settings.dem_error else None
    model = velocity.time_model(dates, annual=settings.annual, steps=settings.steps, baselines=wanted)
    if settings.dem_error and not model.about:
        print("dem_error: not estimated, the perpendicular baselines are not known")
    elif settings.dem_error:
        print(f"dem_error: {'estimated' if 'dem_error' in model.names else 'left out'}, {model.about}")
    return model


def _scatter(job: _Job, noise: _NoiseSample, removal: surfaces.Removal, side: int) -> scatter.Scatter:
    """Compare the scatter of a sample of series with the covariance of their phases."""
    targets = np.vstack([job.model.row("velocity"), scatter.combinations(job.model)])
    if len(noise.rows) == 0:
        return scatter.fit(job.model, np.zeros((len(job.dates), 0)), np.zeros((len(targets), 0)))
    solved = job.solve(noise.phase, noise.coherence, None, targets)
    series = solved.series * np.float32(job.scale) - removal.at_pixels(noise.rows, noise.cols, side)
    variance = job.variance(solved, noise.ground, targets)
    found = scatter.fit(job.model, series, variance * np.float32(job.scale**2))
    print(f"standard deviation: {found.scale:.2f} times the variance by the coherences, from {len(noise.rows)} pixels")
    return found


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
    median: Floats = np.nanmedian(phase, axis=(1, 2)).astype(np.float32)
    return median


def _invert(
    job: _Job, out: timeseries.SeriesFile, grid: Grid, side: int
) -> tuple[surfaces.Sample, _NoiseSample, _Closures]:
    """Series (mm, relative to the reference) of every block into `out`.

    Returns a regular sample of series, a smaller one of phases, and how many triplets are open by whole turns before
    and after their correction, with the share of pixels corrected in each interferogram.
    """
    targets = None
    if job.settings.date_std:
        targets = np.vstack([job.model.row("velocity"), np.eye(len(job.dates))])
    samples, noises = [], []
    closures, corrected = np.zeros(3, np.int64), np.zeros(len(job.numbers), np.int64)
    for window in grid.blocks(side):
        phase, coherence, *more = job.reader.read(window, original=job.reader.has_original, offsets=job.offsets)
        if job.settings.min_coherence:
            phase[coherence < job.settings.min_coherence] = np.nan
        shape = phase.shape[1:]
        phase, coherence = phase.reshape(len(phase), -1), coherence.reshape(len(phase), -1)
        still_open, found, turned = _close(job, phase, coherence)
        closures += found
        corrected += turned
        solved = job.solve(phase, coherence, more[0] if more else None, targets)
        series = (solved.series * np.float32(job.scale)).reshape(-1, *shape)
        quality = solved.temporal_coherence.reshape(shape)
        out.write(series, window)
        out.write_subsets(solved.subset.reshape(-1, *shape), window)
        ground = job.ground(window)
        variance = job.variance(solved, ground, job.model.row("velocity")[None] if targets is None else targets)
        noise = abs(job.scale) * np.sqrt(variance).reshape(-1, *shape)
        if targets is not None:
            out.write_deviations(noise[1:], window)
        kilometres = reliability.distance(window, grid, job.point).ravel()
        mean = job.mean_coherence[window.toslices()].ravel()
        classes = reliability.classify(
            solved, len(job.dates), kilometres, mean, job.samples, job.settings, job.least_fit
        )
        for name, values in (
            ("decorrelation_std", noise[0]),
            ("temporal_coherence", quality),
            ("open_triplets", still_open),
            ("interferograms", solved.used),
            ("reliability", classes),
        ):
            out.write_map(name, values.reshape(shape).astype(np.float32), window)
        good = (quality >= job.settings.min_temporal_coherence) & np.isfinite(series).all(axis=0)
        samples.append(surfaces.sample_of(series, good, window, grid))
        good &= (solved.used == len(job.numbers)).reshape(shape)
        r, c = surfaces.regular(good, window, grid, 4 * NOISE_SAMPLE)
        at = r * shape[1] + c
        place = r + window.row_off, c + window.col_off
        noises.append(_NoiseSample(phase[:, at], coherence[:, at], *place, ground[:, at]))
    verb = "corrected" if job.settings.unwrapping_error_correction else "left"
    counted: _Closures = {
        "open_before": int(closures[0]),
        "open_after": int(closures[1]),
        "all": int(closures[2]) * len(job.triples),
        "corrected": (corrected / max(closures[2], 1)).round(6).tolist(),
    }
    print(
        f"closure: {counted['open_before']} of {counted['all']} triplets open by whole turns, "
        f"{counted['open_after']} after ({verb}), {len(job.triples)} triplets a pixel"
    )
    return surfaces.Sample.joined(samples), _NoiseSample.joined(noises), counted


def _close(job: _Job, phase: np.ndarray, coherence: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Correct unwrapping errors of (pairs, pixels) in place.

    Returns the triplets still open (pixels,), (before, after, pixels) counted, and of each pair the pixels corrected.
    """
    if job.settings.unwrapping_error_correction and len(job.triples):
        network = (job.numbers, years(job.dates), job.triples, job.table, job.noise)
        turned, before, after = closure.correct(phase, coherence, *network)
    else:
        turned = np.zeros(len(phase), np.int64)
        after = before = closure.open_triplets(phase, job.triples)
    return after, np.array([before.sum(), after.sum(), phase.shape[1]]), turned
