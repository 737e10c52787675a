"""Answers without a length, parts of other files, servers that redirect, trickle or refuse for ever."""

import gzip
import json
import shutil
import time
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import pytest

from fetch.test_sentinel1 import hyp3_job
from fetch.test_unpack import make_tar, outside
from helpers.fetch_server import Answer, chunks, md5, quick_web, ranged, service
from helpers.fetch_services import where
from slipmap.config.acquire import AcquireSentinel1Settings
from slipmap.errors import InputError, SupersededError
from slipmap.fetch import unpack
from slipmap.fetch.download import RemoteFile, fetch, fetch_all
from slipmap.fetch.sources import hyp3
from slipmap.fetch.verify import s3_checksum
from slipmap.fetch.web import TransferError
from slipmap.jobs import runs

DATA = bytes(range(256)) * 100


@pytest.fixture
def server():
    with service() as started:
        yield started


def remote(server, size: int | None = None, checksum: str | None = None) -> RemoteFile:
    return RemoteFile("a.bin", f"{server.url}/a.bin", size, checksum)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- what is taken for whole ---------------------------------------------------------------------------------------


def test_an_answer_without_a_length_comes_whole(server, tmp_path):
    server.route("/a.bin", Answer(chunks(DATA), chunked=True))
    assert fetch(remote(server, len(DATA)), tmp_path, quick_web()[0]).read_bytes() == DATA
    assert len(server.asked) == 1


@pytest.mark.parametrize("sent", [DATA[:-1], DATA + b"x"])
def test_an_answer_without_a_length_is_measured_when_it_has_come(server, tmp_path, sent):
    server.route("/a.bin", Answer(chunks(sent), chunked=True))
    with pytest.raises(TransferError, match=rf"has {len(sent):,} bytes where 25,600 were announced, twice"):
        fetch(remote(server, len(DATA)), tmp_path, quick_web()[0])
    assert left(tmp_path) == []


@pytest.mark.parametrize("end", [{"cut": 20_000}, {"headers": {"Connection": "close"}}])
def test_an_answer_without_a_length_that_breaks_off_is_not_whole(server, tmp_path, end):
    server.route("/a.bin", Answer(chunks(DATA, 1000)[:-5], chunked=True, **end))
    with pytest.raises(TransferError, match="the connection broke"):
        fetch(remote(server), tmp_path, quick_web()[0])
    assert "a.bin" not in left(tmp_path)


def test_a_file_of_another_size_under_its_name_is_fetched_again(server, tmp_path):
    server.file("/a.bin", DATA)
    (tmp_path / "a.bin").write_bytes(DATA[:-1])
    assert fetch(remote(server, len(DATA)), tmp_path, quick_web()[0]).read_bytes() == DATA


def test_a_packed_answer_is_not_asked_for(server, tmp_path):
    def answer(asked):
        packs = "gzip" in asked.headers.get("Accept-Encoding", "")
        return Answer(gzip.compress(DATA), headers={"Content-Encoding": "gzip"}) if packs else Answer(DATA)

    server.route("/a.bin", answer)
    assert fetch(remote(server), tmp_path, quick_web()[0]).read_bytes() == DATA


def test_a_spoilt_file_is_asked_for_twice_only(server, tmp_path):
    server.file("/a.bin", DATA, [lambda answer: Answer(b"!" * len(DATA))] * 2)
    with pytest.raises(TransferError, match="has another md5 than announced, twice"):
        fetch(remote(server, len(DATA), f"md5:{md5(DATA)}"), tmp_path, quick_web(tries=9)[0])
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "tag, checksum",
    [(f'"{md5(DATA)}"', f"md5:{md5(DATA)}"), (f'"{md5(DATA)}-5"', None), (f'W/"{md5(DATA)}"', None), ("", None)],
)
def test_the_tag_of_an_object_in_parts_is_no_checksum(tag, checksum):
    assert s3_checksum(tag) == checksum


