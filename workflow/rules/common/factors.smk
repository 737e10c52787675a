# What the rules of the factors ask: which factor is made of what, and by which code.
import re

from slipmap.config import factors as options
from slipmap.factors import catalogue
from slipmap.factors.code import code_of
from slipmap.factors.names import is_optical


def factors_of(family, **chosen):
    """The raster of each factor of a family, by name, for the output of a rule."""
    return {one.name: HERE.factor(one.name) for one in catalogue.of_family(family, **chosen)}


def one_of(family, **chosen):
    """The wildcard of a rule that makes any one factor of a family."""
    return catalogue.regex(catalogue.of_family(family, **chosen))


def factor_inputs(wildcards):
    """Input function: what one factor of the ground is computed from, the DEM and other factors."""
    factor = catalogue.get(wildcards.factor)
    dem = {"dem": AREAS[wildcards.area].inputs.dem or []} if "inputs.dem" in factor.needs else {}
    return dem | {name: Results(wildcards.area).factor(name) for name in factor.uses}


def sbas_velocity(wildcards):
    """The velocity of an area by sbas: its own, or the one beside its linked phases."""
    return Results(wildcards.area, beside="sbas" if links_phases(wildcards.area) else "").velocity


def layer_of(area, key):
    """The layer that counts in the vector file under `key` of the config; None where it has but one."""
    return attrgetter(f"{key}_layer")(AREAS[area])


for area, settings in AREAS.items():
    try:
        factor_names(settings)
    except InputError as error:
        sys.exit(f"slipmap: {CONFIG_SOURCE}: areas.{area}.{error}")


READY = {area: AREAS[area].inputs.ready_factors for area in AREAS if AREAS[area].inputs.ready_factors}
