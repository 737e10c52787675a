"""Every factor that slipmap knows, one record each, in the order in which factors become bands.

Names, needs, units, titles, defaults, colours and what makes a factor are looked up here and stated nowhere else.
Other packages add records of their own (`slipmap.factors.extensions`).
"""

import re
from collections.abc import Collection, Iterable
from functools import cache
from math import inf

from slipmap.colours import VELOCITY
from slipmap.errors import InputError, nearest
from slipmap.factors.record import TWO_SIGNS, Direction, Factor, Ramp
from slipmap.inputs.contract import ELEVATION

PERIODS = ("after", "change", "before")
_DEM = ("inputs.dem",)
_RAIN = ("inputs.rainfall",)
_SOIL = ("inputs.soil_moisture",)
_SURFACE = "slipmap.factors.surface:attributes"
_METHOD = {"method": "{settings.method}"}
_UNIT = (-1.0, 1.0)

_TERRAIN = (
    Factor(
        "elevation", "terrain", _DEM, "m", "elevation", _SURFACE, default=True, style=Ramp("cividis"),
        limits=(ELEVATION.low, ELEVATION.high),
    ),
    Factor(
        "slope", "terrain", _DEM, "degrees", "slope", _SURFACE, default=True, reach=1, limits=(0.0, 90.0),
        style=Ramp("magma", (0, 60)), tags=_METHOD,
    ),
    Factor(
        "aspect_sin", "terrain", _DEM, "1", "sine of aspect (east component of the downslope direction; 0 where level)",
        _SURFACE, default=True, reach=1, limits=_UNIT, style=Ramp("RdBu", (-1, 1)), tags=_METHOD,
        direction=Direction("east", "aspect"),
    ),
    Factor(
        "aspect_cos", "terrain", _DEM, "1",
        "cosine of aspect (north component of the downslope direction; 0 where level)",
        _SURFACE, default=True, reach=1, limits=_UNIT, style=Ramp("RdBu", (-1, 1)), tags=_METHOD,
        direction=Direction("north", "aspect"),
    ),
    Factor(
        "plan_curvature", "terrain", _DEM, "1/m", "plan (contour) curvature, positive where flow diverges",
        _SURFACE, default=True, reach=1, style=TWO_SIGNS, tags=_METHOD,
    ),
    Factor(
        "profile_curvature", "terrain", _DEM, "1/m", "profile curvature, positive where convex upward",
        _SURFACE, default=True, reach=1, style=TWO_SIGNS, tags=_METHOD,
    ),
    Factor(
        "mean_curvature", "terrain", _DEM, "1/m", "mean curvature, positive where convex upward",
        _SURFACE, default=True, reach=1, style=TWO_SIGNS, tags=_METHOD,
    ),
    Factor(
        "aspect", "terrain", _DEM, "degrees", "downslope direction, clockwise from north",
        _SURFACE, reach=1, limits=(0.0, 360.0), tags=_METHOD, direction=Direction("azimuth", "aspect"),
    ),
    Factor(
        "tangential_curvature", "terrain", _DEM, "1/m", "tangential curvature, positive where flow diverges",
        _SURFACE, reach=1, style=TWO_SIGNS, tags=_METHOD,
    ),
    Factor(
        "roughness", "terrain", _DEM, "m", "largest difference of elevation in the window",
        "slipmap.factors.relief:roughness_of", reach="slipmap.factors.relief:roughness_reach",
        limits=(0.0, inf), tags={"window": "{settings.roughness_window} pixels"},
    ),
    Factor(
        "tri", "terrain", _DEM, "m",
        "terrain ruggedness index: root of the summed squared differences to the 8 neighbours",
        "slipmap.factors.relief:ruggedness_of", reach=1, limits=(0.0, inf),
    ),
    Factor(
        "tpi_{metres}", "terrain", _DEM, "m",
        "topographic position index: elevation above the mean within {metres} m",
        "slipmap.factors.relief:position_of", reach="slipmap.factors.relief:position_reach",
        style=TWO_SIGNS,
    ),
)  # fmt: skip
# made beside the terrain factors, to look at; no factor
HILLSHADE = Factor(
    "hillshade", "terrain", _DEM, "1", "illumination of the terrain", _SURFACE, reach=1, limits=(0.0, 1.0), tags=_METHOD
)

