"""Lithological classes on the area's grid, from polygons or from a class raster."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import numpy as np
import rasterio
from numba import njit
from rasterio.features import rasterize
from rasterio.windows import Window
from scipy import ndimage

from slipmap.config.factors import LithologySettings
from slipmap.config.inputs import VectorSettings
from slipmap.errors import InputError, nearest
from slipmap.factors import catalogue
from slipmap.factors.align import grown, reader
from slipmap.inputs.classes import class_names
from slipmap.inputs.rasters import as_stored, sample
from slipmap.inputs.vectors import Shape, find_layer, names_of, read_features
from slipmap.io import raster
from slipmap.io.grid import Grid

MOST_CLASSES = 254
_MOST_EXACT = 2.0**24  # whole numbers up to which float32, as which rasters are read, tells them apart
_LOOK = 512  # pixels of the area, a side, of which `check` tells what share has a class
_NINES = (99, 999, 9999, 99999)  # numbers that stand for nodata where the other classes are far below
_RASTERS = (".tif", ".tiff", ".vrt", ".img")
ClassReader = Callable[[Window], np.ndarray]


def run(
    source: VectorSettings,
    grid: Grid,
    out: str | Path,
    settings: LithologySettings | None = None,
    *,
    key: str = "inputs.lithology",
) -> dict[int, str]:
    """Write the uint8 factor `lithology`, class names in its tags; return {code: name}.

    Parameters
    ----------
    source : polygons in any CRS with the attribute that names the class, or a class raster (names from its tag
        ``CLASSES``, else "class 7").

    Notes
    -----
    A pixel has the class of the polygon on its centre; where polygons overlap, of the smaller one. Patches of fewer
    than `min_patch` connected pixels (slivers) and gaps no farther than `fill_distance` from a polygon then take the
    nearest class; wider gaps stay 255. Polygons are held in memory, pixels block by block.

    Raises
    ------
    InputError : as `classes_of`; no class on a pixel of the area.
    """
    settings = settings or LithologySettings()
    factor = catalogue.get("lithology")
    path = Path(source.path)
    reach = int(settings.fill_distance / min(grid.resolution))
    halo = reach + settings.min_patch + 1
    opened: AbstractContextManager[tuple[list[str], ClassReader]]
    if is_raster(path):
        opened = _from_raster(source, grid, halo, settings, key)
    else:
        opened = nullcontext(_from_polygons(source, grid, settings, key))
    seen: set[int] = set()
    with opened as (names, make):
        codes = dict(enumerate(names, start=1))
        with raster.create(
            out, grid, bands=[factor.name], units=factor.units, long_name=factor.long_name, dtype="uint8",
            categories=codes, tags={"source": path.name}, compress="zstd",
        ) as target:  # fmt: skip
            for window in grid.blocks():
                classes = heal(make(grown(window, halo)), settings.min_patch, reach)[halo:-halo, halo:-halo]
                seen.update(np.unique(classes).tolist())
                target.write(classes, window)
            if seen <= {raster.CLASS_NODATA}:
                raise InputError(f"{key}: {path} has no class inside the area; check grid.bounds and the file.")
    return codes


def is_raster(path: str | Path) -> bool:
    """Whether the classes at `path` are read as a raster (by suffix)."""
    return Path(path).suffix.lower() in _RASTERS


def classes_of(
    source: VectorSettings, grid: Grid, settings: LithologySettings, key: str = "inputs.lithology"
) -> list[str]:
    """Names of the classes in the area, in the order of their codes 1, 2, …; of a large raster those of a sample.

    Raises
    ------
    InputError : the file cannot be read (`slipmap.inputs.vectors`, `slipmap.io.raster.check`); no such attribute; no
        polygon with a name, or no class, in the area; a raster of fractions; more than 254 classes; a class that
        `settings.classes` does not list.
    """
    path = Path(source.path)
    if is_raster(path):
        named = class_names(path, source.attribute, key)
        values, _ = _class_values(path, grid, named, key)
        return _ordered(_labels(named, values), settings.classes, path, key)
    return _from_polygons(source, grid, settings, key)[0]


def look(
    source: VectorSettings, grid: Grid, settings: LithologySettings, key: str = "inputs.lithology"
) -> tuple[list[str], float]:
    """(names of the classes in the area, share of it that has one), of at most 512 x 512 pixels of the area.

    Raises
    ------
    InputError : as `classes_of`.
    """
    names = classes_of(source, grid, settings, key)
    step = max(1, -(-max(grid.shape) // _LOOK))
    small = grid.coarsened(step, step) if step <= min(grid.shape) else grid
    if is_raster(source.path):
        with raster.warped(source.path, small, "nearest") as view:
            return names, float(np.isfinite(raster.read_open(view, None, 1)).mean())
    whole = Window(0, 0, small.width, small.height)
    drawn = _from_polygons(source, small, settings, key)[1](whole)
    return names, float((drawn != raster.CLASS_NODATA).mean())


def heal(classes: np.ndarray, min_patch: int, reach: float) -> np.ndarray:
    """Replace slivers and narrow gaps by the nearest class.

    Parameters
    ----------
    classes : (rows, cols) uint8, 255 = no class.
    min_patch : 4-connected patches of one class with fewer pixels are slivers.
    reach : pixels; gaps farther than this from any class stay 255.
    """
    missing = classes == raster.CLASS_NODATA
    if min_patch > 1:
        small = _small_patches(classes, min_patch)
        small[missing] = False
        if not (small | missing).all():  # a lone patch that fills what is seen has nothing to yield to
            missing = missing | small
    if not missing.any() or missing.all():
        return classes
    far, (rows, cols) = ndimage.distance_transform_edt(missing, return_indices=True)
    slivers = missing & (classes != raster.CLASS_NODATA)
    take = missing & (slivers | (far <= reach))
    healed = classes.copy()
    healed[take] = classes[rows[take], cols[take]]
    return healed


@njit(nogil=True, cache=True)
def _small_patches(classes: np.ndarray, limit: int) -> np.ndarray:
    """Pixels of 4-connected patches of fewer than `limit` pixels; patches cut by the edge of the array are spared."""
    rows, cols = classes.shape
    small = np.zeros((rows, cols), np.bool_)
    ys = np.empty(limit, np.int64)
    xs = np.empty(limit, np.int64)
    for i in range(rows):
        for j in range(cols):
            if small[i, j]:
                continue
            value = classes[i, j]
            ys[0], xs[0] = i, j
            count, done = 1, 0
            while done < count < limit:
                y, x = ys[done], xs[done]
                done += 1
                for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                    b, a = y + dy, x + dx
                    if b < 0 or a < 0 or b >= rows or a >= cols:
                        count = limit
                        break
                    if classes[b, a] != value:
                        continue
                    known = False
                    for k in range(count):
                        if ys[k] == b and xs[k] == a:
                            known = True
                            break
                    if not known and count < limit:
                        ys[count], xs[count] = b, a
                        count += 1
            if count < limit:
                for k in range(count):
                    small[ys[k], xs[k]] = True
    return small


def _from_polygons(
    source: VectorSettings, grid: Grid, settings: LithologySettings, key: str
) -> tuple[list[str], ClassReader]:
    from shapely import STRtree, box

    path, attribute = Path(source.path), source.attribute
    base = key.removesuffix(".path")
    if not attribute:
        layer = find_layer(path, key, source.layer, f"{base}.layer")
        raise InputError(
            f"{base}.attribute is missing; name the attribute of {path} that holds the class (it has "
            f"{', '.join(layer.fields) or 'none'})."
        )
    kinds: tuple[Shape, ...] = ("polygon",)
    frame = read_features(
        path, grid, key, shapes=kinds, layer=source.layer, layer_key=f"{base}.layer", columns=[attribute],
        encoding=source.encoding,
    )  # fmt: skip
    labels = names_of(frame[attribute], path, key)
    frame, labels = frame[labels.notna()], labels[labels.notna()]
    if frame.empty:
        raise InputError(
            f"{key}: {path} has no polygon with a value of '{attribute}' in the area; check the file and grid.bounds."
        )
    names = _ordered(sorted(labels.unique()), settings.classes, path, key)
    order = np.argsort(-frame.geometry.area.to_numpy(), kind="stable")  # the smaller polygon is drawn last
    shapes = frame.geometry.to_numpy()[order]
    values = labels.map({name: code for code, name in enumerate(names, start=1)}).to_numpy()[order]
    tree = STRtree(shapes)

    def make(window: Window) -> np.ndarray:
        part = grid.window_grid(window)
        here = np.sort(tree.query(box(*part.bounds)))
        if not here.size:
            return np.full(part.shape, raster.CLASS_NODATA, np.uint8)
        burnt: np.ndarray = rasterize(
            [(shapes[n], int(values[n])) for n in here],
            out_shape=part.shape,
            transform=part.transform,
            fill=raster.CLASS_NODATA,
            dtype="uint8",
        )
        return burnt

    return names, make


@contextmanager
def _from_raster(
    source: VectorSettings, grid: Grid, halo: int, settings: LithologySettings, key: str
) -> Iterator[tuple[list[str], ClassReader]]:
    path = Path(source.path)
    named = class_names(path, source.attribute, key)
    _class_values(path, grid, named, key)
    with reader(path, grid, kind="classes") as read:
        values: set[int] = set()
        for window in grid.blocks():
            values |= _whole(read(window), path, key)
        _require_no_fill(values, named, path, key)
        label = _labels(named, values)
        names = _ordered(label, settings.classes, path, key)

        def make(window: Window) -> np.ndarray:
            block = read(window)
            out = np.full(block.shape, raster.CLASS_NODATA, np.uint8)
            for value, name in label.items():
                out[block == value] = names.index(name) + 1
            return out

        yield names, make


def _class_values(path: Path, grid: Grid, named: Mapping[int, str], key: str) -> tuple[set[int], bool]:
    """(classes of a raster in the area, whether they are all): of a large area some windows are looked at."""
    raster.check(path, key, overlaps=grid)
    as_stored(path, key)
    values, complete = sample(path, grid)
    found = _whole(values, path, key)
    if not found and complete:
        raise InputError(f"{key}: {path} has no class inside the area; check grid.bounds and the file.")
    _require_no_fill(found, named, path, key)
    return found, complete


def _require_no_fill(found: set[int], named: Mapping[int, str], path: Path, key: str) -> None:
    """No class is a number that stands for nodata almost everywhere, and 0 is one only where the file says so."""
    with rasterio.open(path) as src:
        nodata, largest = src.nodata, np.iinfo(src.dtypes[0]).max if src.dtypes[0].startswith(("u", "i")) else None
    fills = {value for value in found if value < 0 or value == largest} | ({0} & found if nodata is None else set())
    fills |= {value for value in _NINES if value in found and max(found - {value}, default=value) < value // 2}
    for value in sorted(fills - set(named)):
        raise InputError(
            f"{key}: {path} has the value {value} and does not say whether it is a class or stands for nodata; declare "
            f"it as nodata (gdal_edit.py -a_nodata {value}), or give that class another number."
        )


def _whole(block: np.ndarray, path: Path, key: str) -> set[int]:
    """The classes in a block; `InputError` for numbers that are none."""
    found = np.unique(block[np.isfinite(block)])
    if found.size and (large := found[np.abs(found).argmax()]) and abs(large) >= _MOST_EXACT:
        raise InputError(
            f"{key}: {path} has values like {large:.9g}, too large for a class; declare them as nodata if they stand "
            f"for it (gdal_edit.py -a_nodata), or number the classes from 1 on."
        )
    odd = found[found != np.round(found)]
    if odd.size:
        raise InputError(
            f"{key}: {path} has values like {odd[0]:g}, which is no class; give a raster of whole numbers, one for "
            f"each class, or a vector file."
        )
    return set(found.astype(int).tolist())


def _labels(named: Mapping[int, str], values: Iterable[int]) -> dict[int, str]:
    """Class → name: that which stands with the raster, else "class 7"."""
    return {value: named.get(value, f"class {value}") for value in sorted(values)}


def _ordered(names: Sequence[str] | Mapping[int, str], given: list[str] | None, path: Path, key: str) -> list[str]:
    found = list(dict.fromkeys(names.values() if isinstance(names, Mapping) else names))
    if given is not None:
        for name in found:
            if name not in given:
                raise InputError(
                    f"{key}: {path} has the class '{name}', which factors.lithology.classes does not list"
                    f"{nearest(name, given)}"
                )
        found = list(given)
    if len(found) > MOST_CLASSES:
        raise InputError(
            f"{key}: {path} has {len(found)} classes in the area, and {MOST_CLASSES} is the most; name an attribute "
            f"with fewer (rock type rather than formation)."
        )
    return found
