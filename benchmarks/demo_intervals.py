"""How good velocity and standard deviation are on simulated areas: `python -m benchmarks.demo_intervals ROOT …`.

`slipmap bench demo_intervals` judges the demo of the folder that it is called in.

Each ROOT is a folder in which the workflow mapped a simulated area to its velocity: ``ROOT/results/AREA/deformation``
and ``ROOT/resources/AREA/truth``. The areas are pooled; the median difference of still ground, which the error of the
reference point gives to all pixels of an area, is taken off each.
"""

import sys
from pathlib import Path

import numpy as np

from slipmap.io import raster
from slipmap.io.grid import Grid

Z95, Z50, MOVING, RELIABLE = 1.959964, 0.674490, 10.0, 1  # MOVING: mm/yr


def errors(root: Path, area: str = "demo") -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray, float]]:
    """Error, standard deviation and truth (mm/yr) at the reliable pixels of a kind of ground; all its pixels, counted.

    The kinds are all ground, still ground and movers.
    """
    made = root / "results" / area / "deformation"
    grid = Grid.from_raster(made / "velocity.tif")
    with raster.warped(root / "resources" / area / "truth" / "velocity_los.tif", grid) as source:
        truth = raster.read_open(source, None, 1).astype(np.float64)
    found, deviation, mask = (raster.read(made / f"{n}.tif", bands=1) for n in ("velocity", "velocity_std", "mask"))
    good = (mask == RELIABLE) & np.isfinite(found) & np.isfinite(deviation)
    still = good & (truth == 0)
    error = found - np.median(found[still]) - truth
    kinds = {"all": np.isfinite(truth), "still": truth == 0, "movers": np.abs(truth) > MOVING}
    return {
        name: (error[kind & good], deviation[kind & good], truth[kind & good], kind.sum())
        for name, kind in kinds.items()
    }


def judge(roots: list[Path]) -> dict[str, dict[str, float | None]]:
    """Of each kind of ground of all areas together: how much is reliable, and how the velocity errs there."""
    areas, result = [errors(root) for root in roots], {}
    for kind in ("all", "still", "movers"):
        error, deviation, truth = (np.concatenate([area[kind][k] for area in areas]) for k in range(3))
        rms = float(np.sqrt(np.mean(error**2)))
        result[kind] = {
            "pixels": error.size,
            "reliable": round(float(error.size / sum(area[kind][3] for area in areas)), 3),
            "held_95": round(float(np.mean(np.abs(error) <= Z95 * deviation)), 3),
            "held_50": round(float(np.mean(np.abs(error) <= Z50 * deviation)), 3),
            "median_sigma": round(float(np.median(deviation)), 3),
            "rms_error": round(rms, 3),
            "sigma_over_rms": round(float(np.median(deviation)) / rms, 3),
            "bias_of_speed": round(float(np.mean(error * np.sign(truth))), 3),
            "slope": round(float(np.polyfit(truth, truth + error, 1)[0]), 3) if np.ptp(truth) > 0 else None,
        }
    return result


def run(root: Path = Path()) -> dict[str, object]:
    """What `judge` says of the demo that was run in the folder `root`."""
    if not (root / "results/demo/deformation/mask.tif").exists() or not (root / "resources/demo/truth").is_dir():
        return {"left out": "the demo has not been run here (make demo)"}
    return dict(judge([root]))


if __name__ == "__main__":
    for name, row in judge([Path(root) for root in sys.argv[1:]]).items():
        print(name, row)
