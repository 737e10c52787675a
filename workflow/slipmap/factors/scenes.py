"""Sentinel-2 scenes in whatever form people have them, as named reflectance bands and a mask of what cannot be used."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import rasterio

from slipmap.config.inputs import Sentinel2Settings
from slipmap.errors import InputError
from slipmap.factors import safe
from slipmap.factors.band_files import (
    FMASK,
    HLS,
    IMAGES,
    JP2,
    entries,
    finest,
    is_no_band,
    overlap_area,
    require_one_place,
    split_name,
)
from slipmap.factors.scene import (
    Band,
    Scene,
    Teller,
    band_name,
    bit_mask,
    class_mask,
    sample_reflectance,
    scene_date,
)
from slipmap.io.grid import Grid
from slipmap.io.resampling import choose_resampling

_PERCENT = 0.0125  # reflectance below which all ground is black: numbers up to 125 times 0.0001
_DULL = 0.05  # reflectance that some pixel in 128 x 128 of any ground but water exceeds
_FILLS = (-9999.0, -32768.0, -32767.0, 32767.0, 65535.0)
_OFFSET_SINCE = date(2022, 1, 25)  # processing baseline 04.00
_ESA = re.compile(r"(?:L\dC?A?_)?T\d\d[A-Z]{3}_\d{8}T\d{6}$")  # T32TPQ_20230817T101031: a scene of ESA's band files
_PRESENT = 500  # pixels of a sample of 128 x 128 of a band that make it odd that another band has none
_DARK, _SOME = 900.0, 0.01  # stored number that no reflectance has with the +1000 on, and the share that tells
_LANDSAT = re.compile(r"(?i)(L[COTEM]\d\d_|HLS\.L30\.)")
_HLS_SCALE = 1e-4
_ALL = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
# examples of the bands of a file of so many, never taken for its own
_USUAL = {
    1: ("B4",),
    3: ("B4", "B3", "B2"),
    4: ("B2", "B3", "B4", "B8"),
    5: ("B2", "B3", "B4", "B8", "B11"),
    6: ("B2", "B3", "B4", "B8", "B11", "B12"),
    10: ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12"),
    12: tuple(name for name in _ALL if name != "B10"),
}
_CLOUDY = 0b1111  # HLS's bits 0 to 3: cirrus, cloud, beside one of the two, shadow


def find_scenes(path: str | Path, settings: Sentinel2Settings, masked: Collection[int], key: str) -> list[Scene]:
    """The scenes at `path`, by date.

    Parameters
    ----------
    path : a SAFE product (folder or zip), a multi-band GeoTIFF, a folder of band files (GeoTIFF or JPEG 2000), or a
        folder of any of these.
    masked : classes of the scene classification that cannot be used.
    key : the config key of `path`, for messages.

    Raises
    ------
    InputError : there is no scene, or bands cannot be told apart.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{key}: {path} does not exist; correct the path or put the scenes there.")
    scenes = sorted(_scenes(path, settings, masked, key), key=lambda scene: (scene.date or date.min, scene.name))
    if not scenes:
        raise InputError(
            f"{key}: {path} holds no Sentinel-2 scene; put SAFE products, multi-band GeoTIFFs or folders of "
            f"band files (…_B04_10m.jp2, …_B04.tif) there."
        )
    return scenes


def within(scenes: Iterable[Scene], start: date | None, end: date | None, key: str) -> list[Scene]:
    """Those of `scenes` dated from `start` to `end`."""
    scenes = list(scenes)
    if start is None and end is None:
        return scenes
    for scene in scenes:
        if scene.date is None:
            raise InputError(
                f"{key}: {scene.name} has no date (YYYYMMDD) in its name; rename it or drop start and end."
            )
    first, last = start or date.min, end or date.max
    chosen = [scene for scene in scenes if scene.date is not None and first <= scene.date <= last]
    if not chosen:
        raise InputError(
            f"{key}: no scene from {start or 'the first'} to {end or 'the last'} (they are from {scenes[0].date} to "
            f"{scenes[-1].date}); change start and end or add scenes."
        )
    return chosen


