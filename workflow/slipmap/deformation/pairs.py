"""From what a reader finds to a stack of pairs: headers, agreement, the ground that all share, pairs left out."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.agreement import same_clock, same_value
from slipmap.deformation.fills import require_phases
from slipmap.deformation.layer import Header, Layer, Unreadable, inspect, view
from slipmap.deformation.look import mean_incidence
from slipmap.deformation.reader import SENTINEL1_WAVELENGTH, Facts, Listing, PairFormat
from slipmap.deformation.stack import LeftOut, Pair, Radar, Stack, parse_date
from slipmap.errors import Faults, InputError
from slipmap.io.grid import crs_name
from slipmap.io.raster import is_on_earth

_THREADS = 4  # that open files: on a network most of the time is waiting
ROLES = ("unwrapped", "interferogram", "coherence", "components")
SHARE = 0.5  # of the usual ground that a pair has to cover, else it is left out and does not cut the others
_ALIKE = 1e-2  # of a pixel, over the whole width or height
_SHARED_VALUES: Final = ("wavelength", "track", "burst", "frame", "orbit_direction")
_RADIANS = ("", "rad", "rads", "radian", "radians", "1", "unitless", "none")
_PERCENT = 100

Extent = tuple[int, int, int, int]  # first column, first row, end column, end row, in pixels of the lattice


@dataclass
class _Candidate:
    """A pair on its way into the stack; `problem` says why it is left out."""

    first: date
    second: date
    layers: dict[str, Layer]
    main: str
    headers: dict[str, Header] = field(default_factory=dict)
    problem: str = ""

    @property
    def path(self) -> Path:
        return self.layers[self.main].path

    def drop(self, header_or_path: Header | Path, why: str) -> None:
        """Leave the pair out; the first reason stands."""
        path = header_or_path.layer.path if isinstance(header_or_path, Header) else header_or_path
        self.problem = self.problem or f"{path}: {why}"


def assemble(reader: PairFormat, listing: Listing, settings: Sentinel1Settings) -> Stack:
    """Describe the interferograms and coherences that `reader` finds; pixels are read until one has data.

    A pair that cannot be used (a file that is unreadable, truncated or empty, on another lattice, beside the others'
    ground) is left out and named. Extents that differ by whole pixels of one lattice are cut to what all share.

    Raises
    ------
    InputError : no pair is left; dates that cannot be read or occur twice; CRS, wavelengths or tracks that differ.
    """
    main = reader.wanted[settings.level]
    candidates, unusable = _candidates(reader, listing, main)
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda candidate: _inspect(candidate, reader), candidates))
    good = [c for c in candidates if not c.problem]
    crops = _common_ground(good, listing.source)
    good = [c for c in good if not c.problem]
    if not good:
        raise _nothing(candidates, unusable, reader, listing, settings)
    faults = Faults()
    faults.of(require_phases, [(c.path, c.headers[main]) for c in good], unwrapped=settings.level == "unwrapped")
    good = [c for c in good if not _is_filled(c, c.headers[main])]
    if not good:
        faults.end()
        raise _nothing(candidates, unusable, reader, listing, settings)
    faults.of(_require_whole_bytes, good)
    facts = faults.of(reader.facts, listing) or Facts()
    pairs, shared, clocks, notes = [], defaultdict(list), [], []
    for candidate in good:
        known = faults.of(facts.pair, candidate.first, candidate.second, candidate.layers) or {}
        tag = candidate.headers[main].tags.get("WAVELENGTH_METRES")
        known |= {"wavelength": tag} if tag else {}
        for key in _SHARED_VALUES:
            if known.get(key):
                shared[key].append((candidate.path, str(known[key])))
        if (clock := known.get("clock")) is not None:
            clocks.append((candidate.path, clock))
        pairs.append(
            Pair(candidate.first, candidate.second, known.get("perpendicular_baseline"), _files(candidate, crops))
        )
        if "coherence" not in candidate.layers:
            notes.append(f"{candidate.path}: no coherence raster beside it; the pair counts, as one of coherence 0.5")
    faults.of(same_clock, clocks)
    values = faults.of(_shared_values, shared) or {}
    left_out = [LeftOut(c.first, c.second, c.problem) for c in candidates if c.problem]
    views = faults.of(reader.views, listing) or {}
    geometry = {role: place for role, layer in views.items() if (place := faults.of(_geometry, layer))}
    radar = faults.of(_radar, faults.of(facts.radar) or {}, values, geometry, pairs[0].files[main], settings)
    faults.end()
    assert radar is not None  # else there was a fault
    return Stack(
        level=settings.level,
        format=reader.name,
        radar=radar,
        pairs=pairs,
        geometry=geometry,
        left_out=[f"{each.why}; pair {each.name} left out" for each in left_out] + unusable,
        pairs_left_out=left_out,
        notes=notes,
    )


def _shared_values(shared: Mapping[str, Sequence[tuple[Path, str]]]) -> dict[str, str]:
    """What all pairs must have in common; the first that differs is named: of another track, bursts differ too."""
    return {key: same_value(shared[key], key.replace("_", " ")) for key in _SHARED_VALUES if key in shared}


def _candidates(reader: PairFormat, listing: Listing, main: str) -> tuple[list[_Candidate], list[str]]:
    """The pairs, and what has no dates or no interferogram, a sentence each."""
    unusable: list[str] = []
    found: dict[tuple[str, str], dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for dates, role, path in reader.rasters(listing):
        found[dates][role].append(path)
    result = []
    undated = {roles[main][0].parent: why for (first, why), roles in found.items() if not first and main in roles}
    unusable += [f"{why.rstrip('.')}; left out" for why in undated.values()]
    for (first, second), roles in sorted(item for item in found.items() if item[0][0]):
        if main not in roles:
            alone = next(iter(roles.values()))[0]
            unusable.append(f"{alone}: there is no {main} file of its dates beside it; pair {first}_{second} left out")
            continue
        for role, paths in roles.items():
            if len(paths) > 1:
                raise InputError(f"{paths[1]} has the same dates as {paths[0].name} ({role}); {reader.twice}.")
        layers = {role: reader.layer(roles[role][0], role) for role in ROLES if role in roles}
        try:
            days = parse_date(first, str(layers[main].path)), parse_date(second, str(layers[main].path))
        except InputError as error:
            unusable.append(f"{str(error).rstrip('.')}; pair {first}_{second} left out")
            continue
        result.append(_Candidate(*days, layers, main))
        if days[0] >= days[1]:
            result[-1].drop(layers[main].path, "the first date is not before the second; swap the dates and the sign")
    return result, unusable


def _inspect(candidate: _Candidate, reader: PairFormat) -> None:
    """Read the headers of a pair, and what its values are like."""
    for role, layer in candidate.layers.items():
        if role == "components" or candidate.problem:
            continue
        try:
            header = inspect(layer, phase=role != "coherence")
        except Unreadable as why:
            candidate.drop(layer.path, str(why))
            return
        candidate.headers[role] = header
        transform = header.transform
        if not is_on_earth(header.crs):
            named = "assign the right one (gdal_edit.py -a_srs EPSG:n)"
            if transform.is_identity:
                named = f"it is in radar coordinates: {reader.geocode}"
            candidate.drop(header, f"it has no coordinate reference system; {named}")
        elif transform.b or transform.d or transform.e >= 0 or transform.a <= 0:
            candidate.drop(header, "it is rotated or stored south-up; warp it (gdalwarp) to a north-up raster")
        elif role == "coherence":
            _check_coherence(candidate, header, reader)
        elif abs(header.layer.factor) == 1 and header.unit.lower() not in _RADIANS:
            candidate.drop(header, f"its unit is '{header.unit}', not radians; convert it to radians")


def _require_whole_bytes(good: Sequence[_Candidate]) -> None:
    """Raise `InputError` where coherences in bytes may be percent: none in the stack is above 100."""
    found = [h for c in good if (h := c.headers.get("coherence")) and h.dtype == "uint8"]
    if found and max(header.largest for header in found) <= _PERCENT:
        raise InputError(
            f"{found[0].layer.path}: coherence in bytes, none above {max(h.largest for h in found):g} in the stack, so "
            f"that they may be percent and not 0 to 255; write coherences as numbers from 0 to 1."
        )


def _check_coherence(candidate: _Candidate, header: Header, reader: PairFormat) -> None:
    if header.dtype == "uint8":
        if not reader.byte_coherence:
            candidate.drop(header, "coherence in bytes, whose scale is not known; write it as numbers from 0 to 1")
    elif header.largest * header.scale * header.layer.factor > 1.01:
        candidate.drop(
            header,
            f"coherence from {header.least:g} to {header.largest:g}, not 0 to 1; write it as numbers from 0 to 1, "
            "with its nodata declared",
        )


def _is_filled(candidate: _Candidate, phase: Header) -> bool:
    """Whether a pair alone has phases that stand for nodata and are not declared as such; it is left out then."""
    if phase.repeated is None:
        return False
    candidate.drop(
        phase,
        f"many of its phases are exactly {phase.repeated:g}, which stands for nodata but is not declared as such; "
        f"declare it (gdal_edit.py -a_nodata {phase.repeated:g})",
    )
    return True


def _nothing(
    candidates: Sequence[_Candidate],
    unusable: Sequence[str],
    reader: PairFormat,
    listing: Listing,
    settings: Sentinel1Settings,
) -> InputError:
    if candidates:
        return InputError(f"{candidates[0].problem} (all {len(candidates)} pairs are like that or left out).")
    if unusable:
        return InputError(f"{unusable[0]} (all {len(unusable)} pairs are like that).")
    return InputError(
        f"inputs.sentinel1.path: no readable {settings.level} interferogram ({reader.name} naming) under "
        f"{listing.source}; correct the path, the level or the format."
    )


def _common_ground(good: Sequence[_Candidate], source: Path) -> dict[int, Extent]:
    """The part of each layer (by the identity of its header) that all share; empty where they share everything.

    Pairs on another lattice, or that cover less than `SHARE` of the usual ground, get a problem.

    Raises
    ------
    InputError : coordinate reference systems differ, no lattice is that of most pairs, nothing is shared.
    """
    headers = [h for c in good for h in c.headers.values()]
    if not headers:
        return {}
    _same_crs(headers)
    steps = Counter((round(h.transform.a, 9), round(h.transform.e, 9)) for h in headers)
    step, _ = steps.most_common(1)[0]
    usual = next(h for h in headers if (round(h.transform.a, 9), round(h.transform.e, 9)) == step)
    extents: dict[int, Extent] = {}
    for candidate in good:
        for header in candidate.headers.values():
            extent = _extent(header, usual)
            if extent is None:
                candidate.drop(header, _other_lattice(header, usual))
            else:
                extents[id(header)] = extent
    kept = [c for c in good if not c.problem]
    if 2 * len(kept) <= len(good) and len(good) > 1:
        raise InputError(f"{next(c.problem for c in good if c.problem)}, and so are half of the pairs under {source}.")
    typical, _ = Counter(extents[id(h)] for c in kept for h in c.headers.values()).most_common(1)[0]
    for candidate in kept:
        for header in candidate.headers.values():
            share = _area(_shared([extents[id(header)], typical])) / _area(typical)
            if share < SHARE:
                candidate.drop(header, f"it covers {share:.0%} of the ground that the other pairs cover")
    remaining = [extents[id(h)] for c in kept if not c.problem for h in c.headers.values()]
    common = _shared(remaining)
    if _area(common) < SHARE**2 * _area(typical):
        raise InputError(
            f"inputs.sentinel1.path: the rasters under {source} have no ground in common (or less than a quarter of "
            "that of a pair); give those of one burst or frame."
        )
    if all(extent == common for extent in remaining):
        return {}
    size = common[2] - common[0], common[3] - common[1]
    _say(f"{source}: the extents of the interferograms differ: cut to what all share, {size[0]} x {size[1]} pixels")
    return {key: (common[0] - extent[0], common[1] - extent[1], *size) for key, extent in extents.items()}


@cache
def _say(remark: str) -> None:
    """Print a remark, once in each command: a stack is looked at several times."""
    print(remark)


def _same_crs(headers: Sequence[Header]) -> None:
    names: dict[str, str] = {}
    found = []
    for header in headers:
        text = "" if header.crs is None else header.crs.to_wkt()
        names.setdefault(text, crs_name(header.crs))
        found.append(names[text])
    usual = Counter(found).most_common(1)[0][0]
    for header, name in zip(headers, found, strict=True):
        if name != usual:
            raise InputError(
                f"{header.layer.path}: it lies in {name[:60]}, the other files in {usual[:60]}; a stack has one "
                f"coordinate reference system: reproject it or remove the pair."
            )


def _extent(header: Header, usual: Header) -> Extent | None:
    """Where a raster lies on the lattice of `usual`; None: on another lattice."""
    own, there = header.transform, usual.transform
    rows, cols = header.shape
    if abs(own.a / there.a - 1) * cols > _ALIKE or abs(own.e / there.e - 1) * rows > _ALIKE:
        return None
    col, row = (own.c - there.c) / there.a, (own.f - there.f) / there.e
    if abs(col - round(col)) > _ALIKE or abs(row - round(row)) > _ALIKE:
        return None
    return round(col), round(row), round(col) + cols, round(row) + rows


def _other_lattice(header: Header, usual: Header) -> str:
    mine, theirs = header.transform, usual.transform
    return (
        f"its pixels ({mine.a:.6g} x {-mine.e:.6g} from {mine.c:.9g}, {mine.f:.9g}) are not on the other files' "
        f"lattice ({theirs.a:.6g} x {-theirs.e:.6g} from {theirs.c:.9g}, {theirs.f:.9g}); resample or remove it"
    )


def _shared(extents: Sequence[Extent]) -> Extent:
    columns = np.array(extents)
    low, high = columns[:, :2].max(axis=0), columns[:, 2:].min(axis=0)
    left, top, right, bottom = (int(v) for v in (*low, *np.maximum(low, high)))
    return left, top, right, bottom


def _area(extent: Extent) -> int:
    return (extent[2] - extent[0]) * (extent[3] - extent[1])


def _files(candidate: _Candidate, crops: Mapping[int, Extent]) -> dict[str, str]:
    files = {}
    for role, layer in candidate.layers.items():
        header = candidate.headers.get(role)
        if header is None:  # connected components, whose labels are taken as they are
            files[role] = layer.name
            continue
        crop = crops.get(id(header))
        whole = crop is None or crop == (0, 0, header.shape[1], header.shape[0])
        scaled = (header.scale, header.offset) != (1.0, 0.0)
        files[role] = str(layer.path) if layer.is_plain and whole and not scaled else view(header, crop)
    return files


def _geometry(layer: Layer) -> str:
    """Where a raster of the geometry is read; "" where it is in radar coordinates and so says nothing."""
    try:
        header = inspect(layer, phase=None)
    except Unreadable as why:
        raise InputError(f"{layer.path}: {why}, or remove it.") from why
    if header.crs is None:
        return ""
    return str(layer.path) if layer.is_plain else view(header)


def _radar(
    found: dict[str, Any],
    values: Mapping[str, str],
    geometry: Mapping[str, str],
    within: str,
    settings: Sentinel1Settings,
) -> Radar:
    """The radar of a stack.

    Its incidence is what the config gives, else the mean of the rasters of the line of sight on the ground of `within`
    (an interferogram), else what a text file says, which is that of a whole scene's centre.
    """
    found["wavelength"] = found.get("wavelength") or float(values.get("wavelength", SENTINEL1_WAVELENGTH))
    if "track" in values:
        found["track"] = values["track"]
    measured = mean_incidence(geometry, within, found.get("incidence"))
    found["incidence"] = settings.incidence or measured or found.get("incidence")
    return Radar(**found)
