"""Every product of an area: made, or not made and why, as the config and the files have it."""

from collections.abc import Iterator, Sequence

from slipmap.config.factors import OpticalSettings
from slipmap.config.products import has_factors, is_tested, mapped_areas
from slipmap.config.run import AreaSettings, RunSettings
from slipmap.deformation.found import Found
from slipmap.factors import catalogue
from slipmap.factors.indices import NEEDS

Made = tuple[str, str]  # product, why it is not made ("": it is)
_MADE_OF = {
    "inputs.dem": "terrain and hydrological factors",
    "inputs.sentinel2.path": "reflectance and indices",
    "inputs.lithology": "lithology",
    "inputs.rainfall": "rain",
    "inputs.soil_moisture": "soil moisture",
    "inputs.sentinel1": "deformation rate as a factor",
    "inputs.roads": "distance to roads",
    "inputs.faults": "distance to faults",
}
_OF_EVENTS = ("inputs.sentinel2.before", "inputs.sentinel2.after")  # told as the change between the two
_NO_SIGHT = "the files tell no incidence angle and heading; set inputs.sentinel1.incidence"


def products(name: str, run: RunSettings, factors: Sequence[str], found: Found) -> Iterator[Made]:
    """The products of an area.

    Parameters
    ----------
    factors : that are made. found : what its Sentinel-1 data are like.
    """
    area = run.areas[name]
    yield from _factors(area, factors)
    yield from _deformation(area, found)
    yield from _changes(name, area)
    no_inventory = "" if area.inputs.inventory else "no inputs.inventory"
    no_inventory = no_inventory or ("" if factors else "no factors")
    yield "split, screening and patches", no_inventory
    chosen = area.susceptibility
    unasked = "" if chosen else f"no areas.{name}.susceptibility"
    yield "classical susceptibility models with scores", unasked or no_inventory
    no_maps = "" if chosen and chosen.maps else "no susceptibility.maps"
    yield "maps of classical models", unasked or no_inventory or no_maps
    yield (
        "map and classes of the Landslide Risk Index",
        unasked or ("" if chosen and chosen.risk_index else "no susceptibility.risk_index"),
    )
    yield from _maps(name, run, bool(no_inventory))
    yield "report with tables", ""


def _factors(area: AreaSettings, names: Sequence[str]) -> Iterator[Made]:
    """Factors that are made unless an input is missing or the config leaves them out."""
    asked = [one for one in catalogue.records() if one.default and one.name not in names]
    for need in dict.fromkeys(need for one in asked for need in one.needs):
        if not _has(area, need) and need not in _OF_EVENTS:
            yield _MADE_OF.get(need, f"factors of {need}"), f"no {need}"
    excluded = [one.name for one in asked if one.name in area.factors.exclude and all(_has(area, n) for n in one.needs)]
    if excluded:
        yield ", ".join(excluded), "factors.exclude"
    if area.factors.include is not None:
        yield "factors that are not listed", "factors.include"
        return
    usual, unlisted = {*OpticalSettings().bands, *OpticalSettings().indices}, dict[str, list[str]]()
    for one in asked:
        if one.name in usual - {*area.factors.exclude} and all(_has(area, need) for need in one.needs):
            unlisted.setdefault(f"factors.{one.listed}", []).append(one.name)
    for key, left_out in unlisted.items():
        needs = [f"; {name} needs {' and '.join(NEEDS[name])}" for name in left_out if name in NEEDS]
        yield ", ".join(left_out), f"not in {key}{''.join(needs)}"


def _has(area: AreaSettings, need: str) -> bool:
    found: object | None = area
    for part in need.split("."):
        found = getattr(found, part, None)
    return bool(found)


def _deformation(area: AreaSettings, found: Found) -> Iterator[Made]:
    source = area.inputs.sentinel1
    none = "" if source else "no inputs.sentinel1"
    yield "velocity", none
    ready = "inputs.sentinel1 is a ready velocity" if source and source.level == "velocity" else ""
    series = none or ready
    yield "standard deviation, coherence, mask, time series, kinematics and active areas", series
    if area.deformation.compare_with:
        yield f"velocity by {area.deformation.compare_with}, beside that of linked phases", series
    if found.hinged:
        yield "reliable velocities, so the active areas are empty", "one pair alone holds the network together"
    dem = "" if area.inputs.dem else "no inputs.dem"
    sight = "" if found.sight else _NO_SIGHT
    yield "downslope velocity, sensitivity, layover and shadow", series or dem or sight
    opposite = "" if area.deformation.opposite_area else "no deformation.opposite_area"
    yield "vertical and eastward velocity", series or opposite
    yield "velocity down the slope from two tracks", series or opposite or dem


def _changes(name: str, area: AreaSettings) -> Iterator[Made]:
    source = area.inputs.sentinel2
    both = source is not None and source.before and source.after
    yield "change between before and after an event", "" if both else "no inputs.sentinel2.before and after"
    yield "event map from coherence and backscatter", "" if area.event else f"no areas.{name}.event"


def _maps(name: str, run: RunSettings, untested: bool) -> Iterator[Made]:
    if not run.experiments:
        yield "landslide maps", "no experiments"
        return
    maps = [one for one in run.experiments if name in mapped_areas(run, one)]
    none = "" if maps else "no experiment maps it" if has_factors(run.areas[name]) else "no factors to map from"
    yield "landslide maps (probability, uncertainty, classes, outlines, and the ground on which to trust them)", none
    tested = any(is_tested(run, one, name) for one in run.experiments)
    untold = "no inputs.inventory" if untested else "no experiment is tested on it"
    yield "scores on test ground", "" if tested else untold
    covered = any(run.experiments[one].prediction.coverage is not None for one in maps)
    yield "conformal prediction sets", none or ("" if covered else "no prediction.coverage")
