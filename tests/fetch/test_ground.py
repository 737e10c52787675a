"""Elevation, lithology, rain, soil moisture, inventories, published data sets from servers that answer as theirs."""

import gzip
import io
from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.transform import from_origin

from helpers.cmr_records import umm_day
from helpers.fetch_server import Answer, Service, quick_web, ranged, service
from helpers.fetch_services import GRID, START, days, dem_tile, imerg_day, serve_bucket, serve_cmr, smap_day
from slipmap.config.acquire import AcquireSettings
from slipmap.config.factors import ClimateSettings, FactorSettings
from slipmap.errors import InputError
from slipmap.factors.climate import run_rain, run_soil
from slipmap.fetch import run
from slipmap.fetch.products import Found
from slipmap.fetch.sources import climate, dem, landslides, lithology
from slipmap.fetch.web import TransferError
from slipmap.inputs.inventory import read_landslides
from slipmap.inputs.vectors import read_features
from slipmap.io.grid import Grid

FACTORS = FactorSettings(climate=ClimateSettings(window=5))


@pytest.fixture
def server():
    with service() as started:
        yield started


def get(kind: str, tmp_path, grid: Grid = GRID, factors=FACTORS, start=START, end=START + timedelta(days=9), **chosen):
    """Search and acquire one kind of data, as the rules do; (what was found, where it lies)."""
    settings = AcquireSettings(start=start, end=end, **{kind: chosen})
    web = quick_web()[0]
    found = run.search(kind, "moab", settings, factors, grid, tmp_path / "s.geojson", web=web, store=tmp_path / "store")
    suffix = {"dem": ".tif", "lithology": ".gpkg", "inventory": ".gpkg"}.get(kind, "")
    output = tmp_path / f"{kind}{suffix}"
    run.acquire(kind, "moab", settings, factors, grid, found, output, web=web, store=tmp_path / "store")
    return found, output


# --- elevation -----------------------------------------------------------------------------------------------------


def serve_dem(server: Service, tiles: dict[tuple[int, int], bytes]) -> None:
    objects = {f"{dem.tile_name(*at)}/{dem.tile_name(*at)}.tif": data for at, data in tiles.items()}
    listed = "".join(f"{dem.tile_name(*at)}\r\n" for at in tiles)
    serve_bucket(server, {**objects, "tileList.txt": listed.encode()})


def plane(path):
    """Elevation of a DEM, and what the tiles' plane has at its pixels' centres."""
    with rasterio.open(path) as source:
        rows, cols = np.indices(source.shape)
        x, y = source.transform @ (cols + 0.5, rows + 0.5)
        return source.read(1), 1000 * (y - 36) + 10 * x, source.bounds


@pytest.mark.parametrize(
    "south, west, expected",
    [(38, -110, "N38_00_W110"), (-1, 5, "S01_00_E005"), (0, -1, "N00_00_W001"), (-33, 151, "S33_00_E151")],
)
def test_tiles_are_named_by_their_south_west_corner(south, west, expected):
    assert dem.tile_name(south, west) == f"Copernicus_DSM_COG_10_{expected}_00_DEM"


def test_tiles_are_joined_over_the_area_and_its_margin(server, tmp_path):
    grid = Grid.from_bounds("EPSG:32612", 12.5, (580_000, 4_312_000, 592_000, 4_324_000))  # four tiles meet in it
    serve_dem(server, {(y, x): dem_tile(y, x) for y in (38, 39) for x in (-110, -111)})
    found, path = get("dem", tmp_path, grid, service=server.url, margin=2000.0)
    assert len(found.products) == 4
    assert found.products[0].files[0].checksum.startswith("md5:")
    values, truth, bounds = plane(path)
    assert np.abs(values - truth).max() < 0.01
    need = dem.bounds(grid, 2000.0)
    assert bounds.left <= need[0] and bounds.bottom <= need[1] and bounds.right >= need[2] and bounds.top >= need[3]


def test_at_a_line_where_pixels_grow_wider_the_finer_ones_are_kept(server, tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 12.5, (497_000, 5_535_000, 503_000, 5_543_000))  # 50 degrees north
    serve_dem(server, {(y, x): dem_tile(y, x, columns=360 if y < 50 else 240) for y in (49, 50) for x in (8, 9)})
    _, path = get("dem", tmp_path, grid, service=server.url, margin=500.0)
    values, truth, _ = plane(path)
    assert np.isfinite(values).all()
    assert np.abs(values - truth).max() < 6  # half a pixel of the coarse ones, 10 m per degree and 1000 m per degree


