"""The download engine against a server that fails as real ones do: what ends under a file's name is always the file."""

import errno
import gzip
import io
import json
import logging
import shutil
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from helpers.fetch_server import PAGE, Answer, md5, quick_web, service
from slipmap.errors import InputError
from slipmap.fetch import download
from slipmap.fetch.download import RemoteFile, fetch, fetch_all
from slipmap.fetch.web import TransferError

DATA = np.random.default_rng(0).bytes(700_001)


@pytest.fixture
def server():
    with service() as started:
        yield started


def remote(server, data=DATA, name="a.bin", **changes) -> RemoteFile:
    return RemoteFile(name, f"{server.url}/{name}?token=secret", len(data), f"md5:{md5(data)}")


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_and_only_once(server, tmp_path):
    server.file("/a.bin", DATA)
    web, waits = quick_web()
    path = fetch(remote(server), tmp_path, web)
    assert path.read_bytes() == DATA
    assert left(tmp_path) == ["a.bin"]
    fetch(remote(server), tmp_path, web)
    assert len(server.asked) == 1
    assert waits == []


def reset_after(bytes_):
    return lambda answer: replace(answer, cut=bytes_)


def test_after_a_reset_only_the_rest_is_asked_for(server, tmp_path):
    server.file("/a.bin", DATA, [reset_after(300_000), reset_after(200_000)])
    web, waits = quick_web()
    assert fetch(remote(server), tmp_path, web).read_bytes() == DATA
    starts = [int(asked.headers.get("Range", "bytes=0-")[6:-1]) for asked in server.asked]
    assert starts[0] == 0
    assert 0 < starts[1] <= 300_000  # what of it had arrived when the connection broke
    assert starts[1] < starts[2] <= starts[1] + 200_000
    assert all(asked.headers["If-Range"] == '"v1"' for asked in server.asked[1:])
    assert left(tmp_path) == ["a.bin"]
    assert waits == [1.0, 1.0]  # progress was made each time


def test_half_a_file_is_resumed_by_a_later_run(server, tmp_path):
    server.file("/a.bin", DATA, [reset_after(300_000)] + [reset_after(0)] * 3)
    web, waits = quick_web()
    with pytest.raises(TransferError, match=r"a\.bin: .*3 times in a row; the part that was received is kept"):
        fetch(remote(server), tmp_path, web)
    assert left(tmp_path) == ["a.bin.part", "a.bin.part.json"]
    assert waits == [1.0, 1.0, 2.0]
    have = (tmp_path / "a.bin.part").stat().st_size
    assert fetch(remote(server), tmp_path, quick_web()[0]).read_bytes() == DATA
    assert server.asked[-1].headers["Range"] == f"bytes={have}-"
    assert left(tmp_path) == ["a.bin"]


def test_a_server_that_stalls_is_left_and_asked_again(server, tmp_path):
    stalled = []
    server.file("/a.bin", DATA, [lambda answer: stalled.append(1) or replace(answer, cut=100_000, hang=2.0)])
    began = time.monotonic()
    assert fetch(remote(server), tmp_path, quick_web(stall=0.3)[0]).read_bytes() == DATA
    assert stalled
    assert time.monotonic() - began < 1.5
    assert int(server.asked[1].headers["Range"][6:-1]) > 0


def test_a_file_that_changed_meanwhile_is_never_joined_to_its_old_half(server, tmp_path):
    old, new = DATA, DATA[::-1]
    server.file("/a.bin", old, [reset_after(300_000)] + [reset_after(0)] * 3)
    file = RemoteFile("a.bin", f"{server.url}/a.bin")  # nobody announced a size or a checksum
    with pytest.raises(TransferError):
        fetch(file, tmp_path, quick_web()[0])
    server.file("/a.bin", new, etag='"v2"')
    assert fetch(file, tmp_path, quick_web()[0]).read_bytes() == new


def test_half_a_file_without_a_mark_to_know_it_by_is_begun_again(server, tmp_path):
    server.file("/a.bin", DATA, [reset_after(300_000)] + [reset_after(0)] * 3, etag="")
    file = RemoteFile("a.bin", f"{server.url}/a.bin", len(DATA))
    with pytest.raises(TransferError):
        fetch(file, tmp_path, quick_web()[0])
    fetch(file, tmp_path, quick_web()[0])
    assert "Range" not in server.asked[-1].headers


