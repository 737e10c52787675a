"""Sentinel-2 L2A from a STAC API: found by pystac-client; the area's pixels read by odc-stac, or whole files."""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import requests
from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from slipmap.config.acquire import AcquireSentinel2Settings
from slipmap.errors import InputError
from slipmap.factors.scene import band_name
from slipmap.fetch import local, verify
from slipmap.fetch.credentials import shown
from slipmap.fetch.download import RemoteFile
from slipmap.fetch.products import Found, Product, Target
from slipmap.fetch.web import TransferError, Web
from slipmap.io.atomic import write_aside
from slipmap.io.grid import BLOCK, Grid

log = logging.getLogger(__name__)
PATTERN = r"S2[A-D]_MSI(L1C|L2A)_(?P<date>\d{8})T\w+\.zip"
_READ_TRIES = 3
# what pystac and pystac-client raise at an answer in another form
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)


def search(where: Target, settings: AcquireSentinel2Settings, bands: Iterable[str], web: Web) -> Found:
    """The least cloudy scenes of each tile over the area; of a scene processed several times the newest.

    Parameters
    ----------
    bands : bands to fetch, B2, B11, SCL, ... .

    Raises
    ------
    InputError : nothing was found, or a scene lacks a band. TransferError : the service cannot be reached.
    """
    key = f"areas.{where.area}.acquire.sentinel2"
    if settings.archive:
        return local.search("sentinel2", settings.archive, PATTERN, where, key=f"{key}.archive")
    items = list(_ask(where, settings, key))
    best: dict[tuple[str, date], Product] = {}
    for item in items:
        product = _product(item, tuple(bands), key)
        at = (product.properties["tile"], product.day)
        if at not in best or product.properties["made"] > best[at].properties["made"]:
            best[at] = product
    by_tile: dict[str, list[Product]] = defaultdict(list)
    for (tile, _), product in sorted(best.items()):
        by_tile[tile].append(product)
    chosen, notes = [], []
    for tile, found in by_tile.items():
        found.sort(key=lambda product: (product.properties["cloud_cover"], product.name))
        chosen += sorted(found[: settings.scenes], key=lambda product: product.day)
        notes.append(f"tile {tile}: {len(found)} scenes, {min(len(found), settings.scenes)} taken")
    if not chosen:
        raise InputError(
            f"{key}: no scene of the area from {where.start} to {where.end} with at most {settings.max_cloud:g} % "
            "cloud; widen the "
            f"dates or raise max_cloud."
        )
    return Found("sentinel2", settings.service, {}, tuple(chosen), tuple(notes))


def deliver_whole(found: Found, paths: dict[str, Path], output: str | Path) -> None:
    """Link whole files, a folder for each scene; what a scene's metadata say of scale and offset stands beside."""
    places = []
    for product in found.products:
        for file in product.files:
            band = product.properties.get("bands", {}).get(file.name)
            if band is None:  # a SAFE product of an archive
                places.append((file.name, paths[file.name]))
                continue
            places.append((f"{product.name}/{band['name']}.tif", paths[file.name]))
            side = paths[file.name].with_name(f"{file.name}.aux.xml")
            if (band["scale"], band["offset"]) != (1.0, 0.0):
                _write_scale(side, band["scale"], band["offset"])
                places.append((f"{product.name}/{band['name']}.tif.aux.xml", side))
    local.place(places, output)


def deliver_window(found: Found, grid: Grid, store: Path, output: str | Path) -> None:
    """Read the area's pixels of each band, in the scene's own pixels, into ``store/area/scene/band.tif``; link these.

    What is there from an earlier run is left. One block of a band is in memory.

    Raises
    ------
    TransferError : a band cannot be read, several times.
    """
    places = []
    for product in found.products:
        for file in product.files:
            band = product.properties["bands"][file.name]
            path = store / product.name / f"{band['name']}.tif"
            if not path.is_file():
                _read_window(product, file, band, grid, path)
            places.append((f"{product.name}/{band['name']}.tif", path))
    local.place(places, output)