def test_a_job_of_a_run_that_has_ended_puts_no_file_in_place(server, tmp_path, monkeypatch):
    server.file("/a.bin", DATA)
    (tmp_path / "run.json").write_text('{"token": "of the new run"}')
    monkeypatch.setenv(runs.TOKEN, "of the old run")
    monkeypatch.setenv(runs.FOLDER, str(tmp_path))
    with pytest.raises(SupersededError):
        fetch(remote(server), tmp_path / "d", quick_web()[0])
    assert "a.bin" not in left(tmp_path / "d")


# --- parts ---------------------------------------------------------------------------------------------------------


def begun(folder: Path, file: RemoteFile, data: bytes, **changes) -> None:
    """What an interrupted download of `file` left, with `changes` in what is known of its origin."""
    record = {"url": file.url, "mark": '"v1"', "size": file.size, "checksum": file.checksum}
    (folder / "a.bin.part").write_bytes(data)
    (folder / "a.bin.part.json").write_text(json.dumps(record | changes))


def test_a_part_of_this_file_is_gone_on_with(server, tmp_path):
    server.file("/a.bin", DATA)
    file = remote(server, len(DATA), f"md5:{md5(DATA)}")
    begun(tmp_path, file, DATA[:1000])
    assert fetch(file, tmp_path, quick_web()[0]).read_bytes() == DATA
    assert [asked.headers["Range"] for asked in server.asked] == ["bytes=1000-"]


@pytest.mark.parametrize(
    "changes",
    [{"url": "https://other.example/a.bin"}, {"size": 999_999}, {"checksum": "md5:" + "0" * 32}, {"size": None}],
)
def test_a_part_of_another_file_is_thrown_away(server, tmp_path, changes):
    server.file("/a.bin", DATA)
    file = remote(server, len(DATA), f"md5:{md5(DATA)}")
    begun(tmp_path, file, b"!" * 1000, **changes)
    assert fetch(file, tmp_path, quick_web()[0]).read_bytes() == DATA
    assert ["Range" in asked.headers for asked in server.asked] == [False]


@pytest.mark.parametrize("total", ["bytes */500", ""])
def test_a_part_that_reaches_beyond_the_file_is_not_the_file(server, tmp_path, total):
    file = remote(server)
    begun(tmp_path, file, b"!" * 1000)

    def answer(asked):
        return Answer(b"", 416, {"Content-Range": total}) if "Range" in asked.headers else ranged(asked, DATA[:500])

    server.route("/a.bin", answer)
    assert fetch(file, tmp_path, quick_web()[0]).read_bytes() == DATA[:500]


# --- how long and how often ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 2000])
def test_a_server_that_trickles_is_left_and_asked_for_the_rest(server, tmp_path, first):
    data = DATA[: first + 300]
    server.file("/a.bin", data, [lambda answer: replace(answer, drip=(first, 10, 0.05))])  # 200 bytes/s, 1.5 s
    web, waits = quick_web(stall=0.3)
    assert fetch(remote(server, len(data)), tmp_path, web).read_bytes() == data
    assert len(server.asked) == 2
    assert first < int(server.asked[1].headers["Range"][6:-1]) < len(data)
    assert waits == [1.0]


def test_a_server_that_is_slow_but_steady_is_waited_for(server, tmp_path):
    server.file("/a.bin", DATA, [lambda answer: replace(answer, drip=(0, 1000, 0.03))])
    assert fetch(remote(server), tmp_path, quick_web(stall=0.25)[0]).read_bytes() == DATA
    assert len(server.asked) == 1


def test_a_service_is_asked_so_often_and_no_more(server):
    answers = [Answer(b"", 503)] * 20 + [Answer(b"{}")] * 20
    server.route("/jobs", lambda asked: answers.pop(0))
    web, waits = quick_web(tries=4)
    with pytest.raises(TransferError, match=r"/jobs answers 503 .*, 4 times; try again later"):
        web.get(f"{server.url}/jobs")
    assert len(server.asked) == 4
    assert waits == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("hops, arrives", [(10, True), (11, False)])
