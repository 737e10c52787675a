# What the rules of deformation ask about an area's Sentinel-1 data and its network of interferograms.
import os
from datetime import date
from functools import cache

from slipmap.config import deformation as options
from slipmap.config.deformation import NetworkSettings
from slipmap.deformation.phase_linking import ministack
from slipmap.planning.files import INVERTED
from slipmap.deformation.stack import load_network, network_dates


def sentinel1_level(*levels, estimator=None):
    """Wildcard constraint: the areas whose Sentinel-1 data are at one of these levels, of `estimator` if one is given."""
    found = [a for a in AREAS if has_deformation(a) and AREAS[a].inputs.sentinel1.level in levels]
    return wildcard(a for a in found if estimator in (None, AREAS[a].deformation.estimator))


def links_phases(area):
    """Whether an area's phases are linked, so that a velocity by sbas can stand beside its own."""
    return AREAS[area].deformation.estimator == "phase_linking"


def beside(question):
    """An input function as `question`, of the network by sbas beside the area's own."""
    return lambda wildcards: question(wildcards, beside="sbas")


def sentinel1(wildcards):
    """Settings of an area's Sentinel-1 data, as plain data."""
    return AREAS[wildcards.area].inputs.sentinel1.model_dump(mode="json")


def stack_settings(wildcards):
    """Settings of the stack that interferograms are formed from: the user's, or the SLCs geocoded from SAFE products."""
    given = AREAS[wildcards.area].inputs.sentinel1
    stack = layout.geocoded_stack(wildcards.area, given) if given.level == "safe" else given
    return stack.model_dump(mode="json")


def stack_files(wildcards):
    """What the stack consists of: the user's files, or SLCs and line of sight made from SAFE products."""
    source = AREAS[wildcards.area].inputs.sentinel1
    if source.level != "safe":
        return {"sentinel1": source.path}
    made = Results(wildcards.area)
    return {"slcs": [made.slc(date) for date in products_by_date(wildcards.area)], "geometry": made.radar_geometry}


def supplied_looks(wildcards):
    """Independent looks behind an area's supplied coherences; none where the config does not say."""
    return AREAS[wildcards.area].inputs.sentinel1.independent_looks


def ministacks(wildcards):
    """The dates of an area's network by ministacks, each by the name of its folder."""
    size = AREAS[wildcards.area].deformation.phase_linking.ministack
    dates = network_dates(network_pairs(wildcards).values())
    return {f"{days[0]:%Y%m%d}": days for days in ministack.split(dates, size)}


def ministack_folders(wildcards, *days):
    """The folders in which these dates of an area are linked, of all dates if none is given."""
    place = Results(wildcards.area)
    wanted = set(days)
    return [place.ministack(name) for name, own in ministacks(wildcards).items() if not wanted or wanted & set(own)]


def linked_phases(wildcards):
    """The folders of an area's linked phases; nothing where phases are not linked."""
    return ministack_folders(wildcards) if links_phases(wildcards.area) else []


def linked_dates(wildcards):
    """The folders of the linked phases of a pair's two dates: later ones do not touch it."""
    pair = network_pairs(wildcards)[wildcards.pair]
    return ministack_folders(wildcards, pair.reference, pair.secondary)


def earlier_ministacks(wildcards):
    """The folders of the ministacks that are linked, compressed, with the dates of this one."""
    folders = ministack_folders(wildcards)
    at = folders.index(Results(wildcards.area).ministack(wildcards.ministack))
    return folders[max(0, at - ministack.MOST_EARLIER) : at]


def ministack_slcs(wildcards):
    """The SLCs of a ministack by date."""
    days = ministacks(wildcards)[wildcards.ministack]
    return {day: path for day, path in slc_files(wildcards).items() if date.fromisoformat(day) in days}


def links_on_gpu(wildcards):
    """GPUs that linking an area's phases takes: one or none."""
    return int(AREAS[wildcards.area].deformation.phase_linking.device == "gpu")


def least_fit(wildcards):
    """Goodness of fit of an area's linked phases that are reliable; none where phases are not linked."""
    options = AREAS[wildcards.area].deformation.phase_linking
    return options.min_goodness_of_fit if links_phases(wildcards.area) else None


def linked_window(wildcards):
    """Window of an area's linked phases and kind of its weights; none where phases are not linked."""
    options = AREAS[wildcards.area].deformation.phase_linking
    return (options.window, options.window_weights) if links_phases(wildcards.area) else None


def network_settings(wildcards, beside=""):
    """Options of an area's network; of the one `beside` it that estimator's."""
    settings = part_of("deformation", NetworkSettings)(wildcards)
    return settings | ({"estimator": beside} if beside else {})


def network_pairs(wildcards, beside=""):
    """The pairs of an area's network by name, once its files have been read."""
    chosen = checkpoints.network_beside if beside else checkpoints.network
    path = chosen.get(area=wildcards.area).output.network
    stamp = os.stat(path)
    return parsed_network(path, (stamp.st_mtime_ns, stamp.st_size, stamp.st_ino))


@cache
def parsed_network(path, stamp):
    """The pairs in a file as it was at `stamp`: every pair of a network asks for them."""
    return {pair.name: pair for pair in load_network(path)}


def slc_files(wildcards):
    """The SLCs of an area's network by date."""
    found = {}
    for pair in network_pairs(wildcards).values():
        found |= {f"{pair.reference:%Y%m%d}": pair.files["reference"], f"{pair.secondary:%Y%m%d}": pair.files["secondary"]}
    return found


def pair_record(wildcards, beside=""):
    """What a job needs of its pair. As a parameter, since the whole network changes with every date that comes."""
    return network_pairs(wildcards, beside)[wildcards.pair].record()


def pair_files(*roles):
    """Input function: files of one pair of the network, those that there are."""

    def of_pair(wildcards, beside=""):
        pair = network_pairs(wildcards, beside)[wildcards.pair]
        return {role: pair.files[role] for role in roles if role in pair.files}

    return of_pair


def kept_interferograms(wildcards):
    """The wrapped interferograms of the areas that keep them; unwrapping itself writes none."""
    kept = [area for area in AREAS if AREAS[area].deformation.keep_interferograms and forms_interferograms(area)]
    pairs = {area: checkpoints.network.get(area=area).output.network for area in kept}
    return [Results(area).interferogram(pair.name) for area in kept for pair in load_network(pairs[area])]


def forms_interferograms(area):
    """Whether an area's interferograms are formed here from SLCs, one by one."""
    formed = has_deformation(area) and AREAS[area].inputs.sentinel1.level in ("safe", "slc")
    return formed and not links_phases(area)


def unwrapped_files(wildcards, beside=""):
    """What unwrapping makes for the network; nothing where unwrapped interferograms are supplied."""
    if AREAS[wildcards.area].inputs.sentinel1.level == "unwrapped":
        return []
    return [Results(wildcards.area, beside).unwrapped(name) for name in network_pairs(wildcards, beside)]
