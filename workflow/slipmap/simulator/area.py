"""Simulate the raw data of an area: every file that a real area would have, and the truth behind them."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import numpy as np
import xarray as xr

from slipmap.config.inputs import SimulateSettings
from slipmap.config.layout import EVENT_TRUTH
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid
from slipmap.io.vector import write_vector
from slipmap.jobs import runs
from slipmap.memory import return_arrays
from slipmap.sentinel1.sight import GEOMETRY
from slipmap.simulator import safe, sentinel1, sentinel2
from slipmap.simulator.climate import simulate_moisture, simulate_rain
from slipmap.simulator.event import CHANGES, Event, event_rain, simulate_event
from slipmap.simulator.fields import SIMULATED, write_geotiff, write_netcdf
from slipmap.simulator.histories import KINDS, Histories, histories
from slipmap.simulator.landcover import simulate_cover
from slipmap.simulator.landslides import (
    Landslide,
    label,
    line_of_sight_velocity,
    map_inventory,
    outlines,
    place_landslides,
    surface_change,
)
from slipmap.simulator.terrain import Terrain, fill, lithology_polygons, simulate_terrain, slope_of

LARGE_BYTES = 2**22  # of arrays that go back to the system as soon as they are freed
SMALLEST = 128  # pixels on a side below which there is no room for drainage and landslides


def run(settings: SimulateSettings, grid: Grid, folder: str | Path, threads: int = 1) -> None:
    """Write the simulated raw data of an area into `folder`.

    ``dem.tif`` (m; the DEM with its error), ``lithology.gpkg``, ``rainfall.nc``, ``soil_moisture.nc``,
    ``inventory.gpkg`` (unless ``settings.inventory`` is false), ``sentinel1/`` (geocoded SLCs and ``geometry.tif``, or
    raw SAFE products), ``sentinel2/``, ``truth/`` (``velocity_los.tif``, ``dem_error.tif``, ``landslides.gpkg``) and
    ``SIMULATED.txt``, in formats that docs/input_formats.md lists. With an event also ``sentinel1_vh/`` (raw
    products have VV and VH in one), ``sentinel2_before/`` and ``sentinel2_after/``, and what is true of it. The same
    settings and grid give the same bytes on the same machine.

    Parameters
    ----------
    settings : what to simulate. grid : the area's grid, at least 128 pixels on each side.
    folder : made when missing. Files of an earlier simulation that this one does not make are removed.
    threads : dates of raw products and scenes that are worked on at once; the files are the same.

    Raises
    ------
    InputError : the grid is too small.

    Notes
    -----
    Holds the whole area in memory (about 1 GiB at 768 × 768): a simulation is of demo size.
    """
    folder = Path(folder)
    if min(grid.shape) < SMALLEST:
        raise InputError(
            f"simulate: the grid is {grid.width} x {grid.height} pixels, too small to simulate; "
            f"give grid.bounds at least {SMALLEST} pixels on each side."
        )
    return_arrays(LARGE_BYTES)
    terrain, slides = _ground(settings, grid)
    cover, parcel = simulate_cover(settings.seed, grid, terrain, slides)
    last = simulated_dates(settings)[-1]
    rain = simulate_rain(settings.seed, grid, terrain.elevation, settings.start, last)
    event = _event(settings, grid, terrain, slides, cover, parcel, rain)
    _write_sentinel1(settings, grid, terrain, slides, cover, folder, event, threads)
    scenes = sentinel2.simulate_scenes(settings, grid, terrain, cover, parcel, slides, last, threads)
    _write_scenes(folder / "sentinel2", grid, scenes)
    ground = (settings, grid, terrain, cover, parcel, slides)
    about = [] if event is None else [*sentinel2.simulate_event_scenes(*ground, event)]
    for name in ("before", "after"):
        _write_scenes(folder / f"sentinel2_{name}", grid, [(day, scene) for part, day, scene in about if part == name])
    if event is not None and settings.event is not None:
        fell = event_rain(settings.event, settings.start, rain.sizes["time"])
        rain.rainfall.values += fell[:, None, None].astype(np.float32)
    write_netcdf(folder / "rainfall.nc", rain)
    write_netcdf(folder / "soil_moisture.nc", simulate_moisture(settings.seed, grid, rain))
    write_vector(folder / "lithology.gpkg", lithology_polygons(terrain, grid), "lithology")
    write_vector(folder / "truth" / "landslides.gpkg", outlines(slides, grid), "landslides")
    if settings.inventory:
        drawn = map_inventory(
            settings.seed,
            grid,
            terrain,
            slides,
            error=settings.mapping_error,
            missed=settings.missed,
            false=settings.false,
        )
        write_vector(folder / "inventory.gpkg", drawn, "inventory")
    else:
        (folder / "inventory.gpkg").unlink(missing_ok=True)
    write_text(folder / "SIMULATED.txt", _statement(settings, grid, slides))


def _write_scenes(folder: Path, grid: Grid, scenes: Iterable[tuple[date, np.ndarray]]) -> None:
    """Write Sentinel-2 scenes as one folder, in which no others stay."""
    written = set()
    for day, scene in scenes:
        path = folder / f"{day:%Y%m%d}.tif"
        write_geotiff(
            path,
            sentinel2.scene_grid(grid),
            scene,
            names=[*sentinel2.BANDS, "SCL"],
            units="reflectance x 10000; SCL: class",
            tags={"ACQUISITION_DATE": day.isoformat()},
            nodata=sentinel2.NODATA,
            compress="deflate",
        )
        written.add(path.name)
    _remove_others(folder, written)


def _event(
    settings: SimulateSettings,
    grid: Grid,
    terrain: Terrain,
    slides: list[Landslide],
    cover: np.ndarray,
    parcel: np.ndarray,
    rain: xr.Dataset,
) -> Event | None:
    if settings.event is None:
        return None
    daily = rain.rainfall.mean(("lat", "lon")).to_numpy()
    dates = simulated_dates(settings)
    return simulate_event(settings.seed, settings.event, dates, grid, terrain, slides, cover, parcel, daily)


def simulated_dates(settings: SimulateSettings) -> list[date]:
    """Dates of the Sentinel-1 acquisitions that `run` simulates, in order."""
    return sentinel1.acquisition_dates(settings)


def _ground(settings: SimulateSettings, grid: Grid) -> tuple[Terrain, list[Landslide]]:
    """Terrain as the landslides left it, and the landslides."""
    terrain = simulate_terrain(settings.seed, grid)
    slides = place_landslides(settings.seed, grid, terrain, settings.landslides, settings.moving)
    terrain.elevation = fill(terrain.elevation + surface_change(slides, grid))
    terrain.slope, terrain.downslope = slope_of(terrain.elevation, grid.resolution[0])
    return terrain, slides


def _write_sentinel1(
    settings: SimulateSettings,
    grid: Grid,
    terrain: Terrain,
    slides: list[Landslide],
    cover: np.ndarray,
    folder: Path,
    event: Event | None,
    threads: int,
) -> None:
    raw = settings.sentinel1 == "safe"
    told = _histories(settings, grid, terrain, slides) if settings.nonlinear else None
    number = label(slides, grid)
    progress = None if told is None else lambda k: told.at(k, number)
    los, incidence = safe.line_of_sight(settings, grid, terrain.elevation) if raw else sentinel1.line_of_sight(grid)
    velocity = line_of_sight_velocity(slides, grid, los)
    error = sentinel1.dem_error(settings, grid)
    _write_ground(grid, terrain.elevation, error, velocity, folder)
    _write_histories(settings, grid, slides, told, velocity, folder)
    _write_event(grid, event, folder)
    if raw:
        for name in ("sentinel1", "sentinel1_vh"):
            _remove_others(folder / name, set())
        products = safe.simulate_products(
            settings, grid, cover, velocity, terrain.elevation, folder / "sentinel1", progress, event, threads
        )
        _remove_others(folder / "sentinel1", {path.name for _, path in products}, "*.SAFE")
        return
    _remove_others(folder / "sentinel1", set(), "*.SAFE")
    names = {f"{day:%Y%m%d}.tif" for day in simulated_dates(settings)}
    _remove_others(folder / "sentinel1", {"geometry.tif", *names})
    _remove_others(folder / "sentinel1_vh", set() if event is None else names)
    geometry = np.concatenate([los, incidence[None]]).astype(np.float32)
    raster.write(folder / "sentinel1" / "geometry.tif", grid, geometry, **GEOMETRY, tags=SIMULATED)
    nested = grid.nested(*sentinel1.NESTED)
    for polarisation in ("VV",) if event is None else ("VV", "VH"):
        cross = polarisation == "VH"
        for day, scene, tags in sentinel1.simulate_slcs(
            settings, grid, cover, velocity, error, terrain.elevation, progress, disturbed=event, cross=cross
        ):
            path = folder / ("sentinel1_vh" if cross else "sentinel1") / f"{day:%Y%m%d}.tif"
            write_geotiff(path, nested, scene[None], names=[polarisation], units="1", tags=tags)


def _write_ground(grid: Grid, elevation: np.ndarray, error: np.ndarray, velocity: np.ndarray, folder: Path) -> None:
    """Write the DEM, and what is true of it and of the motion."""
    for path, values, band, units, long_name in (
        ("dem.tif", elevation - error, "elevation", "m", "simulated elevation, with the error of a DEM"),
        (
            "truth/velocity_los.tif",
            velocity,
            "velocity",
            "mm/yr",
            "true line-of-sight velocity, positive towards the satellite, stable ground 0",
        ),
        ("truth/dem_error.tif", error, "dem_error", "m", "true ground minus the DEM"),
    ):
        raster.write(
            folder / path,
            grid,
            values.astype(np.float32),
            bands=[band],
            units=units,
            long_name=long_name,
            tags=SIMULATED,
        )


def _write_event(grid: Grid, event: Event | None, folder: Path) -> None:
    """Write what the event changed: classes, true change of backscatter, outlines of new landslides."""
    truth = folder / "truth"
    names = EVENT_TRUTH
    if event is None:
        for name in names:
            (truth / name).unlink(missing_ok=True)
        return
    tags = SIMULATED | {"EVENT_DATE": event.settings.date.isoformat()}
    raster.write(
        truth / names[0], grid, event.truth(), bands=["change"], units="1", dtype="uint8", categories=CHANGES,
        long_name="what changed between the images about the event", tags=tags,
    )  # fmt: skip
    change = event.decibels(event.first) - event.decibels(event.first - 1)
    raster.write(
        truth / names[1], grid, change.astype(np.float32), bands=["vv", "vh"], units="dB", tags=tags,
        long_name="true change of backscatter between the images about the event",
    )  # fmt: skip
    write_vector(truth / names[2], event.outlines(grid), "landslides")


def _histories(settings: SimulateSettings, grid: Grid, terrain: Terrain, slides: list[Landslide]) -> Histories:
    dates = simulated_dates(settings)
    rain = simulate_rain(settings.seed, grid, terrain.elevation, settings.start, dates[-1])
    daily = rain.rainfall.mean(("lat", "lon")).to_numpy()
    return histories(settings.seed, settings.nonlinear, [slide.moving for slide in slides], dates, daily)


def _write_histories(
    settings: SimulateSettings,
    grid: Grid,
    slides: list[Landslide],
    told: Histories | None,
    velocity: np.ndarray,
    folder: Path,
) -> None:
    """Write what moves how, where not all moves steadily: true displacement of each date and kind of motion."""
    names = ("displacement_los.tif", "motion_kind.tif")
    if told is None:
        for name in names:
            (folder / "truth" / name).unlink(missing_ok=True)
        return
    number = label(slides, grid)
    days = simulated_dates(settings)
    moved = np.stack([velocity * told.at(k, number) for k in range(len(days))]).astype(np.float32)
    steps = {"STEP_AFTER_RAIN": told.step.isoformat()}
    raster.write(
        folder / "truth" / names[0], grid, moved, bands=[day.isoformat() for day in days], units="mm",
        long_name="true line-of-sight displacement since the first date", tags=SIMULATED | steps,
    )  # fmt: skip
    kind = np.concatenate([[raster.CLASS_NODATA], told.kinds])[number]
    raster.write(
        folder / "truth" / names[1], grid, kind.astype(np.uint8), bands=["kind"], units="1", dtype="uint8",
        long_name="how a landslide moves over time", categories=KINDS, tags=SIMULATED | steps,
    )  # fmt: skip


def _remove_others(folder: Path, wanted: set[str], pattern: str = "*.tif") -> None:
    for path in folder.glob(pattern):
        if path.name not in wanted:
            runs.remove(path)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _statement(settings: SimulateSettings, grid: Grid, slides: list[Landslide]) -> str:
    moving = [slide for slide in slides if slide.moving]
    unused = {name for name in ("nonlinear", "event") if not getattr(settings, name)}
    return (
        "These data are SIMULATED by slipmap (slipmap.simulator.area); they are not observations of any place.\n"
        f"Grid: {grid.width} x {grid.height} pixels of {grid.resolution[0]:g} m, {grid.crs}.\n"
        f"Landslides: {len(slides)}, of which {len(moving)} move.\n"
        "truth/ holds what the workflow must recover and must never read.\n"
        f"Settings: {settings.model_dump_json(exclude=unused)}\n"
    )
