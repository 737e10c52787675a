"""Simulated terrain: lithology, and a landscape that rivers have carved into it."""

from dataclasses import dataclass
from heapq import heappop, heappush

import geopandas as gpd
import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray
from rasterio import features
from scipy import ndimage

from slipmap.arrays import Doubles, Integers
from slipmap.io.grid import Grid
from slipmap.simulator.fields import power_law, stream

LOWEST = 42.0  # m, the base level of the rivers
_AREA_EXPONENT = 0.45  # m of the stream-power law with n = 1 (Whipple & Tucker 1999)


@dataclass(frozen=True)
class Rock:
    """A lithological unit: relative erodibility, steepest hillslope (degrees), landslide susceptibility 0-1."""

    name: str
    erodibility: float
    steepest: float
    susceptibility: float


# In stratigraphic order; alluvium is laid last, along the rivers.
ROCKS = {
    1: Rock("claystone", 2.2, 23.0, 1.00),
    2: Rock("marl", 1.5, 28.0, 0.65),
    3: Rock("flysch", 1.1, 32.0, 0.80),
    4: Rock("sandstone", 0.8, 36.0, 0.30),
    5: Rock("limestone", 0.55, 42.0, 0.12),
    6: Rock("alluvium", 2.2, 12.0, 0.02),
}
ALLUVIUM = 6


@dataclass
class Terrain:
    """What the other parts build on; every array (rows, cols) on the area's grid.

    Attributes
    ----------
    elevation : m, float64. lithology : uint8, keys of `ROCKS`. accumulation : pixels upstream, float64.
    slope : degrees, of the terrain smoothed over about 50 m. downslope : (2, rows, cols), the unit vector (east,
    north) along which that terrain falls.
    """

    elevation: Doubles
    lithology: NDArray[np.uint8]
    accumulation: Doubles
    slope: Doubles
    downslope: Doubles


def simulate_terrain(seed: int, grid: Grid) -> Terrain:
    """Grow a landscape by uplift, stream-power incision and threshold hillslopes, coarse to fine.

    Incision is solved implicitly along the drainage tree (Braun & Willett 2013); depressions are filled first
    (priority flood, Barnes et al. 2014), so that every pixel drains to the base level along one edge. Relief is
    0.15 of the shorter side of the area, at most 1460 m.
    """
    pixel = grid.resolution[0]
    shape = grid.shape
    relief = min(1460.0, 0.15 * pixel * min(shape))
    rocks = _rock_layers(stream(seed, "lithology"), shape)
    rng = stream(seed, "terrain")
    side = int(rng.integers(4))
    away = _distance_from_edge(shape, side)
    uplift = 0.12 + np.clip((away - 0.10) / 0.5, 0, 1)
    uplift *= np.exp(0.25 * power_law(rng, shape, 3.0, outer=min(shape) / 2))
    erodibility = np.choose(rocks, [0.0, *(rock.erodibility for rock in ROCKS.values())])
    erodibility = ndimage.gaussian_filter(erodibility, 4)
    erodibility *= np.exp(0.3 * power_law(rng, shape, 2.5, outer=min(shape) / 4))
    steepest = np.choose(rocks, [0.0, *(np.tan(np.radians(rock.steepest)) for rock in ROCKS.values())])
    steepest = ndimage.gaussian_filter(steepest, 3) * np.exp(0.22 * power_law(rng, shape, 2.0, outer=60))
    z = relief * 0.3 * (away + 0.25 * power_law(rng, shape, 3.4))

    factor = 1.0
    for scale, steps in ((4, 70), (2, 16), (1, 5)):
        rise, soft, steep = (_coarsen(field, scale) for field in (uplift, erodibility, steepest))
        start = _coarsen(z, scale) if scale == 4 else _refine(z, rise.shape, rng, 0.02 * pixel * scale)
        z, factor = _evolve(start, rise, soft, steep, pixel * scale, side, steps, relief, factor, calibrate=scale == 4)
    z = ndimage.gaussian_filter(z, 1.0)
    z += 0.35 * power_law(rng, shape, 2.2, outer=40)
    z = fill(z, side)
    z = LOWEST + (z - z.min()) * relief / (z.max() - z.min())
    order, _ = _flood(z, side)
    accumulation = _accumulate(z, order)
    slope, downslope = slope_of(z, pixel)
    # Rivers lay alluvium where they are large and the ground is nearly flat, and on the plain.
    valley = ndimage.maximum_filter(accumulation, 9) * pixel**2 > 6e5
    flat = (slope < 7) & valley & (ndimage.minimum_filter(z, 9) > z - 12) | (slope < 3.5)
    flat = features.sieve(flat.astype(np.uint8), 60).astype(bool)
    lithology = features.sieve(np.where(flat, ALLUVIUM, rocks).astype(np.uint8), 120)
    return Terrain(z, lithology, accumulation, slope, downslope)


