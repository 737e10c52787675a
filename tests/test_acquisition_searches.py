"""What is kept of a search, and when it is asked for again."""

import os
from datetime import date, datetime, timedelta

from acquisition_server import quick_web, service
from acquisition_services import START, serve_bucket, where
from slipmap.acquisition import run
from slipmap.acquisition.products import Found, Product, RemoteFile
from slipmap.config.acquisition import AcquireSettings
from slipmap.config.factors import FactorSettings
from test_acquisition_ground import get, serve_chirps
from test_acquisition_sentinel1 import eof


def test_an_area_is_made_anew_without_a_network(tmp_path):
    with service() as server:
        serve_chirps(server)
        get("rainfall", tmp_path, service=f"{server.url}/p05")
        (tmp_path / "s.geojson").unlink()
    _, folder = get("rainfall", tmp_path, service=f"{server.url}/p05")  # the server is gone
    assert len(list(folder.iterdir())) == 5


def test_an_answer_of_recent_days_is_asked_for_again(tmp_path):
    with service() as server:
        serve_chirps(server)
        get("rainfall", tmp_path, service=f"{server.url}/p05")
    (kept,) = (tmp_path / "store/searches").iterdir()
    before = Found.load(kept)
    for age, again in ((119, True), (120, False)):  # days after the last date, when it was asked
        answered = datetime.combine(START + timedelta(days=9 + age), datetime.min.time()).timestamp()
        before.save(kept)
        os.utime(kept, (answered, answered))
        get("rainfall", tmp_path, service=f"{server.url}/p05")  # CHIRPS's names need no server
        assert (kept.stat().st_mtime > answered) is again


def orbits_of(tmp_path, bucket, day):
    name = f"S1A_IW_SLC__1SDV_{day:%Y%m%d}T132000.zip"
    product = Product(name, (RemoteFile(name, "https://h/a"),), day, None, {"time": f"{day}T13:20:00Z"})
    Found("slc", "x", {}, (product,)).save(tmp_path / "sentinel1.geojson")
    settings = AcquireSettings.model_validate(
        {"start": START, "end": day, "sentinel1": {"product": "slc"}, "orbits": {"service": bucket.url}}
    )
    return run.search(
        "orbits", "moab", settings, FactorSettings(), where().grid, tmp_path / "orbits.geojson",
        sentinel1=tmp_path / "sentinel1.geojson", web=quick_web()[0], store=tmp_path / "store",
    )  # fmt: skip


def test_a_restituted_orbit_gives_way_to_the_precise_one_when_that_comes(tmp_path):
    precise = eof("POEORB", "S1A", "20230129T080000", "20230108T225942", "20230110T005942")
    early = eof("RESORB", "S1A", "20230109T160000", "20230109T110000", "20230109T150000")
    bodies = {f"AUX_RESORB/{early}": b"<EOF/>"}
    with service() as bucket:
        serve_bucket(bucket, bodies)
        assert [product.name for product in orbits_of(tmp_path, bucket, date(2023, 1, 9)).products] == [early]
        serve_bucket(bucket, {**bodies, f"AUX_POEORB/{precise}": b"<EOF/>"})
        assert [product.name for product in orbits_of(tmp_path, bucket, date(2023, 1, 9)).products] == [precise]
        asked = len(bucket.asked)
        orbits_of(tmp_path, bucket, date(2023, 1, 9))
        assert len(bucket.asked) == asked  # nothing better can come


def test_an_unfinished_answer_stands_where_the_service_is_gone(tmp_path):
    early = eof("RESORB", "S1A", "20230109T160000", "20230109T110000", "20230109T150000")
    with service() as bucket:
        serve_bucket(bucket, {f"AUX_RESORB/{early}": b"<EOF/>"})
        found = orbits_of(tmp_path, bucket, date(2023, 1, 9))
    assert orbits_of(tmp_path, bucket, date(2023, 1, 9)) == found