def test_a_page_in_the_bucket_s_place_is_no_description_of_a_tile(server, tmp_path):
    serve_dem(server, {(38, -110): dem_tile(38, -110)})
    server.route(r".*\.tif", Answer(b"<html></html>", headers={"Content-Type": "text/html"}))
    with pytest.raises(TransferError, match=r"N38_00_W110_00_DEM\.tif is a web page, not data"):
        get("dem", tmp_path, Grid.from_bounds("EPSG:32612", 12.5, (600_000, 4_270_000, 601_000, 4_271_000)),
            service=server.url, margin=0.0)  # fmt: skip
    assert not list(tmp_path.rglob("*.geojson"))  # an answer that is none is not kept


def test_the_sea_has_no_tile(server, tmp_path):
    grid = Grid.from_bounds("EPSG:32612", 12.5, (580_000, 4_310_000, 592_000, 4_324_000))
    serve_dem(server, {(38, -111): dem_tile(38, -111)})
    found, path = get("dem", tmp_path, grid, service=server.url)
    assert found.notes == tuple(
        f"{dem.tile_name(*at)}: there is no such tile (sea)" for at in ((38, -110), (39, -111), (39, -110))
    )
    values, _, _ = plane(path)
    assert 0.1 < np.isfinite(values).mean() < 0.9
    with pytest.raises(InputError, match=r"acquire\.dem: there is no tile of .*; the area is at sea"):
        get(
            "dem",
            tmp_path / "b",
            Grid.from_bounds("EPSG:32612", 12.5, (580_000, 5e6, 592_000, 5.01e6)),
            service=server.url,
        )


# --- lithology -----------------------------------------------------------------------------------------------------

ROCKS = [
    {"lith_id": 1, "name": "sandstone", "type": "siliciclastic", "class": "sedimentary"},
    {"lith_id": 2, "name": "limestone", "type": "carbonate", "class": "sedimentary"},
    {"lith_id": 3, "name": "sand", "type": "siliciclastic unconsolidated", "class": "sedimentary"},
    {"lith_id": 4, "name": "basalt", "type": "volcanic", "class": "igneous"},
    {"lith_id": 5, "name": "water", "type": "", "class": ""},
]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Major:{sandstone,limestone}, Minor:{basalt}", "siliciclastic"),
        ("Minor:{basalt}, Major:{Limestone}", "carbonate"),
        ("limestone and sandstone", "carbonate"),
        ("sandstones", "siliciclastic"),  # sand is in it, but is not the rock
        ("water", None),
        ("", None),
    ],
)
def test_a_unit_has_the_type_of_the_rock_that_is_named_first(text, expected):
    assert lithology.classify(text, lithology.rock_types(ROCKS)) == expected


def unit(left, right, lith):
    ring = [[left, 38.5], [right, 38.5], [right, 38.7], [left, 38.7], [left, 38.5]]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"map_id": 1, "source_id": 7, "name": "Unit", "lith": lith, "age": "Jurassic"},
    }


def test_units_become_a_layer_that_the_factors_read(server, tmp_path):
    units = [
        unit(-109.86, -109.82, "Major:{sandstone}"),
        unit(-109.82, -109.78, "basalt"),
        unit(-109.78, -109.7, "ice"),
    ]
    collection = {"type": "FeatureCollection", "features": units}
    server.json("/api/v2/carto/small", collection)
    server.json("/api/v2/defs/lithologies", {"success": {"data": ROCKS}})
    found, path = get("lithology", tmp_path, service=f"{server.url}/api/v2")
    shape = server.asked[0].query["shape"] if "shape" in server.asked[0].query else server.asked[1].query["shape"]
    assert shape[0].startswith("POLYGON((-109.8")
    frame = read_features(path, GRID, "x", shapes=("polygon",), columns=["lithology"])
    assert sorted(frame["lithology"].dropna()) == ["siliciclastic", "volcanic"]
    assert found.source == "macrostrat"
    get("lithology", tmp_path, service=f"{server.url}/api/v2")
    assert len(server.asked) == 2  # once each


def test_an_error_in_the_answer_is_not_taken_for_data(server, tmp_path):
    server.json("/.*", {"error": {"message": "Geometry too large"}})
    with pytest.raises(TransferError, match=r"the service says: .*Geometry too large"):
        get("lithology", tmp_path, service=server.url)


# --- rain and soil moisture ----------------------------------------------------------------------------------------