def slope_of(elevation: Doubles, pixel: float, sigma: float = 2.0) -> tuple[Doubles, Doubles]:
    """Slope (degrees) and downslope unit vector (east, north) of `elevation` smoothed by `sigma` pixels."""
    north_down, east_up = np.gradient(ndimage.gaussian_filter(elevation, sigma), pixel)
    fall = np.stack([-east_up, north_down])  # rows run south
    steep = np.hypot(*fall)
    return np.degrees(np.arctan(steep)), fall / np.maximum(steep, 1e-9)


def fill(elevation: Doubles, side: int | None = None, gradient: float = 1e-3) -> Doubles:
    """Raise depressions to their sill, with a fall of `gradient` m per pixel towards it.

    Parameters
    ----------
    side : the edge that water leaves by (0 south, 1 north, 2 west, 3 east); None: every edge.
    """
    return _flood(elevation, -1 if side is None else side, gradient)[1]


def lithology_polygons(terrain: Terrain, grid: Grid) -> gpd.GeoDataFrame:
    """Polygons of one unit each (attribute ``lithology``), without gaps, outlines smoother than pixels."""
    found = [
        (shapely.geometry.shape(outline), ROCKS[int(value)].name)
        for outline, value in features.shapes(terrain.lithology, transform=grid.transform)
    ]
    outlines = shapely.coverage_simplify([polygon for polygon, _ in found], 1.5 * grid.resolution[0])
    return gpd.GeoDataFrame({"lithology": [name for _, name in found]}, geometry=list(outlines), crs=grid.crs)