def test_ten_redirects_are_followed_and_no_more(server, hops, arrives):
    def answer(asked):
        done = int(asked.path[1:])
        return Answer(b"here") if done == hops else Answer(b"", 302, {"Location": f"/{done + 1}"})

    server.route(r"/\d+", answer)
    web = quick_web()[0]
    if arrives:
        assert web.get(f"{server.url}/0").content == b"here"
        return
    with pytest.raises(TransferError, match="redirects without end; try again later"):
        web.get(f"{server.url}/0")
    assert len(server.asked) == 11


@pytest.mark.parametrize(
    "asked_for, least, most",
    [
        ("7", 7, 7),
        ("0", 0, 0),
        ("86400", 300, 300),  # it may ask for a day
        (lambda: formatdate(time.time() + 100, usegmt=True), 90, 100),
        (lambda: formatdate(time.time() + 86400, usegmt=True), 300, 300),
        (lambda: formatdate(time.time() - 100, usegmt=True), 0, 0),
        ("soon", 1, 1),  # as if it had not said
    ],
)
def test_the_wait_is_the_one_the_server_asks_for_within_reason(server, asked_for, least, most):
    text = asked_for if isinstance(asked_for, str) else asked_for()
    answers = [Answer(b"", 429, {"Retry-After": text}), Answer(b"{}")]
    server.route("/jobs", lambda asked: answers.pop(0))
    web, waits = quick_web()
    web.get(f"{server.url}/jobs")
    assert len(waits) == 1
    assert least <= waits[0] <= most


def free_disk(monkeypatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12 - free, free))


def test_the_disk_is_not_filled_to_its_last_byte(server, tmp_path, monkeypatch):
    server.file("/a.bin", DATA)
    file = remote(server, len(DATA))
    free_disk(monkeypatch, len(DATA) + (1 << 20))
    with pytest.raises(InputError, match=r"GB free and 0\.0 GB are still to be downloaded"):
        fetch_all([file], tmp_path, quick_web()[0])
    free_disk(monkeypatch, len(DATA) + (1 << 30))
    assert fetch_all([file], tmp_path, quick_web()[0])[0].read_bytes() == DATA


def test_what_has_come_of_a_file_needs_no_room(server, tmp_path, monkeypatch):
    server.file("/a.bin", DATA)
    file = remote(server, len(DATA), f"md5:{md5(DATA)}")
    begun(tmp_path, file, DATA[:25_000])
    free_disk(monkeypatch, (1 << 28) + 600)
    assert fetch_all([file], tmp_path, quick_web()[0])[0].read_bytes() == DATA


def test_the_next_page_of_hyp3_is_asked_for_as_its_address_says(server):
    jobs = [hyp3_job(server.url, "20230105", "20230117"), hyp3_job(server.url, "20230117", "20230129")]
    following = {"next": f"{server.url}/jobs?name=moab&start_token=x"}

    def page(asked):
        record = {"jobs": jobs[1:]} if "start_token" in asked.query else {"jobs": jobs[:1], **following}
        return Answer(json.dumps(record).encode())

    server.route("/jobs", page)
    settings = AcquireSentinel1Settings(product="hyp3", hyp3_name="moab", hyp3_service=server.url)
    assert len(hyp3.search(where(), settings, quick_web()[0]).products) == 2
    assert [asked.query for asked in server.asked] == [{"name": ["moab"]}, {"name": ["moab"], "start_token": ["x"]}]


@pytest.mark.parametrize("sizes", [[10**7], [9 * 10**5] * 20])
def test_a_bomb_in_a_tar_file_is_not_unpacked(tmp_path, monkeypatch, sizes):
    monkeypatch.setattr(unpack, "_ROOM", 10**6)
    archive = make_tar(tmp_path / "a.tgz", [(f"zeros{n}", bytes(size)) for n, size in enumerate(sizes)])
    with pytest.raises(InputError, match="as no data set does; it was not unpacked"):
        unpack.unpack(archive, tmp_path / "out")
    assert outside(tmp_path) == []