def _ask(where: Target, settings: AcquireSentinel2Settings, key: str) -> Iterable[Any]:
    from pystac.errors import STACError
    from pystac_client import Client
    from pystac_client.errors import ClientTypeError
    from pystac_client.exceptions import APIError
    from pystac_client.stac_api_io import StacApiIO
    from pystac_client.warnings import DoesNotConformTo

    try:
        access = StacApiIO(timeout=60, max_retries=4)
        access.session.auth = lambda request: request  # netrc's credentials must not go there
        catalogue = Client.open(settings.service, stac_io=access)
        yield from catalogue.search(
            collections=[settings.collection],
            bbox=where.bbox,
            datetime=f"{where.start}T00:00:00Z/{where.end}T23:59:59Z",
            query={"eo:cloud_cover": {"lte": settings.max_cloud}},
            limit=100,
        ).items()
    # DoesNotConformTo: a catalogue of files, say, has no item search
    except (APIError, STACError, ClientTypeError, DoesNotConformTo, requests.RequestException, *_UNREADABLE) as error:
        raise TransferError(
            f"{key}: the search at {shown(settings.service)} failed ({type(error).__name__}); check the address "
            "and the collection "
            f"'{settings.collection}', or try again later."
        ) from error


def _product(item: Any, bands: tuple[str, ...], key: str) -> Product:
    given = item.properties
    applied = bool(given.get("earthsearch:boa_offset_applied"))
    files, described = [], {}
    for band in bands:
        asset = _asset(item, band)
        if asset is None:
            raise InputError(
                f"{key}: the scene {item.id} has no band {band} (it has {', '.join(sorted(item.assets))[:200]}); "
                "leave the band "
                f"out, or choose another collection."
            )
        extra = asset.extra_fields
        url = asset.get_absolute_href() or asset.href
        name = f"{item.id}_{band}.tif"
        files.append(RemoteFile(name, url, extra.get("file:size"), verify.multihash(extra.get("file:checksum"))))
        scale, offset = _scale(extra, band, applied)
        described[name] = {"name": _file_name(band), "scale": scale, "offset": offset}
    when = item.datetime or datetime.fromisoformat(given["start_datetime"].replace("Z", "+00:00"))
    return Product(
        item.id,
        tuple(files),
        when.date(),
        item.geometry,
        {
            "tile": _tile(item),
            "cloud_cover": float(given.get("eo:cloud_cover", 100.0)),
            "made": str(given.get("s2:processing_baseline", "")) + str(given.get("created", given.get("updated", ""))),
            "bands": described,
        },
    )


def _asset(item: Any, band: str) -> Any:
    """The asset of a band; of several (10, 20, 60 m) the finest."""
    found = [
        (float(asset.extra_fields.get("gsd") or (re.findall(r"_(\d\d)m$", name) or [0])[0]), name)
        for name, asset in item.assets.items()
        if band_name(name) == band or (band == "SCL" and re.fullmatch(r"(?i)scl(_\d\dm)?", name))
    ]
    return item.assets[min(found)[1]] if found else None


def _scale(extra: dict[str, Any], band: str, applied: bool) -> tuple[float, float]:
    """Reflectance = stored number × scale + offset. Earth Search names an offset even where it has been taken off."""
    if band == "SCL":
        return 1.0, 0.0
    described = (extra.get("raster:bands") or extra.get("bands") or [{}])[0]
    scale = float(described.get("scale", described.get("raster:scale", extra.get("raster:scale", 1e-4))))
    offset = float(described.get("offset", described.get("raster:offset", extra.get("raster:offset", 0.0))))
    return scale, 0.0 if applied else offset


def _tile(item: Any) -> str:
    given = item.properties
    code = str(given.get("grid:code") or given.get("s2:mgrs_tile") or "")
    found = re.search(r"(\d{1,2}[C-X][A-Z]{2})$", code) or re.search(r"_T?(\d{2}[C-X][A-Z]{2})_", f"_{item.id}_")
    return found[1].zfill(5) if found else code or "unknown"


def _file_name(band: str) -> str:
    number = re.fullmatch(r"B(\d)", band)
    return f"B0{number[1]}" if number else band


