"""What is kept of a search, and when it is asked for again."""

import os
from datetime import date, datetime, timedelta

from fetch.test_ground import get, serve_chirps
from fetch.test_sentinel1 import eof
from helpers.fetch_server import quick_web, service
from helpers.fetch_services import GRID, START, serve_bucket, where
from slipmap.config.acquire import AcquireSettings
from slipmap.config.factors import ClimateSettings, FactorSettings
from slipmap.fetch import run
from slipmap.fetch.products import Found, Product, RemoteFile
from slipmap.io.grid import Grid

FACTORS = FactorSettings(climate=ClimateSettings(window=3))


def test_an_area_is_made_again_without_a_network(tmp_path):
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


def search(tmp_path, kind="rainfall", grid=GRID, end=START + timedelta(days=5), **chosen) -> Found:
    settings = AcquireSettings(start=START, end=end, **{kind: chosen})
    return run.search(kind, "moab", settings, FACTORS, grid, tmp_path / "s.geojson", store=tmp_path / "store")


def test_the_answer_for_another_ground_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(
        run.lithology, "search", lambda where, settings: Found("macrostrat", "x", {}, (), (str(where.bbox),))
    )
    other = Grid.from_bounds("EPSG:32612", 12.5, (610_000, 4_270_000, 614_000, 4_274_000))
    for grid in (GRID, other, GRID):
        assert search(tmp_path, "lithology", grid).notes == (str(where(grid=grid).bbox),)


def test_the_answer_to_other_settings_is_not_taken(tmp_path):
    for service_ in ("https://one.example", "https://two.example"):
        assert search(tmp_path, service=service_).files[0].url.startswith(service_)


def test_the_answer_for_other_dates_is_not_taken(tmp_path):
    for end in (START + timedelta(days=5), START + timedelta(days=6)):
        assert search(tmp_path, end=end, start=START).products[-1].date == end


def test_an_archive_is_looked_through_each_time(tmp_path):
    archive = tmp_path / "archive"
    archive.mkdir()
    for n in range(3, 6):
        (archive / f"chirps-v2.0.2023.01.{n + 1:02d}.tif").write_bytes(b"x")
    search(tmp_path, archive=str(archive))
    (archive / "chirps-v2.0.2023.01.06.tif").rename(archive / "chirps-v2.0.2023.01.06.tif.gz")
    assert search(tmp_path, archive=str(archive)).products[-1].name == "chirps-v2.0.2023.01.06.tif.gz"
