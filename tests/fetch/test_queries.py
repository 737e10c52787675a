"""A search asks for the right ground and days, to the last of them, and says when it was not answered in full."""

import json
from datetime import date, timedelta

import pytest

from fetch import test_sentinel1 as sentinel1
from helpers.cmr_records import ring, umm_burst, umm_day, umm_opera, umm_slc
from helpers.fetch_server import quick_web, service
from helpers.fetch_services import END, GRID, START, days, serve_cmr, serve_stac, stac_scene, where
from slipmap.config.acquire import AcquireRainSettings, AcquireSentinel2Settings, AcquireSoilSettings
from slipmap.errors import InputError
from slipmap.fetch import local
from slipmap.fetch.products import target
from slipmap.fetch.sources import asf, climate, sentinel2
from slipmap.fetch.web import TransferError
from slipmap.io.grid import Grid

asking, certificate, cmr = sentinel1.asking, sentinel1.certificate, sentinel1.cmr  # the second and third: fixtures
HERE, ELSEWHERE = ring((-111, 38, -109, 39)), ring((-110.3, 37.0, -109.1, 38.2))
AROUND = [START - timedelta(days=1), START, END, END + timedelta(days=1)]
ASF, BURST, OTHER = "https://cumulus.asf.earthdatacloud.nasa.gov", "T056-118815-IW2", "T056-118816-IW2"


@pytest.fixture
def server():
    with service() as started:
        yield started


def dates(found) -> list[date]:
    return [product.date for product in found.products]


# --- dates and ground ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", ["opera_cslc", "slc", "burst"])
def test_sentinel1_is_searched_from_the_first_day_to_the_last(cmr, product):
    make = {
        "opera_cslc": lambda day: umm_opera(ASF, BURST, day, HERE),
        "slc": lambda day: umm_slc(ASF, day, 56, HERE),
        "burst": lambda day: umm_burst(ASF, day, 118815, HERE),
    }[product]
    serve_cmr(cmr, [make(day) for day in AROUND])
    assert dates(asf.search(where(), asking(cmr, product=product), quick_web()[0])) == [START, END]


def test_sentinel1_is_searched_over_the_area_only(cmr):
    serve_cmr(cmr, [umm_slc(ASF, START, 56, ELSEWHERE), umm_slc(ASF, END, 56, HERE)])
    assert dates(asf.search(where(), asking(cmr, product="slc"), quick_web()[0])) == [END]


def test_sentinel2_is_searched_from_the_first_day_to_the_last(server):
    serve_stac(server, [stac_scene(server, "12SXJ", day, 1.0)[0] for day in AROUND])
    settings = AcquireSentinel2Settings(service=f"{server.url}/v1")
    assert dates(sentinel2.search(where(), settings, ["B2"], quick_web()[0])) == [START, END]


def test_sentinel2_is_searched_over_the_area_only(server):
    here, there = (stac_scene(server, tile, START, 1.0)[0] for tile in ("12SXJ", "12SXH"))
    there |= {"bbox": (-110.3, 37.0, -109.1, 38.2), "geometry": {"type": "Polygon", "coordinates": [ELSEWHERE]}}
    serve_stac(server, [here, there])
    found = sentinel2.search(where(), AcquireSentinel2Settings(service=f"{server.url}/v1"), ["B2"], quick_web()[0])
    assert [product.name for product in found.products] == [here["id"]]


def smap(server, day: date, version: int = 1, footprint=None) -> dict:
    name = f"SMAP_L3_SM_P_E_{day:%Y%m%d}_R19240_{version:03d}.h5"
    granule = umm_day(server.url, "SPL3SMP_E.006", name, day, b"x")
    if footprint:
        (polygon,) = granule["umm"]["SpatialExtent"]["HorizontalSpatialDomain"]["Geometry"]["GPolygons"]
        polygon["Boundary"]["Points"] = [{"Longitude": x, "Latitude": y} for x, y in footprint]
    return granule


def soil(server, start=START, end=END, grid=GRID):
    return climate.search_soil(where(start, end, grid), AcquireSoilSettings(service=server.url), quick_web()[0])


def test_soil_moisture_is_searched_from_the_first_day_to_the_last(server):
    serve_cmr(server, [smap(server, day) for day in AROUND])
    assert dates(soil(server)) == [START, END]
    assert server.asked[0].query["temporal"] == ["2023-01-01T00:00:00Z,2023-03-31T23:59:59Z"]


def test_soil_moisture_is_searched_over_the_area_only(server):
    serve_cmr(server, [smap(server, START, footprint=ELSEWHERE), smap(server, END, footprint=HERE)])
    assert dates(soil(server)) == [END]


def test_rain_of_imerg_is_searched_from_the_first_day_to_the_last(server):
    names = {day: f"3B-DAY.MS.MRG.3IMERG.{day:%Y%m%d}-S000000-E235959.V07B.nc4" for day in days(START, 5)}
    serve_cmr(server, [umm_day(server.url, "GPM_3IMERGDF.07", name, day, b"x") for day, name in names.items()])
    settings = AcquireRainSettings(product="imerg", service=server.url)
    asked = where(START + timedelta(days=1), START + timedelta(days=3))
    assert dates(climate.search_rain(asked, settings, quick_web()[0])) == days(START + timedelta(days=1), 3)


def test_chirps_is_wanted_from_the_first_day_to_the_last():
    asked = where(START, START + timedelta(days=2))
    assert dates(climate.search_rain(asked, AcquireRainSettings(), None)) == days(START, 3)


