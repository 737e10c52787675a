"""Answers of the real services, written after their published schemas, for an area near Moab, Utah."""

import hashlib
import io
import json
from datetime import date, timedelta

import h5py
import numpy as np
import rasterio
from rasterio.transform import from_origin

from helpers.cmr_records import ring
from helpers.fetch_catalogues import cmr_gives, stac_gives
from helpers.fetch_server import Answer, Asked, Service, ranged
from slipmap.fetch.products import Target, target
from slipmap.io.grid import Grid

GRID = Grid.from_bounds("EPSG:32612", 12.5, (600_000, 4_270_000, 604_000, 4_274_000))
START, END = date(2023, 1, 1), date(2023, 3, 31)


def where(start: date = START, end: date = END, grid: Grid = GRID) -> Target:
    """The search that all services are asked."""
    return target("moab", grid, start, end)


# --- NASA's Common Metadata Repository (UMM-G 1.6.5) ---------------------------------------------------------------


def serve_cmr(server: Service, granules: list[dict], page: int = 10**6) -> None:
    """The granule search, page by page (CMR-Search-After)."""

    def answer(asked: Asked) -> Answer:
        given = [granule for granule in granules if cmr_gives(granule, asked)]
        begin = int(asked.headers.get("CMR-Search-After") or 0)
        part = given[begin : begin + page]
        after = {"CMR-Search-After": str(begin + page)} if begin + page < len(given) or len(part) == page else {}
        body = json.dumps({"hits": len(given), "took": 5, "items": part}).encode()
        return Answer(body, headers={"Content-Type": "application/json", "CMR-Hits": str(len(given)), **after})

    server.route(r"/search/granules\.umm_json", answer)


# --- a STAC API (Earth Search v1, sentinel-2-c1-l2a) ---------------------------------------------------------------

STAC_BANDS = {"B2": "blue", "B3": "green", "B4": "red", "B8": "nir", "B11": "swir16", "SCL": "scl"}


def cog(values: np.ndarray, pixel: float, corner=(599_000.0, 4_275_000.0), epsg: int = 32612) -> bytes:
    """A small cloud-optimised GeoTIFF."""
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="COG",
            width=values.shape[1],
            height=values.shape[0],
            count=1,
            dtype=values.dtype,
            nodata=0,
            crs=f"EPSG:{epsg}",
            transform=from_origin(*corner, pixel, pixel),
            blocksize=256,
            compress="deflate",
        ) as target:
            target.write(values, 1)
        return bytes(memory.getbuffer())


def stac_scene(
    server: Service,
    tile: str,
    day: date,
    cloud: float,
    *,
    baseline: str = "05.09",
    applied: bool | None = None,
    level: int = 2000,
    sequence: int = 0,
) -> tuple[dict, dict[str, bytes]]:
    """A STAC item with its files, served; 6 km of ground, reflectance × 10000 (+ 1000)."""
    name = f"S2A_T{tile}_{day:%Y%m%d}T180921_L2A" + (f"_{sequence}" if sequence else "")
    noise = np.random.default_rng(day.toordinal())
    assets, files = {}, {}
    for band, key in STAC_BANDS.items():
        pixel = 20.0 if band in ("B11", "SCL") else 10.0
        side = int(6_000 / pixel)
        if band == "SCL":
            data = cog(np.full((side, side), 4, np.uint8), pixel)
        else:
            data = cog((level + noise.integers(0, 500, (side, side))).astype(np.uint16), pixel)
        path = f"/scenes/{name}/{key}.tif"
        files[band] = data
        server.route(path.replace(".", r"\."), lambda asked, data=data: ranged(asked, data, kind="image/tiff"))
        assets[key] = {
            "href": f"{server.url}{path}",
            "type": "image/tiff; application=geotiff; profile=cloud-optimized",
            "gsd": pixel,
            "file:size": len(data),
            "file:checksum": "1220" + hashlib.sha256(data).hexdigest(),
            "raster:bands": [
                {"nodata": 0, "data_type": "uint16", "spatial_resolution": pixel, "scale": 0.0001, "offset": -0.1}
            ],
        }
    assets["thumbnail"] = {"href": f"{server.url}/scenes/{name}/L2A_PVI.jpg", "type": "image/jpeg"}
    footprint = (-110.0, 38.4, -109.4, 38.8)
    properties = {
        "datetime": f"{day}T18:15:21.000Z",
        "platform": "sentinel-2a",
        "eo:cloud_cover": cloud,
        "grid:code": f"MGRS-{tile}",
        "proj:code": "EPSG:32612",
        "s2:processing_baseline": baseline,
        "created": f"{day}T23:00:0{sequence}.000Z",
    }
    if applied is not None:
        properties["earthsearch:boa_offset_applied"] = applied
    item = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "collection": "sentinel-2-c1-l2a",
        "bbox": footprint,
        "stac_extensions": [],
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring(footprint)]},
        "links": [{"rel": "self", "href": f"{server.url}/v1/collections/sentinel-2-c1-l2a/items/{name}"}],
        "assets": assets,
    }
    return item, files


