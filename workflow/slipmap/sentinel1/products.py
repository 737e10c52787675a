"""Raw Sentinel-1 in a folder: SAFE products and single bursts, found, opened and sorted by date."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from slipmap.errors import InputError
from slipmap.sentinel1.safe import Product, is_safe, open_safe
from slipmap.sentinel1.single_bursts import is_single_burst, open_single_burst

PAUSE = timedelta(minutes=10)  # at most between the starts of slices of one pass; the next pass is 98 minutes later


def is_product(path: Path) -> bool:
    """Whether the name of `path` is that of a SAFE product or of a single burst."""
    return is_safe(path) or is_single_burst(path)


def find_products(path: str | Path, polarisation: str | None = None) -> list[Product]:
    """Products of IW SLC (SAFE, or single bursts) in the folder `path`, or the one that `path` is, sorted by name.

    Of single bursts, which have a file for each polarisation, only those of `polarisation`.

    Raises
    ------
    InputError : there is none; a zip that cannot be opened or holds paths outside itself.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"inputs.sentinel1.path: {path} does not exist; correct the path or put SAFE products there.")
    found = [path, *(path.rglob("*") if path.is_dir() and not is_safe(path) else ())]
    paths = sorted(p for p in found if is_product(p))
    paths = [p for p in paths if not any(is_safe(parent) for parent in p.parents)]
    products = [open_product(p) for p in paths]
    products = [p for p in products if not is_single_burst(p.path) or polarisation in (None, *p.polarisations())]
    if not products:
        raise InputError(
            f"inputs.sentinel1.path: no SAFE product of IW SLC in {path} (S1A_IW_SLC__1S….SAFE, or .zip) and no single "
            f"burst (S1_….-BURST.tiff) of geocoding.polarisation; correct the path."
        )
    return products


def open_product(path: Path) -> Product:
    """List the files of the SAFE product (folder or zip) or single burst at `path`."""
    if is_single_burst(path):
        return open_single_burst(path)
    return open_safe(path)


def by_date(products: Sequence[Product]) -> dict[date, list[Product]]:
    """The products of each pass (its slices), in order, under the day on which the first begins.

    Later copies of one acquisition replace earlier ones. A pass that goes over midnight is one date.

    Raises
    ------
    InputError : two passes of one day.
    """
    passes: list[list[Product]] = []
    for product in sorted(products, key=lambda p: (p.start, p.path.name)):
        if passes and product.start - passes[-1][-1].start <= PAUSE:
            passes[-1].append(product)
        else:
            passes.append([product])
    found: dict[date, list[Product]] = {}
    for slices in passes:
        day = slices[0].day
        if day in found:
            raise InputError(
                f"inputs.sentinel1.path: {found[day][0].path.name} and {slices[0].path.name} are of one day and of two "
                f"passes; keep the products of one track."
            )
        found[day] = list({product.path.name[:62]: product for product in slices}.values())  # but for the checksum
    return found
