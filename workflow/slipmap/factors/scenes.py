"""Sentinel-2 scenes in whatever form people have them, as named reflectance bands and a mask of what cannot be used."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.errors import WindowError
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from slipmap.config.inputs import Sentinel2Settings
from slipmap.errors import InputError
from slipmap.factors.align import reader
from slipmap.grid import Grid
from slipmap.resampling import choose_resampling

_STAC = {
    "coastal": "B1", "blue": "B2", "green": "B3", "red": "B4", "rededge1": "B5", "rededge2": "B6", "rededge3": "B7",
    "nir": "B8", "nir08": "B8A", "nir09": "B9", "swir16": "B11", "swir22": "B12", "scl": "SCL",
}  # fmt: skip
_TIFFS = (".tif", ".tiff")


@dataclass(frozen=True)
class Band:
    """One band on file; reflectance = (stored number + offset) × scale, stored `nodata` and 0 being no data."""

    path: str
    index: int = 1
    scale: float = 1e-4
    offset: float = 0.0
    nodata: float | None = None


Mask = Callable[[Grid], np.ndarray]


@dataclass(frozen=True)
class Scene:
    """One acquisition of one tile: reflectance bands by name ("B2", "B8A") and what cannot be used.

    `unusable` takes the grid of a block and returns (rows, cols) bool, True under cloud, shadow or defect; None where
    the scene says nothing of clouds.
    """

    name: str
    date: date | None
    bands: dict[str, Band]
    unusable: Mask | None = field(default=None, compare=False)


def find_scenes(path: str | Path, settings: Sentinel2Settings, masked: Collection[int], key: str) -> list[Scene]:
    """The scenes at `path`, by date.

    Parameters
    ----------
    path : a SAFE product (folder or zip), a multi-band GeoTIFF, a folder of single-band GeoTIFFs, or a folder of any
        of these.
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
            f"band files there."
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
    chosen = [scene for scene in scenes if (start or date.min) <= scene.date <= (end or date.max)]
    if not chosen:
        raise InputError(
            f"{key}: no scene from {start or 'the first'} to {end or 'the last'} (they are from {scenes[0].date} to "
            f"{scenes[-1].date}); change start and end or add scenes."
        )
    return chosen


def band_name(text: str | None) -> str | None:
    """ "B02", "b2", "B02_10m", "blue" → "B2"; "SCL" → "SCL"; anything else → None."""
    text = (text or "").strip()
    if text.lower() in _STAC:
        return _STAC[text.lower()]
    found = re.fullmatch(r"(?i)B0?(1[0-2]|[1-9]|8A)(_\d\dm)?", text)
    return f"B{found[1].upper()}" if found else None


def scene_date(name: str) -> date | None:
    """The first date (YYYYMMDD, YYYY-MM-DD, ...) in `name`."""
    for year, month, day in re.findall(r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)", name):
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None


def read_reflectance(bands: Sequence[Band], part: Grid, resampling: str | None = None) -> np.ndarray:
    """Reflectance of bands of one file on the grid `part`, (bands, rows, cols) float32, NaN where there are no data."""
    first = bands[0]
    nodata = 0.0 if first.nodata is None else first.nodata
    with reader(first.path, part, bands=[band.index for band in bands], resampling=resampling, nodata=nodata) as read:
        stored = read(Window(0, 0, part.width, part.height))
    for n, band in enumerate(bands):
        stored[n] += np.float32(band.offset)
        stored[n] *= np.float32(band.scale)
    return stored


def sample_reflectance(band: Band, grid: Grid, size: int = 128) -> np.ndarray:
    """Some of a band's reflectance in the area of `grid`: at most `size` × `size` valid pixels, one dimension."""
    with rasterio.open(band.path) as src:
        bounds = transform_bounds(CRS.from_user_input(grid.crs), src.crs, *grid.bounds)
        window = src.window(*bounds).round_offsets().round_lengths(op="ceil")
        try:
            window = window.intersection(Window(0, 0, src.width, src.height))
        except WindowError:  # the scene lies beside the area
            return np.empty(0, np.float32)
        shape = (min(size, int(window.height)), min(size, int(window.width)))
        stored = src.read(band.index, window=window, out_shape=shape, masked=True).astype(np.float32)
    stored = np.ma.masked_equal(stored, 0.0 if band.nodata is None else band.nodata).compressed()
    return (stored[np.isfinite(stored)] + np.float32(band.offset)) * np.float32(band.scale)


