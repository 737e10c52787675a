# What the rules of the inputs ask: what the simulator makes.
from slipmap.config.layout import EVENT_TRUTH, TRUTH

import re

SIMULATED = [area for area in AREAS if AREAS[area].simulate]
WITH_EVENT = [area for area in SIMULATED if AREAS[area].simulate.event]
SIMULATED_FILES = dict(
    dem="resources/{area}/dem.tif",
    sentinel1=directory("resources/{area}/sentinel1"),
    sentinel2=directory("resources/{area}/sentinel2"),
    lithology="resources/{area}/lithology.gpkg",
    rainfall="resources/{area}/rainfall.nc",
    soil_moisture="resources/{area}/soil_moisture.nc",
    truth=[f"resources/{{area}}/truth/{name}" for name in TRUTH],
    label="resources/{area}/SIMULATED.txt",
)


def event_outputs(area):
    """What the simulator makes of an area with an event, by role."""
    simulated = AREAS[area].simulate
    folders = ["sentinel2_before", "sentinel2_after"] + ["sentinel1_vh"] * (simulated.sentinel1 == "slc")
    found = SIMULATED_FILES | {name: directory(f"resources/{{area}}/{name}") for name in folders}
    found["event_truth"] = [f"resources/{{area}}/truth/{name}" for name in EVENT_TRUTH]
    return found | ({"inventory": "resources/{area}/inventory.gpkg"} if simulated.inventory else {})
