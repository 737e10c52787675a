# What the rules of deformation ask about an area's Sentinel-1 data and its network of interferograms.
import os
from functools import cache

from slipmap.config import deformation as options
from slipmap.deformation.stack import load_network


def sentinel1_level(*levels):
    """Wildcard constraint: the areas whose Sentinel-1 data are at one of these levels."""
    found = [a for a in AREAS if has_deformation(a) and AREAS[a].inputs.sentinel1.level in levels]
    return "|".join(found) or "none"


def sentinel1(wildcards):
    """Settings of an area's Sentinel-1 data, as plain data."""
    return AREAS[wildcards.area].inputs.sentinel1.model_dump(mode="json")


def stack_settings(wildcards):
    """Settings of the stack that interferograms are formed from: the user's, or the SLCs geocoded from SAFE products."""
    given = sentinel1(wildcards)
    if given["level"] != "safe":
        return given
    return given | {"level": "slc", "format": "opera", "path": f"results/{wildcards.area}/sentinel1/slc"}


def stack_files(wildcards):
    """What the stack consists of: the user's files, or SLCs and line of sight made from SAFE products."""
    source = AREAS[wildcards.area].inputs.sentinel1
    if source.level != "safe":
        return {"sentinel1": source.path}
    folder = f"results/{wildcards.area}/sentinel1/slc"
    return {
        "slcs": [f"{folder}/{date}.h5" for date in products_by_date(wildcards.area)],
        "geometry": f"{folder}/geometry.tif",
    }


def supplied_looks(wildcards):
    """Independent looks behind an area's supplied coherences; none where the config does not say."""
    return AREAS[wildcards.area].inputs.sentinel1.independent_looks


def network_pairs(wildcards):
    """The pairs of an area's network by name, once its files have been read."""
    path = checkpoints.network.get(area=wildcards.area).output.network
    stamp = os.stat(path)
    return parsed_network(path, (stamp.st_mtime_ns, stamp.st_size, stamp.st_ino))


@cache
def parsed_network(path, stamp):
    """The pairs in a file as it was at `stamp`: every pair of a network asks for them."""
    return {pair.name: pair for pair in load_network(path)}


def pair_record(wildcards):
    """What a job needs of its pair. As a parameter, since the whole network changes with every date that comes."""
    return network_pairs(wildcards)[wildcards.pair].record()


def pair_files(*roles):
    """Input function: files of one pair of the network, those that there are."""

    def files(wildcards):
        pair = network_pairs(wildcards)[wildcards.pair]
        return {role: pair.files[role] for role in roles if role in pair.files}

    return files


def unwrapped_files(wildcards):
    """What unwrapping makes for the network; nothing where unwrapped interferograms are supplied."""
    if AREAS[wildcards.area].inputs.sentinel1.level == "unwrapped":
        return []
    return [f"results/{wildcards.area}/deformation/unwrapped/{name}.tif" for name in network_pairs(wildcards)]


def opposite_files(wildcards):
    """What is needed of the area with the opposite flight direction to make vertical and east-west velocity."""
    opposite = AREAS[wildcards.area].deformation.opposite_area
    names = ("velocity.tif", "velocity_std.tif", "stack.json")
    return {f"opposite_{Path(name).stem}": f"results/{opposite}/deformation/{name}" for name in names}


def beside_velocity(area):
    """What is made of an area's velocity besides the factor: projected on the slopes, and of two tracks together."""
    folder = f"results/{area}/deformation"
    if not has_deformation(area) or AREAS[area].inputs.sentinel1.level == "velocity":
        return []
    slopes = ["velocity_downslope.tif"] if AREAS[area].inputs.dem else []
    parts = ["velocity_vertical.tif", "velocity_east.tif"] if AREAS[area].deformation.opposite_area else []
    return [f"{folder}/{name}" for name in slopes + parts]
