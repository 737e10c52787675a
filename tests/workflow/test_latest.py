"""The target `latest`: one more acquisition, the end moved on, and the run ends with the page of what is new."""

import json
import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml

from deformation.test_formats import write_opera
from helpers.workflow_runs import snakemake, visible_text
from slipmap.config.layout import Results

pytestmark = pytest.mark.slow

SIDE = 80  # pixels of 20 m
DAYS = ("20210101", "20210113", "20210125", "20210206", "20210218", "20210302")
MADE = Results("moab")
STEP = 9.0  # mm, away from the satellite, that a square moves between the last two dates


def scene(number):
    """SLC of a date: speckle that keeps most of its coherence, and a square that steps before the last date."""
    shape = (2 * SIDE, 4 * SIDE)  # pixels of 10 m by 5 m
    common, own = (np.random.default_rng(seed).standard_normal((*shape, 2)) @ [1, 1j] for seed in (0, 100 + number))
    moved = np.zeros(shape)
    if number == len(DAYS) - 1:
        moved[60:100, 120:200] = -STEP
    phase = 4 * np.pi / 55.46576 * moved
    return ((0.95 * common + np.sqrt(1 - 0.95**2) * own) * np.exp(1j * phase)).astype(np.complex64)


def add_date(folder, number):
    day = DAYS[number]
    name = f"OPERA_L2_CSLC-S1_T064-135523-IW2_{day}T132000Z_20240101T000000Z_S1A_VV_v1.1.h5"
    path = folder / "archive" / name
    write_opera(path, day, 3.0 * number)
    with h5py.File(path, "a") as file:
        for key, values in {
            "data/VV": scene(number),
            "data/x_coordinates": 5e5 + 2.5 + 5.0 * np.arange(4 * SIDE),
            "data/y_coordinates": 5e6 - 5.0 - 10.0 * np.arange(2 * SIDE),
        }.items():
            del file[key]
            file[key] = values


def run(folder, *targets, end, **more):
    area = {
        "grid": {"crs": "EPSG:32632", "resolution": 20.0, "bounds": [500000, 4998400, 501600, 5000000]},
        "acquire": {"start": "2021-01-01", "end": end, "sentinel1": {"archive": "archive"}},
        "deformation": {"slc_looks": [2, 4], "dem_error": False},
    }
    (folder / "moab.yaml").write_text(yaml.safe_dump({"areas": {"moab": area | more}}))
    answer = snakemake(folder, *targets, config="moab.yaml")
    assert answer.returncode == 0, answer.stdout[-5000:]
    return answer.stdout


def test_one_more_acquisition_ends_with_what_is_new(tmp_path):
    (tmp_path / "archive").mkdir()
    for number in range(len(DAYS) - 1):
        add_date(tmp_path, number)
    run(tmp_path, MADE.active_areas, end="2021-02-28")
    shutil.copytree(tmp_path / MADE.folder, tmp_path / "earlier")
    where = json.loads((tmp_path / MADE.reference).read_text())
    add_date(tmp_path, len(DAYS) - 1)
    kept = {"deformation": {"slc_looks": [2, 4], "dem_error": False,
                            "reference_point": [where["longitude"], where["latitude"]]}}  # fmt: skip
    said = run(tmp_path, "latest", end="2021-03-31", changes={"earlier": "earlier"}, **kept)
    formed = [line for line in said.splitlines() if "Form and unwrap" in line]
    assert formed and all("20210302" in line for line in formed), "older pairs stay"
    told = json.loads((tmp_path / MADE.changes_record).read_text())
    assert told["new_dates"] == ["2021-03-02"] and told["earlier_last"] == "2021-02-18"
    assert told["reduced"] == ["1 new image: only large changes can be told"]
    page = visible_text((tmp_path / MADE.report).read_text())
    assert "What is new. Since the earlier run (last image 2021-02-18, now 2021-03-02): 1 new active area" in page
    (row,) = pd.read_csv(tmp_path / MADE.changes_table).to_dict("records")
    assert row["new"] and row["change"] == "began to move"
    assert row["velocity_since"] == pytest.approx(-STEP / 12 * 365.25, rel=0.1)
