"""Where the files of a new area lie: the ground that they share, its CRS and the size of its pixels."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slipmap.errors import InputError
from slipmap.io.grid import Box, Grid, crs_name

if TYPE_CHECKING:
    from slipmap.factors.scene import Scene

FINE, PLAIN = 10.0, 12.5  # metres, where no raster tells: with Sentinel-2, without
OPTICAL = ("sentinel2", "sentinel2_before", "sentinel2_after")
_IMAGES = (".tif", ".tiff", ".jp2")
_MOST_PIXELS = 40_000  # a side
_NICE = (10.0, 12.5, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 80.0, 90.0, 100.0)  # metres
_DEGREE = 111_195.0  # metres of latitude


@dataclass(frozen=True)
class Place:
    """Where one input lies.

    Parameters
    ----------
    said : how the user gave it, "--dem dem.tif". crs : rasterio's. bounds : left, bottom, right, top in it.
    pixel : metres, of the larger side.
    """

    said: str
    crs: Any
    bounds: Box
    pixel: float

    @property
    def extent(self) -> str:
        """Where it lies, in words: "9.00 to 9.08 E, 45.10 to 45.18 N, EPSG:32632"."""
        from rasterio.crs import CRS
        from rasterio.warp import transform_bounds

        west, south, east, north = transform_bounds(self.crs, CRS.from_epsg(4326), *self.bounds)
        return f"{west:.3f} to {east:.3f} E, {south:.3f} to {north:.3f} N, {crs_name(self.crs)[:40]}"

    @classmethod
    def of_raster(cls, said: str, path: str | Path) -> "Place":
        """That of a raster.

        Raises
        ------
        InputError : it cannot be opened, or has no CRS.
        """
        import rasterio
        from rasterio.errors import RasterioError

        from slipmap.io.raster import outer_bounds

        try:
            opened = rasterio.open(path)
        except RasterioError as error:
            raise InputError(f"{said}: {path} is not a raster that GDAL can open; fetch or export it again.") from error
        with opened as src:
            if src.crs is None:
                raise InputError(f"{path} has no CRS; assign the right one (gdal_edit.py -a_srs EPSG:n).")
            return cls(said, src.crs, outer_bounds(src), _metres(src.crs, max(map(abs, src.res)), abs(src.res[1])))

    @classmethod
    def of_grid(cls, said: str, grid: Grid) -> "Place":
        """That of a stack or a velocity."""
        from rasterio.crs import CRS

        crs = CRS.from_user_input(grid.crs)
        return cls(said, crs, grid.bounds, _metres(crs, max(grid.resolution), grid.resolution[1]))


@dataclass(frozen=True)
class Ground:
    """The grid of a new area, as its config has it, and why its pixels have that size."""

    grid: dict[str, Any]
    because: str


def share(files: Mapping[str, str], level: str | None, box: Box | None, crs: str | None, pixel: float | None) -> Ground:
    """The ground that all rasters of `files` share, or `box` (west, south, east, north, degrees).

    Its CRS is that of the DEM if its metres are true, else that of another raster, else the UTM zone; its pixels are
    those of the finest raster.

    Parameters
    ----------
    files : key of ``inputs`` → path. level : of the Sentinel-1 data. crs, pixel : what the user wants, m.

    Raises
    ------
    InputError : nothing to take a grid from; rasters that share no ground; an area of less than a pixel, or too many.
    """
    from rasterio.crs import CRS
    from rasterio.warp import transform_bounds

    places = _places(files, level)
    if box is None and not places:
        raise InputError(
            "the files do not tell where the area is; give --dem or a Sentinel-2 GeoTIFF, or --bbox W S E N in degrees."
        )
    chosen = crs or next((code for place in places if (code := _metric(place))), None) or _zone(box, places)
    target = CRS.from_user_input(chosen)
    size, because = _pixel(places, pixel, any(key in files for key in OPTICAL))
    if box is not None:
        inside = transform_bounds(CRS.from_epsg(4326), target, *box)
    else:
        boxes = [_inside(place, target) for place in places]
        inside = tuple(side([b[i] for b in boxes]) for i, side in enumerate((max, max, min, min)))
        if inside[0] >= inside[2] or inside[1] >= inside[3]:
            where = " and ".join(f"{place.said} ({place.extent})" for place in places)
            raise InputError(f"{where} share no ground; give files of one area, or correct the CRS of the wrong one.")
    snap = (math.floor, math.floor, math.ceil, math.ceil) if box else (math.ceil, math.ceil, math.floor, math.floor)
    bounds = [step(value / size) * size for step, value in zip(snap, inside, strict=True)]
    columns, rows = ((bounds[i + 2] - bounds[i]) / size for i in (0, 1))
    if min(columns, rows) < 1:
        raise InputError(f"the area is smaller than a pixel of {size:g} m; give a finer --resolution.")
    if max(columns, rows) > _MOST_PIXELS:
        raise InputError(
            f"the area has {columns:,.0f} x {rows:,.0f} pixels of {size:g} m; give --bbox of a smaller one or a "
            f"coarser --resolution."
        )
    return Ground({"crs": chosen, "resolution": size, "bounds": bounds}, because)


def _places(files: Mapping[str, str], level: str | None) -> list[Place]:
    """Where the DEM, the optical image and the radar data lie, as far as they tell; in this order."""
    found = [Place.of_raster(f"--dem {files['dem']}", path) for path in _rasters(files.get("dem"))[:1]]
    for key in OPTICAL:
        if key in files and (place := _scenes(f"--{key.replace('_', '-')} {files[key]}", files[key])):
            found.append(place)
    if "sentinel1" in files and (grid := _radar_grid(files["sentinel1"], level)) is not None:
        found.append(Place.of_grid(f"--sentinel1 {files['sentinel1']}", grid))
    return found


def _radar_grid(path: str, level: str | None) -> Grid | None:
    """The common ground of geocoded radar data; None of raw ones and where they cannot be read, as the check tells."""
    from slipmap.config.inputs import Sentinel1Settings
    from slipmap.deformation.check import data_grid

    if level in (None, "safe"):
        return None
    try:
        units = "mm/yr" if level == "velocity" else None
        return data_grid(Sentinel1Settings.model_validate({"level": level, "path": path, "units": units}))
    except InputError:
        return None


def _pixel(places: list[Place], asked: float | None, optical: bool) -> tuple[float, str]:
    """Size of the grid's pixels (m), and why."""
    if asked is not None:
        return asked, "--resolution"
    if not places:
        return (FINE, "Sentinel-2 has them") if optical else (PLAIN, "no raster tells another size")
    finest = min(places, key=lambda place: place.pixel)
    if finest.pixel <= _NICE[0]:
        finer = "; give --resolution for finer pixels" * (finest.pixel < _NICE[0])
        return _NICE[0], f"{finest.said} has {finest.pixel:.3g} m{finer}"
    near = min(_NICE, key=lambda size: abs(math.log(size / finest.pixel)))
    size = near if abs(near / finest.pixel - 1) < 0.1 else float(round(finest.pixel))
    return size, f"{finest.said} has {finest.pixel:.3g} m, the finest of the rasters"


