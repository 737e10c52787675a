"""Active areas beside the landslides that the simulator placed: the areas under ``results/`` whose truth is known.

Held or not: of the landslides faster than 10 mm/yr in the line of sight at least 85 % have an active area, at least
80 % of the areas lie on a moving landslide, matched areas are at most twice as large, their median IoU is at least 0.4.
"""

from pathlib import Path

import geopandas as gpd
import pandas as pd

from slipmap.config.layout import Results
from slipmap.report.active_truth import compare

FOUND, RIGHT, RATIO, ALIKE = 0.85, 0.80, 2.0, 0.4


def run(folder: Path = Path()) -> dict[str, object]:
    """The table by size and what is held, of each simulated area that has been run in `folder`."""
    found: dict[str, object] = {}
    for areas in sorted(folder.glob(f"results/*/{Results.active_areas}")):
        name = areas.relative_to(folder / "results").parts[0]
        truth = folder / "resources" / name / "truth"
        if (truth / "landslides.gpkg").exists():
            frame = gpd.read_file(areas, layer="active_areas")
            found[name] = judge(compare(frame, truth / "landslides.gpkg", truth / "velocity_los.tif"))
    return found or {"left out": "no simulated area has been run here; run the demo (make demo) first"}


def judge(table: pd.DataFrame) -> dict[str, object]:
    """What is held of a table of `compare`, and the table."""
    fast, hit, areas, right, ratio, alike = table.iloc[0, 1:]
    held = {
        "found": [f"{hit} of {fast}", hit >= FOUND * fast],
        "on a moving landslide": [f"{right:.0f} of {areas:.0f}", right >= RIGHT * areas],
        "area ratio": [round(ratio, 2), ratio <= RATIO],
        "median IoU": [round(alike, 2), alike >= ALIKE],
    }
    return {"held": held, "by size": table.round(2).to_dict("records")}
