"""What a search found, kept as a GeoJSON file: all that the download, or a later run offline, needs."""

import datetime
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from slipmap.errors import InputError
from slipmap.fetch.download import RemoteFile
from slipmap.io.atomic import write_text
from slipmap.io.grid import Box, Grid

Key = TypeVar("Key", datetime.date, tuple[datetime.date, str])  # by which products are one


@dataclass(frozen=True)
class Target:
    """What is searched for: ground and time.

    Parameters
    ----------
    area : its name. grid : the area's grid. bbox : (west, south, east, north), degrees, round the grid.
    """

    area: str
    grid: Grid
    bbox: Box
    start: datetime.date
    end: datetime.date

    @property
    def wkt(self) -> str:
        """The bounding box as a WKT polygon, counter-clockwise."""
        west, south, east, north = self.bbox
        corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
        return f"POLYGON(({','.join(f'{x:.6f} {y:.6f}' for x, y in corners)}))"


def target(area: str, grid: Grid, start: datetime.date, end: datetime.date) -> Target:
    """The search for the ground of `grid` from `start` to `end`.

    Raises
    ------
    InputError : the area lies across the antimeridian, which services take for the rest of the world.
    """
    from rasterio.crs import CRS
    from rasterio.warp import transform_bounds

    bbox = transform_bounds(CRS.from_user_input(grid.crs), CRS.from_epsg(4326), *grid.bounds)
    if bbox[2] <= bbox[0]:
        raise InputError(
            f"areas.{area}.grid lies across the 180th meridian; make two areas of it, or give your own files."
        )
    return Target(area, grid, tuple(round(value, 6) for value in bbox), start, end)


@dataclass(frozen=True)
class Product:
    """One thing found: a scene, a burst on a date, a tile, a day of rain.

    Parameters
    ----------
    properties : what else is known of it (track, burst, cloud cover, ...), as JSON has it.
    geometry : GeoJSON of its footprint, or None.
    """

    name: str
    files: tuple[RemoteFile, ...]
    date: datetime.date | None = None
    geometry: dict[str, Any] | None = None
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int | None:
        """Bytes of its files together; None if one is not known."""
        sizes = [file.size for file in self.files if file.size is not None]
        return sum(sizes) if len(sizes) == len(self.files) else None

    @property
    def day(self) -> datetime.date:
        """Its date, of a product that has one."""
        if self.date is None:
            raise ValueError(f"{self.name} has no date")
        return self.date


@dataclass(frozen=True)
class Found:
    """The result of a search.

    Parameters
    ----------
    source : name of the source ("opera_cslc"). service : its address, or the archive's folder.
    asked : what was asked, so that the same question need not be asked again.
    notes : what the user should know (tracks that were left aside, dates without an orbit).
    settled : False where the same question may soon have a fuller answer (no precise orbit yet, a job under way).
    """

    source: str
    service: str
    asked: dict[str, Any]
    products: tuple[Product, ...]
    notes: tuple[str, ...] = ()
    settled: bool = True

    @property
    def size(self) -> int:
        """Bytes of all files whose size is known."""
        return sum(file.size or 0 for file in self.files)

    @property
    def files(self) -> list[RemoteFile]:
        """All files, once each."""
        return list({file.name: file for product in self.products for file in product.files}.values())

    def save(self, path: str | Path) -> None:
        """Write as a GeoJSON FeatureCollection, one feature for each product."""
        record = {
            "type": "FeatureCollection",
            "source": self.source,
            "service": self.service,
            "asked": self.asked,
            "notes": list(self.notes),
            "settled": self.settled,
            "features": [_feature(product) for product in self.products],
        }
        write_text(path, json.dumps(record, indent=1) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> "Found":
        """Read what `save` wrote."""
        try:
            record = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls(
                record["source"],
                record["service"],
                record["asked"],
                tuple(_product(feature) for feature in record["features"]),
                tuple(record["notes"]),
                record.get("settled", True),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path} is not a search result of slipmap; remove it, so that it is made again."
            ) from error


def newest(products: Iterable[Product], key: Callable[[Product], Key], rank: Callable[[Product], str]) -> list[Product]:
    """Of products with the same `key` the one of highest `rank`, in the order of the keys."""
    best: dict[Key, Product] = {}
    for product in products:
        at = key(product)
        if at not in best or rank(product) > rank(best[at]):
            best[at] = product
    return [best[at] for at in sorted(best)]


def _feature(product: Product) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": product.name,
        "geometry": product.geometry,
        "properties": {
            "date": product.date.isoformat() if product.date else None,
            **product.properties,
            "files": [
                {"name": file.name, "url": file.url, "size": file.size, "checksum": file.checksum}
                for file in product.files
            ],
        },
    }


def _product(feature: dict[str, Any]) -> Product:
    properties = dict(feature["properties"])
    files = tuple(RemoteFile(**file) for file in properties.pop("files"))
    when = properties.pop("date")
    day = datetime.date.fromisoformat(when) if when else None
    return Product(feature["id"], files, day, feature["geometry"], properties)
