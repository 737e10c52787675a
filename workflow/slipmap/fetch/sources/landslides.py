"""Points of NASA's Global Landslide Catalog (Kirschbaum et al. 2010, 2015) in an area."""

import logging
from pathlib import Path

from slipmap.config.acquire import AcquireInventorySettings
from slipmap.errors import InputError
from slipmap.fetch import local
from slipmap.fetch.download import RemoteFile
from slipmap.fetch.products import Found, Product, Target
from slipmap.io.grid import Grid

log = logging.getLogger(__name__)
NAME = "Global_Landslide_Catalog_Export_rows.csv"
_COLUMNS = ("event_id", "event_date", "location_accuracy", "landslide_category", "longitude", "latitude")


def search(where: Target, settings: AcquireInventorySettings) -> Found:
    """The catalogue's one table."""
    if settings.archive:
        key = f"areas.{where.area}.acquire.inventory.archive"
        return local.search("global_landslide_catalog", settings.archive, r".*\.csv", where, dated=False, key=key)
    file = RemoteFile(NAME, settings.service)
    return Found("global_landslide_catalog", settings.service, {}, (Product(NAME, (file,)),))


def deliver(
    where: Target, grid: Grid, settings: AcquireInventorySettings, paths: dict[str, Path], output: str | Path
) -> None:
    """Write the catalogue's landslides in the area that are located well enough, as points.

    Raises
    ------
    InputError : the table is not the catalogue's; no landslide is left (the message counts those in the table).
    """
    import geopandas as gpd
    import pandas as pd
    from shapely.geometry import box

    from slipmap.io.vector import write_vector

    path = next(iter(paths.values()))
    try:
        table = pd.read_csv(path, usecols=lambda name: name in _COLUMNS, low_memory=False)
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise InputError(f"{path} is not a table that can be read; remove it, so that it is fetched again.") from error
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise InputError(f"{path} is not the Global Landslide Catalog: it has no column {', '.join(missing)}.")
    frame = gpd.GeoDataFrame(
        table, geometry=gpd.points_from_xy(table["longitude"], table["latitude"]), crs="EPSG:4326"
    ).to_crs(grid.crs)
    here = frame[frame.geometry.intersects(box(*grid.bounds))]
    dates = pd.to_datetime(here["event_date"], errors="coerce", format="mixed").dt.normalize()  # some have hours
    kept = here[here["location_accuracy"].isin(settings.accuracy)]
    if not settings.all_dates:
        kept = kept[dates.loc[kept.index].between(pd.Timestamp(where.start), pd.Timestamp(where.end))]
    log.info("%d landslides of the catalogue in the area, %d kept", len(here), len(kept))
    if kept.empty:
        counts = here["location_accuracy"].value_counts()
        span = "" if settings.all_dates else f" from {where.start} to {where.end}"
        listed = ", ".join(f"{count} located to '{name}'" for name, count in counts.items()) or "none"
        raise InputError(
            f"The Global Landslide Catalog has {listed} in the area of {where.area}, and none of accuracy "
            f"{' or '.join(settings.accuracy)}{span}; change "
            f"acquire.inventory, give an inventory of your own, or leave it out (a prediction area)."
        )
    write_vector(output, kept.drop(columns=["longitude", "latitude"]), "landslides")
