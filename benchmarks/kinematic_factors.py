"""What acceleration, season, step and change of velocity add to the mean rate, where landslides do not move steadily.

Two experiments alike but for these factors, on one simulated area of which eight in ten moving landslides accelerate,
follow the season, step after rain or start late. Series are simulated as an inversion leaves them: motion, turbulent
delay, and noise of each date; `config/examples/nonlinear_motion.yaml` asks the same of the whole workflow, from SLCs.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from slipmap.config.inputs import SimulateSettings
from slipmap.config.motion import KinematicsSettings
from slipmap.config.patches import PatchSettings, SplitSettings
from slipmap.config.run import ExperimentSettings
from slipmap.deformation import timeseries
from slipmap.factors import catalogue, terrain
from slipmap.factors.align import align
from slipmap.inputs import inventory
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.io.vector import write_vector
from slipmap.motion import kinematics
from slipmap.patches import split, store
from slipmap.simulator import sentinel1
from slipmap.simulator.area import _ground, _histories, simulated_dates
from slipmap.simulator.landslides import Landslide, label, line_of_sight_velocity, map_inventory
from slipmap.simulator.terrain import Terrain
from slipmap.training import evaluate, train

GROUND = ("slope", "aspect_sin", "aspect_cos")
KINEMATICS = ("acceleration", "annual_amplitude", "step", "velocity_change")
EXPERIMENTS = {"velocity": (*GROUND, "velocity"), "velocity_kinematics": (*GROUND, "velocity", *KINEMATICS)}
SCORES = {"f1": "pooled_over_pixels", "iou": "pooled_over_pixels", "average_precision": "pooled_over_pixels"}
NOISE = 3.0  # mm, of each date and pixel
SIDE = 512  # pixels of 12.5 m
SEEDS = (0, 1, 2)
EPOCHS = 60
SIMULATED = SimulateSettings(seed=41, landslides=100, moving=0.7, nonlinear=0.8, stratified=0)


def run(side: int = SIDE, seeds: Sequence[int] = SEEDS, epochs: int = EPOCHS) -> dict[str, object]:
    """Test scores of both experiments, mean ± standard deviation over seeds, and the difference seed by seed."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        patches = make_patches(folder, side)
        found = {
            experiment: [score(patches, experiment, seed, epochs, folder) for seed in seeds]
            for experiment in EXPERIMENTS
        }
    return {"pixels": side**2, "seeds": list(seeds)} | summary(found)


def summary(found: dict[str, list[dict[str, float]]]) -> dict[str, object]:
    """Mean and sample standard deviation over seeds; the difference is that of each seed with itself."""
    told: dict[str, object] = {}
    for key in SCORES:
        values = {name: np.array([one[key] for one in scores]) for name, scores in found.items()}
        values["difference"] = values["velocity_kinematics"] - values["velocity"]
        told[key] = {name: [round(float(v.mean()), 4), round(float(v.std(ddof=1)), 4)] for name, v in values.items()}
    return told


def make_patches(folder: Path, side: int) -> Path:
    """The patch store of the simulated area with all factors of `EXPERIMENTS`."""
    grid = Grid.from_bounds("EPSG:32632", 12.5, (500000, 5000000, 500000 + 12.5 * side, 5000000 + 12.5 * side))
    ground, slides = _ground(SIMULATED, grid)
    drawn = map_inventory(SIMULATED.seed, grid, ground, slides, error=10.0, missed=0.05, false=0.04)
    write_vector(folder / "inventory.gpkg", drawn, "inventory")
    inventory.run(folder / "inventory.gpkg", grid, folder / "inventory.tif")
    about = {"bands": ["elevation"], "units": "m", "long_name": "elevation"}
    raster.write(folder / "dem.tif", grid, ground.elevation.astype(np.float32), **about)
    terrain.run(folder / "dem.tif", grid, {name: folder / f"{name}.tif" for name in GROUND}, threads=1)
    write_motion(folder, grid, ground, slides)
    split.run(folder / "inventory.tif", SplitSettings(block=64, buffer="100 m"), folder / "s.tif", folder / "b.gpkg")
    factors = [folder / f"{name}.tif" for name in EXPERIMENTS["velocity_kinematics"]]
    settings = PatchSettings(size=64, stride=32)
    store.build(factors, folder / "inventory.tif", folder / "s.tif", settings, folder / "p.zarr", area="unsteady")
    print("patches are written", file=sys.stderr)
    return folder / "p.zarr"


def write_motion(folder: Path, grid: Grid, ground: Terrain, slides: list[Landslide]) -> None:
    """Velocity and kinematics as factors, from simulated series of each pixel."""
    los, _ = sentinel1.line_of_sight(grid)
    told, number = _histories(SIMULATED, grid, ground, slides), label(slides, grid)
    days = simulated_dates(SIMULATED)
    given = (SIMULATED, grid, line_of_sight_velocity(slides, grid, los), np.zeros(grid.shape), ground.elevation)
    rng = np.random.default_rng(SIMULATED.seed)
    series = np.stack([1e3 * each for each in sentinel1.displacement(*given, lambda k: told.at(k, number))])
    series += rng.normal(0, NOISE, series.shape)
    series = (series - series[0]).astype(np.float32)
    maps = {"temporal_coherence": ("1", "coherence")}
    with timeseries.create(folder / "t.nc", grid, days, baselines=None, attributes={}, maps=maps) as file:
        for window in grid.blocks():
            file.write(series[(slice(None), *window.toslices())], window)
    about = {"bands": ["mask"], "units": "1", "long_name": "mask", "dtype": "uint8"}
    raster.write(folder / "mask.tif", grid, np.ones(grid.shape, np.uint8), **about)
    bands, trend = folder / "kinematics.tif", folder / "trend.tif"
    kinematics.run(folder / "t.nc", folder / "mask.tif", KinematicsSettings(), bands, trend, {})
    years = np.array([(day - days[0]).days / 365.25 for day in days])
    rate = np.polyfit(years, series.reshape(len(days), -1), 1)[0].reshape(grid.shape).astype(np.float32)
    raster.write(folder / "velocity.tif", grid, rate, bands=["velocity"], units="mm/yr", long_name="velocity")
    for name in KINEMATICS:
        factor, band = catalogue.get(name), raster.band_index(bands, name)
        align(bands, grid, folder / f"{name}.tif", name=name, units=factor.units, long_name=name, band=band)


def score(patches: Path, experiment: str, seed: int, epochs: int, folder: Path) -> dict[str, float]:
    """Test scores of one seed of an experiment."""
    settings = ExperimentSettings(
        dataset="p64",
        train_areas=["unsteady"],
        test_areas=["unsteady"],
        factors=list(EXPERIMENTS[experiment]),
        model={"name": "unet", "options": {"width": 0.125}},
        training={"epochs": epochs, "batch_size": 8},
    )
    place = folder / f"{experiment}_{seed}"
    train.run([patches], None, settings, seed, place)
    found = evaluate.run([patches], place, place / "test.json")
    print(f"{experiment}, seed {seed} done", file=sys.stderr)
    return {key: found[group][key] for key, group in SCORES.items()}