def test_a_weak_tag_is_no_mark(server, tmp_path):
    server.file("/a.bin", DATA, [reset_after(300_000)], etag='W/"v1"')
    fetch(RemoteFile("a.bin", f"{server.url}/a.bin", len(DATA)), tmp_path, quick_web()[0])
    assert "Range" not in server.asked[-1].headers


def test_a_server_without_ranges_sends_everything_again(server, tmp_path):
    server.file("/a.bin", DATA, [reset_after(300_000)], ranges=False)
    assert fetch(remote(server), tmp_path, quick_web()[0]).read_bytes() == DATA


def test_another_part_than_was_asked_for_is_not_appended(server, tmp_path):
    def shifted(answer):
        return Answer(DATA[5:], 206, {"ETag": '"v1"', "Content-Range": f"bytes 5-{len(DATA) - 1}/{len(DATA)}"})

    server.file("/a.bin", DATA, [reset_after(300_000), shifted])
    file = RemoteFile("a.bin", f"{server.url}/a.bin")  # no checksum that would find it out afterwards
    assert fetch(file, tmp_path, quick_web()[0]).read_bytes() == DATA


def test_a_server_that_knows_no_if_range_gives_no_half_of_another_version(server, tmp_path):
    new = DATA[::-1]

    def of_the_new(answer):
        have = int(server.asked[-1].headers["Range"][6:-1])
        return Answer(new[have:], 206, {"ETag": '"v2"', "Content-Range": f"bytes {have}-{len(new) - 1}/{len(new)}"})

    server.file("/a.bin", DATA, [reset_after(300_000), of_the_new])
    file = RemoteFile("a.bin", f"{server.url}/a.bin")
    assert fetch(file, tmp_path, quick_web()[0]).read_bytes() == DATA


def test_a_part_that_is_shorter_than_was_asked_for_is_not_the_whole(server, tmp_path):
    def capped(answer):
        have = int(server.asked[-1].headers["Range"][6:-1])
        end = have + 1000
        head = {"ETag": '"v1"', "Content-Range": f"bytes {have}-{end - 1}/{len(DATA)}"}
        return Answer(DATA[have:end], 206, head)

    server.file("/a.bin", DATA, [reset_after(300_000), capped])
    file = RemoteFile("a.bin", f"{server.url}/a.bin")
    assert fetch(file, tmp_path, quick_web()[0]).read_bytes() == DATA


def test_a_file_that_is_there_needs_no_lock(server, tmp_path, monkeypatch):
    """A finished store may lie on a disk that cannot be written to."""
    server.file("/a.bin", DATA)
    fetch(remote(server), tmp_path, quick_web()[0])
    monkeypatch.setattr(download, "_locked", None)
    assert fetch(remote(server), tmp_path, quick_web()[0]).read_bytes() == DATA


def test_a_file_that_is_still_being_made_is_waited_for(server, tmp_path):
    """ASF cuts a burst out of its scene when it is first asked for: minutes, more looks than there are tries."""
    making = [lambda answer: Answer(b"", 202)] * 8
    server.file("/a.bin", DATA, making)
    web, waits = quick_web()
    assert fetch(remote(server), tmp_path, web).read_bytes() == DATA
    assert waits == [15.0] * 8
    server.file("/b.bin", DATA, [lambda answer: Answer(b"", 202)] * 100)
    with pytest.raises(TransferError, match="is still being made, 3 times in a row"):
        fetch(remote(server, name="b.bin"), tmp_path, quick_web()[0])
    assert len([asked for asked in server.asked if asked.path == "/b.bin"]) == 40 + 3


def test_a_server_without_ranges_that_breaks_off_here_and_there_is_left(server, tmp_path):
    breaks = [reset_after(300_000), reset_after(100_000), reset_after(200_000)] * 4
    server.file("/a.bin", DATA, breaks, ranges=False)
    with pytest.raises(TransferError, match="3 times in a row"):
        fetch(remote(server), tmp_path, quick_web()[0])
    assert len(server.asked) == 4


