# What jobs ask of a machine. A cluster holds a job to it, and a profile with `retries` resubmits a killed one: each
# attempt asks for as much again. On one machine nothing is enforced unless `--resources mem_mb=` is given.
from functools import cache


@cache
def megapixels(area):
    """Millions of pixels of an area's grid."""
    from slipmap.inputs import area_grid  # reads rasters: only where the size of an area counts

    grid = area_grid.decide(AREAS[area].grid)
    return grid.width * grid.height / 1e6


def memory(base_mb, per_megapixel=0):
    """Resource function: megabytes for a job, `base_mb` and `per_megapixel` for each million pixels of the area.

    Most jobs work block by block and need `base_mb` whatever the area; those that hold a whole raster say how much.
    """

    def mem_mb(wildcards, attempt):
        return round((base_mb + _of_area(per_megapixel, wildcards)) * attempt)

    return mem_mb


def minutes(base, per_megapixel=0):
    """Resource function: minutes for a job, `base` and `per_megapixel` for each million pixels of the area.

    Several times what a job took on the machine of docs/cluster.md, since a job over its time is lost.
    """

    def runtime(wildcards, attempt):
        return math.ceil((base + _of_area(per_megapixel, wildcards)) * attempt)

    return runtime


def _of_area(per_megapixel, wildcards):
    return per_megapixel * megapixels(wildcards.area) if per_megapixel else 0
