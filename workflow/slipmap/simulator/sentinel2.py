"""Simulated Sentinel-2: surface reflectance on several dates, with clouds, shadows and a scene classification."""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
from scipy import ndimage

from slipmap.arrays import Doubles, Floats, Real
from slipmap.config.inputs import SimulateSettings
from slipmap.io.grid import Grid
from slipmap.parallel import in_parallel
from slipmap.simulator.event import Event
from slipmap.simulator.fields import power_law, smoothstep, stream
from slipmap.simulator.landcover import BADLAND, BUILT, FIELD, FOREST, GRASS, QUARRY, ROAD, ROCK, SCAR, WATER
from slipmap.simulator.landslides import Landslide, label, velocity_along_slope
from slipmap.simulator.terrain import Terrain

BANDS = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")
NODATA = -9999
PIXEL = 10.0  # m
_COARSE = (3, 4, 5, 7, 8, 9)  # bands of 20 m, delivered on 10 m

# Typical surface reflectance of each cover, in the order of BANDS.
_GREEN_GRASS = (0.04, 0.075, 0.055, 0.12, 0.25, 0.31, 0.33, 0.35, 0.23, 0.13)
_DRY_GRASS = (0.07, 0.10, 0.11, 0.16, 0.22, 0.25, 0.27, 0.29, 0.31, 0.21)
_CROP = (0.035, 0.07, 0.045, 0.11, 0.32, 0.41, 0.44, 0.45, 0.20, 0.10)
_SOIL = (0.08, 0.11, 0.15, 0.18, 0.20, 0.22, 0.24, 0.26, 0.33, 0.28)
_LEAVES = (0.025, 0.045, 0.028, 0.075, 0.20, 0.26, 0.28, 0.30, 0.13, 0.06)
_BARE_WOOD = (0.04, 0.055, 0.06, 0.09, 0.14, 0.16, 0.18, 0.19, 0.18, 0.11)
_FIXED = {
    ROCK: (0.15, 0.18, 0.20, 0.22, 0.23, 0.24, 0.25, 0.26, 0.30, 0.26),
    BUILT: (0.11, 0.13, 0.14, 0.15, 0.17, 0.18, 0.19, 0.20, 0.23, 0.20),
    ROAD: (0.09, 0.10, 0.11, 0.12, 0.13, 0.14, 0.15, 0.15, 0.18, 0.16),
    WATER: (0.045, 0.05, 0.04, 0.03, 0.025, 0.02, 0.018, 0.015, 0.01, 0.008),
    QUARRY: (0.19, 0.23, 0.26, 0.28, 0.29, 0.30, 0.31, 0.32, 0.37, 0.33),
}
# Debris is brightest on limestone, darkest on claystone.
_DEBRIS_BRIGHTNESS = {1: 0.85, 2: 1.05, 3: 0.95, 4: 1.1, 5: 1.3, 6: 0.95}


def scene_dates(settings: SimulateSettings, last: date) -> list[date]:
    """Dates of the scenes, spread from the first Sentinel-1 date to `last`, on the five-day repeat."""
    rng = stream(settings.seed, "scenes")
    span = max((last - settings.start).days, 40 * settings.scenes)
    days = np.sort((np.arange(settings.scenes) + rng.uniform(0.25, 0.75, settings.scenes)) * span / settings.scenes)
    return [settings.start + timedelta(days=5 * round(day / 5)) for day in days]


def scene_grid(grid: Grid) -> Grid:
    """Grid of 10 m pixels that covers the area."""
    return Grid.from_bounds(grid.crs, PIXEL, grid.bounds)


def simulate_scenes(
    settings: SimulateSettings,
    grid: Grid,
    terrain: Terrain,
    cover: np.ndarray,
    parcel: np.ndarray,
    slides: list[Landslide],
    last: date,
    threads: int = 1,
) -> Iterator[tuple[date, np.ndarray]]:
    """Date and scene, int16 (11, rows, cols) on `scene_grid`: reflectance × 10000 of `BANDS`, then SCL.

    Parameters
    ----------
    threads : scenes that are made at once.
    """
    view = _View(settings, grid, terrain, cover, parcel, slides)

    def scene(numbered: tuple[int, date]) -> np.ndarray:
        number, day = numbered
        rng = stream(settings.seed, "sentinel2", day)
        clouds = None if number == 0 and settings.scenes > 1 else settings.clouds
        out = view.scene(rng, day, clouds, view.bare)
        if number == settings.scenes - 1 and settings.scenes > 2:
            _cut_swath(rng, out)
        return out

    for (_, day), out in in_parallel(enumerate(scene_dates(settings, last)), scene, threads, held=threads):
        yield day, out


def simulate_event_scenes(
    settings: SimulateSettings,
    grid: Grid,
    terrain: Terrain,
    cover: np.ndarray,
    parcel: np.ndarray,
    slides: list[Landslide],
    event: Event,
) -> Iterator[tuple[str, date, np.ndarray]]:
    """ "before" (clear) or "after" (with new landslides), date, and a scene as of `simulate_scenes`."""
    view = _View(settings, grid, terrain, cover, parcel, slides)
    bare = (view.bare, np.maximum(view.bare, event.bare()))
    for name, day, clouds, share in zip(
        ("before", "after"), event.scene_dates(), (None, event.settings.clouds), bare, strict=True
    ):
        yield name, day, view.scene(stream(settings.seed, "sentinel2", name, day), day, clouds, share)


