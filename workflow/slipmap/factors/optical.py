"""Optical factors of an area: composite reflectance, spectral indices, and their change across an event (dask)."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import numpy as np
from rasterio.windows import Window

from slipmap.config.factors import OpticalSettings
from slipmap.config.inputs import Sentinel2Settings
from slipmap.errors import InputError
from slipmap.factors import catalogue, composite
from slipmap.factors.catalogue import split_period
from slipmap.factors.indices import NEEDS, index
from slipmap.factors.names import is_optical
from slipmap.factors.scene import Scene, sample_reflectance
from slipmap.factors.scenes import check_reflectance, find_scenes, resamplings, within
from slipmap.io import raster
from slipmap.io.grid import BLOCK, Grid

log = logging.getLogger(__name__)


def run(
    source: Sentinel2Settings,
    grid: Grid,
    outputs: Mapping[str, str | Path],
    settings: OpticalSettings | None = None,
    *,
    key: str = "inputs.sentinel2",
    threads: int = 1,
) -> None:
    """Make optical factors in one pass over the scenes.

    Parameters
    ----------
    source : where the scenes are.
    outputs : factor → file. Factors: a band ("B4") or an index ("ndvi") of the composite of `source.path`; with
        "_before" or "_after", of that of `source.before` or `source.after`; with "_change", after minus before.
    threads : blocks made at once.

    Notes
    -----
    Composites are reflectance 0-1 on the area's grid; each band is warped once, masked, and reduced over the scenes
    (median, or least cloud). Indices come from the composite bands. Held in memory, for each thread: a block of
    512 × 512 pixels of every scene, of one band where bands are files of their own (SAFE), of all where they share one.

    Raises
    ------
    InputError : no scene, a band missing, numbers that are not reflectance, no clear pixel in the area.
    """
    import dask
    import dask.array as da

    settings = settings or OpticalSettings()
    factors = catalogue.made_by("optical", outputs)
    names = _bands(outputs)
    scenes = {period: _open(source, period, grid, outputs, settings, key) for period in _periods(outputs)}
    make = _maker(list(outputs), scenes, names, grid, settings)
    chunks = ((len(outputs),), *(_chunks(size) for size in grid.shape))
    blocks = da.map_blocks(make, chunks=chunks, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32))  # type: ignore[no-untyped-call]
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                raster.create(
                    path, grid, bands=[name], units=factors[name].units, long_name=factors[name].title(name),
                    tags=_tags(name, scenes, settings), compress="zstd",
                )
            )
            for name, path in outputs.items()
        }  # fmt: skip
        target = _Target(writers)
        with dask.config.set(scheduler="threads", num_workers=threads):
            da.store(blocks, cast(Any, target), lock=True)
        for name, count in target.clear.items():
            if not count:
                raise InputError(
                    f"{key}: {name} has no clear pixel in the area; add scenes, or mask fewer classes "
                    f"(factors.optical.masked_classes)."
                )


class _Target:
    """The rasters of the factors, into which dask stores blocks, one at a time; `clear` counts pixels with a value."""

    def __init__(self, writers: Mapping[str, raster.RasterWriter]) -> None:
        self.writers = writers
        self.clear = dict.fromkeys(writers, 0)

    def __setitem__(self, where: tuple[slice, ...], values: np.ndarray) -> None:
        _, rows, cols = where
        window = Window.from_slices(rows, cols)
        for (name, writer), value in zip(self.writers.items(), values, strict=True):
            self.clear[name] += int(np.isfinite(value).sum())
            writer.write(value, window)


def _maker(
    outputs: Sequence[str], scenes: Mapping[str, Sequence[Scene]], names: Sequence[str], grid: Grid,
    settings: OpticalSettings,
) -> Callable[..., np.ndarray]:  # fmt: skip
    """Return what makes a block of every factor, (factors, rows, cols), for dask."""
    how = {period: [resamplings(scene, names, grid) for scene in found] for period, found in scenes.items()}
    buffer = int(np.ceil(settings.mask_buffer / min(grid.resolution)))

    def make(block_info: Any = None) -> np.ndarray:
        (_, _), (top, bottom), (left, right) = block_info[None]["array-location"]
        part = grid.window_grid(Window(left, top, right - left, bottom - top))
        bands = {
            period: composite.block(
                found, names, part, method=settings.composite, buffer=buffer, resampling=how[period]
            )
            for period, found in scenes.items()
        }
        return np.stack([_factor(name, bands) for name in outputs])

    return make


def check(
    source: Sentinel2Settings,
    grid: Grid,
    names: Sequence[str],
    settings: OpticalSettings,
    key: str = "inputs.sentinel2",
) -> None:
    """Raise `InputError` where the optical ones among the factors `names` cannot be made of the scenes.

    Each scene is opened as `run` opens it, and a few of its pixels are looked at; clouds are not.
    """
    optical = dict.fromkeys(name for name in names if is_optical(name))
    periods = _periods(optical) or [part for part in ("before", "after") if getattr(source, part)]
    bands = _bands(optical)
    scenes = {period: _open(source, period, grid, optical, settings, key) for period in periods}
    for period, found in scenes.items():
        part = "path" if period == "composite" else period
        for band in bands[:1]:
            if not any(sample_reflectance(scene.bands[band], grid).size for scene in found):
                raise InputError(
                    f"{key}.{part}: {source_path(source, period)} has no clear pixel in the area; add scenes."
                )
    _require_same_offset(source, [scene for found in scenes.values() for scene in found], key)
    dated = {period: [scene.date for scene in found if scene.date] for period, found in scenes.items()}
    if dated.get("before") and dated.get("after") and max(dated["before"]) >= min(dated["after"]):
        raise InputError(
            f"{key}: before ({max(dated['before'])}) is not earlier than after ({min(dated['after'])}); exchange "
            f"the two or correct the scenes."
        )


def _require_same_offset(source: Sentinel2Settings, scenes: Sequence[Scene], key: str) -> None:
    """Raise `InputError` where the config states an offset for files of which each says another itself."""
    bands = [(scene, band) for scene in scenes for band in scene.bands.values()]
    if source.offset is None or any(band.told_by != "file" for _, band in bands):
        return
    for scene, band in bands:
        if abs(band.offset * band.scale - source.offset * source.scale) > 1e-6:
            raise InputError(
                f"{key}.offset is {source.offset:g}, but {scene.name} itself says {band.offset:g}, which holds; leave "
                f"the key out, or correct the files."
            )


def source_path(source: Sentinel2Settings, period: str) -> str | None:
    """Where the scenes of a period are."""
    path: str | None = getattr(source, "path" if period == "composite" else period)
    return path


def _periods(outputs: Mapping[str, object]) -> list[str]:
    periods = {split_period(name)[1] for name in outputs}
    if "change" in periods:
        periods |= {"before", "after"}
    return sorted(periods - {"change"})


def _bands(outputs: Mapping[str, object]) -> list[str]:
    stems = [split_period(name)[0] for name in outputs]
    return list(dict.fromkeys(band for stem in stems for band in NEEDS.get(stem, (stem,))))


def _open(
    source: Sentinel2Settings,
    period: str,
    grid: Grid,
    outputs: Mapping[str, object],
    settings: OpticalSettings,
    key: str,
) -> list[Scene]:
    part = "path" if period == "composite" else period
    path = source_path(source, period)
    if path is None:
        raise InputError(f"{key}.{part} is missing; give it, or leave the factors '…_{period}' out.")
    scenes = find_scenes(path, source, settings.masked_classes, f"{key}.{part}")
    if period == "composite":
        scenes = within(scenes, source.start, source.end, key)
    for scene in scenes:
        _require_bands(scene, outputs, settings, f"{key}.{part}")
        check_reflectance(scene, _bands(outputs), grid, f"{key}.{part}")
    if settings.composite == "least_cloud":
        scenes = sorted(scenes, key=lambda scene: composite.cloudiness(scene, grid))
    log.info("%s: %s", period, ", ".join(scene.name for scene in scenes))
    return scenes


def _require_bands(scene: Scene, outputs: Mapping[str, object], settings: OpticalSettings, key: str) -> None:
    """Raise `InputError` where a scene lacks bands, with the factors that need them and the keys that list those."""
    missing = [band for band in _bands(outputs) if band not in scene.bands]
    if not missing:
        return
    advice = []
    for stem in dict.fromkeys(split_period(name)[0] for name in outputs):
        if lacked := [band for band in NEEDS.get(stem, (stem,)) if band in missing]:
            where = "indices" if stem in settings.indices else "bands" if stem in settings.bands else None
            place = f"factors.optical.{where}" if where else "the factors that the config names"
            needs = f"{stem} needs {' and '.join(lacked)}: remove it" if stem in NEEDS else f"remove {stem}"
            advice.append(f"{needs} from {place}")
    raise InputError(
        f"{key}: {scene.name} has no band {', '.join(missing)} (it has {', '.join(scene.bands)}); "
        f"{'; '.join(advice)}; or give scenes that have {'it' if len(missing) == 1 else 'them'}."
    )


def _factor(name: str, bands: Mapping[str, Mapping[str, np.ndarray]]) -> np.ndarray:
    stem, period = split_period(name)
    if period == "change":
        change: np.ndarray = _factor(f"{stem}_after", bands) - _factor(f"{stem}_before", bands)
        return change
    return index(stem, bands[period]) if stem in NEEDS else bands[period][stem]


def _tags(name: str, scenes: Mapping[str, Sequence[Scene]], settings: OpticalSettings) -> dict[str, object]:
    period = split_period(name)[1]
    used = ("before", "after") if period == "change" else (period,)
    return {"composite": settings.composite} | {
        "scenes" if part == "composite" else f"scenes_{part}": ",".join(s.name for s in scenes[part]) for part in used
    }


def _chunks(size: int) -> tuple[int, ...]:
    whole, rest = divmod(size, BLOCK)
    return (BLOCK,) * whole + ((rest,) if rest else ())
