"""What `slipmap check` says of data that are to be fetched, before anything is asked of a network."""

import pytest
import yaml

from slipmap import cli
from slipmap.check.run import check_run
from slipmap.config import parse_config
from slipmap.errors import InputError

NORTH = {"crs": "EPSG:32632", "bounds": [500000, 5700000, 501000, 5701000]}  # 51 degrees
FAR_NORTH = {"crs": "EPSG:32632", "bounds": [500000, 6700000, 501000, 6701000]}  # 60 degrees
FAR_EAST = {"crs": "EPSG:32660", "bounds": [730000, 5000000, 740000, 5001000]}
SOUTH = {"crs": "EPSG:32632", "bounds": [500000, 5000000, 501000, 5001000]}
DATES = {"start": "2022-01-01", "end": "2022-06-30"}


def area(acquire, grid=SOUTH, **more):
    return {"areas": {"valley": {"grid": grid, "acquire": DATES | acquire, **more}}}


@pytest.mark.parametrize(
    "record, says",
    [
        (area({"dem": {}}, inputs={"dem": "dem.tif"}), "both inputs.dem and acquire.dem; keep one"),
        (area({"dem": {}}, simulate={"seed": 1}), "both simulate and acquire; keep one"),
        (area({"orbits": {}}), "orbits are fetched for the dates of sentinel1"),
        (area({"start": "2023-01-01", "dem": {}}), "end 2022-06-30 is before start 2023-01-01"),
        (area({"rainfall": {"start": "2022-08-01"}}), "rainfall.end is before rainfall.start"),
        (area({"demm": {}}), "unknown key 'areas.valley.acquire.demm'; did you mean 'dem'?"),
        (area({"sentinel1": {"password": "x"}}), "unknown key 'areas.valley.acquire.sentinel1.password'"),
        (area({"dem": {"archive": "gone"}}), "acquire.dem.archive: gone is not a folder"),
        (area({"dem": {}}, FAR_EAST), "areas.valley.grid lies across the 180th meridian; make two areas of it"),
        (area({"rainfall": {}}, NORTH), "CHIRPS ends at 50 degrees north and south; set product: chirps3"),
        (
            area({"rainfall": {"product": "chirps3"}}, FAR_NORTH),
            "ends at 60 degrees north and south; set product: imerg",
        ),
        (area({"rainfall": {"end": "2027-01-01"}}), "CHIRPS ends with 2026-12-31; set product: chirps3"),
        (area({"start": "2010-01-01", "end": "2010-02-01", "sentinel2": {}}), "these data begin on 2015-07-04"),
    ],
)
def test_contradictions_are_one_sentence(record, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        check_run(parse_config(record))
    assert says in str(error.value)


def test_what_is_fetched_becomes_the_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kinds = ("sentinel1", "sentinel2", "dem", "lithology", "rainfall", "soil_moisture", "inventory")
    run = parse_config(area({kind: {} for kind in kinds}, factors={"exclude": ["velocity"]}))
    check_run(run)  # nothing of it is there yet
    inputs = run.areas["valley"].inputs
    assert (inputs.sentinel1.level, inputs.sentinel1.format) == ("slc", "opera")
    assert inputs.lithology.attribute == "lithology"
    assert (inputs.dem, inputs.rainfall) == ("resources/valley/dem.tif", "resources/valley/rainfall")
    bursts = parse_config(area({"sentinel1": {"product": "burst"}, "orbits": {}})).areas["valley"].inputs.sentinel1
    assert (bursts.level, bursts.orbits) == ("safe", "resources/valley/orbits")


def test_check_says_which_account_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("EARTHDATA_TOKEN", raising=False)
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(area({"sentinel1": {}, "dem": {}, "soil_moisture": {}})))
    assert cli.main(["check", "c.yaml"]) == 0
    said = capsys.readouterr().out
    assert "note: areas.valley.acquire.sentinel1, areas.valley.acquire.soil_moisture: needs a NASA Earthdata" in said
    (tmp_path / "netrc").write_text("machine urs.earthdata.nasa.gov login maria password pa55word\n")
    assert cli.main(["check", "c.yaml"]) == 0
    said = capsys.readouterr().out
    assert "note" not in said and "pa55word" not in said


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("slipmap.config.template.rewrite", lambda path: open(tmp_path / "gone/c.yaml", "w"))
    assert cli.main(["template", "c.yaml"]) == 1
    said = capsys.readouterr().err
    assert said == f"slipmap: {tmp_path}/gone/c.yaml: No such file or directory; correct the path or its permissions.\n"
