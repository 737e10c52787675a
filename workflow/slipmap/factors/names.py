"""Which factors an area can have: a function of its settings alone, light enough to run as the workflow is planned."""

import re
from collections.abc import Collection, Iterable

from slipmap.config.factors import FactorSettings
from slipmap.config.inputs import InputSettings
from slipmap.errors import InputError, nearest

TERRAIN = (
    "elevation",
    "slope",
    "aspect_sin",
    "aspect_cos",
    "plan_curvature",
    "profile_curvature",
    "mean_curvature",
)
TERRAIN_EXTRA = ("aspect", "tangential_curvature", "roughness", "tri")
TPI = r"tpi_[1-9]\d*"  # topographic position index within so many metres
HYDROLOGY = ("twi", "distance_to_streams")
HYDROLOGY_EXTRA = ("flow_accumulation", "spi")
BANDS = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B11", "B12")
INDICES = ("ndvi", "ndwi", "ndbi", "ndmi", "bsi")
PERIODS = ("before", "after", "change")
RAIN_LAG = r"rain_lag_(?:0|[1-9]\d*)"  # rain of the day so many days before the cut-off
RAIN = ("rainfall", "rain_intensity", "rain_duration")
RISK_INDEX = "lsi"  # the Landslide Risk Index as a channel of a network; see slipmap.susceptibility.risk_index
SOIL = ("soil_moisture",)
SOIL_EXTRA = ("smi",)


def factor_names(area: object) -> list[str]:
    """Factors to make for an area, in the order in which they become bands.

    Parameters
    ----------
    area : `slipmap.config.AreaSettings`, or anything with its `inputs` and `factors`.

    Raises
    ------
    InputError : the settings name a factor that is unknown, that the inputs do not allow, or the rain of a day before
        the window.
    """
    inputs, settings = area.inputs, area.factors
    possible = allowed(inputs, settings)
    if getattr(getattr(area, "susceptibility", None), "risk_index", None):
        possible.append(RISK_INDEX)
    for key in ("include", "extra", "exclude"):
        for name in getattr(settings, key) or ():
            if not _is_known(name) and name not in possible:
                raise InputError(
                    f"factors.{key} names '{name}', which is no factor{nearest(name, _all_known(possible))}"
                )
            if key != "exclude" and name not in possible and not _of_a_family(name, inputs):
                raise InputError(
                    f"factors.{key} names '{name}', which the area's inputs do not allow; give "
                    f"{_needed(name)} or leave the factor out."
                )
    chosen = settings.include if settings.include is not None else defaults(inputs, settings)
    names = [name for name in dict.fromkeys([*chosen, *settings.extra]) if name not in settings.exclude]
    ready = inputs.ready_factors.bands if inputs.ready_factors else ()
    for name in rain_lags(set(names).difference(ready)):
        if rain_lag(name) >= settings.climate.window:
            key = "extra" if name in settings.extra else "include"
            raise InputError(
                f"factors.{key} names '{name}', but only {settings.climate.window} days count "
                f"(factors.climate.window); raise the window or leave the factor out."
            )
    if not names:
        raise InputError("factors: none is left to make; give inputs.dem or inputs.sentinel2, or exclude fewer.")
    return names


def defaults(inputs: InputSettings, settings: FactorSettings) -> list[str]:
    """Factors made unless the settings say otherwise.

    Of a pair of images only `after` and `change` are: `before` is their difference, perfectly collinear with them.
    """
    names: list[str] = list(inputs.ready_factors.bands) if inputs.ready_factors else []
    if inputs.dem:
        names += [*TERRAIN, *HYDROLOGY]
    if inputs.lithology:
        names.append("lithology")
    optical = [*settings.optical.bands, *settings.optical.indices]
    if inputs.sentinel2:
        if inputs.sentinel2.path:
            names += optical
        if inputs.sentinel2.before and inputs.sentinel2.after:
            names += [f"{name}_{period}" for period in ("after", "change") for name in optical]
    if inputs.rainfall:
        names += RAIN
    if inputs.soil_moisture:
        names += SOIL
    if inputs.roads:
        names.append("distance_to_roads")
    if inputs.faults:
        names.append("distance_to_faults")
    if inputs.sentinel1:
        names.append("velocity")
    return list(dict.fromkeys(names))