class _View:
    """The ground as Sentinel-2 sees it on any day."""

    def __init__(
        self,
        settings: SimulateSettings,
        grid: Grid,
        terrain: Terrain,
        cover: np.ndarray,
        parcel: np.ndarray,
        slides: list[Landslide],
    ) -> None:
        self.ground = terrain, cover, parcel
        self.resample = _Resampler(grid, scene_grid(grid))
        self.bare = _bare_share(settings.seed, grid, slides)
        texture = stream(settings.seed, "texture")
        vigour = 0.12 * power_law(texture, grid.shape, 2.6, outer=60) + 0.05 * texture.standard_normal(grid.shape)
        # A faint loss of vigour where ground moves or moved: hollows hold water, roots are torn.
        self.vigour = vigour - 0.08 * (label(slides, grid) > 0)

    def scene(self, rng: np.random.Generator, day: date, clouds: float | None, bare: np.ndarray) -> np.ndarray:
        """The scene of a day; `clouds` is their mean cover, None without any."""
        terrain, cover, parcel = self.ground
        ground = _ground(rng, day, terrain, cover, parcel, bare, self.vigour)
        scene = np.stack([self.resample(band) for band in ground])
        scl = _classify(scene)
        scene *= 1 + 0.02 * rng.standard_normal(scene.shape[1:], dtype=np.float32)
        scene += 0.002 * rng.standard_normal(scene.shape, dtype=np.float32)
        _light(scene, self.resample(terrain.elevation), day)
        share = 0.0 if clouds is None else clouds * rng.uniform(0.4, 1.6)
        _cloud(rng, scene, scl, day, min(share, 0.9))
        for band in _COARSE:
            scene[band] = _blocky(scene[band])
        out = np.empty((len(BANDS) + 1, *scl.shape), np.int16)
        out[:-1] = np.clip(np.round(scene * 1e4), 1, 16000)
        out[-1] = scl
        return out


class _Resampler:
    """Bilinear resampling from the area's grid to the scenes' grid."""

    def __init__(self, grid: Grid, fine: Grid) -> None:
        inverse = ~grid.transform @ fine.transform
        self._cols = np.clip(inverse.c + inverse.a * (np.arange(fine.width) + 0.5) - 0.5, 0, grid.width - 1)
        self._rows = np.clip(inverse.f + inverse.e * (np.arange(fine.height) + 0.5) - 0.5, 0, grid.height - 1)

    def __call__(self, field: Real) -> Floats:
        r, c = (
            np.minimum(self._rows.astype(int), field.shape[0] - 2),
            np.minimum(self._cols.astype(int), field.shape[1] - 2),
        )
        wr, wc = (self._rows - r)[:, None], self._cols - c
        rows = field[r] * (1 - wr) + field[r + 1] * wr
        values: Real = rows[:, c] * (1 - wc) + rows[:, c + 1] * wc
        return values.astype(np.float32)


def _bare_share(seed: int, grid: Grid, slides: list[Landslide]) -> np.ndarray:
    """Share of bare ground that landslides add (rows, cols): patchy, most in the middle and at the head."""
    rng = stream(seed, "bare ground")
    share = np.array([0.0, *(slide.bare for slide in slides)])[label(slides, grid)]
    patchy = np.clip(1 + 0.35 * power_law(rng, grid.shape, 2.2, outer=10), 0.2, 1.6)
    bare: Doubles = np.clip(share * patchy * (0.55 + 0.45 * velocity_along_slope(slides, grid)), 0, 0.95)
    return bare


def _ground(
    rng: np.random.Generator,
    day: date,
    terrain: Terrain,
    cover: np.ndarray,
    parcel: np.ndarray,
    bare: np.ndarray,
    vigour: np.ndarray,
) -> np.ndarray:
    """Reflectance of the ground (bands, rows, cols) float32, by cover and season."""
    season = np.cos(2 * np.pi * (day.timetuple().tm_yday - 190) / 365.25)  # 1 in July, -1 in January
    leaf = np.clip(0.5 + 0.6 * season, 0.1, 1.0)
    green = np.clip(0.75 - 0.35 * max(season, 0) ** 2 + 0.1 * season, 0.2, 1) + vigour
    ploughed = rng.random(int(parcel.max()) + 1)
    growth = np.clip((ploughed - 0.35) / 0.5, 0, 1)[parcel]  # a third of the fields are bare
    ground = np.empty((len(BANDS), *cover.shape), np.float32)
    debris = np.choose(terrain.lithology, [0.0, *_DEBRIS_BRIGHTNESS.values()])
    for band in range(len(BANDS)):
        soil = _SOIL[band] * debris
        grass = _mix(_DRY_GRASS[band], _GREEN_GRASS[band], np.clip(green, 0, 1))
        layers: list[Doubles] = [np.zeros(cover.shape)] * 11
        layers[FOREST] = _mix(_BARE_WOOD[band], _LEAVES[band], np.clip(leaf + 0.6 * vigour, 0, 1))
        layers[GRASS] = layers[SCAR] = grass
        layers[FIELD] = _mix(soil, _CROP[band], np.clip(growth + 0.5 * vigour, 0, 1))
        layers[BADLAND] = _mix(soil, grass, np.clip(0.35 + 2.0 * vigour, 0.05, 0.8))
        for code, values in _FIXED.items():
            layers[code] = values[band] * (1 + 0.6 * vigour)
        ground[band] = _mix(np.choose(cover, layers), soil * 1.1, bare)
    return ground