def check_reflectance(scene: Scene, names: Sequence[str], grid: Grid, key: str) -> None:
    """Raise `InputError` if the numbers of the bands `names` cannot be reflectance from 0 to 1.

    A sample of at most 128 × 128 pixels of the area is read.
    """
    brightest = 0.0
    samples = {name: sample_reflectance(scene.bands[name], grid) for name in names}
    _require_all_there(scene, samples, grid, key)
    for name, values in samples.items():
        if not values.size:
            continue
        brightest = max(brightest, float(values.max()))
        _require_no_fill(scene.bands[name], values, scene.name, key)
        median = float(np.median(values))
        if median > 1.5:
            raise InputError(
                f"{key}: {scene.name}, band {name}, has a median reflectance of {median:.4g}, not 0 to 1; set "
                f"inputs.sentinel2.scale (now {scene.bands[name].scale:g}) to what turns its numbers into reflectance."
            )
        if 0 <= median < 3e-4 and float(values.max()) < 3e-3:
            raise InputError(
                f"{key}: {scene.name}, band {name}, has a median reflectance of {median:.2g}; its numbers seem to be "
                f"reflectance already: set inputs.sentinel2.scale to 1 (now {scene.bands[name].scale:g})."
            )
        if median < -0.01:
            raise InputError(
                f"{key}: {scene.name}, band {name}, has a median reflectance of {median:.3f}, below 0; the offset was "
                f"taken off twice: set inputs.sentinel2.offset to 0."
            )
    if 0 < brightest < _PERCENT:
        raise InputError(
            f"{key}: {scene.name} has no reflectance above {brightest:.2g} in any band; its numbers seem to be "
            f"percent: set inputs.sentinel2.scale to 0.01 (now {scene.bands[names[0]].scale:g})."
        )
    if 0 < brightest < _DULL:
        raise InputError(
            f"{key}: {scene.name} has no reflectance above {brightest:.2g} in any band, which no ground has; set "
            f"inputs.sentinel2.scale (now {scene.bands[names[0]].scale:g}) to what turns its numbers into reflectance "
            f"(0.001 for reflectance x 1000)."
        )
    _require_offset(scene, names, grid, key)


def _require_all_there(scene: Scene, samples: Mapping[str, np.ndarray], grid: Grid, key: str) -> None:
    """Raise `InputError` where a band has no pixel in the area and another has many: it lies elsewhere or is empty."""
    fullest = max(samples, key=lambda name: samples[name].size, default=None)
    if fullest is None or samples[fullest].size < _PRESENT:
        return
    for name, values in samples.items():
        if not values.size:
            path = scene.bands[name].path
            why = "has no data there" if overlap_area(path, grid.bounds, grid.crs) else "does not overlap it"
            raise InputError(
                f"{key}: band {fullest} of {scene.name} covers the area and band {name} {why} ({path}); fetch that "
                f"file again, or correct its coordinates."
            )


def _require_no_fill(band: Band, values: np.ndarray, name: str, key: str) -> None:
    """No band has many pixels of a number that stands for nodata; single ones of 65535 are saturated."""
    stored = values / band.scale - band.offset
    for fill in _FILLS:
        share = float(np.isclose(stored, fill, rtol=1e-5).mean())
        if share > _SOME:
            raise InputError(
                f"{key}: {name} has the number {fill:g} in {share:.0%} of the area, which stands for nodata and is not "
                f"declared as such; declare it (gdal_edit.py -a_nodata {fill:g})."
            )


def _require_offset(scene: Scene, names: Sequence[str], grid: Grid, key: str) -> None:
    """Raise `InputError` where it is not known whether 1000 is still on the numbers (processing baseline 04.00 on).

    Where one band has dark pixels, below 1000, it is off: they would be less than black. An offset of 0 in the config
    is the answer, unless the file's name leaves no doubt of the baseline.
    """
    asked = [scene.bands[name] for name in names if name in scene.bands and scene.bands[name].told_by != "file"]
    asked = [band for band in asked if 5e-5 <= band.scale <= 2e-4]
    if not asked or asked[0].offset:
        return
    sure, possible = _offset_since(scene, asked[0].path)
    stated = asked[0].told_by == "config"
    if not (sure if stated else possible):
        return
    for band in asked:
        stored = sample_reflectance(band, grid) / band.scale
        if not stored.size or (stored < _DARK).mean() > _SOME:
            return
    if stated:
        raise InputError(
            f"{key}: inputs.sentinel2.offset is 0, but {scene.name} is of processing baseline 04.00 or later by its "
            f"name, whose numbers hold +1000, and they are nowhere below {_DARK:g}; set the offset to -1000, or, "
            f"where your provider has taken it off, say so in the files (gdal_edit.py -scale 0.0001 -offset 0)."
        )
    raise InputError(
        f"{key}: the numbers of {scene.name} are nowhere below {_DARK:g}, so they may hold the +1000 of processing "
        f"baseline 04.00 (since January 2022) or be of bright ground; set inputs.sentinel2.offset: -1000 where it is "
        f"still on, 0 where not."
    )


def _offset_since(scene: Scene, path: str) -> tuple[bool, bool]:
    """Whether a scene is of baseline 04.00 or later (for certain by its name, possibly).

    ESA's band files do not name their baseline; all that is sensed since is of a later one, and older scenes in
    ESA's own format (JPEG 2000) may have been processed again.
    """
    if baseline := re.search(r"_N(\d\d)\d\d_", f"{scene.name} {path}"):
        return (new := int(baseline[1]) >= 4), new
    since = scene.date is not None and scene.date >= _OFFSET_SINCE
    return since and bool(_ESA.match(scene.name)), since or scene.date is None or path.lower().endswith(JP2)


