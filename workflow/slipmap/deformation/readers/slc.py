"""Geocoded, coregistered SLCs: complex GeoTIFF with tags."""

from collections import defaultdict
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.readers.checks import same_grid, same_value
from slipmap.deformation.stack import Acquisition, Radar, Stack, parse_date
from slipmap.errors import InputError

GEOMETRY = "geometry.tif"
_NEEDED = ("ACQUISITION_DATE", "WAVELENGTH")


def read_slcs(folder: Path, settings: Sentinel1Settings) -> Stack:
    """Describe the complex GeoTIFFs ``*.tif`` in `folder`.

    Tags read: ACQUISITION_DATE, WAVELENGTH (m), PERPENDICULAR_BASELINE (m, relative to the first date), and where there
    are any SLANT_RANGE (m), INCIDENCE_ANGLE (degrees), RANGE_BANDWIDTH (Hz), ORBIT_DIRECTION, TRACK, HEADING.
    A file that cannot be opened is left out and named in `Stack.left_out`.
    """
    records, left_out = [], []
    for path in sorted(folder.glob("*.tif")):
        if path.name == GEOMETRY:
            continue
        try:
            with rasterio.open(path) as src:
                if "complex" not in src.dtypes[0]:
                    continue
                records.append((path, src.tags(), src.shape, src.transform, src.crs))
        except RasterioError:
            left_out.append(f"{path}: not a raster that GDAL can open, left out")
    if not records:
        raise InputError(
            f"inputs.sentinel1.path: no complex GeoTIFF in {folder}; give the folder of geocoded SLCs or another level."
        )
    for path, tags, *_ in records:
        for key in _NEEDED:
            if key not in tags:
                raise InputError(f"{path}: the tag {key} is missing; add it (gdal_edit.py -mo {key}=...).")
    same_grid([(path, shape, transform, crs) for path, _, shape, transform, crs in records])
    wavelength = float(same_value([(p, t["WAVELENGTH"]) for p, t, *_ in records], "wavelength"))
    track = same_value([(p, t.get("TRACK", "")) for p, t, *_ in records], "track")
    direction = same_value([(p, t.get("ORBIT_DIRECTION", "")) for p, t, *_ in records], "orbit direction")
    by_date = defaultdict(list)
    for path, tags, *_ in records:
        by_date[parse_date(tags["ACQUISITION_DATE"], str(path))].append(
            (path, float(tags.get("PERPENDICULAR_BASELINE", 0.0)))
        )
    for day, found in by_date.items():
        if len(found) > 1:
            raise InputError(
                f"{found[1][0]} has the same date ({day}) as {found[0][0].name}; keep one file for each date."
            )
    first = records[0][1]
    geometry = folder / GEOMETRY
    return Stack(
        level="slc",
        format="geotiff",
        radar=Radar(
            wavelength=wavelength,
            incidence=_number(first, "INCIDENCE_ANGLE"),
            slant_range=_number(first, "SLANT_RANGE"),
            bandwidth=_number(first, "RANGE_BANDWIDTH"),
            heading=_number(first, "HEADING"),
            orbit_direction=direction,
            track=track,
        ),
        acquisitions=[Acquisition(day, str(by_date[day][0][0]), by_date[day][0][1]) for day in sorted(by_date)],
        geometry={"los": str(geometry)} if geometry.exists() else {},
        left_out=left_out,
        simulated=any(tags.get("SIMULATED") == "yes" for _, tags, *_ in records),
    )


def _number(tags: dict[str, str], key: str) -> float | None:
    return float(tags[key]) if key in tags else None
