"""How honest the standard deviation of the velocity is: simulated speckle of many kinds of ground and networks.

The velocity's 95 % interval shall hold the truth at 0.92 to 0.97 of the pixels, its 50 % interval at 0.45 to 0.55, and
the standard deviation shall lie within 10 % of the scatter of the velocities.
"""

import time

import numpy as np

from benchmarks._speckle import Ground, interferograms
from slipmap.deformation import scatter
from slipmap.deformation.inversion import invert_stack, years
from slipmap.deformation.phase import deviation_table, mm_per_radian, weight_table
from slipmap.deformation.velocity import TimeModel, time_model

GROUNDS = {
    "vegetation": Ground(60, 0.7, 30, 0.15, 60),
    "vegetation with rock": Ground(60, 0.6, 24, 0.25, 100),
    "meadow": Ground(31, 0.7, 40, 0.2, 60),
    "rock": Ground(60, 0.9, 60, 0.3, 60),
    "no floor": Ground(31, 1.0, 48, 0.0, 60),
    "quick": Ground(31, 0.85, 20, 0.1, 40),
    "noisy": Ground(40, 0.5, 200, 0.1, 60),
    "slow": Ground(30, 0.95, 100, 0.0, 30),
}
NETWORKS = (12, 24, 36, 60, 100)  # longest pair, days
SCALE = mm_per_radian(0.0554658)
Z95, Z50 = 1.959964, 0.674490


def run(seeds: int = 5, pixels: int = 400) -> dict[str, object]:
    """Coverage and size of the intervals for each ground and network, and what the covariance costs the kernel."""
    found: dict[str, object] = {"seeds": seeds, "pixels of each": pixels}
    worst = {"held_95": [], "held_50": [], "sigma_over_scatter": []}
    for name, ground in GROUNDS.items():
        for longest in NETWORKS:
            row = judge(ground, longest, seeds, pixels)
            found[f"{name}, {longest} days"] = row
            for key, values in worst.items():
                values.append(row[key])
    found["from, to"] = {key: [min(values), max(values)] for key, values in worst.items()}
    return found | {"cost": cost(GROUNDS["slow"], 48)}


def judge(ground: Ground, longest: int, seeds: int, pixels: int) -> dict[str, float]:
    """Share of intervals that hold the truth, and median standard deviation over the scatter of the velocities."""
    velocities, deviations = [], []
    for seed in range(seeds):
        velocity, deviation = measure(ground, longest, pixels, np.random.default_rng(seed))
        velocities.append(velocity)
        deviations.append(deviation)
    velocity, deviation = np.concatenate(velocities), np.concatenate(deviations)
    return {
        "held_95": round(float(np.mean(np.abs(velocity) <= Z95 * deviation)), 3),
        "held_50": round(float(np.mean(np.abs(velocity) <= Z50 * deviation)), 3),
        "sigma_over_scatter": round(float(np.median(deviation) / velocity.std()), 3),
        "scatter_mm_yr": round(float(velocity.std()), 3),
    }


def measure(
    ground: Ground, longest: int, pixels: int, rng: np.random.Generator, atmosphere: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Velocity (the truth is 0) and its standard deviation at each pixel, mm/yr; `atmosphere` on each date, mm."""
    numbers, model = ground.pairs(longest), time_model(ground.days())
    phase, coherence = interferograms(ground, numbers, pixels, rng)
    delay = rng.normal(0, atmosphere, (ground.dates, pixels)) / SCALE
    phase += (delay[numbers[:, 1]] - delay[numbers[:, 0]]).astype(np.float32)
    return estimate(model, numbers, ground, phase, coherence)


def estimate(
    model: TimeModel, numbers: np.ndarray, ground: Ground, phase: np.ndarray, coherence: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """As the rule does it: velocity and standard deviation, mm/yr, of (pairs, pixels)."""
    row, looks = model.row("velocity"), ground.looks
    targets = np.vstack([row, scatter.combinations(model)])
    table, deviation = weight_table("variance", looks), deviation_table(looks)
    solved = invert_stack(
        phase, coherence, numbers, years(ground.days()), table,
        operator=row, deviation=deviation, targets=targets, samples=looks,
    )  # fmt: skip
    series, variances = solved.series * SCALE, solved.variance * SCALE**2
    found = scatter.fit(model, series, variances)
    return row @ series, found.velocity_std(series, variances[0].astype(np.float64), np.sum(row**2))


def cost(ground: Ground, longest: int, pixels: int = 2**16, runs: int = 5) -> dict[str, float]:
    """CPU microseconds a pixel of the kernel (series, velocity, temporal coherence), without covariance and with."""
    from slipmap.deformation.inversion import Network, Outputs

    numbers, model, rng = ground.pairs(longest), time_model(ground.days()), np.random.default_rng(0)
    few = interferograms(ground, numbers, 512, rng)
    phase, coherence = (np.tile(values, pixels // 512).ravel() for values in few)
    table, row = weight_table("variance", ground.looks), model.row("velocity")
    result: dict[str, float] = {"pairs": len(numbers), "dates": ground.dates}
    for name, deviation in (("without", None), ("with covariance", deviation_table(ground.looks))):
        network = Network(numbers, years(ground.days()), table, operator=row, deviation=deviation)
        out = Outputs.empty(ground.dates, pixels, variances=0 if deviation is None else 1)
        seconds = []
        for _ in range(runs + 1):
            start = time.process_time()
            network.invert(phase, phase, coherence, out)
            seconds.append(time.process_time() - start)
        result[f"{name}, us a pixel"] = round(float(np.median(seconds[1:])) / pixels * 1e6, 3)
    return result
