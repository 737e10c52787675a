"""Looks at raw Sentinel-1 before any work: listings, annotation and the headers of measurements; no pixel."""

from datetime import date
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.config.run import AreaSettings
from slipmap.errors import InputError
from slipmap.io.grid import Grid

HEIGHTS = (-430.0, 8850.0)  # m, between which ground lies
COARSEST = (6.0, 20.0)  # m, pixels (x, y) beyond which a geocoded SLC is aliased: IW resolves about 5 m by 20 m


def check_raw(area: AreaSettings, key: str, grid: Grid) -> list[date]:
    """Raise `InputError` unless the products make up a stack that sees the area; `key` is that of the path.

    Returns its dates. They are found by what the first job calls. Orbits that are still to be fetched are passed over.
    """
    from slipmap.sentinel1.acquisitions import find_dates
    from slipmap.sentinel1.products import find_products
    from slipmap.sentinel1.scene import overlapping

    settings = area.inputs.sentinel1
    assert settings is not None
    for product in find_products(settings.path, area.geocoding.polarisation):
        if area.geocoding.polarisation not in product.polarisations():
            raise InputError(
                f"{key}: {product.path} has no polarisation {area.geocoding.polarisation} (it has "
                f"{' and '.join(product.polarisations())}); set geocoding.polarisation or remove the product."
            )
    if settings.orbits and not Path(settings.orbits).exists():
        settings = settings.model_copy(update={"orbits": None})
    whole = [Window(0, 0, grid.width, grid.height)]
    found = find_dates(settings, area.geocoding)
    for products, scene in found.values():
        footprints = scene.footprints(grid, whole, HEIGHTS)
        if not overlapping(np.array([burst.span for burst in scene.bursts]), footprints).any():
            raise InputError(
                f"{key}: none of the {len(scene.bursts)} bursts of {products[0].path} sees the area; remove the "
                f"product or correct grid.bounds."
            )
    return sorted(found)


def needed_for_geocoding(area: AreaSettings, key: str, grid: Grid) -> None:
    """Raise `InputError` unless there is a DEM and SLC pixels are fine enough; `key` is that of the area."""
    if area.inputs.dem is None:
        raise InputError(f"{key}.inputs.dem: raw Sentinel-1 is geocoded on a DEM; give one that covers the area.")
    rows, columns = area.deformation.slc_looks
    pixel = grid.resolution[0] / columns, grid.resolution[1] / rows
    if pixel[0] > COARSEST[0] or pixel[1] > COARSEST[1]:
        raise InputError(
            f"{key}.deformation.slc_looks: {rows} x {columns} looks of pixels of {grid.resolution[0]:g} m leave SLC "
            f"pixels of {pixel[0]:.3g} x {pixel[1]:.3g} m (x, y), too coarse for the radar ({COARSEST[0]:g} x "
            f"{COARSEST[1]:g} m at most); give more looks."
        )


def looks_raw(path: Path) -> bool:
    """Whether `path` is, or directly holds, SAFE products or single bursts."""
    from slipmap.sentinel1.products import is_product

    return is_product(path) or (path.is_dir() and any(is_product(child) for child in path.iterdir()))
