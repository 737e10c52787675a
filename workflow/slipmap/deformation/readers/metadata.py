"""Baselines and geometry that each processor writes beside its interferograms."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from slipmap.config.inputs import Sentinel1Settings
from slipmap.constants import SPEED_OF_LIGHT
from slipmap.deformation.readers import gamma
from slipmap.deformation.stack import Pair, Radar
from slipmap.errors import InputError
from slipmap.sentinel1.orbit_numbers import relative_orbit

SENTINEL1_WAVELENGTH = SPEED_OF_LIGHT / 5.405e9  # m; centre frequency of the instrument
_LICSAR_FRAME = re.compile(r"(?<!\d)(\d{3}[AD])_\d{5}_\d{6}(?!\d)")  # track and direction, then the frame on it
# Numbers in HyP3's parameter file, and what each is here
_HYP3_NUMBERS = {
    "Baseline": "perpendicular_baseline",
    "Heading": "heading",
    "Slant range center": "slant_range",
    "Spacecraft height": "",
    "Earth radius at nadir": "",
    "Reference Orbit Number": "",
}
_HYP3_TRIANGLE = {"Slant range center", "Spacecraft height", "Earth radius at nadir"}


def pair_metadata(format_: str, folder: Path, files: dict[str, Path], first: str, second: str) -> dict[str, object]:
    """What is written about one pair: perpendicular_baseline (m), wavelength (m), track; whatever is there."""
    if format_ == "gamma":
        base = next(iter(sorted(folder.rglob(f"*{first}[-_]{second}*base.par"))), None)
        par = _gamma_par(folder)
        if base and par:
            return {"perpendicular_baseline": gamma.perpendicular_baseline(base, gamma.look_angle(par))}
    if format_ == "hyp3":
        product = next(iter(files.values()))
        text = re.sub(r"_(unw_phase|wrapped_phase|corr|conncomp)\.tif$", ".txt", str(product))
        if Path(text).exists():
            return _hyp3_text(Path(text))
    if format_ == "licsar":
        frame = _LICSAR_FRAME.search(next(iter(files.values())).relative_to(folder).as_posix())
        return _licsar_baseline(folder, first, second) | ({"track": frame[1]} if frame else {})
    if format_ == "isce2":
        return _isce2_baseline(folder, first, second)
    return {}


def radar(
    format_: str, folder: Path, pairs: list[Pair], wavelength: float | None, settings: Sentinel1Settings
) -> Radar:
    """The radar of a stack; what the config gives (`settings.incidence`) goes before what the files say."""
    found: dict[str, object] = {}
    if format_ == "gamma" and (par := _gamma_par(folder)):
        found = vars(gamma.read_radar(par)).copy()
    if format_ == "hyp3":
        for path in sorted(folder.rglob("*.txt")):
            found = {k: v for k, v in _hyp3_text(path).items() if k in Radar.__dataclass_fields__}
            if found:
                break
    if format_ == "licsar":
        found = _licsar_radar(folder)
    found["wavelength"] = found.get("wavelength") or wavelength or SENTINEL1_WAVELENGTH
    if settings.incidence is not None:
        found["incidence"] = settings.incidence
    return Radar(**found)


def geometry_files(folder: Path) -> dict[str, str]:
    """Rasters of geometry beside the interferograms: role → path (dem, incidence, los, look vector parts)."""
    names = {
        "dem": r"(^dem|_dem|\.hgt)\.tif$|hgt\.geo(\.vrt)?$",
        "los": r"^geometry\.tif$",
        "incidence_map": r"_inc_map(_ell)?\.tif$",
        "los_east": r"\.geo\.E\.tif$",
        "los_north": r"\.geo\.N\.tif$",
        "los_up": r"\.geo\.U\.tif$",
        "look_theta": r"_lv_theta\.tif$",
        "look_phi": r"_lv_phi\.tif$",
    }
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        for role, pattern in names.items():
            if role not in found and path.is_file() and re.search(pattern, path.name):
                found[role] = str(path)
    return found


def _gamma_par(folder: Path) -> Path | None:
    return next(iter(sorted(folder.rglob("*slc.par"))), None)


def _hyp3_text(path: Path) -> dict[str, object]:
    """HyP3's parameter file of a product: "Baseline: 58.3", "Slant range center: …", "Heading: …".

    The incidence is that at the scene's middle, of the triangle of satellite, ground and the Earth's centre.
    """
    words = dict(line.split(":", 1) for line in path.read_text(errors="replace").splitlines() if ":" in line)
    found: dict[str, object] = {"wavelength": SENTINEL1_WAVELENGTH}
    numbers = {key: _number(path, key, words[key]) for key in _HYP3_NUMBERS if key in words}
    found |= {name: numbers[key] for key, name in _HYP3_NUMBERS.items() if name and key in numbers}
    if len(numbers.keys() & _HYP3_TRIANGLE) == len(_HYP3_TRIANGLE):
        earth, slant = numbers["Earth radius at nadir"], numbers["Slant range center"]
        satellite = earth + numbers["Spacecraft height"]
        found["incidence"] = float(np.degrees(np.arccos((satellite**2 - earth**2 - slant**2) / (2 * earth * slant))))
    if track := _hyp3_track(words, numbers):
        found["track"] = str(track)
    direction = words.get("Orbit direction") or words.get("Reference Pass Direction") or ""
    if not direction and "heading" in found:
        direction = "DESCENDING" if 90 < float(str(found["heading"])) % 360 < 270 else "ASCENDING"
    return found | ({"orbit_direction": direction.strip().upper()} if direction else {})


def _number(path: Path, key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{path}: '{key}:{text}' is not a number; fetch the product again.") from error


def _hyp3_track(words: Mapping[str, str], numbers: Mapping[str, float]) -> int | None:
    """Relative orbit of the reference, from its absolute orbit and the mission in its granule's name (S1A_IW_SLC_…)."""
    mission, number = words.get("Reference Granule", "").strip()[:3], numbers.get("Reference Orbit Number")
    return None if number is None else relative_orbit(mission, int(number))


