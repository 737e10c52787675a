"""What is to be fetched must be there to fetch: dates, ground, archives; and what the user should know beforehand."""

from datetime import date
from pathlib import Path

from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from slipmap.config.acquire import CHIRPS_REACH, acquired_kinds, chirps_lacks, rain_product
from slipmap.config.run import AreaSettings, RunSettings
from slipmap.errors import InputError
from slipmap.io.grid import Grid

# the first day of each mission's or product's archive
_FIRST = {
    "sentinel1": date(2014, 10, 3),
    "sentinel2": date(2015, 7, 4),
    "chirps": date(1981, 1, 1),
    "chirps3": date(1981, 1, 1),
    "imerg": date(1998, 1, 1),
    "soil_moisture": date(2015, 3, 31),
}


def check_fetch(name: str, area: AreaSettings, grid: Grid) -> list[str]:
    """Check what is fetched for an area; return the kinds.

    Raises
    ------
    InputError : dates before the data begin, ground that a product does not cover or that lies across the
        antimeridian, an archive that is not a folder.
    """
    from slipmap.fetch.products import target  # what only areas that fetch need pay for

    settings = area.acquire
    kinds = acquired_kinds(settings)
    if settings is None or not kinds:
        return kinds
    target(name, grid, settings.start, settings.end)
    for kind in kinds:
        chosen, key = getattr(settings, kind), f"areas.{name}.acquire.{kind}"
        if chosen.archive and not Path(chosen.archive).is_dir():
            raise InputError(f"{key}.archive: {chosen.archive} is not a folder; correct the path of your archive.")
        product = chosen.product if kind == "rainfall" else kind
        end = getattr(chosen, "end", None) or settings.end
        if end < _FIRST.get(product, date.min):
            raise InputError(
                f"{key}: these data begin on {_FIRST[product]}, after the dates asked for;"
                f" change the dates, or leave it out."
            )
        if product in CHIRPS_REACH:
            ground = *_latitudes(grid), end
            if lacks := chirps_lacks(product, *ground):
                raise InputError(f"{key}: CHIRPS {lacks}; set product: {rain_product(*ground)}.")
    return kinds


def advice(settings: RunSettings) -> list[str]:
    """What the user should know before a download: accounts that are needed and not there."""
    from slipmap.fetch.credentials import EARTHDATA

    needed = [
        f"areas.{name}.acquire.{kind}"
        for name, area in settings.areas.items()
        for kind in acquired_kinds(area.acquire)
        if _needs_earthdata(area, kind)
    ]
    if not needed or EARTHDATA.token() or EARTHDATA.password():
        return []
    return [f"{', '.join(needed)}: needs a {EARTHDATA.name} account, and there is none; {EARTHDATA.advice()}."]


def _needs_earthdata(area: AreaSettings, kind: str) -> bool:
    chosen = getattr(area.acquire, kind)
    if chosen.archive:
        return False
    return kind in ("sentinel1", "soil_moisture") or (kind == "rainfall" and chosen.product == "imerg")


def _latitudes(grid: Grid) -> tuple[float, float]:
    bounds = transform_bounds(CRS.from_user_input(grid.crs), CRS.from_epsg(4326), *grid.bounds)
    return bounds[1], bounds[3]
