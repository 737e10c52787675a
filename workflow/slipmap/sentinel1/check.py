"""Looks at raw Sentinel-1 before any work: names and listings only; annotations are read by the first job."""

from pathlib import Path

from slipmap.config.run import AreaSettings
from slipmap.errors import InputError
from slipmap.io.grid import Grid

COARSEST = (6.0, 20.0)  # m, pixels (x, y) beyond which a geocoded SLC is aliased: IW resolves about 5 m by 20 m


def check_raw(path: Path, key: str, polarisation: str) -> None:
    """Raise `InputError` unless `path` holds SAFE products that have `polarisation`; `key` is that of the path."""
    from slipmap.sentinel1.products import find_products

    for product in find_products(path, polarisation):
        if polarisation not in product.polarisations():
            raise InputError(
                f"{key}: {product.path} has no polarisation {polarisation} (it has "
                f"{' and '.join(product.polarisations())}); set geocoding.polarisation or remove the product."
            )


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