_HYDROLOGY = (
    Factor(
        "twi", "hydrology", _DEM, "1", "topographic wetness index, ln(specific catchment area / tan slope)",
        "slipmap.factors.hydrology:wetness_of", default=True, style=Ramp("cividis"),
        tags={"method": "{settings.algorithm}"},
    ),
    Factor(
        "distance_to_streams", "hydrology", _DEM, "m", "horizontal distance to the nearest stream",
        "slipmap.factors.hydrology:stream_distance", default=True, limits=(0.0, inf),
        tags={"stream_area": "{settings.stream_area:g} m2", "method": "D8"},
    ),
    Factor(
        "flow_accumulation", "hydrology", _DEM, "1", "log10 of the upslope contributing area in m2",
        "slipmap.factors.hydrology:accumulation_of", tags={"method": "{settings.algorithm}"},
    ),
    Factor(
        "spi", "hydrology", _DEM, "1", "stream power index, ln(1 + specific catchment area × tan slope)",
        "slipmap.factors.hydrology:power_of", tags={"method": "{settings.algorithm}"},
    ),
)  # fmt: skip

_LITHOLOGY = (
    Factor(
        "lithology", "lithology", ("inputs.lithology",), "class", "lithological class", "slipmap.factors.lithology:run",
        default=True, limits=(0.0, 254.0),
    ),
)  # fmt: skip

BANDS = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B11", "B12")
INDICES = {
    "ndvi": "normalised difference vegetation index",
    "ndwi": "normalised difference water index (green, near infrared)",
    "ndbi": "normalised difference built-up index",
    "ndmi": "normalised difference moisture index (narrow near infrared)",
    "bsi": "bare soil index",
}


def _optical(period: str) -> list[Factor]:
    """Bands, then indices, of the composite of one period, or of the change from before to after the event."""
    at_once = period == "composite"
    pair = ("inputs.sentinel2.before", "inputs.sentinel2.after")
    words = {"composite": "", "change": ", after minus before"}.get(period, f", {period} the event")
    stems = {name: (f"Sentinel-2 {name} reflectance", "optical.bands") for name in BANDS}
    stems |= {name: (text, "optical.indices") for name, text in INDICES.items()}
    return [
        Factor(
            stem if at_once else f"{stem}_{period}", "optical", ("inputs.sentinel2.path",) if at_once else pair, "1",
            text + words, "slipmap.factors.optical:run", listed=listed,
            # `before` is the difference of `after` and `change`, perfectly collinear with them
            default=period != "before",
            style=TWO_SIGNS if period == "change" else Ramp(),
            limits=_optical_limits(listed == "optical.indices", period == "change"),
        )
        for stem, (text, listed) in stems.items()
    ]  # fmt: skip


def _optical_limits(is_index: bool, is_change: bool) -> tuple[float, float]:
    low, high = _UNIT if is_index else (-0.2, 2.0)  # bright clouds and slopes reflect more than a level white surface
    return (low - high, high - low) if is_change else (low, high)