def _licsar_baseline(folder: Path, first: str, second: str) -> dict[str, object]:
    """LiCSAR's ``baselines`` file: lines "primary date bperp days", relative to the frame's primary.

    The primary itself need not have a line.
    """
    path = next(iter(sorted(folder.rglob("baselines"))), None)
    if path is None:
        return {}
    rows = [line.split() for line in path.read_text().splitlines() if len(line.split()) >= 3]
    by_date = {row[0]: 0.0 for row in rows} | {row[1]: float(row[2]) for row in rows}
    if first in by_date and second in by_date:
        return {"perpendicular_baseline": by_date[second] - by_date[first]}
    return {}


def _licsar_radar(folder: Path) -> dict[str, object]:
    """LiCSAR's ``metadata.txt``: key=value lines (centre_range_m, heading, avg_incidence_angle)."""
    path = next(iter(sorted(folder.rglob("metadata.txt"))), None)
    if path is None:
        return {}
    words = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    names = {"centre_range_m": "slant_range", "heading": "heading", "avg_incidence_angle": "incidence"}
    return {name: float(words[key]) for key, name in names.items() if key in words}


def _isce2_baseline(folder: Path, first: str, second: str) -> dict[str, object]:
    """ISCE2's topsStack ``baselines/…/first_second.txt``: lines "Bperp (average): 58.3"; swaths are averaged.

    topsStack writes them from the stack's reference date to every other; other pairs are differences of two of these.
    """
    baselines = _isce2_baselines(folder)
    if (first, second) in baselines:
        return {"perpendicular_baseline": baselines[first, second]}
    for origin in sorted({a for a, _ in baselines}):
        by_date = {origin: 0.0} | {b: value for (a, b), value in baselines.items() if a == origin}
        if first in by_date and second in by_date:
            return {"perpendicular_baseline": by_date[second] - by_date[first]}
    return {}


def _isce2_baselines(folder: Path) -> dict[tuple[str, str], float]:
    """Perpendicular baseline (m) of every pair of dates that a file under `folder` is named after."""
    found = {}
    for path in sorted(folder.rglob("*.txt")):
        if re.fullmatch(r"\d{8}_\d{8}", path.stem):
            values = re.findall(r"Bperp \(average\):\s*([-+.\deE]+)", path.read_text())
            if values:
                first, second = path.stem.split("_")
                found[first, second] = sum(map(float, values)) / len(values)
    return found
