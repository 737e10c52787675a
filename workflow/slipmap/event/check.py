"""Looks at what an event map is to be made of before any work."""

from slipmap.config.event import FROM_PRODUCTS
from slipmap.config.run import AreaSettings
from slipmap.deformation.reading import read_stack
from slipmap.errors import InputError
from slipmap.event.images import choose, dates_that_count
from slipmap.event.track import cross_images
from slipmap.sentinel1.products import by_date, find_products

CROSS = "VH"


def check_event(area: AreaSettings, key: str) -> None:
    """Raise `InputError` where an area's images cannot tell of its event; `key` is that of the area."""
    source, settings = area.inputs.sentinel1, area.event
    if settings is None:
        return
    if source is None or source.level not in ("slc", "safe"):
        raise InputError(
            f"{key}.event: the event map needs SLCs; give inputs.sentinel1 of level slc or safe, or leave the "
            f"event out."
        )
    if source.level == "safe":
        if settings.vh not in (None, FROM_PRODUCTS):
            raise InputError(f"{key}.event.vh: the level is safe; give '{FROM_PRODUCTS}' to geocode their VH, or null.")
        _check_products(area, f"{key}.event")
        return
    if settings.vh == FROM_PRODUCTS:
        raise InputError(f"{key}.event.vh: the level is {source.level}; name the folder of the VH images, or null.")
    try:
        images = choose(read_stack(source).acquisitions, settings, source.path)
        cross_images(source, settings, images)
    except InputError as error:
        raise InputError(f"{key}.{error}" if str(error).startswith("event.") else str(error)) from error


def _check_products(area: AreaSettings, key: str) -> None:
    """Raise `InputError` where raw products do not lie about the event, or lack the VH that is asked for."""
    source, settings = area.inputs.sentinel1, area.event
    assert source is not None and settings is not None
    found = by_date(find_products(source.path, area.geocoding.polarisation))
    products = {f"{day:%Y%m%d}": those for day, those in found.items()}
    try:
        dates = dates_that_count(products, settings, source.path)
    except InputError as error:
        raise InputError(f"{key[: -len('event')]}{error}") from error
    for product in (one for day in dates for one in products[day]) if settings.vh else ():
        if CROSS not in product.polarisations():
            raise InputError(
                f"{key}.vh: {product.path} has no {CROSS} (it has {' and '.join(product.polarisations())}); set "
                f"event.vh to null to make the map of VV alone, or fetch products that have both."
            )