def _mix(low: Doubles | float, high: Doubles | float, share: Doubles) -> Doubles:
    return low + (high - low) * share


def _sun(day: date) -> tuple[float, float]:
    """Elevation and azimuth of the sun at the overpass (about 10:30 local time, 44° N), degrees."""
    season = np.cos(2 * np.pi * (day.timetuple().tm_yday - 172) / 365.25)
    return 41.0 + 22.0 * season, 156.0 - 8.0 * season


def _light(scene: np.ndarray, elevation: np.ndarray, day: date) -> None:
    """Terrain shading that atmospheric correction left: half of the cosine law."""
    height, azimuth = np.radians(_sun(day))
    down, right = np.gradient(ndimage.gaussian_filter(elevation, 1.0), PIXEL)
    normal = np.stack([-right, down, np.ones_like(right)]) / np.sqrt(1 + down**2 + right**2)
    sun = np.array([np.sin(azimuth) * np.cos(height), np.cos(azimuth) * np.cos(height), np.sin(height)])
    cosine = np.clip(np.einsum("k,krc->rc", sun, normal), 0, None) / np.sin(height)
    scene *= (0.5 + 0.5 * np.clip(cosine, 0.15, 1.8)).astype(np.float32)


def _classify(scene: np.ndarray) -> np.ndarray:
    """Scene classification of clear ground: 4 vegetation, 5 bare, 6 water, 7 unclassified."""
    red, green, near = scene[2], scene[1], scene[6]
    index = (near - red) / (near + red)
    scl = np.full(red.shape, 7, np.int16)
    scl[index > 0.35] = 4
    scl[index < 0.28] = 5
    scl[(green > near) & (near < 0.08)] = 6
    return scl


def _cloud(rng: np.random.Generator, scene: np.ndarray, scl: np.ndarray, day: date, share: float) -> None:
    """Clouds (SCL 9 and 8), a thin rim (10), their shadows (3); a little of both goes unflagged, as in real scenes."""
    if share <= 0:
        return
    field = power_law(rng, scl.shape, 3.8, outer=120)
    level = np.quantile(field, 1 - share)
    opacity = smoothstep((field - level + 0.12) / 0.5).astype(np.float32)
    height, azimuth = np.radians(_sun(day))
    far = rng.uniform(600, 1400) / np.tan(height) / PIXEL
    # The shadow falls away from the sun; rows run south, columns east.
    shift = round(far * np.cos(azimuth)), round(-far * np.sin(azimuth))
    shadow = np.zeros_like(opacity)
    rows, cols = opacity.shape
    r, c = np.arange(rows) - shift[0], np.arange(cols) - shift[1]
    in_r, in_c = (r >= 0) & (r < rows), (c >= 0) & (c < cols)
    shadow[np.ix_(in_r, in_c)] = opacity[np.ix_(r[in_r], c[in_c])]
    scene *= 1 - 0.65 * shadow
    white = np.array([0.62, 0.60, 0.60, 0.62, 0.63, 0.63, 0.64, 0.64, 0.45, 0.35], np.float32)
    brightness = (1 + 0.08 * power_law(rng, scl.shape, 2.5)).astype(np.float32)
    for band in range(len(scene)):
        scene[band] += (white[band] * brightness - scene[band]) * opacity
    scl[shadow > 0.25] = 3
    scl[opacity > 0.06] = 10
    scl[opacity > 0.3] = 8
    scl[opacity > 0.7] = 9


def _blocky(band: np.ndarray) -> np.ndarray:
    """A 20 m band delivered on 10 m pixels: means of 2 × 2, repeated."""
    rows, cols = band.shape
    padded = np.pad(band, ((0, rows % 2), (0, cols % 2)), mode="edge")
    means = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2).mean((1, 3))
    return np.repeat(np.repeat(means, 2, 0), 2, 1)[:rows, :cols]


def _cut_swath(rng: np.random.Generator, scene: np.ndarray) -> None:
    """The swath ends inside the scene: nodata in one corner, SCL 0."""
    rows, cols = scene.shape[1:]
    r, c = np.indices((rows, cols))
    outside = c / cols + 0.2 * r / rows > rng.uniform(0.92, 1.02)
    scene[:-1, outside] = NODATA
    scene[-1, outside] = 0