@pytest.mark.parametrize("to", ["ftp://h.org/a.bin", "http://[bad", "http://h.org:port/a.bin"])
def test_a_redirect_to_no_address_is_one_sentence(server, tmp_path, to):
    server.route("/a.bin", Answer(b"", 302, {"Location": to}))
    with pytest.raises(TransferError, match="is no address of a web service"):
        fetch(remote(server), tmp_path, quick_web()[0])


def test_a_whole_part_is_taken_without_another_byte(server, tmp_path):
    server.file("/a.bin", DATA)
    file = remote(server)
    (tmp_path / "a.bin.part").write_bytes(DATA)
    record = {"url": file.url.partition("?")[0], "mark": '"v1"', "size": file.size, "checksum": file.checksum}
    (tmp_path / "a.bin.part.json").write_text(json.dumps(record))
    assert fetch(file, tmp_path, quick_web()[0]).read_bytes() == DATA
    assert len(server.asked) == 1


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream"])
@pytest.mark.parametrize("announced", [True, False])
def test_a_web_page_is_not_data(server, tmp_path, kind, announced):
    server.route("/a.bin", Answer(PAGE, headers={"Content-Type": kind}))
    file = remote(server) if announced else RemoteFile("a.bin", f"{server.url}/a.bin")
    with pytest.raises(TransferError, match=r"a\.bin is a web page, not data, twice; .*open 127\.0\.0\.1 in a browser"):
        fetch(file, tmp_path, quick_web()[0])
    assert left(tmp_path) == []


def test_a_web_page_is_no_annotation_either(server, tmp_path):
    annotation = b'<?xml version="1.0" encoding="UTF-8"?><burst><manifest/></burst>'
    server.file("/a.xml", annotation)
    assert fetch(RemoteFile("a.xml", f"{server.url}/a.xml"), tmp_path, quick_web()[0]).read_bytes() == annotation
    server.route("/b.xml", Answer(PAGE))
    with pytest.raises(TransferError, match=r"b\.xml is a web page"):
        fetch(RemoteFile("b.xml", f"{server.url}/b.xml"), tmp_path, quick_web()[0])


def test_a_web_page_once_is_forgiven(server, tmp_path):
    server.file("/a.bin", DATA, [lambda answer: Answer(PAGE)])
    assert fetch(remote(server), tmp_path, quick_web()[0]).read_bytes() == DATA


def test_a_file_of_another_checksum_is_thrown_away(server, tmp_path):
    server.file("/a.bin", DATA[:-1] + b"!")
    with pytest.raises(TransferError, match="has another md5 than announced, twice; it was thrown away"):
        fetch(remote(server), tmp_path, quick_web()[0])
    assert left(tmp_path) == []


def test_a_file_of_another_size_is_not_even_read(server, tmp_path):
    server.file("/a.bin", DATA[:-1])
    with pytest.raises(TransferError, match="has 700,000 bytes where 700,001 were announced"):
        fetch(remote(server), tmp_path, quick_web()[0])


def test_waits_grow_and_follow_the_server(server, tmp_path):
    busy = [lambda a: Answer(b"", 503)] * 2 + [lambda a: Answer(b"", 429, {"Retry-After": "7"})]
    server.file("/a.bin", DATA, busy)
    web, waits = quick_web(tries=5)
    fetch(remote(server), tmp_path, web)
    assert waits == [1.0, 2.0, 7.0]


def test_a_burst_that_is_still_being_cut_out_is_waited_for(server, tmp_path):
    server.file("/a.bin", DATA, [lambda answer: Answer(b'{"message": "Processing"}', 202)] * 2)
    web, waits = quick_web()
    assert fetch(remote(server), tmp_path, web).read_bytes() == DATA
    assert waits == [15.0, 15.0]


def test_what_is_not_there_is_not_asked_for_twice(server, tmp_path):
    with pytest.raises(TransferError, match=r"/a\.bin is not there \(answer 404\); search again"):
        fetch(remote(server), tmp_path, quick_web()[0])
    assert len(server.asked) == 1


def test_a_host_that_refuses_connections_is_named(tmp_path):
    with service() as gone:
        file = remote(gone)
    with pytest.raises(TransferError, match="refuses connections, 3 times"):
        fetch(file, tmp_path, quick_web()[0])