def chirps(day: date, value: float) -> bytes:
    """A day of CHIRPS with fewer columns: the part of the world round the area, on CHIRPS's own cells."""
    values = np.full((200, 200), value, np.float32)
    values[:, :2] = -9999
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=200, height=200, count=1, dtype="float32", crs="EPSG:4326",
            transform=from_origin(-115, 43, 0.05, 0.05),
        ) as target:  # fmt: skip
            target.write(values, 1)
        return gzip.compress(bytes(memory.getbuffer()), mtime=0)


def serve_chirps(server: Service) -> None:
    for n, day in enumerate(days(START, 10)):
        name = f"chirps-v2.0.{day:%Y.%m.%d}.tif.gz"
        data = chirps(day, float(n))
        server.route(f"/p05/{day:%Y}/{name}".replace(".", r"\."), lambda asked, data=data: ranged(asked, data))


def test_days_of_chirps_become_rain(server, tmp_path):
    serve_chirps(server)
    found, folder = get("rainfall", tmp_path, service=f"{server.url}/p05")
    assert [product.date for product in found.products] == days(START + timedelta(days=5), 5)  # the window alone
    assert sorted(path.name for path in folder.iterdir())[0] == "chirps_20230106.tif"
    output = {name: tmp_path / f"{name}.tif" for name in ("rainfall", "rain_duration")}
    run_rain(folder, GRID, output, FACTORS.climate)
    with rasterio.open(output["rainfall"]) as source:
        assert np.unique(source.read(1)).tolist() == [5 + 6 + 7 + 8 + 9]
    with rasterio.open(output["rain_duration"]) as source:
        assert np.unique(source.read(1)).tolist() == [5]


def test_the_window_follows_the_cutoff(server, tmp_path):
    serve_chirps(server)
    factors = FactorSettings(climate=ClimateSettings(window=3, cutoff=START + timedelta(days=4)))
    found, _ = get("rainfall", tmp_path, factors=factors, service=f"{server.url}/p05")
    assert [product.date for product in found.products] == days(START + timedelta(days=2), 3)


def test_a_missing_day_of_rain_is_not_taken_for_a_dry_one(server, tmp_path):
    serve_chirps(server)
    server.route(r".*2023\.01\.08\.tif\.gz", Answer(b"", 404))
    with pytest.raises(TransferError, match=r"chirps-v2\.0\.2023\.01\.08\.tif\.gz is not there"):
        get("rainfall", tmp_path, service=f"{server.url}/p05")
    archive = tmp_path / "archive"
    archive.mkdir()
    for n, day in enumerate(days(START, 9)):
        (archive / f"chirps-v2.0.{day:%Y.%m.%d}.tif.gz").write_bytes(chirps(day, float(n)))
    with pytest.raises(
        InputError, match=r"acquire\.rainfall\.archive: 1 of 5 days are not there \(2023-01-10 the first\)"
    ):
        get("rainfall", tmp_path / "b", archive=str(archive))


def test_chirps_is_not_asked_beyond_50_degrees(tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 12.5, (497_000, 5_635_000, 503_000, 5_643_000))
    with pytest.raises(InputError, match=r"CHIRPS ends at 50 degrees .*set product: chirps3"):
        get("rainfall", tmp_path, grid)


def test_version_3_of_chirps_is_plain_tiff_under_another_name(server, tmp_path):
    for n, day in enumerate(days(START, 10)):
        name = f"chirps-v3.0.rnl.{day:%Y.%m.%d}.tif".replace(".", r"\.")
        data = gzip.decompress(chirps(day, float(n)))
        server.route(f"/rnl/{day:%Y}/{name}", lambda asked, data=data: ranged(asked, data))
    _, folder = get("rainfall", tmp_path, product="chirps3", service=f"{server.url}/rnl")
    with rasterio.open(folder / "chirps3_20230106.tif") as source:
        assert np.unique(source.read(1)).tolist() == [5] and source.units == ("mm/day",)


def test_imerg_is_turned_the_right_way_round(server, tmp_path):
    granules = []
    for day in days(START + timedelta(days=5), 5):
        name = f"3B-DAY.MS.MRG.3IMERG.{day:%Y%m%d}-S000000-E235959.V07B.nc4"
        data = imerg_day(4.0)
        granules.append(umm_day(server.url, "GPM_3IMERGDF.07", name, day, data))
        server.file(f"/data/GPM_3IMERGDF.07/{name}", data)
    serve_cmr(server, granules, page=2)
    found, folder = get("rainfall", tmp_path, product="imerg", service=server.url)
    assert len(found.products) == 5
    assert found.products[0].files[0].checksum.startswith("sha256:")
    with rasterio.open(sorted(folder.iterdir())[0]) as source:
        values = source.read(1)
        x = source.transform.c + (np.arange(source.width) + 0.5) * 0.1
        y = source.transform.f - (np.arange(source.height) + 0.5) * 0.1
    # the numbers of the column and of the row on file are in its rain
    column, row = np.round((x + 179.95) / 0.1), np.round((y - 0.05) / 0.1)
    assert np.allclose(values, 4 + column / 1000 + row[:, None] / 100, atol=1e-4)
    assert server.asked[0].query["short_name"] == ["GPM_3IMERGDF"]
    assert server.asked[0].query["bounding_box"][0].startswith("-109.8")


