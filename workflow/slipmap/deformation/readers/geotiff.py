"""GeoTIFFs of slipmap's own layout: geocoded, coregistered SLCs with tags; and velocities of any origin."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window

from slipmap.arrays import Doubles
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.agreement import same_grid, same_value
from slipmap.deformation.reader import Listing, Reader, Velocity
from slipmap.deformation.stack import Acquisition, Radar, Stack, parse_date
from slipmap.deformation.units import mm_per_year
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid, crs_name

GEOMETRY = "geometry.tif"
_NEEDED = ("ACQUISITION_DATE", "WAVELENGTH")


class GeoTiff(Reader):
    """Complex GeoTIFFs with tags (level slc), or one GeoTIFF of a velocity (level velocity)."""

    title = "GeoTIFF (SLCs with tags, or a velocity)"
    source = "slipmap: docs/input_formats.md"
    levels = ("slc", "velocity")
    generic = True
    files = {"slc": ("*.tif", "*.tiff"), "velocity": ("*.tif", "*.tiff")}
    wanted = {"slc": "slc", "velocity": "velocity"}
    units = "SLC complex; velocity in mm/yr, cm/yr or m/yr as its units say, else `inputs.sentinel1.units`"
    sign = "velocity positive towards the satellite"
    beside = (
        "tags of an SLC: ACQUISITION_DATE, WAVELENGTH, PERPENDICULAR_BASELINE, SLANT_RANGE, INCIDENCE_ANGLE, "
        "RANGE_BANDWIDTH, ORBIT_DIRECTION, TRACK, HEADING; `geometry.tif` (los_east, los_north, los_up)"
    )
    checks = "one grid, wavelength, track; GeoTIFF scale and offset; velocities that cannot be, zeros without nodata"

    def recognises(self, listing: Listing, level: str) -> bool:
        """Whether there are GeoTIFFs; of an SLC folder, in the folder itself."""
        found = listing.named(*self.files[level]) if level in self.levels else []
        return bool(found) if level == "velocity" else any(path.parent == listing.source for path in found)

    def stack(self, listing: Listing, settings: Sentinel1Settings) -> Stack:
        """Describe the SLCs."""
        return read_slcs(listing.source)

    def velocity(self, listing: Listing, settings: Sentinel1Settings) -> Velocity:
        """Describe a velocity of one band, or whose band is called so."""
        path = only_file(listing, self.files["velocity"])
        raster.check(path, "inputs.sentinel1.path")
        with rasterio.open(path) as src:
            band = _velocity_band(src, path)
            units = src.units[band - 1] or src.tags(band).get("units") or src.tags().get("units")
            factor, transform = mm_per_year(units, settings.units, path), src.transform
            scale, offset = src.scales[band - 1], src.offsets[band - 1]
            grid = Grid(crs_name(src.crs), transform, src.width, src.height)
            silent, whole = src.nodata is None, not src.dtypes[band - 1].startswith("float")
        if transform.b or transform.d or transform.e >= 0 or transform.a <= 0:
            raise InputError(f"{path}: it is rotated or stored south-up; warp it (gdalwarp) to a north-up raster.")

        def read(window: Window) -> Doubles:
            values: Doubles = raster.read(path, window, band).astype(np.float64)
            values[np.isin(values, UNDECLARED) | (np.abs(values) > 1e30)] = np.nan
            rate: Doubles = (values * scale + offset) * factor
            return rate

        return Velocity(grid, read, path, self.name, zero_may_be_nodata=silent, whole_numbers=whole)


UNDECLARED = (-9999.0, -99999.0, -32768.0, -32767.0)  # stored numbers that mean nodata, whether declared or not


def _velocity_band(src: rasterio.io.DatasetReader, path: Path) -> int:
    names = [(name or "").lower() for name in src.descriptions]
    if src.count == 1 or "velocity" in names:
        return names.index("velocity") + 1 if "velocity" in names else 1
    raise InputError(
        f"{path}: it has {src.count} bands and none is described as 'velocity'; give one band, or describe it so."
    )


def only_file(listing: Listing, names: tuple[str, ...]) -> Path:
    """The one file of a listing that has one of `names`.

    Raises
    ------
    InputError : there are several.
    """
    found = listing.named(*names)
    if len(found) != 1:
        raise InputError(
            f"inputs.sentinel1.path: {listing.source} holds {len(found)} velocity files "
            f"({', '.join(path.name for path in found[:3])}); name one of them."
        )
    return found[0]


def read_slcs(folder: Path) -> Stack:
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


READER = GeoTiff()