_CLIMATE = (
    Factor(
        "rainfall", "rain", _RAIN, "mm", "rain, {period}", "slipmap.factors.climate:run_rain", default=True,
        style=Ramp("cividis"), limits=(0.0, inf),
    ),
    Factor(
        "rain_intensity", "rain", _RAIN, "mm/h", "mean intensity P of the rain event ({event}), {period}",
        "slipmap.factors.climate:run_rain", default=True, limits=(0.0, inf),
    ),
    Factor(
        "rain_duration", "rain", _RAIN, "days", "duration D of the rain event ({event}), {period}",
        "slipmap.factors.climate:run_rain", default=True, limits=(0.0, inf),
    ),
    Factor(
        "rain_lag_{days}", "rain", _RAIN, "mm", "rain of the day {days} days before the cut-off",
        "slipmap.factors.climate:run_rain", least=0, limits=(0.0, inf),
    ),
    Factor(
        "soil_moisture", "soil", _SOIL, "m3/m3", "mean volumetric soil moisture, {period}",
        "slipmap.factors.climate:run_soil", default=True, limits=(0.0, 1.0),
    ),
    Factor(
        "smi", "soil", _SOIL, "1",
        "soil moisture index: soil moisture, {period}, between the driest and the wettest on record",
        "slipmap.factors.climate:run_soil", limits=(0.0, 1.0),
    ),
)  # fmt: skip
_PROXIMITY = tuple(
    Factor(
        f"distance_to_{what}", "proximity", (f"inputs.{what}",), "m",
        f"horizontal distance to the nearest of the {what}", "slipmap.factors.proximity:run", default=True,
        limits=(0.0, inf),
    )
    for what in ("roads", "faults")
)  # fmt: skip
_DEFORMATION = (
    Factor(
        "velocity", "deformation", ("inputs.sentinel1",), "mm/yr",
        "line-of-sight deformation rate, positive towards the satellite", "slipmap.factors.align:align",
        default=True, gaps=True, style=Ramp(VELOCITY, centred=True),
    ),
    Factor(
        "sbas_velocity", "deformation", ("inputs.sentinel1",), "mm/yr",
        "line-of-sight deformation rate by sbas, positive towards the satellite", "slipmap.factors.align:align",
        gaps=True, style=Ramp(VELOCITY, centred=True),
    ),
    Factor(
        "acceleration", "motion", ("inputs.sentinel1",), "mm/yr2",
        "line-of-sight acceleration, positive towards the satellite", "slipmap.factors.align:align",
        gaps=True, style=Ramp(VELOCITY, centred=True),
    ),
    Factor(
        "annual_amplitude", "motion", ("inputs.sentinel1",), "mm",
        "amplitude of the annual cycle of the line-of-sight displacement", "slipmap.factors.align:align",
        gaps=True, limits=(0.0, inf),
    ),
    Factor(
        "annual_phase", "motion", ("inputs.sentinel1",), "days",
        "day of the year on which the annual cycle is furthest towards the satellite", "slipmap.factors.align:align",
        gaps=True, style=Ramp("twilight", (0, 366)), limits=(0.0, 366.0),
    ),
    Factor(
        "step", "motion", ("inputs.sentinel1",), "mm",
        "largest step of the line-of-sight displacement, positive towards the satellite", "slipmap.factors.align:align",
        gaps=True, style=Ramp(VELOCITY, centred=True),
    ),
    Factor(
        "velocity_change", "motion", ("inputs.sentinel1",), "mm/yr",
        "largest change of the line-of-sight velocity, positive towards the satellite", "slipmap.factors.align:align",
        gaps=True, style=Ramp(VELOCITY, centred=True),
    ),
    Factor(
        "significance", "motion", ("inputs.sentinel1",), "1",
        "local mean of the line-of-sight velocity over its standard deviation", "slipmap.factors.align:align",
        gaps=True, style=Ramp(VELOCITY, centred=True),
    ),
)  # fmt: skip
_EVENT = (
    Factor(
        "event_significance", "event", ("event",), "1",
        "change about the event over its scatter in the surroundings", "slipmap.factors.align:align",
        style=Ramp("viridis"),
    ),
    Factor(
        "coherence_loss_score", "event", ("event",), "1",
        "coherence lost across the event, in its standard deviations", "slipmap.factors.align:align",
        style=TWO_SIGNS,
    ),
    Factor(
        "vv_change", "event", ("event",), "dB", "change of VV backscatter across the event",
        "slipmap.factors.align:align", style=TWO_SIGNS,
    ),
    Factor(
        "vh_change", "event", ("event.vh",), "dB", "change of VH backscatter across the event",
        "slipmap.factors.align:align", style=TWO_SIGNS,
    ),
)  # fmt: skip
RISK_INDEX = Factor(  # of the susceptibility stage, as a channel of a network
    "lsi",
    "risk_index",
    ("susceptibility.risk_index",),
    "1",
    "Landslide Risk Index",
    "slipmap.susceptibility.risk_map:map_risk_index",
)
OWN = (
    *_TERRAIN, *_HYDROLOGY, *_LITHOLOGY, *(factor for period in ("composite", *PERIODS) for factor in _optical(period)),
    *_CLIMATE, *_PROXIMITY, *_DEFORMATION, *_EVENT, RISK_INDEX,
)  # fmt: skip


