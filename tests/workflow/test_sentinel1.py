"""Raw Sentinel-1 through the workflow, as a user gives it: SAFE products and a DEM to the network of interferograms."""

import csv
import dataclasses
import json
import zipfile

import numpy as np

from helpers.sentinel1_samples import GRID, first_pass, swath_of, targets, write_dem, write_points
from helpers.workflow_runs import snakemake, write_config


def test_safe_products_become_a_network(tmp_path):
    _, _, points = targets(6)
    for k, day in enumerate(("2021-01-09", "2021-01-21")):
        passing = first_pass().shifted(40.0 * k, 0.0, 61_530.0)
        swath = swath_of(passing, absolute_orbit=36064 + 175 * k)
        swath = dataclasses.replace(swath, epoch=np.datetime64(day).astype("M8[ns]"))
        product = write_points(tmp_path / "raw", swath, points, np.full(6, 3000.0))
    with zipfile.ZipFile(product.with_suffix(".zip"), "w") as archive:  # the second as it is distributed
        for file in sorted(product.rglob("*")):
            archive.write(file, file.relative_to(product.parent))
    product.rename(tmp_path / "unpacked")
    write_dem(tmp_path)
    area = {
        "grid": {"crs": GRID.crs, "resolution": 12.5, "bounds": list(GRID.bounds)},
        "inputs": {"dem": "dem.tif", "sentinel1": {"level": "safe", "path": "raw"}},
    }
    write_config(tmp_path, {"areas": {"valley": area}})
    made = snakemake(tmp_path, "results/valley/deformation/network.csv")
    assert made.returncode == 0, made.stdout
    folder = tmp_path / "results/valley"
    assert {p.name for p in (folder / "sentinel1/slc").iterdir()} == {"20210109.h5", "20210121.h5", "geometry.tif"}
    with open(folder / "deformation/network.csv", newline="") as file:
        [pair] = csv.DictReader(file)
    assert pair["pair"] == "20210109_20210121"
    assert abs(float(pair["perpendicular_baseline_m"]) - 40) < 0.5
    stack = json.loads((folder / "deformation/stack.json").read_text())
    assert stack["simulated"] and stack["geometry"]["los"] == "results/valley/sentinel1/slc/geometry.tif"