def _scenes(path: Path, settings: Sentinel2Settings, masked: Collection[int], key: str) -> list[Scene]:
    if safe.is_safe(path):
        return safe.open_scenes(path, masked, key)
    if path.is_file():
        return [_multiband(path, settings, masked, key)] if path.suffix.lower() in IMAGES else []
    found: list[Scene] = []
    single: dict[str, dict[str, Path]] = {}
    for entry in entries(path):
        if entry.is_dir() or safe.is_safe(entry):
            found += _scenes(entry, settings, masked, key)
        elif entry.suffix.lower() in IMAGES and not is_no_band(entry):
            _require_own_numbers(entry, key)
            group, band = split_name(entry.stem)
            if band:
                files = single.setdefault(group or path.name, {})
                files[band] = finest(band, files[band], entry, key) if band in files else entry
            else:
                found.append(_multiband(entry, settings, masked, key))
    for group, files in single.items():
        require_one_place(group, files, key)
        bands = {name: _geotiff_band(file, 1, settings) for name, file in files.items()}
        found.append(_scene(group, scene_date(group) or scene_date(path.name), bands, masked))
    return found


def _require_own_numbers(path: Path, key: str) -> None:
    """Raise `InputError` for Landsat's files: B5 is near infrared there, red edge here."""
    if _LANDSAT.match(path.name):
        raise InputError(
            f"{key}: {path} is of Landsat, whose bands have other numbers than those of Sentinel-2; give Sentinel-2 "
            f"(HLS.S30 of the harmonised ones)."
        )


def _multiband(path: Path, settings: Sentinel2Settings, masked: Collection[int], key: str) -> Scene:
    with rasterio.open(path) as src:
        described = [band_name(text) for text in src.descriptions]
        count = src.count
    given = [band_name(text) or text for text in settings.bands] if settings.bands else None
    if given is not None and len(given) != count:
        raise InputError(f"{key}: {path} has {count} bands, but inputs.sentinel2.bands names {len(given)}; name each.")
    if given is None and not any(described):
        raise InputError(
            f"{key}: {path} does not name its {count} bands, so their order is unknown; list them in "
            f"inputs.sentinel2.bands, as here, with the names that are right: {_line_to_paste(settings, count)}"
        )
    if given is not None and any(d and d != g for d, g in zip(described, given, strict=True)):
        raise InputError(
            f"{key}: {path} names its bands {', '.join(map(str, described))}, but inputs.sentinel2.bands says "
            f"{', '.join(given)}; drop that key, the file's own names hold."
        )
    names = given or described
    if twice := [name for name in dict.fromkeys(names) if name and names.count(name) > 1]:
        raise InputError(f"{key}: {path} has two bands {twice[0]}; take out the one that does not count.")
    bands = {name: _geotiff_band(path, n, settings) for n, name in enumerate(names, start=1) if name}
    return _scene(path.stem, scene_date(path.stem), bands, masked)


def _line_to_paste(settings: Sentinel2Settings, count: int) -> str:
    """The entry ``sentinel2`` of a config with an example of `count` names of bands."""
    names = _USUAL.get(count, (*_ALL, *(f"other{n}" for n in range(1, count))))[:count]
    places = {part: value for part in ("path", "before", "after") if (value := getattr(settings, part))}
    inside = [*(f"{part}: {value}" for part, value in places.items()), f"bands: [{', '.join(names)}]"]
    return f"sentinel2: {{{', '.join(inside)}}}"


def _geotiff_band(path: Path, index: int, settings: Sentinel2Settings) -> Band:
    with rasterio.open(path) as src:
        scale, offset = src.scales[index - 1], src.offsets[index - 1]
        nodata = src.nodata
    if HLS.match(path.name) and (scale, offset) == (1.0, 0.0):
        return Band(str(path), index, _HLS_SCALE, 0.0, nodata)
    if (scale, offset) != (1.0, 0.0):  # the file says how its numbers become reflectance
        return Band(str(path), index, scale, offset / scale, nodata)
    told_by: Teller = "nobody" if settings.offset is None else "config"
    return Band(str(path), index, settings.scale, settings.offset or 0.0, nodata, told_by)


def _scene(name: str, when: date | None, bands: dict[str, Band], masked: Collection[int]) -> Scene:
    classes, bits = bands.pop("SCL", None), bands.pop(FMASK, None)
    if bits:
        return Scene(name, when, bands, bit_mask(bits, _CLOUDY))
    return Scene(name, when, bands, class_mask(classes, masked) if classes else None)


def resamplings(scene: Scene, names: Iterable[str], grid: Grid) -> dict[str, str]:
    """Resampling of each band of a scene to `grid`, decided once rather than at each block."""
    return {name: choose_resampling(scene.bands[name].path, grid) for name in names}