def test_an_archive_is_read_from_the_first_day_to_the_last(tmp_path):
    for day in AROUND:
        (tmp_path / f"chirps-v2.0.{day:%Y.%m.%d}.tif").write_bytes(b"x")
    assert dates(local.search("chirps", tmp_path, climate.PATTERNS["chirps"], where())) == [START, END]


def test_an_area_across_the_antimeridian_is_not_the_rest_of_the_world():
    grid = Grid.from_bounds("EPSG:32760", 12.5, (810_000, 8_100_000, 830_000, 8_110_000))  # Fiji
    with pytest.raises(InputError, match=r"areas\.fiji\.grid lies across the 180th meridian; make two areas of it"):
        target("fiji", grid, START, END)
    west = Grid.from_bounds("EPSG:32760", 12.5, (790_000, 8_100_000, 800_000, 8_110_000))
    assert 179 < target("fiji", west, START, END).bbox[0] < target("fiji", west, START, END).bbox[2] < 180


@pytest.mark.parametrize("zone, northing", [(32719, 4_461_000), (32633, 5_539_000)])  # 50 degrees south and north
def test_chirps_is_asked_neither_south_nor_north_of_its_last_row(zone, northing):
    grid = Grid.from_bounds(f"EPSG:{zone}", 12.5, (500_000, northing - 20_000, 504_000, northing + 20_000))
    with pytest.raises(InputError, match="CHIRPS ends at 50 degrees north and south"):
        climate.search_rain(where(grid=grid), AcquireRainSettings(), None)


# --- what of a catalogue is wanted ---------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [BURST, BURST.replace("-", "_")])
def test_the_burst_that_was_asked_for_is_taken_though_another_has_more_dates(cmr, asked):
    granules = [umm_opera(ASF, BURST, START, HERE)]
    serve_cmr(cmr, [*granules, *(umm_opera(ASF, OTHER, day, HERE) for day in days(START, 3))])
    found = asf.search(where(), asking(cmr, burst=asked), quick_web()[0])
    assert {product.properties["burst"] for product in found.products} == {BURST.replace("-", "_")}
    assert len(found.notes) == 1  # the other one was not even searched


def test_a_single_burst_that_was_asked_for_comes_alone(cmr):
    serve_cmr(cmr, [umm_burst(ASF, START, number, HERE) for number in (118815, 118816)])
    found = asf.search(where(), asking(cmr, product="burst", burst="056_118816_IW2"), quick_web()[0])
    assert [product.properties["burst"] for product in found.products] == ["056_118816_IW2"]


def attribute(granule: dict, name: str, value: str) -> dict:
    (entry,) = (entry for entry in granule["umm"]["AdditionalAttributes"] if entry["Name"] == name)
    entry["Values"] = [value]
    return granule


def test_the_direction_that_was_asked_for_is_taken_though_the_other_has_more_dates(cmr):
    granules = [umm_slc(ASF, day, 56, HERE) for day in days(START, 3)]
    other = attribute(umm_slc(ASF, END, 129, HERE), "ASCENDING_DESCENDING", "ASCENDING")
    serve_cmr(cmr, [*granules, other])
    found = asf.search(where(), asking(cmr, product="slc", direction="ascending"), quick_web()[0])
    assert [(product.date, product.properties["direction"]) for product in found.products] == [(END, "ascending")]


def test_the_track_that_was_asked_for_is_taken_though_another_has_more_dates(cmr):
    serve_cmr(cmr, [*(umm_slc(ASF, day, 56, HERE) for day in days(START, 3)), umm_slc(ASF, END, 129, HERE)])
    found = asf.search(where(), asking(cmr, product="slc", track=129), quick_web()[0])
    assert {product.properties["track"] for product in found.products} == {129}


def test_bursts_of_another_polarisation_are_left(cmr):
    across = attribute(umm_burst(ASF, START, 118816, HERE), "POLARIZATION", "HH")
    serve_cmr(cmr, [umm_burst(ASF, START, 118815, HERE), across])
    for polarisation in ("VV", "HH"):
        found = asf.search(where(), asking(cmr, product="burst", polarisation=polarisation), quick_web()[0])
        assert [product.properties["polarisation"] for product in found.products] == [polarisation]


def test_opera_granules_of_another_polarisation_are_left(cmr):
    across = json.loads(json.dumps(umm_opera(ASF, BURST, END, HERE)).replace("_VV_", "_HH_"))
    serve_cmr(cmr, [umm_opera(ASF, BURST, START, HERE), across])
    assert dates(asf.search(where(), asking(cmr), quick_web()[0])) == [START]


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_day_that_was_processed_again_the_later_version_is_taken(server, order):
    serve_cmr(server, [smap(server, START, version) for version in (1, 2, 3)][::order])
    assert [product.name[-6:] for product in soil(server).products] == ["003.h5"]


# --- answers that are not whole ------------------------------------------------------------------------------------


def announce(server, granules: list[dict], hits: int) -> None:
    server.json(r"/search/granules\.umm_json", {"hits": hits, "took": 1, "items": granules}, **{"CMR-Hits": str(hits)})


def test_a_sentinel1_search_that_ends_early_is_not_taken_for_the_whole(cmr):
    announce(cmr, [umm_opera(ASF, BURST, day, HERE) for day in (START, END)], 5)
    with pytest.raises(TransferError, match=r"The search at localhost:\d+ ended before its last page; run again"):
        asf.search(where(), asking(cmr), quick_web()[0])


def test_a_catalogue_that_gives_less_than_it_counts_is_not_taken_for_the_whole(server):
    announce(server, [smap(server, START)], 3)
    with pytest.raises(TransferError, match=r"/search/granules\.umm_json gave 1 of 3 granules; run again"):
        soil(server)