def _metres(crs: Any, largest: float, high: float) -> float:
    """Size of a pixel in metres: of the larger side, of one in degrees that along the meridian."""
    return high * _DEGREE if crs.is_geographic else largest * float(crs.linear_units_factor[1])


def _inside(place: Place, target: Any) -> Box:
    """The box in `target` all of which a place covers: between its edges, as they run there."""
    import numpy as np
    from rasterio.warp import transform

    left, bottom, right, top = place.bounds
    steps = np.linspace(0, 1, 21)
    across, up = left + (right - left) * steps, bottom + (top - bottom) * steps
    fixed = np.ones(21)
    edges = [(left * fixed, up), (across, bottom * fixed), (right * fixed, up), (across, top * fixed)]
    west, south, east, north = (transform(place.crs, target, *edge) for edge in edges)
    return max(west[0]), max(south[1]), min(east[0]), min(north[1])


def _scenes(said: str, path: str) -> Place | None:
    """Where the scenes at `path` lie: the ground of all, the pixels of the finest of the bands that would be used."""
    from slipmap.config.inputs import Sentinel2Settings
    from slipmap.factors.scenes import find_scenes

    try:
        scenes = find_scenes(path, Sentinel2Settings(path=path), (), said)
    except InputError:  # as the check tells; its files lie somewhere all the same
        images = [[str(file)] for file in _rasters(path)]
    else:
        images = [_images(scene) for scene in scenes]
    places = [
        _put_together(found, narrow=True)
        for files in images
        if (found := [Place.of_raster(said, file) for file in files])
    ]
    return _put_together(places, narrow=False) if places else None


def _images(scene: "Scene") -> list[str]:
    """The files of a scene with the bands that are used by default; all where it has none of those."""
    from slipmap.config.factors import OpticalSettings
    from slipmap.factors.indices import NEEDS

    wanted = OpticalSettings()
    names = {*wanted.bands, *(band for index in wanted.indices for band in NEEDS[index])}
    used = [band.path for name, band in scene.bands.items() if name in names]
    return list(dict.fromkeys(used or [band.path for band in scene.bands.values()]))


def _put_together(places: list[Place], *, narrow: bool) -> Place:
    """One place of several, in the CRS of the first, with the finest pixel: what all cover, or what any does."""
    from rasterio.warp import transform_bounds

    first = places[0]
    boxes = [
        one.bounds if one.crs == first.crs else transform_bounds(one.crs, first.crs, *one.bounds) for one in places
    ]
    sides = (max, max, min, min) if narrow else (min, min, max, max)
    left, bottom, right, top = (side(box[i] for box in boxes) for i, side in enumerate(sides))
    return Place(first.said, first.crs, (left, bottom, right, top), min(one.pixel for one in places))


def _rasters(path: str | None) -> list[Path]:
    """The raster at `path`, or the images in that folder."""
    if path is None:
        return []
    place = Path(path)
    if not place.is_dir():
        return [place] if place.suffix.lower() != ".zip" else []
    return sorted(file for file in place.rglob("*") if file.suffix.lower() in _IMAGES)


def _metric(place: Place) -> str | None:
    """The CRS of a place, if it is one of metres that are true at its centre."""
    from slipmap.inputs.crs import require_true_scale

    code = place.crs.to_epsg()
    if code is None or not place.crs.is_projected or place.crs.linear_units_factor[1] != 1:
        return None
    grid = Grid.from_bounds(f"EPSG:{code}", place.pixel, _whole(place))
    try:
        require_true_scale(grid, "")
    except InputError:
        return None
    return grid.crs


def _whole(place: Place) -> Box:
    """Bounds of a place in whole pixels."""
    left, bottom, right, top = place.bounds
    size = place.pixel
    return (
        left,
        bottom,
        left + math.ceil((right - left) / size) * size,
        bottom + math.ceil((top - bottom) / size) * size,
    )


def _zone(box: Box | None, places: list[Place]) -> str:
    from rasterio.crs import CRS
    from rasterio.warp import transform_bounds

    from slipmap.planning.new_area import utm

    if box is None:
        box = transform_bounds(places[0].crs, CRS.from_epsg(4326), *places[0].bounds)
    return utm((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
