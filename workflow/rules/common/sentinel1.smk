# What the rules of raw Sentinel-1 ask about an area's dates and their products.
from slipmap.config.geocoding import AcquisitionSettings
from slipmap.sentinel1.listing import load as load_acquisitions

EARLIER = 2  # dates before with which a date is compared in burst overlaps


def products_by_date(area):
    """Products of each date of an area, once they have been listed."""
    return load_acquisitions(checkpoints.acquisitions.get(area=area).output.acquisitions)


def products_of_date(wildcards):
    return products_by_date(wildcards.area)[wildcards.date]


def first_products(wildcards):
    return next(iter(products_by_date(wildcards.area).values()))


def earlier_products(wildcards):
    """Products of the dates before, by date."""
    found = products_by_date(wildcards.area)
    before = [date for date in found if date < wildcards.date][-EARLIER:]
    return {date: found[date] for date in before}


def earlier_shifts(wildcards):
    return [Results(wildcards.area).shift(date) for date in earlier_products(wildcards)]


def shift_file(wildcards):
    """The azimuth shift of a date, where it is estimated."""
    if AREAS[wildcards.area].geocoding.coregistration == "orbits":
        return {}
    return {"shift": Results(wildcards.area).shift(wildcards.date)}


def orbit_folder(wildcards):
    return AREAS[wildcards.area].inputs.sentinel1.orbits


def orbit_files(wildcards):
    return orbit_folder(wildcards) or []


def slc_looks(wildcards):
    """SLC pixels (rows, columns) in a pixel of the area's grid: SLCs are geocoded on a grid nested in it."""
    return list(AREAS[wildcards.area].deformation.slc_looks)
