"""Published data sets from Zenodo and Hugging Face."""

import hashlib
import json

import pytest

from fetch.test_unpack import make_zip
from helpers.fetch_server import Answer, quick_web, service
from slipmap.errors import InputError
from slipmap.fetch import published
from slipmap.fetch.web import TransferError


@pytest.fixture
def server():
    with service() as started:
        yield started


def test_landslide4sense_comes_from_zenodo_by_its_checksums(server, tmp_path):
    files = []
    for name in ("TrainData.zip", "ValidData.zip", "TestData.zip", "readme.md"):
        folder = name.removesuffix(".zip")
        data = make_zip(tmp_path / "z.zip", [(f"{folder}/img/image_1.h5", b"x" * 99)]).read_bytes()
        link = f"{server.url}/api/records/10463239/files/{name}/content"
        files.append(
            {
                "key": name,
                "size": len(data),
                "checksum": "md5:" + hashlib.md5(data).hexdigest(),
                "links": {"self": link},
            }
        )
        server.file(f"/api/records/10463239/files/{name}/content", data)
    server.json("/api/records/10463239", {"id": 10463239, "files": files})
    found = published.search("landslide4sense", quick_web()[0], zenodo=server.url)
    for _ in range(2):
        published.deliver(found, tmp_path / "store", quick_web()[0], tmp_path / "out")
    names = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.h5"))
    assert names == [f"{split}Data/img/image_1.h5" for split in ("Test", "Train", "Valid")]
    assert len([asked for asked in server.asked if asked.path.endswith("content")]) == 3


def test_sen12landslides_comes_from_hugging_face_page_by_page(server, tmp_path):
    data = make_zip(tmp_path / "z.zip", [("a_s2_1.nc", b"CDF")]).read_bytes()
    large = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    entries = [
        {"type": "directory", "path": "data_raw/s2"},
        {"type": "file", "path": "data_raw/s2/part01.zip", "size": 134, "lfs": large},
        {"type": "file", "path": "data_raw/s1asc/part01.zip", "size": 134, "lfs": large},
        {"type": "file", "path": "README.md", "size": 10},
    ]

    def tree(asked):
        if "cursor" in asked.query:
            return Answer(json.dumps(entries[2:]).encode())
        link = f'<{server.url}{asked.path}?recursive=true&cursor=x>; rel="next"'
        return Answer(json.dumps(entries[:2]).encode(), headers={"Link": link})

    server.route("/api/datasets/paulhoehn/Sen12Landslides/tree/main", tree)
    server.route(
        "/datasets/paulhoehn/Sen12Landslides/resolve/main/.*", Answer(b"", 302, {"Location": f"{server.url}/cdn?sig=s"})
    )
    server.file("/cdn", data)
    found = published.search("sen12landslides", quick_web()[0], hugging_face=server.url)
    assert [product.name for product in found.products] == ["data_raw/s2/part01.zip"]
    published.deliver(found, tmp_path / "store", quick_web()[0], tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").rglob("*.nc")] == ["a_s2_1.nc"]


def test_what_must_be_fetched_by_hand_and_what_is_not_known_is_said():
    with pytest.raises(InputError, match="bijie cannot be fetched: its publisher"):
        published.search("bijie", None)
    with pytest.raises(InputError, match="no published data set 'landslide4sence'; did you mean 'landslide4sense'"):
        published.search("landslide4sence", None)


def test_an_answer_of_another_shape_is_one_sentence(server):
    server.json("/api/records/10463239", {"files": [{"name": "TrainData.zip"}]})
    with pytest.raises(TransferError, match=r"does not answer as it is documented to \(KeyError: 'key'\)"):
        published.search("landslide4sense", quick_web()[0], zenodo=server.url)
    server.route("/api/datasets/.*", Answer(b"<p>down</p>"))
    with pytest.raises(TransferError, match=r"does not answer as it is documented to"):
        published.search("sen12landslides", quick_web()[0], hugging_face=server.url)
