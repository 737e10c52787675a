"""Simulated landslides: where they lie, how they move, and what a mapper would have drawn."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio import features
from rasterio.windows import Window

from slipmap.arrays import Doubles, Integers
from slipmap.io.grid import Grid
from slipmap.simulator.fields import smoothstep, stream
from slipmap.simulator.terrain import ROCKS, Terrain

LENGTHS = (80.0, 600.0)  # m
RATES = (10.0, 80.0)  # mm/yr along the slope
_WIDTHS = (0.34, 0.58)  # of the length
_ROLLOVER = 9000.0  # m2, the commonest area
_ONE_HILLSLOPE = 0.75  # least mean cosine between a landslide's axis and the fall of its ground
_COVERED = 0.12  # largest share of the area that landslides may take

log = logging.getLogger(__name__)

_Found = tuple[shapely.Polygon, float, float, Doubles, float]  # outline, length, width (m), down the slope, slope


@dataclass(frozen=True)
class Landslide:
    """One landslide.

    Attributes
    ----------
    outline : in the area's CRS. length, width : m. towards : horizontal unit vector (east, north) of its movement.
    slope : degrees, mean over the landslide. rate : mm/yr along the slope where it moves fastest; 0 when dormant.
    bare : share of its ground without vegetation, 0-1. open : whether it lies in a clearing.
    relief : m by which the head sank and the toe rose.
    """

    outline: shapely.Polygon
    length: float
    width: float
    towards: tuple[float, float]
    slope: float
    rate: float
    bare: float
    open: bool
    relief: float

    @property
    def moving(self) -> bool:
        """Whether it moves."""
        return self.rate > 0


def place_landslides(
    seed: int, grid: Grid, terrain: Terrain, count: int, moving: float, among: Sequence[Landslide] | None = None
) -> list[Landslide]:
    """Place up to `count` landslides, largest first, where slope and lithology favour them.

    Areas are distributed as in inventories; a share `moving` of them moves, larger ones more often. Centres are
    drawn in proportion to `susceptibility`; outlines are elongated down the slope, keep to one
    hillslope, do not touch, and lie within the area. `among` are earlier ones, which they do not touch either.
    """
    rng = stream(seed, "landslides" if among is None else "new landslides")
    chance = susceptibility(terrain).ravel()
    chance = np.cumsum(chance / chance.sum())
    lengths = np.sort(_lengths(rng, count))[::-1]
    earlier = [slide.outline for slide in among or ()]
    taken: list[shapely.Polygon] = []
    found: list[_Found] = []
    room = _COVERED * grid.width * grid.height * grid.resolution[0] ** 2
    for length in lengths:
        width = length * rng.uniform(*_WIDTHS)
        if sum(outline.area for outline in taken) + 0.8 * length * width > room:
            continue
        for attempt in range(400):
            if attempt and attempt % 80 == 0:  # no hillslope is long enough
                length, width = max(0.8 * length, LENGTHS[0]), max(0.8 * width, _WIDTHS[0] * LENGTHS[0])
            row, col = divmod(int(np.searchsorted(chance, rng.random())), grid.width)
            towards = terrain.downslope[:, row, col]
            outline = _outline(rng, grid, row, col, towards, length, width)
            if not _fits(outline, grid, [*earlier, *taken]):
                continue
            inside = _pixels(outline, grid)
            if towards @ terrain.downslope[:, *inside].mean(1) > _ONE_HILLSLOPE:
                taken.append(outline)
                found.append((outline, length, width, towards, float(terrain.slope[inside].mean())))
                break
    if len(found) < count:
        log.warning("The simulated area has room for %d of %d landslides.", len(found), count)
    return _with_state(rng, found, moving)


def susceptibility(terrain: Terrain) -> Doubles:
    """Relative chance of a landslide, 0-1 (rows, cols): lithology × a rise of slope from about 8 to 28 degrees."""
    rock = np.choose(terrain.lithology, [0.0, *(rock.susceptibility for rock in ROCKS.values())])
    return rock * smoothstep((terrain.slope - 8.0) / 20.0)


def velocity_along_slope(slides: list[Landslide], grid: Grid) -> Doubles:
    """Share of its fastest rate at which each pixel's landslide moves, 0-1 (rows, cols), 0 off landslides.

    Full speed in the middle, tapering smoothly to nothing at the outline.
    """
    return _over_slides(slides, grid, lambda slide, depth, x, y: smoothstep(depth / 0.65))


def line_of_sight_velocity(slides: list[Landslide], grid: Grid, los: Doubles) -> Doubles:
    """Velocity towards the satellite, mm/yr (rows, cols).

    Parameters
    ----------
    los : (3, rows, cols), unit vector (east, north, up) from the ground to the satellite.
    """
    shape = velocity_along_slope(slides, grid)
    number = label(slides, grid)
    motion = np.zeros((3, len(slides) + 1))
    for n, slide in enumerate(slides, start=1):
        dip = np.radians(slide.slope)
        motion[:, n] = slide.rate * np.array([*(np.cos(dip) * np.array(slide.towards)), -np.sin(dip)])
    velocity: Doubles = np.einsum("krc,krc->rc", motion[:, number], los) * shape
    return velocity


def label(slides: list[Landslide], grid: Grid) -> NDArray[np.int32]:
    """Number (from 1) of the landslide on each pixel, 0 where there is none; int32 (rows, cols)."""
    if not slides:
        return np.zeros(grid.shape, np.int32)
    numbered = ((slide.outline, n) for n, slide in enumerate(slides, start=1))
    pixels: NDArray[np.int32] = features.rasterize(numbered, grid.shape, transform=grid.transform, dtype="int32")
    return pixels


def surface_change(slides: list[Landslide], grid: Grid) -> Doubles:
    """Elevation change that the landslides left, m (rows, cols): a sunken head with a scarp, a raised, lobed toe."""

    def change(slide: Landslide, depth: Doubles, x: Doubles, y: Doubles) -> Doubles:
        cx, cy = slide.outline.centroid.coords[0]
        along = ((x - cx) * slide.towards[0] + (y - cy) * slide.towards[1]) / slide.length  # -0.5 head, 0.5 toe
        steps = 0.18 * np.sin(2 * np.pi * along * max(2.0, slide.length / 90))
        rise: Doubles = slide.relief * smoothstep(depth / 0.4) * (np.tanh(4 * along) + steps)
        return rise

    return _over_slides(slides, grid, change)


def outlines(slides: list[Landslide], grid: Grid) -> gpd.GeoDataFrame:
    """True outlines with attributes ``moving`` (bool), ``rate`` (mm/yr along the slope), ``slope`` (degrees)."""
    return gpd.GeoDataFrame(
        {
            "moving": [slide.moving for slide in slides],
            "rate": [round(slide.rate, 2) for slide in slides],
            "slope": [round(slide.slope, 2) for slide in slides],
            "length": [round(slide.length, 1) for slide in slides],
            "bare": [round(slide.bare, 3) for slide in slides],
        },
        geometry=[slide.outline for slide in slides],
        crs=grid.crs,
    )


def map_inventory(
    seed: int,
    grid: Grid,
    terrain: Terrain,
    slides: list[Landslide],
    *,
    error: float,
    missed: float,
    false: float,
) -> gpd.GeoDataFrame:
    """What a mapper draws: outlines shifted and too wide or narrow, some missed, some where no landslide is.

    Drawn from outlines, sizes and chance alone, never from how a landslide moves.

    Parameters
    ----------
    error : standard deviation of the shift, m; of the edge half that.
    missed, false : shares of the number of landslides.
    """
    rng = stream(seed, "inventory")
    size = np.array([slide.outline.area for slide in slides])
    # Small ones are missed more often.
    weight = 1 / np.sqrt(size)
    gone = rng.choice(len(slides), int(missed * len(slides)), replace=False, p=weight / weight.sum())
    drawn = []
    for n, slide in enumerate(slides):
        shift, edge = rng.normal(0, error, 2), float(np.clip(rng.normal(0, error / 2), -error, 2 * error))
        outline = shapely.affinity.translate(slide.outline, *shift).buffer(edge)
        if n not in gone and not outline.is_empty and outline.geom_type == "Polygon":
            drawn.append(outline)
    taken = [slide.outline for slide in slides]
    wanted, tries = round(false * len(slides)), 0
    chance = (susceptibility(terrain) > 0.1).astype(float).ravel() + 1e-6
    chance = np.cumsum(chance / chance.sum())
    while wanted and tries < 500:
        tries += 1
        row, col = divmod(int(np.searchsorted(chance, rng.random())), grid.width)
        length = float(np.clip(rng.lognormal(np.log(150), 0.4), *LENGTHS))
        outline = _outline(rng, grid, row, col, terrain.downslope[:, row, col], length, 0.5 * length)
        if _fits(outline, grid, taken):
            taken.append(outline)
            drawn.append(outline)
            wanted -= 1
    return gpd.GeoDataFrame({"landslide": range(1, len(drawn) + 1)}, geometry=drawn, crs=grid.crs)


def _lengths(rng: np.random.Generator, count: int) -> Doubles:
    """Lengths in m, from areas with an inverse-gamma distribution whose tail has exponent 2.4 (Malamud et al. 2004).

    The rollover is at 9000 m2, as for slow landslides that radar can resolve, not the 400 m2 of triggered ones.
    """
    low, high = LENGTHS
    out = np.empty(0)
    while out.size < count:
        area = _ROLLOVER * 2.4 / rng.gamma(1.4, 1.0, 4 * count)
        length = np.sqrt(area / (np.pi / 4 * np.mean(_WIDTHS)))
        out = np.concatenate([out, length[(length >= low) & (length <= high)]])
    return out[:count]


def _outline(
    rng: np.random.Generator,
    grid: Grid,
    row: int,
    col: int,
    towards: Doubles,
    length: float,
    width: float,
) -> shapely.Polygon:
    """A tongue along `towards`: narrow scarp, wide toe, bent, with an uneven edge."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    uneven = 1 + sum(
        rng.normal(0, 0.10 / k) * np.cos(k * angle) + rng.normal(0, 0.10 / k) * np.sin(k * angle) for k in range(2, 6)
    )
    along = 0.5 * length * np.cos(angle) * np.clip(uneven, 0.7, 1.2)
    across = 0.5 * width * np.sin(angle) * np.clip(uneven, 0.6, 1.4) * (1 + 0.5 * along / length)
    across += rng.normal(0, 0.12) * width * (2 * along / length) ** 2
    x, y = grid.transform @ (col + 0.5, row + 0.5)
    east, north = towards
    points = np.column_stack([x + along * east - across * north, y + along * north + across * east])
    return shapely.Polygon(points).buffer(0)