def _rock_layers(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Tilted, folded beds as they crop out: thresholds of a warped plane."""
    rows, cols = np.indices(shape) / min(shape)
    angle = rng.uniform(0, 2 * np.pi)
    depth = np.cos(angle) * cols + np.sin(angle) * rows
    depth = depth + 0.28 * power_law(rng, shape, 3.6, outer=min(shape)) + rng.uniform(0, 1)
    thickness = np.cumsum([0.24, 0.17, 0.26, 0.18, 0.15])
    layer = np.searchsorted(thickness, (depth * 1.15) % 1.0) + 1
    layers: NDArray[np.uint8] = np.clip(layer, 1, 5).astype(np.uint8)
    return layers


def _distance_from_edge(shape: tuple[int, int], side: int) -> Doubles:
    rows, cols = np.indices(shape) / (np.array(shape)[:, None, None] - 1)
    away: Doubles = (1 - rows, rows, cols, 1 - cols)[side]
    return away


def _coarsen(field: Doubles, scale: int) -> Doubles:
    found: Doubles = ndimage.uniform_filter(field, scale)[::scale, ::scale] if scale > 1 else field
    return found


def _refine(field: Doubles, shape: tuple[int, int], rng: np.random.Generator, roughness: float) -> Doubles:
    zoomed: Doubles = ndimage.zoom(field, (shape[0] / field.shape[0], shape[1] / field.shape[1]), order=1)
    return zoomed[: shape[0], : shape[1]] + roughness * power_law(rng, shape, 2.0)


def _evolve(
    z: Doubles,
    uplift: Doubles,
    erodibility: Doubles,
    steepest: Doubles,
    pixel: float,
    side: int,
    steps: int,
    relief: float,
    factor: float,
    calibrate: bool,
) -> tuple[Doubles, float]:
    """Uplift and erode `steps` times; `factor` scales uplift so that the relief comes out as wanted."""
    for _ in range(steps):
        order, filled = _flood(z, side)
        area = _accumulate(filled, order) * pixel**2
        z = _incise(filled, order, area, factor * uplift, erodibility, steepest, pixel)
        z = ndimage.gaussian_filter(z, 0.35)
        if calibrate:
            factor *= float(np.clip(relief / np.ptp(z), 0.8, 1.25)) ** 0.5
    return z, factor


@njit(cache=True)
def _neighbours() -> tuple[Integers, Integers, Doubles]:
    return (
        np.array([-1, -1, -1, 0, 0, 1, 1, 1]),
        np.array([-1, 0, 1, -1, 1, -1, 0, 1]),
        np.array([2**0.5, 1.0, 2**0.5, 1.0, 1.0, 2**0.5, 1.0, 2**0.5]),
    )


@njit(cache=True)
def _flood(z: Doubles, side: int, gradient: float = 1e-3) -> tuple[Integers, Doubles]:
    """Priority flood from the outlet edge: pixels in order of filled elevation, and the filled elevation."""
    rows, cols = z.shape
    filled = z.copy()
    done = np.zeros(z.shape, np.bool_)
    order = np.empty(z.size, np.int64)
    heap = [(0.0, 0)]
    heap.pop()
    for r in range(rows):
        for c in range(cols):
            south, north, west, east = r == rows - 1, r == 0, c == 0, c == cols - 1
            if (
                (side == 0 and south)
                or (side == 1 and north)
                or (side == 2 and west)
                or (side == 3 and east)
                or (side < 0 and (south or north or west or east))
            ):
                heappush(heap, (z[r, c], r * cols + c))
                done[r, c] = True
    dr, dc, dist = _neighbours()
    count = 0
    while len(heap) > 0:
        level, cell = heappop(heap)
        order[count] = cell
        count += 1
        r, c = cell // cols, cell % cols
        for k in range(8):
            i, j = r + dr[k], c + dc[k]
            if 0 <= i < rows and 0 <= j < cols and not done[i, j]:
                done[i, j] = True
                filled[i, j] = max(z[i, j], level + gradient * dist[k])
                heappush(heap, (filled[i, j], i * cols + j))
    return order, filled


@njit(cache=True)
def _receiver(z: Doubles, r: int, c: int) -> tuple[int, float]:
    """Steepest-descent neighbour (flat index) and its distance in pixels; itself where nothing is lower."""
    rows, cols = z.shape
    dr, dc, dist = _neighbours()
    best, at, far = 0.0, r * cols + c, 1.0
    for k in range(8):
        i, j = r + dr[k], c + dc[k]
        if 0 <= i < rows and 0 <= j < cols:
            fall = (z[r, c] - z[i, j]) / dist[k]
            if fall > best:
                best, at, far = fall, i * cols + j, dist[k]
    return at, far


@njit(cache=True)
def _accumulate(z: Doubles, order: Integers) -> Doubles:
    """Pixels that drain through each pixel (itself included), by steepest descent on the filled surface `z`."""
    cols = z.shape[1]
    area = np.ones(z.size)
    for n in range(order.size - 1, -1, -1):
        cell = order[n]
        at, _ = _receiver(z, cell // cols, cell % cols)
        if at != cell:
            area[at] += area[cell]
    return area.reshape(z.shape)


@njit(cache=True)
def _incise(
    z: Doubles,
    order: Integers,
    area: Doubles,
    uplift: Doubles,
    erodibility: Doubles,
    steepest: Doubles,
    pixel: float,
) -> Doubles:
    """One implicit step of dz/dt = U - K A^m S, hillslopes held below their steepest gradient."""
    cols = z.shape[1]
    new = z.copy()
    step = 5.0 * 200.0  # long against the response of a channel head, short against that of a trunk river
    for n in range(order.size):
        cell = order[n]
        r, c = cell // cols, cell % cols
        at, far = _receiver(z, r, c)
        if at == cell:
            continue
        down = new[at // cols, at % cols]
        f = step * erodibility[r, c] * area[r, c] ** _AREA_EXPONENT / (far * pixel) * 1e-2
        level = (z[r, c] + step * uplift[r, c] * 1e-2 + f * down) / (1.0 + f)
        new[r, c] = max(min(level, down + steepest[r, c] * far * pixel), down + 1e-3)
    return new
