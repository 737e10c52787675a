"""Orbit files as they lie about: subfolders, zips, gzip; which of several is taken; broken ones in a sentence."""

import gzip
import zipfile

import numpy as np
import pytest

from helpers.sentinel1_samples import EPOCH, NOON, first_pass, swath_of, write_blank
from slipmap.config.geocoding import GeocodingSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.errors import InputError
from slipmap.sentinel1.acquisitions import find_dates
from slipmap.sentinel1.orbit_files import find_eof, orbit_files, read_eof

SPAN = "V20210108T225942_20210110T005942"
PRECISE = f"S1A_OPER_AUX_POEORB_OPOD_20210130T121452_{SPAN}.EOF"
RESTITUTED = "S1A_OPER_AUX_RESORB_OPOD_20210109T202012_V20210109T162523_20210109T194253.EOF"


def eof(moved=0.0, frame="EARTH_FIXED"):
    """The text of an orbit file: the orbit of the first pass, `moved` metres along x."""
    orbit = first_pass().orbit()
    rows = "".join(
        f"<OSV><UTC>UTC={(EPOCH + np.timedelta64(round(t * 1e6), 'us')).astype('M8[us]')}</UTC>"
        + "".join(f"<{k}>{n:.6f}</{k}>" for k, n in zip("XYZ", p + np.array([moved, 0, 0]), strict=True))
        + "".join(f"<V{k}>{n:.6f}</V{k}>" for k, n in zip("XYZ", v, strict=True))
        + "</OSV>"
        for t, p, v in zip(orbit.times, orbit.positions, orbit.velocities, strict=True)
    )
    header = f"<Variable_Header><Ref_Frame>{frame}</Ref_Frame><Time_Reference>UTC</Time_Reference></Variable_Header>"
    return f"<Earth_Explorer_File>{header}<List_of_OSVs>{rows}</List_of_OSVs></Earth_Explorer_File>".encode()


def zipped(path, members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)


PLACES = {
    "subfolder": lambda folder: put(folder / "AUX_POEORB" / PRECISE, eof()),
    "deep": lambda folder: put(folder / "S1A/2021/01" / PRECISE.lower().replace(".eof", ".EOF"), eof()),
    "gzip": lambda folder: put(folder / f"{PRECISE}.gz", gzip.compress(eof())),
    "zip": lambda folder: zipped(folder / "AUX_POEORB" / f"{PRECISE}.zip", {PRECISE: eof()}),
    "zip of many": lambda folder: zipped(folder / "orbits.zip", {f"a/{RESTITUTED}": eof(5), f"b/{PRECISE}": eof()}),
    "zip of gzip": lambda folder: zipped(folder / "orbits.zip", {f"{PRECISE}.gz": gzip.compress(eof())}),
}


@pytest.mark.parametrize("place", PLACES)
def test_orbits_are_found_wherever_they_lie(tmp_path, place):
    write_blank(tmp_path / "safe", swath_of(first_pass()))
    PLACES[place](tmp_path / "orbits")
    settings = Sentinel1Settings(level="safe", path=str(tmp_path / "safe"), orbits=str(tmp_path / "orbits"))
    [(_, scene)] = find_dates(settings, GeocodingSettings()).values()
    assert scene.orbit.source.upper().startswith(PRECISE.upper())
    truth = first_pass().orbit().local(NOON, NOON).state(NOON)[0]
    np.testing.assert_allclose(scene.orbit.local(NOON, NOON).state(NOON)[0], truth, atol=1e-4)


def test_precise_before_restituted_and_later_before_earlier(tmp_path):
    for name in (RESTITUTED, PRECISE, PRECISE.replace("20210130T", "20210201T")):
        put(tmp_path / name, eof())
    put(tmp_path / PRECISE.replace("POEORB", "PREORB"), eof())  # a prediction: never
    put(tmp_path / PRECISE.replace("S1A", "S1B"), eof())
    assert find_eof(tmp_path, "S1A", EPOCH, NOON, NOON + 9).made == "20210201T121452"
    assert len(orbit_files(tmp_path)) == 4
    night = 86_400.0 + 1800  # after midnight, past the restituted orbit
    assert find_eof(tmp_path, "S1A", EPOCH, night, night + 9).kind == "POEORB"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (PRECISE, b"<html>log in</html", "not an orbit file that can be read"),
        (f"{PRECISE}.gz", b"no gzip", "not an orbit file that can be read"),
        (PRECISE, eof(frame="TRUE_OF_DATE"), "an orbit in TRUE_OF_DATE and UTC; give a POEORB or RESORB file"),
        (PRECISE, eof().replace(b"<X>", b"<X>m"), "a state vector in it cannot be read"),
        (PRECISE, eof().replace(b"2021-01-09T17", b"2021-01-09T18"), "does not cover the scene"),
    ],
)
def test_a_broken_orbit_file_is_a_sentence(tmp_path, name, text, said):
    put(tmp_path / "orbits" / name, text)
    file = find_eof(tmp_path / "orbits", "S1A", EPOCH, NOON, NOON + 9)
    with pytest.raises(InputError, match=said):
        read_eof(file, EPOCH, NOON, NOON + 9)


def test_a_zip_that_is_none(tmp_path):
    put(tmp_path / f"{PRECISE}.zip", b"nothing")
    with pytest.raises(InputError, match="not a zip that can be opened"):
        orbit_files(tmp_path)