def test_secrets_of_an_address_are_in_no_message_and_no_log(server, tmp_path, caplog):
    caplog.set_level(logging.DEBUG, "slipmap")
    server.file("/a.bin", DATA, [reset_after(0)] * 3)
    with pytest.raises(TransferError) as error:
        fetch(remote(server), tmp_path, quick_web()[0])
    kept = "".join(path.read_text() for path in tmp_path.glob("*.json"))
    assert "secret" not in f"{error.value}{caplog.text}{kept}"


def test_a_full_disk_keeps_what_has_come(server, tmp_path, monkeypatch):
    server.file("/a.bin", DATA)
    plain = download._append

    def full(response, part, mode, web):
        part.write_bytes(DATA[:1000])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "_append", full)
    with pytest.raises(InputError, match=r"is full; free some disk .*: the part of a\.bin that was received is kept"):
        fetch(remote(server), tmp_path, quick_web()[0])
    monkeypatch.setattr(download, "_append", plain)
    assert fetch(remote(server), tmp_path, quick_web()[0]).read_bytes() == DATA
    assert server.asked[-1].headers["Range"] == "bytes=1000-"


def test_no_download_begins_that_has_no_room(server, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    with pytest.raises(InputError, match=r"0\.0 GB free and 5\.0 GB are still to be downloaded"):
        fetch_all([RemoteFile("big.h5", f"{server.url}/big.h5", 5 * 10**9)], tmp_path, quick_web()[0])
    assert server.asked == []


def test_many_at_once_and_the_first_error_ends_them(server, tmp_path):
    for name in "abcdef":
        server.file(f"/{name}.bin", DATA[: 1000 * ord(name)])
    files = [remote(server, DATA[: 1000 * ord(name)], f"{name}.bin") for name in "abcdef"]
    paths = fetch_all(files, tmp_path, quick_web()[0])
    assert [path.stat().st_size for path in paths] == [1000 * ord(name) for name in "abcdef"]
    with pytest.raises(TransferError, match="not there"):
        fetch_all([*files, remote(server, name="gone.bin")], tmp_path, quick_web()[0])


def test_two_jobs_that_want_one_file_take_turns(server, tmp_path):
    server.file("/a.bin", DATA, [lambda answer: replace(answer, hang=0.2)])
    web, _ = quick_web(stall=2.0)
    jobs = [threading.Thread(target=fetch, args=(remote(server), tmp_path, web)) for _ in range(4)]
    [job.start() for job in jobs]
    [job.join() for job in jobs]
    assert len(server.asked) == 1
    assert left(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("name", ["../up.bin", "a/b.bin", "..", ".hidden", "", "a\\b"])
def test_a_service_cannot_choose_a_place(name):
    with pytest.raises(InputError, match="is no file name"):
        RemoteFile(name, "https://example.org/x")


def tiff() -> bytes:
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", width=300, height=300, count=1, dtype="uint16", compress="deflate") as target:
            target.write(np.random.default_rng(1).integers(0, 9999, (1, 300, 300), "uint16"))
        return bytes(memory.getbuffer())


def zipped() -> bytes:
    with io.BytesIO() as memory:
        with zipfile.ZipFile(memory, "w") as archive:
            archive.writestr("a.txt", DATA[:9000])
        return memory.getvalue()


@pytest.mark.parametrize(
    "name, data",
    [("a.tif", tiff()), ("a.zip", zipped()), ("a.tif.gz", gzip.compress(DATA[:9000])), ("a.json", b'{"a": 1}')],
)
def test_half_a_file_is_found_out_by_its_format_where_nobody_announced_a_checksum(server, tmp_path, name, data):
    server.file(f"/{name}", data)
    file = RemoteFile(name, f"{server.url}/{name}")
    assert fetch(file, tmp_path / "whole", quick_web()[0]).read_bytes() == data
    server.file(f"/{name}", data[: len(data) * 2 // 3])  # a proxy that gives out its own half copy
    with pytest.raises(TransferError, match="is truncated or damaged"):
        fetch(file, tmp_path / "half", quick_web()[0])
    assert left(tmp_path / "half") == []