def allowed(inputs: InputSettings, settings: FactorSettings) -> list[str]:
    """Every factor that the inputs allow (besides ``tpi_{metres}`` and ``rain_lag_{days}``, any number of them)."""
    names = defaults(inputs, settings)
    if inputs.dem:
        names += [*TERRAIN_EXTRA, *HYDROLOGY_EXTRA]
    optical = [*BANDS, *INDICES]
    if inputs.sentinel2:
        if inputs.sentinel2.path:
            names += optical
        if inputs.sentinel2.before and inputs.sentinel2.after:
            names += [f"{name}_{period}" for period in PERIODS for name in optical]
    if inputs.soil_moisture:
        names += SOIL_EXTRA
    return list(dict.fromkeys(names))


def split_period(name: str) -> tuple[str, str]:
    """("ndvi_change") → ("ndvi", "change"); ("ndvi") → ("ndvi", "composite")."""
    stem, _, period = name.rpartition("_")
    return (stem, period) if stem and period in PERIODS else (name, "composite")


def is_optical(name: str) -> bool:
    """Whether a factor comes from Sentinel-2: a band or an index, of the composite or of a period."""
    return split_period(name)[0] in (*BANDS, *INDICES)


def require(names: Iterable[str], factors: Collection[str], key: str) -> None:
    """Raise one sentence, from `key` of the config, unless every name is a factor of the area."""
    for name in names:
        if name not in factors:
            raise InputError(f"{key} names '{name}', which is not a factor of this area{nearest(name, factors)}")


def rain_lags(names: Iterable[str]) -> list[str]:
    """Those of `names` that are the rain of one day before the cut-off, the cut-off's own day first."""
    return sorted((name for name in names if re.fullmatch(RAIN_LAG, name)), key=rain_lag)


def rain_lag(name: str) -> int:
    """Days before the cut-off of the factor ``rain_lag_{days}``."""
    return int(name.rpartition("_")[2])


def _of_a_family(name: str, inputs: InputSettings) -> bool:
    """Whether the inputs allow a factor of which there are any number."""
    return bool((inputs.dem and re.fullmatch(TPI, name)) or (inputs.rainfall and re.fullmatch(RAIN_LAG, name)))


def tpi_radius(name: str) -> float:
    """Radius in metres of the factor ``tpi_{metres}``."""
    return float(name.partition("_")[2])


def _is_known(name: str) -> bool:
    stem, _ = split_period(name)
    fixed = (*TERRAIN, *TERRAIN_EXTRA, *HYDROLOGY, *HYDROLOGY_EXTRA, *RAIN, *SOIL, *SOIL_EXTRA)
    others = ("lithology", "velocity", "distance_to_roads", "distance_to_faults", RISK_INDEX)
    family = re.fullmatch(TPI, name) or re.fullmatch(RAIN_LAG, name)
    return name in (*fixed, *others) or stem in (*BANDS, *INDICES) or bool(family)


def _all_known(possible: list[str]) -> list[str]:
    return [*dict.fromkeys([*possible, *TERRAIN, *TERRAIN_EXTRA, *HYDROLOGY, *HYDROLOGY_EXTRA, *BANDS, *INDICES])]


def _needed(name: str) -> str:
    stem, period = split_period(name)
    if stem in (*BANDS, *INDICES):
        return "inputs.sentinel2.path" if period == "composite" else "inputs.sentinel2.before and .after"
    special = {
        "lithology": "inputs.lithology",
        "velocity": "inputs.sentinel1",
        "distance_to_roads": "inputs.roads",
        "distance_to_faults": "inputs.faults",
        RISK_INDEX: "susceptibility.risk_index",
    }
    if name in special:
        return special[name]
    if name in RAIN or re.fullmatch(RAIN_LAG, name):
        return "inputs.rainfall"
    return "inputs.soil_moisture" if name in (*SOIL, *SOIL_EXTRA) else "inputs.dem"
