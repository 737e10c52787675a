"""Baselines and geometry that each processor writes beside its interferograms."""

import re
from pathlib import Path

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.phase import SPEED_OF_LIGHT
from slipmap.deformation.readers import gamma
from slipmap.deformation.stack import Pair, Radar
from slipmap.errors import InputError

SENTINEL1_WAVELENGTH = SPEED_OF_LIGHT / 5.405e9  # m; centre frequency of the instrument


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
        return _licsar_baseline(folder, first, second)
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
    """HyP3's parameter file of a product: "Baseline: 58.3", "Slant range near: …", "Heading: …"."""
    words = dict(line.split(":", 1) for line in path.read_text(errors="replace").splitlines() if ":" in line)
    found: dict[str, object] = {"wavelength": SENTINEL1_WAVELENGTH}
    for key, name in (
        ("Baseline", "perpendicular_baseline"),
        ("Heading", "heading"),
        ("Slant range center", "slant_range"),
    ):
        if key in words:
            try:
                found[name] = float(words[key])
            except ValueError as error:
                raise InputError(f"{path}: '{key}:{words[key]}' is not a number; fetch the product again.") from error
    direction = words.get("Orbit direction") or words.get("Reference Pass Direction") or ""
    if not direction and "heading" in found:
        direction = "DESCENDING" if 90 < float(str(found["heading"])) % 360 < 270 else "ASCENDING"
    return found | ({"orbit_direction": direction.strip().upper()} if direction else {})


def _licsar_baseline(folder: Path, first: str, second: str) -> dict[str, object]:
    """LiCSAR's ``baselines`` file: lines "primary date bperp days", relative to the frame's primary."""
    path = next(iter(sorted(folder.rglob("baselines"))), None)
    if path is None:
        return {}
    rows = [line.split() for line in path.read_text().splitlines() if len(line.split()) >= 3]
    by_date = {row[1]: float(row[2]) for row in rows}
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
    """ISCE2's topsStack ``baselines/…/first_second.txt``: lines "Bperp (average): 58.3"; swaths are averaged."""
    for path in sorted(folder.rglob("*.txt")):
        if path.stem == f"{first}_{second}":
            values = re.findall(r"Bperp \(average\):\s*([-+.\deE]+)", path.read_text())
            if values:
                return {"perpendicular_baseline": sum(map(float, values)) / len(values)}
    return {}
