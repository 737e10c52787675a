"""Which factors an area can have: a function of its settings alone, light enough to run as the workflow is planned."""

from collections.abc import Collection, Iterable
from typing import Protocol

from slipmap.config.factors import FactorSettings
from slipmap.config.inputs import InputSettings
from slipmap.errors import InputError, nearest
from slipmap.factors import catalogue
from slipmap.factors.catalogue import split_period
from slipmap.factors.record import Factor

RAIN_LAG = "rain_lag_{days}"


class Area(Protocol):
    """What the factors of an area follow from: `slipmap.config.AreaSettings`, or as much of it."""

    @property
    def inputs(self) -> InputSettings:
        """What the area has."""

    @property
    def factors(self) -> FactorSettings:
        """What is made of it."""


def factor_names(area: Area) -> list[str]:
    """Factors to make for an area, in the order in which they become bands.

    Parameters
    ----------
    area : whose factors they are.

    Raises
    ------
    InputError : the settings name a factor that is unknown, that the inputs do not allow, or the rain of a day before
        the window.
    """
    inputs, settings = area.inputs, area.factors
    ready = inputs.ready_factors.bands if inputs.ready_factors else ()
    for key in ("include", "extra", "exclude"):
        for name in getattr(settings, key) or ():
            if name not in ready:
                _check_name(name, f"factors.{key}", area, needed=key != "exclude")
    _check_listed(settings)
    chosen = settings.include if settings.include is not None else defaults(inputs, settings)
    names = [name for name in dict.fromkeys([*chosen, *settings.extra]) if name not in settings.exclude]
    _check_lags(set(names).difference(ready), settings)
    if not names:
        raise InputError("factors: none is left to make; give inputs.dem or inputs.sentinel2, or exclude fewer.")
    return names


def _check_name(name: str, key: str, area: Area, *, needed: bool) -> None:
    """A name in the config is a factor, one that the area's inputs allow if it is `needed`."""
    factor = catalogue.find(name)
    ready = area.inputs.ready_factors.bands if area.inputs.ready_factors else ()
    if factor is None:
        raise InputError(f"{key} names '{name}', {catalogue.refusal(name, ready)}")
    missing = [need for need in needs(factor, ready) if not _has(area, need)]
    if needed and missing:
        raise InputError(
            f"{key} names '{name}', which the area's inputs do not allow; give {' and '.join(missing)} or leave the "
            f"factor out."
        )
    if needed and factor.family == "motion" and getattr(area.inputs.sentinel1, "level", "velocity") == "velocity":
        raise InputError(
            f"{key} names '{name}', which takes a series of displacements, and inputs.sentinel1 is a velocity alone; "
            f"give Sentinel-1 data of another level or leave the factor out."
        )


def _check_listed(settings: FactorSettings) -> None:
    """Every band and index of the optical settings is one."""
    for key, names in (("optical.bands", settings.optical.bands), ("optical.indices", settings.optical.indices)):
        possible = [factor.name for factor in catalogue.of_family("optical") if factor.listed == key]
        possible = [name for name in possible if split_period(name)[1] == "composite"]
        for name in names:
            if name not in possible:
                raise InputError(f"factors.{key} names '{name}', which is none of its factors{nearest(name, possible)}")


def _check_lags(names: Iterable[str], settings: FactorSettings) -> None:
    """The days of the rain of single days lie in the window."""
    for name in rain_lags(names):
        if rain_lag(name) >= settings.climate.window:
            key = "extra" if name in settings.extra else "include"
            raise InputError(
                f"factors.{key} names '{name}', but only {settings.climate.window} days count "
                f"(factors.climate.window); raise the window or leave the factor out."
            )


def defaults(inputs: InputSettings, settings: FactorSettings) -> list[str]:
    """Factors made unless the settings say otherwise, in the order of the catalogue.

    Bands and indices stand in the order in which the settings list them.
    """
    names: list[str] = list(inputs.ready_factors.bands) if inputs.ready_factors else []
    listed = [*settings.optical.bands, *settings.optical.indices]
    found = []
    for place, factor in enumerate(catalogue.records()):
        if factor.default and all(_has_input(inputs, need) for need in factor.needs):
            if factor.listed is None:
                found.append((place, 0, factor.name))
            elif split_period(factor.name)[0] in listed:
                stem, period = split_period(factor.name)
                found.append((_first(period), listed.index(stem), factor.name))
    return list(dict.fromkeys([*names, *(name for _, _, name in sorted(found))]))


def _first(period: str) -> int:
    """Place in the catalogue of the first optical factor of a period."""
    return next(n for n, one in enumerate(catalogue.records()) if one.listed and split_period(one.name)[1] == period)


def needs(factor: Factor, ready: Collection[str] = ()) -> list[str]:
    """Keys of an area's config without which a factor cannot be made, those of the factors that it uses among them.

    `ready` are factors that somebody has already made.
    """
    used = [catalogue.get(name, f"the factor '{factor.name}'") for name in factor.uses if name not in ready]
    return list(dict.fromkeys([*factor.needs, *(need for other in used for need in needs(other, ready))]))


def _has(area: object, key: str) -> bool:
    """Whether the config of an area gives the key, ``inputs.sentinel2.path`` say."""
    found: object | None = area
    for part in key.split("."):
        found = getattr(found, part, None)
    return bool(found)


def _has_input(inputs: InputSettings, key: str) -> bool:
    stage, _, rest = key.partition(".")
    return stage == "inputs" and _has(inputs, rest)


def is_optical(name: str) -> bool:
    """Whether a factor comes from Sentinel-2: a band or an index, of the composite or of a period."""
    factor = catalogue.find(name)
    return factor is not None and factor.family == "optical"


def require(names: Iterable[str], factors: Collection[str], key: str) -> None:
    """Raise one sentence, from `key` of the config, unless every name is a factor of the area."""
    for name in names:
        if name not in factors:
            raise InputError(f"{key} names '{name}', which is not a factor of this area{nearest(name, factors)}")


def rain_lags(names: Iterable[str]) -> list[str]:
    """Those of `names` that are the rain of one day before the cut-off, the cut-off's own day first."""
    lags = catalogue.by_pattern(RAIN_LAG)
    return sorted((name for name in names if lags.matches(name)), key=rain_lag)


def rain_lag(name: str) -> int:
    """Days before the cut-off of the factor ``rain_lag_{days}``."""
    return catalogue.by_pattern(RAIN_LAG).number(name) or 0