def test_soil_moisture_lies_where_the_ease_grid_puts_it(server, tmp_path):
    x, y = Transformer.from_crs("EPSG:32612", "EPSG:6933", always_xy=True).transform(602_000, 4_272_000)
    cell = (int((7314540.8306386 - y) / 9008.055210146), int((x + 17367530.4451615) / 9008.055210146))
    granules = []
    for day in days(START + timedelta(days=5), 2):
        name = f"SMAP_L3_SM_P_E_{day:%Y%m%d}_R19240_001.h5"
        data = smap_day(0.2, cell)
        granules.append(umm_day(server.url, "SPL3SMP_E.006", name, day, data, kind="MD5"))
        server.file(f"/data/SPL3SMP_E.006/{name}", data)
    serve_cmr(server, granules)
    _, folder = get("soil_moisture", tmp_path, service=server.url)
    run_soil(folder, GRID, {"soil_moisture": tmp_path / "soil.tif"}, ClimateSettings(window=5, resampling="nearest"))
    with rasterio.open(tmp_path / "soil.tif") as source:
        row, col = source.index(602_000, 4_272_000)
        assert source.read(1)[row, col] == pytest.approx(0.3, abs=1e-4)
        assert source.read(1).min() >= 0.2 - 1e-4


def test_a_file_of_another_product_is_named(tmp_path):
    with io.BytesIO() as memory:
        import h5py

        h5py.File(memory, "w").close()
        (tmp_path / "x.h5").write_bytes(memory.getvalue())
    for product in ("imerg", "smap"):
        found = Found(product, "x", {}, ())
        with pytest.raises(InputError, match=r"x\.h5 has no .*; it is no "):
            climate.deliver(found, GRID, {"x_20230101.h5": tmp_path / "x.h5"}, tmp_path / "out")


# --- inventory -----------------------------------------------------------------------------------------------------

HEADER = "source_name,event_id,event_date,event_title,location_accuracy,landslide_category,longitude,latitude"


def catalogue(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode()


HERE = "-109.83,38.59"


def test_only_landslides_that_are_located_well_become_an_inventory(server, tmp_path):
    table = catalogue(
        f'BBC,1,01/05/2023 12:00:00 AM,"A, B",exact,landslide,{HERE}',
        f"BBC,2,01/05/2023 12:00:00 AM,B,5km,landslide,{HERE}",
        f"BBC,5,01/10/2023 02:00:00 PM,E,exact,landslide,{HERE}",  # in the afternoon of the last day
        f"BBC,3,01/05/2015 12:00:00 AM,C,exact,landslide,{HERE}",
        "BBC,4,01/05/2023 12:00:00 AM,D,exact,landslide,10.0,45.0",
    )
    server.route("/rows.csv", Answer(b"", 302, {"Location": f"{server.url}/signed.csv?X-Amz-Signature=s"}))
    server.file("/signed.csv", table, kind="text/csv")
    _, path = get("inventory", tmp_path, service=f"{server.url}/rows.csv")
    assert len(read_landslides(path, GRID)) == 2
    _, path = get(
        "inventory", tmp_path / "b", service=f"{server.url}/rows.csv", all_dates=True, accuracy=["exact", "5km"]
    )
    assert sorted(gpd.read_file(path)["event_id"]) == [1, 2, 3, 5]


def test_an_area_without_well_located_landslides_is_told_what_there_is(server, tmp_path):
    server.file("/rows.csv", catalogue(f"BBC,2,01/05/2023 12:00:00 AM,B,5km,landslide,{HERE}"), kind="text/csv")
    with pytest.raises(
        InputError, match=r"has 1 located to '5km' in the area of moab, and none of accuracy exact from"
    ):
        get("inventory", tmp_path, service=f"{server.url}/rows.csv")
    server.file("/other.csv", b"a,b\n1,2\n", kind="text/csv")
    with pytest.raises(InputError, match=r"is not the Global Landslide Catalog: it has no column event_id"):
        get("inventory", tmp_path / "b", service=f"{server.url}/other.csv")
    assert landslides.NAME == "Global_Landslide_Catalog_Export_rows.csv"