def class_mask(band: Band, masked: Collection[int]) -> Mask:
    """Mask from a scene classification (SCL): the classes in `masked`."""
    classes = np.array(sorted(masked), np.float32)

    def unusable(part: Grid) -> np.ndarray:
        with reader(band.path, part, bands=band.index, kind="classes") as read:
            found = read(Window(0, 0, part.width, part.height))
        return np.isin(found, classes)

    return unusable


def check_reflectance(scene: Scene, names: Iterable[str], grid: Grid, key: str) -> None:
    """Raise `InputError` if a scene lacks a band of `names`, or if its numbers cannot be reflectance from 0 to 1.

    A sample of at most 128 × 128 pixels of the area is read.
    """
    for name in names:
        if name not in scene.bands:
            raise InputError(
                f"{key}: {scene.name} has no band {name} (it has {', '.join(scene.bands)}); add it, or change "
                f"factors.optical.bands and indices."
            )
    for name in names:
        values = sample_reflectance(scene.bands[name], grid)
        if not values.size:
            continue
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


def _scenes(path: Path, settings: Sentinel2Settings, masked: Collection[int], key: str) -> list[Scene]:
    from slipmap.factors import safe

    if safe.is_safe(path):
        return [safe.open_scene(path, masked, key)]
    if path.is_file():
        return [_multiband(path, settings, masked, key)] if path.suffix.lower() in _TIFFS else []
    found: list[Scene] = []
    single: dict[str, dict[str, Path]] = {}
    for entry in sorted(path.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() or safe.is_safe(entry):
            found += _scenes(entry, settings, masked, key)
        elif entry.suffix.lower() in _TIFFS:
            group, name = _split_band(entry.stem)
            if name:
                single.setdefault(group or path.name, {})[name] = entry
            else:
                found.append(_multiband(entry, settings, masked, key))
    for group, files in single.items():
        bands = {name: _geotiff_band(file, 1, settings) for name, file in files.items()}
        found.append(_scene(group, scene_date(group) or scene_date(path.name), bands, masked))
    return found


def _split_band(stem: str) -> tuple[str, str | None]:
    """ "T32TQP_20230428_B02_10m" → ("T32TQP_20230428", "B2"); a name without a band → (name, None)."""
    parts = stem.split("_")
    for n in range(len(parts) - 1, -1, -1):
        name = band_name(parts[n])
        if name:
            rest = [part for k, part in enumerate(parts) if k != n and not re.fullmatch(r"\d\dm", part)]
            return "_".join(rest), name
    return stem, None


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
            f"inputs.sentinel2.bands."
        )
    if given is not None and any(d and d != g for d, g in zip(described, given, strict=True)):
        raise InputError(
            f"{key}: {path} names its bands {', '.join(map(str, described))}, but inputs.sentinel2.bands says "
            f"{', '.join(given)}; drop that key, the file's own names hold."
        )
    names = given or described
    bands = {name: _geotiff_band(path, n, settings) for n, name in enumerate(names, start=1) if name}
    return _scene(path.stem, scene_date(path.stem), bands, masked)


def _geotiff_band(path: Path, index: int, settings: Sentinel2Settings) -> Band:
    with rasterio.open(path) as src:
        scale, offset = src.scales[index - 1], src.offsets[index - 1]
        nodata = src.nodata
    if (scale, offset) != (1.0, 0.0):  # the file says how its numbers become reflectance
        return Band(str(path), index, scale, offset / scale, nodata)
    return Band(str(path), index, settings.scale, settings.offset, nodata)


def _scene(name: str, when: date | None, bands: dict[str, Band], masked: Collection[int]) -> Scene:
    classes = bands.pop("SCL", None)
    return Scene(name, when, bands, class_mask(classes, masked) if classes else None)


def resamplings(scene: Scene, names: Iterable[str], grid: Grid) -> dict[str, str]:
    """Resampling of each band of a scene to `grid`, decided once rather than at each block."""
    return {name: choose_resampling(scene.bands[name].path, grid) for name in names}
