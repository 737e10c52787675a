# What the rules that fetch ask about an area: which kinds of data are fetched, and their settings.
from slipmap.config.acquire import KINDS
from slipmap.config.layout import ACQUIRED, PUBLISHED, acquired_places

PLACED = {area: acquired_places(AREAS[area].acquire) for area in AREAS}


def acquire_settings(area, kind):
    """Of what an area fetches the settings of one kind of data (orbits are those of the Sentinel-1 dates)."""
    given = AREAS[area].acquire.model_dump(mode="json")
    others = {"orbits": ("sentinel1",)}.get(kind, ())
    return {key: given[key] for key in ("start", "end", "tries", "stall", "at_once", kind, *others)}


def factor_settings(area, kind):
    """What the factors ask of one kind of data: bands of Sentinel-2, days of rain and soil moisture."""
    factors = AREAS[area].factors.model_dump(mode="json")
    if kind == "sentinel2":
        return {"optical": {key: factors["optical"][key] for key in ("bands", "indices")}}
    if kind in ("rainfall", "soil_moisture"):
        return {"climate": {key: factors["climate"][key] for key in ("cutoff", "window")}}
    return {}