def serve_stac(server: Service, items: list[dict], page: int = 100) -> None:
    """Landing page and item search with POST paging, as Earth Search does."""
    classes = ["core", "item-search", "item-search#query", "ogcapi-features", "collections"]
    server.json(
        "/v1/?",
        {
            "type": "Catalog",
            "id": "earth-search-aws",
            "stac_version": "1.0.0",
            "description": "A STAC API",
            "title": "x",
            "conformsTo": [f"https://api.stacspec.org/v1.0.0/{name}" for name in classes],
            "links": [
                {"rel": "self", "type": "application/json", "href": f"{server.url}/v1"},
                {"rel": "root", "type": "application/json", "href": f"{server.url}/v1"},
                {"rel": "search", "type": "application/geo+json", "href": f"{server.url}/v1/search", "method": "POST"},
                {"rel": "data", "type": "application/json", "href": f"{server.url}/v1/collections"},
            ],
        },
    )

    def answer(asked: Asked) -> Answer:
        body = json.loads(asked.body)
        found = [item for item in items if stac_gives(item, body)]
        begin = int(body.get("next", 0))
        links = []
        if begin + page < len(found):
            links = [
                {
                    "rel": "next",
                    "method": "POST",
                    "href": f"{server.url}/v1/search",
                    "merge": False,
                    "body": {**body, "next": str(begin + page)},
                }
            ]
        record = {"type": "FeatureCollection", "features": found[begin : begin + page], "links": links}
        return Answer(json.dumps(record).encode(), headers={"Content-Type": "application/geo+json"})

    server.route("/v1/search", answer)


# --- buckets, CHIRPS, IMERG, SMAP ----------------------------------------------------------------------------------


def serve_bucket(server: Service, objects: dict[str, bytes], page: int = 1000, listed: str = "/") -> None:
    """A public S3 bucket: ListObjects (version 1) with markers, HEAD and GET of objects with MD5 tags."""

    def listing(asked: Asked) -> Answer:
        prefix, marker = asked.query.get("prefix", [""])[0], asked.query.get("marker", [""])[0]
        keys = [key for key in sorted(objects) if key.startswith(prefix) and key > marker]
        contents = "".join(
            f"<Contents><Key>{key}</Key><ETag>&quot;{hashlib.md5(objects[key]).hexdigest()}&quot;</ETag>"
            f"<Size>{len(objects[key])}</Size></Contents>"
            for key in keys[:page]
        )
        more = str(len(keys) > page).lower()
        text = (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>b</Name><Prefix>{prefix}</Prefix><IsTruncated>{more}</IsTruncated>{contents}</ListBucketResult>"
        )
        return Answer(text.encode(), headers={"Content-Type": "application/xml"})

    def object_(asked: Asked) -> Answer:
        data = objects.get(asked.path.lstrip("/"))
        if data is None:
            return Answer(b"<Error><Code>NoSuchKey</Code></Error>", 404, {"Content-Type": "application/xml"})
        return ranged(asked, data, etag=f'"{hashlib.md5(data).hexdigest()}"')

    server.route("/.+", object_)
    server.route(listed, listing)


def dem_tile(latitude: int, longitude: int, columns: int = 360, rows: int = 360) -> bytes:
    """A tile of the Copernicus DEM with fewer pixels: its elevation is 1000 × (latitude - 36) + 10 × longitude, m."""
    dx, dy = 1 / columns, 1 / rows
    x = longitude - dx / 2 + (np.arange(columns) + 0.5) * dx
    y = latitude + 1 + dy / 2 - (np.arange(rows) + 0.5) * dy
    values = (1000 * (y[:, None] - 36) + 10 * x[None, :]).astype(np.float32)
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            width=columns,
            height=rows,
            count=1,
            dtype="float32",
            crs="EPSG:4326",
            tiled=True,
            transform=from_origin(longitude - dx / 2, latitude + 1 + dy / 2, dx, dy),
            blockxsize=128,
            blockysize=128,
        ) as target:
            target.write(values, 1)
        return bytes(memory.getbuffer())


def imerg_day(millimetres: float) -> bytes:
    """A day of GPM_3IMERGDF.07: precipitation (time, lon, lat), 0.1 degrees, from south to north."""
    with io.BytesIO() as memory:
        with h5py.File(memory, "w") as file:
            file["lon"] = np.arange(-179.95, 180, 0.1)
            file["lat"] = np.arange(-89.95, 90, 0.1)
            rain = np.full((1, 3600, 1800), -9999.9, np.float32)
            rain[0, :, 900:] = millimetres + np.arange(3600)[:, None] / 1000 + np.arange(900) / 100  # the north
            data = file.create_dataset("precipitation", data=rain, compression="gzip", compression_opts=1)
            data.attrs["units"] = "mm/day"
        return memory.getvalue()


def smap_day(moisture: float, cell: tuple[int, int]) -> bytes:
    """A day of SPL3SMP_E: volumetric soil moisture on the 9 km EASE grid, one overpass round `cell`."""
    with io.BytesIO() as memory:
        with h5py.File(memory, "w") as file:
            values = np.full((1624, 3856), -9999.0, np.float32)
            values[cell[0] - 20 : cell[0] + 20, cell[1] - 20 : cell[1] + 20] = moisture
            values[cell] = moisture + 0.1
            file.create_dataset(
                "Soil_Moisture_Retrieval_Data_AM/soil_moisture", data=values, compression="gzip", compression_opts=1
            )
        return memory.getvalue()


def days(start: date, count: int) -> list[date]:
    """`count` days from `start`."""
    return [start + timedelta(days=n) for n in range(count)]
