"""Interferograms as GAMMA, HyP3, ISCE2 and LiCSAR deliver them: GeoTIFFs that name their two dates."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.readers import metadata
from slipmap.deformation.readers.checks import same_grid, same_value
from slipmap.deformation.stack import Pair, Stack, parse_date
from slipmap.errors import InputError

_TWO_DATES = re.compile(r"(?<!\d)(\d{8})(?:T\d{6})?[-_](\d{8})(?:T\d{6})?(?!\d)")


@dataclass(frozen=True)
class Format:
    """File names (regular expressions searched in the name) by which a processor's rasters are known."""

    name: str
    unwrapped: str
    wrapped: str
    coherence: str
    components: str = r"(?!)"


# Most particular first: the first format that knows a file in the folder is taken.
FORMATS = (
    Format("hyp3", r"_unw_phase\.tif$", r"_wrapped_phase\.tif$", r"_corr\.tif$", r"_conncomp\.tif$"),
    Format("licsar", r"\.geo\.unw\.tif$", r"\.geo\.diff(_pha)?\.tif$", r"\.geo\.cc\.tif$"),
    Format(
        "isce2",
        r"(filt_)?(fine|topophase).*\.unw(\.geo)?(\.tif|\.vrt)?$",
        r"(filt_)?(fine|topophase).*\.(int|flat)(\.geo)?(\.tif|\.vrt)?$",
        r"((filt_)?(fine|topophase).*|phsig)\.cor(\.geo)?(\.tif|\.vrt)?$",
        r"(filt_)?(fine|topophase).*\.unw\.conncomp(\.geo)?(\.tif|\.vrt)?$",
    ),
    Format("gamma", r"[_.]unw\.tif$", r"[_.](diff|int|wrapped)\.tif$", r"[_.](cc|coh|coherence)\.tif$"),
)


def read_interferograms(folder: Path, settings: Sentinel1Settings) -> Stack:
    """Describe the wrapped or unwrapped interferograms and coherences under `folder` (subfolders included).

    A file that GDAL cannot open is left out, and its pair with it; `Stack.left_out` names it.
    """
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    format_ = _recognise(files, settings, folder)
    found: dict[tuple[str, str], dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for role, path in _roles(files, format_):
        match = _TWO_DATES.search(path.name) or _TWO_DATES.search(path.parent.name)
        if match is None:
            raise InputError(f"{path}: there are no two dates (YYYYMMDD_YYYYMMDD) in its name; rename the file.")
        found[match.group(1), match.group(2)][role].append(path)
    wanted = "unwrapped" if settings.level == "unwrapped" else "interferogram"
    pairs, left_out, grids, wavelengths, tracks = [], [], [], [], []
    for (first, second), roles in sorted(found.items()):
        if wanted not in roles:
            continue
        for role, paths in roles.items():
            if len(paths) > 1:
                raise InputError(f"{paths[1]} has the same dates as {paths[0].name} ({role}); keep one of the two.")
        chosen = {role: paths[0] for role, paths in roles.items()}
        days = [parse_date(text, str(chosen[wanted])) for text in (first, second)]
        if days[0] >= days[1]:
            raise InputError(f"{chosen[wanted]}: the first date is not before the second; swap the dates and the sign.")
        tags: dict[str, str] = {}
        try:
            for path in chosen.values():
                with rasterio.open(path) as src:
                    grids.append((path, src.shape, src.transform, src.crs))
                    tags |= src.tags()
        except RasterioError:
            left_out.append(f"{path}: not a raster that GDAL can open, pair {first}_{second} left out")
            grids = [g for g in grids if g[0] not in chosen.values()]
            continue
        known = metadata.pair_metadata(format_.name, folder, chosen, first, second)
        wavelengths += [(chosen[wanted], w) for w in [tags.get("WAVELENGTH_METRES") or known.get("wavelength")] if w]
        tracks += [(chosen[wanted], t) for t in [known.get("track")] if t]
        pairs.append(Pair(*days, known.get("perpendicular_baseline"), {role: str(p) for role, p in chosen.items()}))
        if "coherence" not in chosen:
            left_out.append(f"{chosen[wanted]}: no coherence raster beside it, its weight is that of coherence 0.5")
    if not pairs:
        raise InputError(
            f"inputs.sentinel1.path: no readable {settings.level} interferogram ({format_.name} naming) under "
            f"{folder}; "
            f"correct the path, the level or the format."
        )
    same_grid(grids)
    wavelength = float(same_value(wavelengths, "wavelength")) if wavelengths else None
    if tracks:
        same_value(tracks, "track")
    radar = metadata.radar(format_.name, folder, pairs, wavelength, settings)
    return Stack(
        level=settings.level,
        format=format_.name,
        radar=radar,
        pairs=pairs,
        geometry=metadata.geometry_files(folder),
        left_out=left_out,
    )


def _recognise(files: list[Path], settings: Sentinel1Settings, folder: Path) -> Format:
    if settings.format != "auto":
        for format_ in FORMATS:
            if format_.name == settings.format:
                return format_
        raise InputError(
            f"inputs.sentinel1.format: '{settings.format}' does not hold {settings.level} interferograms; "
            "choose one of "
            f"{', '.join(f.name for f in FORMATS)} or auto."
        )
    for format_ in FORMATS:
        pattern = format_.unwrapped if settings.level == "unwrapped" else format_.wrapped
        if any(re.search(pattern, p.name) for p in files):
            return format_
    raise InputError(
        f"inputs.sentinel1.path: no {settings.level} interferograms of a known format under {folder} "
        f"({', '.join(f.name for f in FORMATS)}); correct the path or the level."
    )


def _roles(files: list[Path], format_: Format) -> Iterator[tuple[str, Path]]:
    patterns = (
        ("components", format_.components),
        ("coherence", format_.coherence),
        ("unwrapped", format_.unwrapped),
        ("interferogram", format_.wrapped),
    )
    for path in files:
        for role, pattern in patterns:
            if re.search(pattern, path.name):
                yield role, path
                break
