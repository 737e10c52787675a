"""Five Sentinel-1 products that come later, by phase linking in ministacks: jobs run, CPU time and what they change.

A simulated area of 128 × 128 pixels with 30 raw products (SAFE) goes to its velocity twice: all in one go; and 25 of
them first, the other five added to the folder afterwards. CPU seconds are those of all processes.
"""

import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import yaml
from affine import Affine

from slipmap.config.inputs import SimulateSettings
from slipmap.deformation.reliability import RELIABLE
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.simulator import area as simulate

REPOSITORY = Path(__file__).parents[1]
SIZE, DATES, LATER, MINISTACK = 128, 30, 5, 5
TARGET = "results/valley/deformation/velocity.tif"


def run(size: int = SIZE, dates: int = DATES) -> dict[str, object]:
    """Jobs by rule and CPU seconds of each run, the share that adding takes, and the difference of the velocities."""
    grid = Grid("EPSG:32632", Affine(12.5, 0, 500000, 0, -12.5, 5000000), size, size)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate.run(SimulateSettings(seed=7, dates=dates, landslides=20, scenes=1, sentinel1="safe"), grid, folder)
        products = sorted((folder / "sentinel1").glob("*.SAFE"))
        whole, parts = (_workplace(folder / place, grid) for place in ("whole", "parts"))
        _hand_over(products, whole)
        _hand_over(products[:-LATER], parts)
        found: dict[str, object] = {"ministack": MINISTACK, "all": _made(whole), "without the last five": _made(parts)}
        _hand_over(products[-LATER:], parts)
        found["the last five"] = _made(parts)
        found["share of the CPU time of all"] = round(_seconds(found, "the last five") / _seconds(found, "all"), 3)
        found["difference, sigma rms"] = _difference(whole, parts)
        together = _workplace(folder / "together", grid, ministack=None)
        _hand_over(products, together)
        shutil.copytree(whole / "results/valley/sentinel1", together / "results/valley/sentinel1")  # geocoded alike
        _made(together)
        return found | {"difference to all dates linked at once": _of_reliable(together, parts)}


def _workplace(folder: Path, grid: Grid, ministack: int | None = MINISTACK) -> Path:
    """A folder with a config that links phases of the products in its folder `raw`."""
    (folder / "raw").mkdir(parents=True)
    left, bottom, right, top = grid.bounds
    area = {
        "grid": {"crs": grid.crs, "resolution": 12.5, "bounds": [left, bottom, right, top]},
        "inputs": {"dem": str(folder.parent / "dem.tif"), "sentinel1": {"level": "safe", "path": "raw"}},
        "deformation": {"estimator": "phase_linking", "phase_linking": {"ministack": ministack}},
    }
    (folder / "run.yaml").write_text(yaml.safe_dump({"areas": {"valley": area}}))
    return folder


def _hand_over(products: list[Path], folder: Path) -> None:
    """Put products into the folder's `raw`: hard links, no copies."""
    for product in products:
        for file in (f for f in product.rglob("*") if f.is_file()):
            place = folder / "raw" / file.relative_to(product.parent)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.hardlink_to(file)


def _made(folder: Path) -> dict[str, object]:
    """Make the velocity; jobs by rule and CPU seconds of all processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [str(Path(sys.executable).with_name("snakemake")), "--snakefile", str(REPOSITORY / "Snakefile"), TARGET]
    command += ["--directory", str(folder), "--configfile", str(folder / "run.yaml"), "--cores", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"snakemake failed in {folder}:\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    jobs = Counter(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", done.stdout + done.stderr))
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"jobs": sum(jobs.values()), "by rule": dict(jobs), "CPU seconds": round(seconds, 1)}


def _seconds(found: dict, row: str) -> float:
    return found[row]["CPU seconds"]


def _difference(first: Path, second: Path) -> float:
    """Root mean square of the difference of two velocities in standard deviations of the first."""
    one, other = (raster.read(folder / TARGET, bands=1) for folder in (first, second))
    deviation = raster.read((first / TARGET).with_name("velocity_std.tif"), bands=1)
    if (np.isfinite(one) != np.isfinite(other)).any():
        return float("inf")
    return round(float(np.sqrt(np.nanmean(((one - other) / deviation) ** 2))), 4)


def _of_reliable(first: Path, second: Path) -> dict[str, float]:
    """Difference of two velocities, less its median, where both are reliable; and how much each calls reliable."""
    names = ("velocity", "velocity_std", "mask")
    one, other = (
        {name: raster.read((folder / TARGET).with_name(f"{name}.tif"), bands=1) for name in names}
        for folder in (first, second)
    )
    both = (one["mask"] == RELIABLE) & (other["mask"] == RELIABLE)
    away = (other["velocity"] - one["velocity"])[both]
    away -= np.median(away)
    ratio = away / one["velocity_std"][both]
    return {
        "sigma rms": round(float(np.sqrt(np.mean(ratio**2))), 3),
        "sigma median of absolutes": round(float(np.median(np.abs(ratio))), 3),
        "mm/yr rms": round(float(np.sqrt(np.mean(away**2))), 3),
        "reliable at once": round(float(np.mean(one["mask"] == RELIABLE)), 3),
        "reliable by ministacks": round(float(np.mean(other["mask"] == RELIABLE)), 3),
    }
