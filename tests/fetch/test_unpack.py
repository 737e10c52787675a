"""An archive cannot write outside its folder, nor leave half of itself in it."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from slipmap.errors import InputError
from slipmap.fetch import local
from slipmap.fetch import unpack as unpacking
from slipmap.fetch.unpack import unpack
from slipmap.fetch.verify import Unsound, check


def make_zip(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def make_tar(path, entries, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for entry, content in entries:
            info = tarfile.TarInfo(entry) if isinstance(entry, str) else entry
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def outside(tmp_path):
    return sorted(
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.name not in ("a.zip", "a.tgz")
    )


@pytest.mark.parametrize("make, name", [(make_zip, "a.zip"), (make_tar, "a.tgz")])
def test_an_archive_comes_out_whole(tmp_path, make, name):
    archive = make(tmp_path / name, [("p/q/x.tif", b"x" * 5000), ("p/y.txt", b"y")])
    folder = unpack(archive, tmp_path / "out")
    assert {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == {
        "p/q/x.tif": b"x" * 5000,
        "p/y.txt": b"y",
    }


@pytest.mark.parametrize("make, name", [(make_zip, "a.zip"), (make_tar, "a.tgz")])
@pytest.mark.parametrize("evil", ["../evil.txt", "/evil.txt", "a/../../evil.txt", "..\\evil.txt", "C:\\evil.txt"])
def test_no_path_leads_outside(tmp_path, make, name, evil):
    archive = make(tmp_path / name, [("good.txt", b"good"), (evil, b"evil")])
    with pytest.raises(InputError, match=r"holds a path outside its folder .*it was not unpacked"):
        unpack(archive, tmp_path / "out")
    assert outside(tmp_path) == []


def link(kind, name="link", target="/etc"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    archive = make_tar(tmp_path / "a.tgz", [(link(kind), b""), ("link/evil.txt", b"evil")])
    with pytest.raises(InputError, match="holds a link or device"):
        unpack(archive, tmp_path / "out")
    assert outside(tmp_path) == []


def test_links_in_a_zip_are_refused(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    make_zip(tmp_path / "a.zip", [(info, "/etc")])
    with pytest.raises(InputError, match="holds a link or device"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_name_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        make_zip(tmp_path / "a.zip", [("x.tif", b"1"), ("x.tif", b"2")])
    with pytest.raises(InputError, match="a name that it holds twice"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "_ROOM", 10**6)
    make_zip(tmp_path / "a.zip", [("zeros", b"\0" * 10**7)])
    with pytest.raises(InputError, match="as no data set does"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("make, name", [(make_zip, "a.zip"), (make_tar, "a.tgz")])
def test_a_damaged_archive_leaves_nothing(tmp_path, make, name):
    archive = make(tmp_path / name, [("x.tif", bytes(range(256)) * 400), ("y.tif", bytes(range(256)) * 400)])
    data = bytearray(archive.read_bytes())
    data[200:260] = b"\0" * 60
    archive.write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"is damaged|neither a zip nor a tar"):
        unpack(archive, tmp_path / "out")
    assert outside(tmp_path) == []


def test_archives_that_no_folder_can_hold_are_one_sentence(tmp_path):
    for entries, says in (
        ([("a", b"1"), ("a/b", b"2")], "a file and a folder of one name"),
        ([("n" * 300, b"1")], "a name that is too long"),
        ([(".", b"1")], "a file and a folder of one name"),
    ):
        make_zip(tmp_path / "a.zip", entries)
        with pytest.raises(InputError, match=says):
            unpack(tmp_path / "a.zip", tmp_path / "out")
        assert outside(tmp_path) == []


def test_a_method_of_compression_that_python_does_not_know_is_one_sentence(tmp_path):
    data = bytearray(make_zip(tmp_path / "a.zip", [("x.tif", b"1" * 99)]).read_bytes())
    for at in (8, data.index(b"PK\x01\x02") + 10):
        data[at : at + 2] = (99).to_bytes(2, "little")
    (tmp_path / "a.zip").write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"is damaged .*compression"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    with pytest.raises(Unsound, match=r"is truncated or damaged .*compression"):
        check(tmp_path / "a.zip")


@pytest.mark.parametrize("refuses", ["symlink", "utime"])
def test_where_links_or_their_times_cannot_be_made_files_are_copied(tmp_path, monkeypatch, refuses):
    def cannot(*arguments, **options):
        raise OSError(95, "Operation not supported") if refuses == "symlink" else NotImplementedError

    (tmp_path / "a.tif").write_bytes(b"data")
    monkeypatch.setattr(*((Path, "symlink_to") if refuses == "symlink" else (local.os, "utime")), cannot)
    monkeypatch.setattr(local.shutil, "copy2", local.shutil.copyfile)  # copy2 sets a time too, of a file
    local.place([("x/a.tif", tmp_path / "a.tif")], tmp_path / "out")
    placed = tmp_path / "out/x/a.tif"
    assert placed.read_bytes() == b"data" and not placed.is_symlink()


def test_an_encrypted_zip_is_one_sentence(tmp_path):
    data = bytearray(make_zip(tmp_path / "a.zip", [("x.tif", b"1" * 99)]).read_bytes())
    data[6] |= 1  # the flag in the entry's own header, and in the list at the end
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(bytes(data))
    with pytest.raises(InputError, match="an encrypted file"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    with pytest.raises(Unsound, match="is encrypted"):
        check(tmp_path / "a.zip")
