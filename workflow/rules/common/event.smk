# What the rules of the event map ask: which images count, and where those of VH are.
from slipmap.config.event import FROM_PRODUCTS, EventImageSettings, EventMapSettings
from slipmap.event.images import dates_that_count

event_area = wildcard(files.event_areas(RUN))


def vh_geocoding(wildcards):
    """Settings of geocoding, for the cross polarisation."""
    return AREAS[wildcards.area].geocoding.model_dump(mode="json") | {"polarisation": "VH"}


def event_image_settings(wildcards):
    """Settings of the images, with the folder of VH where raw products are geocoded."""
    chosen = AREAS[wildcards.area].event
    found = chosen.model_dump(mode="json", include=set(EventImageSettings.model_fields))
    return found | ({"vh": Results(wildcards.area).slcs_vh} if chosen.vh == FROM_PRODUCTS else {})


def event_images(wildcards):
    """Input function: the user's stack (and VH), or the SLCs that count geocoded from SAFE products."""
    source, chosen = AREAS[wildcards.area].inputs.sentinel1, AREAS[wildcards.area].event
    if source.level != "safe":
        return {"sentinel1": source.path} | ({"vh": chosen.vh} if chosen.vh else {})
    made = Results(wildcards.area)
    dates = dates_that_count(products_by_date(wildcards.area), chosen, source.path)
    found = {"slcs": [made.slc(date) for date in dates]}
    return found | ({"slcs_vh": [made.slc_vh(date) for date in dates]} if chosen.vh == FROM_PRODUCTS else {})