@cache
def records() -> tuple[Factor, ...]:
    """Every factor: slipmap's own, then those of installed extensions."""
    from slipmap.factors import extensions

    return (*OWN, *extensions.load(OWN))


@cache
def _by_name() -> dict[str, Factor]:
    return {factor.name: factor for factor in (*records(), HILLSHADE) if not factor.is_family}


@cache
def find(name: str) -> Factor | None:
    """Return the record of the factor `name`; None if there is none."""
    if name == HILLSHADE.name:
        return None
    return _by_name().get(name) or next((one for one in records() if one.is_family and one.matches(name)), None)


def forget() -> None:
    """Look for extensions again at the next question (packages were installed or removed since the last one)."""
    for function in (records, _by_name, find):
        function.cache_clear()


def by_pattern(pattern: str) -> Factor:
    """Return the record whose name or pattern (``rain_lag_{days}``) is `pattern`."""
    return next(factor for factor in records() if factor.name == pattern)


def refusal(name: str, more: Iterable[str] = ()) -> str:
    """What to say of a `name` that is no factor: the nearest one there is, of the catalogue or of `more`."""
    for family in (one for one in records() if one.is_family):
        head, _, tail = family.name.partition("{")
        if name.startswith(head):
            word = tail.partition("}")[0]
            return f"which is no factor; did you mean '{family.name}', {word} a whole number from {family.least}?"
    digits = "".join(filter(str.isdigit, name))
    known = [re.sub(r"\{\w+\}", digits, one.name) for one in records() if digits or not one.is_family]
    near = nearest(name, [*known, *more])
    return "which is no factor" + (near if "did you mean" in near else "; 'slipmap factors' lists them.")


def get(name: str, key: str = "factors") -> Factor:
    """Return the record of the factor `name`; `key` is where the config names it.

    Raises
    ------
    InputError : there is none.
    """
    factor = find(name)
    if factor is None:
        raise InputError(f"{key} names '{name}', {refusal(name)}")
    return factor


def made_by(family: str, names: Iterable[str]) -> dict[str, Factor]:
    """Return the records of `names`, all of one family.

    Raises
    ------
    InputError : a name is no factor, or one that another family makes.
    """
    found = {}
    for name in names:
        factor = HILLSHADE if name == HILLSHADE.name else get(name)
        if factor.family != family:
            possible = [one.name for one in records() if one.family == family]
            raise InputError(f"'{name}' is a factor of {factor.family}, not of {family}{nearest(name, possible)}")
        found[name] = factor
    return found


def of_family(*families: str, default: bool | None = None) -> list[Factor]:
    """Return the records of some families; of those only the default ones, or only the others, if asked for."""
    return [one for one in records() if one.family in families and default in (None, one.default)]


def regex(factors: Collection[Factor]) -> str:
    """Regular expression of the names of some records, for a rule's wildcard ("none" if there are none)."""
    return "|".join(factor.regex for factor in factors) or "none"


def split_period(name: str) -> tuple[str, str]:
    """("ndvi_change") → ("ndvi", "change"); ("ndvi") → ("ndvi", "composite")."""
    stem, _, period = name.rpartition("_")
    return (stem, period) if stem in (*BANDS, *INDICES) and period in PERIODS else (name, "composite")
