"""Sentinel-1, its orbits and HyP3 through asf_search, sentineleof and HyP3's API, against local servers."""

import json
import shutil
import ssl
import subprocess
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from shapely.geometry import box, mapping

from fetch.test_unpack import make_zip
from helpers.cmr_records import ring, umm_burst, umm_opera, umm_slc
from helpers.fetch_server import Answer, quick_web, service
from helpers.fetch_services import END, START, serve_bucket, serve_cmr, where
from slipmap.config.acquire import AcquireOrbitSettings, AcquireSentinel1Settings, AcquireSettings
from slipmap.config.factors import FactorSettings
from slipmap.errors import InputError
from slipmap.fetch import run
from slipmap.fetch.credentials import Realm
from slipmap.fetch.products import Found
from slipmap.fetch.sources import asf, hyp3, orbits
from slipmap.fetch.web import TransferError
from slipmap.sentinel1.single_bursts import is_single_burst

WHOLE, PART = ring((-111, 38, -109, 39)), ring((-109.85, 38, -109.0, 39))  # of the area: all, about half
DATES = [START + timedelta(days=12 * n) for n in range(5)]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost: asf_search speaks TLS only."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: no certificate for the local server")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def cmr(certificate, monkeypatch, tmp_path):
    """NASA's catalogue on loopback, over TLS; a netrc with a default entry that must not reach it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate / "cert.pem"))
    netrc = tmp_path / "netrc"
    netrc.write_text("default login maria password pa55word\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with service("localhost", context) as started:
        yield started


def asking(cmr, **changes):
    return AcquireSentinel1Settings(service=f"localhost:{cmr.port}", **changes)


def test_the_burst_that_covers_the_area_is_taken_and_the_others_are_named(cmr):
    base = "https://cumulus.asf.earthdatacloud.nasa.gov"
    granules = [umm_opera(base, "T056-118815-IW2", day, WHOLE) for day in DATES]
    granules += [umm_opera(base, "T129-276000-IW1", day, PART) for day in [*DATES, END]]
    granules += [umm_opera(base, "T056-118815-IW2", DATES[0], WHOLE, made="20240909T000000")]  # processed again
    serve_cmr(cmr, granules)
    found = asf.search(where(), asking(cmr), quick_web()[0])
    assert [product.date for product in found.products] == DATES
    assert {product.properties["burst"] for product in found.products} == {"T056_118815_IW2"}
    assert {product.properties["track"] for product in found.products} == {56}
    assert "20240909" in found.products[0].files[0].name
    assert found.products[1].files[0].size == 1000
    assert found.notes[0] == "track 56, burst T056_118815_IW2: 5 dates, 100 % of the area (taken)"
    assert found.notes[1].startswith("track 129, burst T129_276000_IW1: 6 dates, ")
    query = cmr.asked[0].body.decode()
    assert "polygon=" in query or "bounding_box=" in query
    assert "PROCESSING_TYPE%2CCSLC" in query or "CSLC" in query
    assert all("Authorization" not in asked.headers for asked in cmr.asked)


def test_every_page_is_read(cmr):
    serve_cmr(
        cmr, [umm_opera("https://h", "T056-118815-IW2", START + timedelta(days=n), WHOLE) for n in range(7)], page=3
    )
    found = asf.search(where(), asking(cmr), quick_web()[0])
    assert len(found.products) == 7
    assert [asked.headers.get("CMR-Search-After") for asked in cmr.asked][:3] == [None, "3", "6"]


def test_whole_scenes_bring_their_checksums(cmr):
    serve_cmr(cmr, [umm_slc("https://datapool.asf.alaska.edu", day, 56, WHOLE) for day in DATES])
    found = asf.search(where(), asking(cmr, product="slc", track=56), quick_web()[0])
    file = found.products[0].files[0]
    assert (file.size, file.checksum) == (5000, "md5:" + "1" * 32)
    assert file.name.endswith(".zip")
    assert asf.acquisition_times(found.products)[0][1] == "S1A"
    assert "56" in cmr.asked[0].body.decode()


def test_bursts_come_with_their_annotation_all_of_the_track(cmr):
    base = "https://sentinel1-burst.asf.alaska.edu"
    serve_cmr(cmr, [umm_burst(base, day, number, WHOLE) for day in DATES for number in (118815, 118816)])
    found = asf.search(where(), asking(cmr, product="burst"), quick_web()[0])
    assert len(found.products) == 10
    tiff, annotation = found.products[0].files
    assert tiff.name == "S1_118815_IW2_20230101T132000_VV_7C85-BURST.tiff"
    assert annotation.name == "S1_118815_IW2_20230101T132000_VV_7C85-BURST.xml"
    assert annotation.url.endswith("/IW2/VV/3.xml")
    assert is_single_burst(Path(tiff.name))  # the name by which the deformation stage knows it
    assert asf.acquisition_times(found.products)[0] == (datetime(2023, 1, 1, 13, 20), "S1A")


def test_tracks_are_compared_by_the_ground_that_all_their_bursts_cover(cmr):
    """Two bursts that each hold half of the area are more than one of another track that holds 60 %."""
    west, south, east, north = where().bbox
    middle, most = (south + north) / 2, south + 0.6 * (north - south)
    halves = (west - 1, south - 1, east + 1, middle), (west - 1, middle, east + 1, north + 1)
    burst = asf.Product("a", (asf.RemoteFile("a.tiff", "https://h/a"),), DATES[0], None, {})
    products = [
        replace(burst, name=f"{track}_{n}", geometry=mapping(box(*ground)), properties={"track": track})
        for track, grounds in ((56, halves), (129, [(west - 1, south - 1, east + 1, most)]))
        for n, ground in enumerate(grounds)
    ]
    chosen, notes = asf.choose(products, where(), AcquireSentinel1Settings(product="burst"))
    assert {product.properties["track"] for product in chosen} == {56}
    assert notes == ["track 56: 1 dates, 100 % of the area (taken)", "track 129: 1 dates, 60 % of the area"]
    apart = [replace(product, date=day) for product, day in zip(products[:2], DATES, strict=False)]
    _, notes = asf.choose([*apart, products[2]], where(), AcquireSentinel1Settings(product="burst"))
    assert notes[0] == "track 129: 1 dates, 60 % of the area (taken)"  # no date of the other has both


def test_nothing_found_says_what_was_asked(cmr):
    serve_cmr(cmr, [])
    with pytest.raises(InputError, match=r"no opera_cslc of the area from 2023-01-01 to 2023-03-31 \(track 7, "):
        asf.search(where(), asking(cmr, track=7), quick_web()[0])


@pytest.mark.parametrize("status", [400, 503])
def test_a_search_that_fails_is_one_sentence(cmr, status, monkeypatch):
    import tenacity

    monkeypatch.setattr(tenacity.nap.time, "sleep", lambda _: None)
    cmr.route(".*", Answer(json.dumps({"errors": ["Parameter [x] was not recognized."]}).encode(), status))
    with pytest.raises(TransferError, match=r"areas\.moab\.acquire\.sentinel1: the search at localhost:\d+ failed"):
        asf.search(where(), asking(cmr), quick_web()[0])


def acquire(settings, found, output, web, store):
    run.acquire("sentinel1", "moab", settings, FactorSettings(), where().grid, found, output, web=web, store=store)


def eof(kind, satellite, made, start, end):
    return f"{satellite}_OPER_AUX_{kind}_OPOD_{made}_V{start}_{end}.EOF"


def test_the_newest_orbit_that_covers_an_acquisition_is_taken_restituted_where_no_precise_is():
    precise = [
        eof("POEORB", "S1A", f"202301{day + 20:02d}T080000", f"202301{day:02d}T225942", f"202301{day + 2:02d}T005942")
        for day in range(1, 9)
    ]
    newer = precise[3].replace("OPOD_20230124", "OPOD_20230224")
    rest = eof("RESORB", "S1A", "20230320T160000", "20230320T110000", "20230320T150000")
    bodies = {f"AUX_POEORB/{name}": f"<EOF>{name}</EOF>".encode() for name in [*precise, newer]}
    bodies |= {f"AUX_RESORB/{rest}": b"<EOF/>"}
    times = [
        (datetime(2023, 1, 8, 0, 30), "S1A"),  # the orbit before it began on the day before
        (datetime(2023, 1, 5, 13, 20), "S1A"),
        (datetime(2023, 3, 20, 13, 20), "S1A"),
        (datetime(2023, 3, 29, 13, 20), "S1A"),
    ]
    with service() as bucket:
        serve_bucket(bucket, bodies, page=3)
        settings = AcquireOrbitSettings(service=bucket.url)
        found = orbits.search(where(), settings, times, quick_web()[0])
    assert [product.name for product in found.products] == [precise[5], newer, rest]
    assert [product.properties["kind"] for product in found.products] == ["poeorb", "poeorb", "resorb"]
    assert found.notes == ("S1A 2023-03-29 13:20: no orbit yet",)
    assert found.products[0].files[0].checksum.startswith("md5:")
    assert sum("prefix" in asked.query and "POEORB" in asked.query["prefix"][0] for asked in bucket.asked) == 3


SPAN = ("20230201T080000", "20230104T225942", "20230106T005942")
TIME = datetime(2023, 1, 5, 13, 20)


def test_an_orbit_of_another_satellite_is_not_taken():
    second = eof("POEORB", "S1B", *SPAN)
    times = [(TIME, "S1A"), (TIME + timedelta(minutes=30), "S1B")]
    with service() as bucket:
        serve_bucket(bucket, {f"AUX_POEORB/{second}": b"<EOF/>"})
        found = orbits.search(where(), AcquireOrbitSettings(service=bucket.url), times, quick_web()[0])
    assert [product.name for product in found.products] == [second]
    assert found.notes == ("S1A 2023-01-05 13:20: no orbit yet",)


def test_an_orbit_of_another_satellite_is_not_taken_from_an_archive(tmp_path):
    (tmp_path / eof("POEORB", "S1B", *SPAN)).write_bytes(b"<EOF/>")
    with pytest.raises(InputError, match="no orbit covers any of the 1 acquisitions"):
        orbits.search(where(), AcquireOrbitSettings(archive=str(tmp_path)), [(TIME, "S1A")], None)


def hyp3_job(base, first, second, status="SUCCEEDED", name="moab", size=0):
    file = f"S1AA_{first}T132000_{second}T132000_VVP012_INT80_G_ueF_1A2B.zip"
    job = {
        "job_id": f"id-{first}-{second}", "job_type": "INSAR_GAMMA", "name": name, "status_code": status,
        "request_time": "2024-01-01T00:00:00+00:00", "user_id": "maria",
        "job_parameters": {"granules": [f"S1A_IW_SLC__1SDV_{day}T132000_{day}T132027_046700_059900_ABCD"
                                        for day in (first, second)], "looks": "20x4"},
    }  # fmt: skip
    if status == "SUCCEEDED":
        job["files"] = [{"filename": file, "s3": {}, "size": size, "url": f"{base}/{file}"}]
    return job


def test_finished_hyp3_jobs_become_interferograms_where_the_deformation_reads_them(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_TOKEN", "t0ken")
    realm = Realm("Earthdata", "TEST_TOKEN", ("127.0.0.1",), "localhost", "", "basic", "https://example.org")
    pairs = [("20230105", "20230117"), ("20230117", "20230129"), ("20230129", "20230210"), ("20250101", "20250113")]
    with service() as api, service("127.0.0.2") as files:
        zips = {}
        for first, second in pairs:
            name = f"S1AA_{first}T132000_{second}T132000_VVP012_INT80_G_ueF_1A2B"
            parts = ("_unw_phase.tif", "_corr.tif", "_amp.tif", ".txt", "_color_phase.png")
            archive = make_zip(tmp_path / "z.zip", [(f"{name}/{name}{part}", part.encode() * 9) for part in parts])
            zips[f"{name}.zip"] = archive.read_bytes()
            files.file(f"/{name}.zip", zips[f"{name}.zip"])
        jobs = [hyp3_job(files.url, *pair, size=len(data)) for pair, data in zip(pairs, zips.values(), strict=True)]
        jobs[2] = hyp3_job(files.url, *pairs[2], status="RUNNING")
        first = {"jobs": jobs[:2], "next": f"{api.url}/jobs?start_token=x"}
        api.route(
            "/jobs",
            lambda asked: Answer(json.dumps({"jobs": jobs[2:]} if "start_token" in asked.query else first).encode()),
        )
        settings = AcquireSettings(
            start=START, end=END,
            sentinel1=AcquireSentinel1Settings(product="hyp3", hyp3_name="moab", hyp3_service=api.url),
        )  # fmt: skip
        web, _ = quick_web((realm,))
        found = hyp3.search(where(), settings.sentinel1, web)
        assert [product.date for product in found.products] == [date(2023, 1, 5), date(2023, 1, 17)]
        assert found.notes == ("id-20230129-20230210: running, left out",)
        assert not found.settled  # it may have ended when the same is asked again
        assert api.asked[0].query == {"name": ["moab"]}
        assert {asked.headers["Authorization"] for asked in api.asked} == {"Bearer t0ken"}
        output = tmp_path / "sentinel1"
        for _ in range(2):  # the second time nothing is fetched
            run.acquire("sentinel1", "moab", settings, FactorSettings(), where().grid, found, output, web=web,
                        store=tmp_path / "store")  # fmt: skip
    assert all("Authorization" not in asked.headers for asked in files.asked)
    assert len(files.asked) == 2
    names = sorted(path.name for path in output.rglob("*") if path.is_file())
    assert [name.partition("1A2B")[2] for name in names[:3]] == [".txt", "_corr.tif", "_unw_phase.tif"]
    assert len(names) == 6


def test_pairs_of_an_archive_have_both_dates_in_the_span(tmp_path):
    for first, second in (("20230305", "20230317"), ("20230329", "20230410")):
        (tmp_path / f"S1AA_{first}T132000_{second}T132000_VVP012_INT80_G_ueF_1A2B.zip").write_bytes(b"x")
    found = hyp3.search(where(), AcquireSentinel1Settings(product="hyp3", archive=str(tmp_path)), None)
    assert [product.date for product in found.products] == [date(2023, 3, 5)]


def test_a_new_date_is_added_and_the_old_ones_stay_as_they_are(tmp_path):
    data = {day: f"burst of {day}".encode() * 99 for day in DATES}
    with service() as files:
        products = []
        for day in DATES:
            item = umm_opera(files.url, "T056-118815-IW2", day, WHOLE, size=len(data[day]))
            url = item["umm"]["RelatedUrls"][0]["URL"]
            files.file(url.removeprefix(files.url), data[day])
            name = url.rpartition("/")[2].replace(".h5", ".bin")  # no HDF5: the engine is what is looked at
            products.append(asf.Product(name, (asf.RemoteFile(name, url, len(data[day])),), day))
        settings = AcquireSettings(start=START, end=END, sentinel1=AcquireSentinel1Settings())
        output, store, web = tmp_path / "sentinel1", tmp_path / "store", quick_web()[0]
        for count in (4, 5):
            found = Found("opera_cslc", "x", {}, tuple(products[:count]))
            run.acquire(
                "sentinel1", "moab", settings, FactorSettings(), where().grid, found, output, web=web, store=store
            )
            if count == 4:
                stamps = {path.name: path.lstat().st_mtime_ns for path in output.iterdir()}
        assert len(files.asked) == 5
        assert len(list(output.iterdir())) == 5
        # what was made from the old dates is not older than they seem
        assert {name: (output / name).lstat().st_mtime_ns for name in stamps} == stamps


def test_an_archive_replaces_the_service(tmp_path):
    folder = tmp_path / "archive" / "2023"
    folder.mkdir(parents=True)
    for burst, day in [("T056-118815-IW2", 5), ("T056-118815-IW2", 17), ("T129-276000-IW1", 6), ("T056-118815-IW2", 5)]:
        name = f"OPERA_L2_CSLC-S1_{burst}_202301{day:02d}T132000Z_20240101T000000Z_S1A_VV_v1.1.h5"
        (folder / name).write_bytes(b"x")
    (folder / "OPERA_L2_CSLC-S1_T056-118815-IW2_20240105T132000Z_20240101T000000Z_S1A_VV_v1.1.h5").write_bytes(b"later")
    settings = AcquireSentinel1Settings(archive=str(tmp_path / "archive"), burst="T056-118815-IW2")
    found = asf.search(where(), settings, None)
    assert [product.date for product in found.products] == [date(2023, 1, 5), date(2023, 1, 17)]
    paths = {file.name: run.local.local_path(file) for file in found.files}
    asf.deliver(found, paths, tmp_path / "sentinel1")
    assert sorted(path.resolve().parent for path in (tmp_path / "sentinel1").iterdir()) == [folder, folder]
    with pytest.raises(InputError, match=r"acquire\.sentinel1\.archive: .* holds no file for slc from 2023-01-01"):
        asf.search(where(), AcquireSentinel1Settings(archive=str(tmp_path), product="slc"), None)


def test_a_search_result_is_read_as_it_was_written(tmp_path):
    file = asf.RemoteFile("a.h5", "https://h/a.h5", 5, "md5:" + "0" * 32)
    product = asf.Product("a", (file,), START, {"type": "Point", "coordinates": [1, 2]}, {"track": 5})
    found = Found(
        "opera_cslc", "https://h", {"kind": "sentinel1"}, (product, replace(product, name="b", date=None)), ("n",)
    )
    found.save(tmp_path / "a.geojson")
    assert Found.load(tmp_path / "a.geojson") == found
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection"}')
    with pytest.raises(InputError, match="is not a search result of slipmap"):
        Found.load(tmp_path / "a.geojson")