def _write_scale(path: Path, scale: float, offset: float) -> None:
    """GDAL's own file beside a raster: the raster stays as its checksum knows it."""
    with write_aside(path) as aside:
        aside.write_text(
            f'<PAMDataset><PAMRasterBand band="1"><Offset>{offset!r}</Offset><Scale>{scale!r}</Scale></PAMRasterBand>'
            f"</PAMDataset>\n"
        )


def _read_window(product: Product, file: RemoteFile, band: dict[str, Any], grid: Grid, path: Path) -> None:
    reason: Exception | None = None
    for attempt in range(1, _READ_TRIES + 1):
        try:
            _copy_window(file.url, band, grid, path)
            return
        except (rasterio.errors.RasterioError, OSError, RuntimeError) as error:
            reason = error
            log.warning("%s, %s cannot be read (%d): %s", product.name, band["name"], attempt, type(error).__name__)
    raise TransferError(
        f"{shown(file.url)} cannot be read ({type(reason).__name__}), {_READ_TRIES} times; try again later: what "
        f"has been read is kept. With sentinel2.extent: tile whole files are fetched, which resume."
    ) from reason


def _copy_window(url: str, band: dict[str, Any], grid: Grid, path: Path) -> None:
    import odc.stac
    import pystac
    from odc.geo.geobox import GeoBox

    options = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_HTTP_TIMEOUT": "60", "GDAL_HTTP_CONNECTTIMEOUT": "20",
               "GDAL_HTTP_MAX_RETRY": "4", "GDAL_HTTP_RETRY_DELAY": "1", "GDAL_HTTP_NETRC": "NO",
               "CPL_VSIL_CURL_USE_HEAD": "NO", "VSI_CACHE": "TRUE"}  # fmt: skip
    with rasterio.Env(**options):
        with rasterio.open(url) as src:
            whole = Grid(str(src.crs), src.transform, src.width, src.height)
            profile = {"dtype": src.dtypes[0], "nodata": src.nodata}
            window = _window(whole, grid)
        part = whole.window_grid(window)
        item = pystac.Item("scene", _footprint(part), None, datetime(2000, 1, 1), {"proj:code": str(src.crs)})
        item.add_asset("band", pystac.Asset(url, media_type=pystac.MediaType.COG, roles=["data"]))
        with write_aside(path) as aside:
            with rasterio.open(
                aside, "w", driver="GTiff", width=part.width, height=part.height, count=1, crs=src.crs,
                transform=part.transform, tiled=True, blockxsize=256, blockysize=256, compress="deflate",
                predictor=2, **profile,
            ) as target:  # fmt: skip
                target.scales, target.offsets = (band["scale"],), (band["offset"],)
                target.set_band_description(1, band["name"])
                for block in part.blocks(4 * BLOCK):
                    here = part.window_grid(block)
                    geobox = GeoBox((here.height, here.width), here.transform, here.crs)
                    read = odc.stac.load(
                        [item], bands=["band"], geobox=geobox, fail_on_error=True, dtype=profile["dtype"]
                    )
                    target.write(read["band"].isel(time=0).to_numpy().astype(profile["dtype"]), 1, window=block)


def _footprint(part: Grid) -> dict[str, Any]:
    """The ground of `part`, and a little more, in degrees: odc-stac asks which items lie where."""
    bounds = transform_bounds(CRS.from_user_input(part.crs), CRS.from_epsg(4326), *part.bounds)
    from shapely.geometry import box, mapping

    ground: dict[str, Any] = mapping(box(*bounds).buffer(0.01))
    return ground


def _window(whole: Grid, grid: Grid) -> rasterio.windows.Window:
    """The pixels of a scene over the area, with two round it for interpolation."""
    bounds = transform_bounds(CRS.from_user_input(grid.crs), CRS.from_user_input(whole.crs), *grid.bounds)
    window = rasterio.windows.from_bounds(*bounds, transform=whole.transform)
    left, top = np.floor(window.col_off) - 2, np.floor(window.row_off) - 2
    right, bottom = np.ceil(window.col_off + window.width) + 2, np.ceil(window.row_off + window.height) + 2
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, whole.width), min(bottom, whole.height)
    if left >= right or top >= bottom:
        raise InputError("A scene of the search does not cover the area; search again.")
    return rasterio.windows.Window(int(left), int(top), int(right - left), int(bottom - top))
