"""Simulated land cover: forest, grass, fields, rock, houses, roads, rivers, quarries, and bare landslide ground."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from slipmap.arrays import Integers
from slipmap.io.grid import Grid
from slipmap.simulator.fields import power_law, stream
from slipmap.simulator.landslides import Landslide, label
from slipmap.simulator.terrain import Terrain

FOREST, GRASS, FIELD, ROCK, BUILT, ROAD, WATER, QUARRY, SCAR, BADLAND = range(1, 11)
NAMES = {
    FOREST: "forest",
    GRASS: "grass",
    FIELD: "field",
    ROCK: "rock",
    BUILT: "built",
    ROAD: "road",
    WATER: "water",
    QUARRY: "quarry",
    SCAR: "scar",
    BADLAND: "badland",
}
_PARCEL = 110.0  # m, typical side of a field
_CLAY, _HARD = 1, (4, 5)  # lithologies that erode to badlands; that crop out and are quarried
_WOODED = 0.5  # share of the area under forest, before clearings


def simulate_cover(seed: int, grid: Grid, terrain: Terrain, slides: list[Landslide]) -> tuple[np.ndarray, np.ndarray]:
    """Land cover and, for fields, the parcel that each pixel belongs to.

    Returns
    -------
    cover : uint8 (rows, cols), keys of `NAMES`; ground of a landslide that is mostly bare is `SCAR`.
    parcel : int32 (rows, cols), number of the nearest parcel, everywhere.
    """
    rng = stream(seed, "cover")
    shape, pixel = grid.shape, grid.resolution[0]
    z = terrain.elevation
    relative = (z - z.min()) / np.ptp(z)
    texture = power_law(rng, shape, 3.0, outer=80)
    cover = np.full(shape, GRASS, np.uint8)
    wooded = 0.6 * texture + (terrain.slope - 17) / 9 - 1.6 * np.clip(relative - 0.72, 0, None) * 4
    cover[wooded > np.quantile(wooded, 1 - _WOODED)] = FOREST
    _clearings(rng, cover, slides, grid)
    parcel = _parcels(rng, grid)
    gentle = terrain.slope + 2.5 * power_law(rng, shape, 2.5, outer=40) < 11
    farmed = gentle & (rng.random(parcel.max() + 1)[parcel] < 0.75)
    cover[farmed & (relative < 0.6)] = FIELD
    # Outcrops: steep ground of hard rock, in patches, and a scatter of small ones elsewhere.
    hard = np.isin(terrain.lithology, _HARD)
    cover[hard & (terrain.slope + 6 * power_law(rng, shape, 2.5, outer=20) > 46)] = ROCK
    gullied = power_law(rng, shape, 3.0, outer=25)
    clay = (terrain.lithology == _CLAY) & (terrain.slope > 14)
    cover[clay & (gullied > np.quantile(gullied, 0.95))] = BADLAND
    patches = power_law(rng, shape, 3.0, outer=14)
    cover[(patches > np.quantile(patches, 0.991)) & (terrain.slope > 14)] = ROCK
    _towns_and_roads(rng, cover, terrain, pixel)
    _quarries(rng, cover, hard, pixel)
    river = terrain.accumulation * pixel**2
    cover[(river > 3e6) | (ndimage.maximum_filter(river, 3) > 2e7)] = WATER
    _landslide_ground(cover, slides, grid)
    return cover, parcel


def _parcels(rng: np.random.Generator, grid: Grid) -> NDArray[np.int32]:
    rows, cols = np.indices(grid.shape) * grid.resolution[0]
    count = max(4, int(grid.width * grid.height * grid.resolution[0] ** 2 / (2 * _PARCEL**2)))
    # Parcels are twice as long as wide, along a common direction that wanders.
    angle = 0.6 * power_law(rng, grid.shape, 3.5) + rng.uniform(0, np.pi)
    seeds = rng.uniform(0, 1, (count, 2)) * (rows.max(), cols.max())
    main = float(np.median(angle))
    turn = np.array([[np.cos(main), -np.sin(main)], [np.sin(main), np.cos(main)]]) * [[2.0], [1.0]]
    points = np.column_stack([rows.ravel(), cols.ravel()])
    points = points + 12.0 * np.column_stack([angle.ravel(), -angle.ravel()])
    nearest: Integers = cKDTree(seeds @ turn.T).query(points @ turn.T)[1]
    return nearest.reshape(grid.shape).astype(np.int32)


def _towns_and_roads(rng: np.random.Generator, cover: np.ndarray, terrain: Terrain, pixel: float) -> None:
    """Villages on gentle ground, joined by roads that keep to gentle gradients; houses along both."""
    rows, cols = cover.shape
    coarse = max(2, min(rows, cols) // 128)
    slope = ndimage.uniform_filter(terrain.slope, coarse)[::coarse, ::coarse]
    chance = np.exp(-slope / 5.0).ravel()
    count = int(np.clip(rows * cols * pixel**2 / 6e6, 3, 24))
    towns = rng.choice(chance.size, count, replace=False, p=chance / chance.sum())
    noise = power_law(rng, cover.shape, 2.2, outer=12)
    r, c = np.indices(cover.shape)
    for town in towns:
        y, x = np.array(divmod(int(town), slope.shape[1])) * coarse
        radius = rng.uniform(50, 200) / pixel
        near = np.hypot(r - y, c - x) / radius + 0.5 * noise < 1.0
        cover[near & (terrain.slope < 16)] = BUILT
    for path in _routes(terrain.elevation[::coarse, ::coarse], pixel * coarse, towns):
        y, x = (
            ndimage.gaussian_filter1d(line * float(coarse), 1.2, mode="nearest")
            for line in np.divmod(path, slope.shape[1])
        )
        t = np.linspace(0, len(y) - 1, 3 * coarse * len(y))
        y = np.clip(np.round(np.interp(t, np.arange(len(y)), y)).astype(int), 0, rows - 1)
        x = np.clip(np.round(np.interp(t, np.arange(len(x)), x)).astype(int), 0, cols - 1)
        house = rng.random(len(y)) < 0.02
        for dy, dx in ((0, 1), (1, 0), (1, 1)):
            cover[np.clip(y[house] + dy, 0, rows - 1), np.clip(x[house] + dx, 0, cols - 1)] = BUILT
        cover[y, x] = ROAD


def _routes(elevation: np.ndarray, spacing: float, towns: np.ndarray) -> list[np.ndarray]:
    """Cheapest ways from the first town to every other (flat indices), gradients costing dear."""
    rows, cols = elevation.shape
    index = np.arange(rows * cols).reshape(rows, cols)
    parts = []
    for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = index[: rows - dr, max(0, -dc) : cols - max(0, dc)]
        b = index[dr:, max(0, dc) : cols + min(0, dc)]
        length = spacing * np.hypot(dr, dc)
        rise = np.abs(elevation.ravel()[a] - elevation.ravel()[b]) / length
        parts.append((a.ravel(), b.ravel(), (length * (1 + (rise / 0.07) ** 2)).ravel()))
    a, b, cost = (np.concatenate(column) for column in zip(*parts, strict=True))
    graph = coo_array((cost, (a, b)), shape=(index.size, index.size)).tocsr()
    _, before = dijkstra(graph, directed=False, indices=int(towns[0]), return_predecessors=True)
    paths = []
    for town in towns[1:]:
        path = [int(town)]
        while before[path[-1]] >= 0:
            path.append(int(before[path[-1]]))
        paths.append(np.array(path))
    return paths


def _quarries(rng: np.random.Generator, cover: np.ndarray, hard: np.ndarray, pixel: float) -> None:
    """A few quarries in hard rock: as bright and bare as a fresh landslide."""
    rows, cols = np.nonzero(hard & np.isin(cover, (FOREST, GRASS)))
    if not rows.size:
        return
    r, c = np.indices(cover.shape)
    noise = power_law(rng, cover.shape, 2.5, outer=12)
    for _ in range(int(np.clip(cover.size * pixel**2 / 1.2e7, 1, 10))):
        n = int(rng.integers(rows.size))
        radius = rng.uniform(40, 110) / pixel
        cover[np.hypot(r - rows[n], c - cols[n]) / radius + 0.4 * noise < 1.0] = QUARRY


def _clearings(rng: np.random.Generator, cover: np.ndarray, slides: list[Landslide], grid: Grid) -> None:
    """Pastures in the forest: around open landslides, wider than them, and as many where there is none."""
    number = label(slides, grid)
    noise = power_law(rng, cover.shape, 2.8, outer=20)
    reach = rng.uniform(30, 160, len(slides) + 1) / grid.resolution[0]
    is_open = np.array([False, *(slide.open for slide in slides)])
    away, nearest = ndimage.distance_transform_edt(~is_open[number], return_indices=True)
    wide = reach[number[tuple(nearest)]] if is_open.any() else 0.0
    clear = is_open.any() & (away < wide * (1 + 0.5 * noise))
    r, c = np.indices(cover.shape)
    for _ in range(int(is_open.sum())):
        row, col, angle = rng.integers(cover.shape[0]), rng.integers(cover.shape[1]), rng.uniform(0, np.pi)
        long, short = np.array([rng.uniform(80, 320), rng.uniform(50, 160)]) / grid.resolution[0]
        u = (r - row) * np.cos(angle) + (c - col) * np.sin(angle)
        v = (c - col) * np.cos(angle) - (r - row) * np.sin(angle)
        clear |= np.hypot(u / long, v / short) + 0.35 * noise < 1.0
    cover[(clear | is_open[number]) & (cover == FOREST)] = GRASS


def _landslide_ground(cover: np.ndarray, slides: list[Landslide], grid: Grid) -> None:
    bare = np.array([False, *(slide.bare > 0.3 for slide in slides)])[label(slides, grid)]
    cover[bare & np.isin(cover, (FOREST, GRASS, FIELD, ROCK, BADLAND))] = SCAR