def _fits(outline: shapely.Polygon, grid: Grid, taken: list[shapely.Polygon]) -> bool:
    if outline.is_empty or outline.geom_type != "Polygon":
        return False
    margin = 3 * grid.resolution[0]
    left, bottom, right, top = grid.bounds
    inside = shapely.box(left + margin, bottom + margin, right - margin, top - margin).contains(outline)
    return inside and not (taken and (shapely.distance(taken, outline) < 2 * grid.resolution[0]).any())


def _pixels(outline: shapely.Polygon, grid: Grid) -> tuple[Integers, Integers]:
    """Rows and columns of the pixels that `outline` touches; it must lie within the grid."""
    left, bottom, right, top = outline.bounds
    (c0, r0), (c1, r1) = ~grid.transform @ (left, top), ~grid.transform @ (right, bottom)
    window = Window(int(c0), int(r0), int(c1) - int(c0) + 1, int(r1) - int(r0) + 1)
    part = grid.window_grid(window)
    mask = features.rasterize([outline], part.shape, transform=part.transform, dtype="uint8", all_touched=True)
    rows, cols = np.nonzero(mask)
    return rows + int(r0), cols + int(c0)


def _with_state(rng: np.random.Generator, found: Sequence[_Found], moving: float) -> list[Landslide]:
    """Decide which move, and how fresh each looks: movers are not always bare, dormant ones often are."""
    weight = np.array([length**2 for _, length, *_ in found])  # what creeps for years is deep, hence large
    movers = rng.choice(len(found), round(moving * len(found)), replace=False, p=weight / max(weight.sum(), 1e-9))
    slides = []
    for n, (outline, length, width, towards, slope) in enumerate(found):
        rate, fresh = 0.0, rng.random() < 0.45
        open_ground = bool(rng.random() < 0.5)
        if n in movers:
            rate = RATES[0] + (RATES[1] - RATES[0]) * rng.beta(1.3, 1.7)
            fresh, open_ground = rng.random() < 0.35, bool(rng.random() < 0.6)
        bare = rng.uniform(0.35, 0.85) if fresh else rng.uniform(0.0, 0.18)
        relief = width * rng.uniform(0.015, 0.05) * (1.0 if fresh or rate else 0.7)
        slides.append(
            Landslide(
                outline,
                float(length),
                float(width),
                (float(towards[0]), float(towards[1])),
                float(slope),
                float(rate),
                float(bare),
                open_ground or fresh,
                float(relief),
            )
        )
    return slides


def _over_slides(
    slides: list[Landslide], grid: Grid, value: Callable[[Landslide, Doubles, Doubles, Doubles], Doubles]
) -> Doubles:
    """Evaluate ``value(slide, depth, x, y)`` on each landslide's pixels; depth is 0 at the outline, 1 at the core."""
    out = np.zeros(grid.shape)
    number = label(slides, grid)
    rows, cols = np.nonzero(number)
    which = number[rows, cols]
    x, y = grid.coordinates(cols + 0.5, rows + 0.5)
    for n, slide in enumerate(slides, start=1):
        here = which == n
        if not here.any():
            continue
        depth = shapely.distance(slide.outline.exterior, shapely.points(x[here], y[here]))
        depth /= max(depth.max(), 1e-9)
        out[rows[here], cols[here]] = value(slide, depth, x[here], y[here])
    return out
