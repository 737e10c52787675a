"""Looks at what an event map is to be made of before any work."""

from slipmap.config.event import FROM_PRODUCTS
from slipmap.config.run import AreaSettings
from slipmap.deformation.reading import read_stack
from slipmap.errors import InputError
from slipmap.event.images import choose
from slipmap.event.track import cross_images


def check_event(area: AreaSettings, key: str) -> None:
    """Raise `InputError` where an area's images cannot tell of its event; `key` is that of the area."""
    source, settings = area.inputs.sentinel1, area.event
    if settings is None:
        return
    if source is None or source.level not in ("slc", "safe"):
        raise InputError(
            f"{key}.event: the event map is made of SLCs; give inputs.sentinel1 of level slc or safe, or leave the "
            f"event out."
        )
    if source.level == "safe":
        if settings.vh not in (None, FROM_PRODUCTS):
            raise InputError(f"{key}.event.vh: the level is safe; give '{FROM_PRODUCTS}' to geocode their VH, or null.")
        return  # the job that lists the products looks at their dates
    if settings.vh == FROM_PRODUCTS:
        raise InputError(f"{key}.event.vh: the level is {source.level}; name the folder of the VH images, or null.")
    try:
        images = choose(read_stack(source).acquisitions, settings, source.path)
        cross_images(source, settings, images)
    except InputError as error:
        raise InputError(f"{key}.{error}" if str(error).startswith("event.") else str(error)) from error
