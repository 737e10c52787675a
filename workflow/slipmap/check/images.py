"""What the Sentinel-2 scenes of an area show of it, so that swapped bands, gaps and clouds show before a run."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from slipmap.config.inputs import Sentinel2Settings
from slipmap.config.run import AreaSettings
from slipmap.factors.scene import Scene, read_reflectance
from slipmap.io.grid import Grid

_COVERED = 0.8  # share of the area below which its images leave much of it blank
_WHOLE = 0.995  # share from which no further scene is looked at
_DARK = 0.9  # share of the pixels with infrared below blue from which the bands are doubted
_SIDE = 256  # pixels of the look, a side
_MOST = 24  # scenes looked at
BLUE, INFRARED = "B2", ("B8", "B8A")


def lines(area: AreaSettings, key: str, grid: Grid) -> Iterator[str]:
    """The share of the area that the scenes of each part cover, whether clouds are masked, and bands that look swapped.

    Parameters
    ----------
    key : ``areas.NAME``, for messages. grid : of the area.
    """
    optical = area.inputs.sentinel2
    if area.simulate or optical is None:
        return
    for part in ("path", "before", "after"):
        place = getattr(optical, part)
        if place and Path(place).exists():
            scenes = _scenes(
                optical, part, place, area.factors.optical.masked_classes, f"{key}.inputs.sentinel2.{part}"
            )
            yield from _part(scenes, place, grid)


def _scenes(optical: Sentinel2Settings, part: str, place: str, masked: Sequence[int], key: str) -> list[Scene]:
    from slipmap.factors.scenes import find_scenes, within

    scenes = find_scenes(place, optical, masked, key)
    return within(scenes, optical.start, optical.end, key) if part == "path" else scenes


def _part(scenes: Sequence[Scene], place: str, grid: Grid) -> Iterator[str]:
    step = max(1, -(-max(grid.shape) // _SIDE))
    seen = grid.coarsened(step, step) if step <= min(grid.shape) else grid
    missing = np.ones(seen.shape, bool)
    looked = 0
    for scene in scenes[:_MOST]:
        looked += 1
        missing &= _blank(scene, seen)
        if missing.mean() <= 1 - _WHOLE:
            break
    covered = float(1 - missing.mean())
    unmasked = [scene.name for scene in scenes if scene.unusable is None]
    if looked == len(scenes) or covered >= _WHOLE:
        without = "" if len(unmasked) == len(scenes) else " without what is masked as cloud"
        yield f"  images: {place} covers {covered:.0%} of the area{without}"
        if covered < _COVERED:
            yield (
                f"  warning: {place} shows nothing in {1 - covered:.0%} of the area, where no map is made of it; add "
                f"scenes, or give a smaller area"
            )
    if unmasked:
        which = "it has" if len(scenes) == 1 else f"{len(unmasked)} of {len(scenes)} scenes have"
        yield (
            f"  note: {place}: {which} no cloud mask (a band SCL or Fmask), so nothing is masked there: "
            f"clouds count as ground"
        )
    for scene in scenes[:1]:
        yield from _doubtful_order(scene, place, seen)


def _blank(scene: Scene, seen: Grid) -> np.ndarray:
    """(rows, cols) True where a scene has no number or is masked."""
    first = next(iter(scene.bands.values()))
    blank: np.ndarray = np.isnan(read_reflectance([first], seen, "nearest")[0])
    return blank | scene.unusable(seen) if scene.unusable is not None else blank


def _doubtful_order(scene: Scene, place: str, seen: Grid) -> Iterator[str]:
    """Land is brighter in the near infrared than in blue; water, snow and clouds need not be."""
    infrared = next((name for name in INFRARED if name in scene.bands), None)
    if infrared is None or BLUE not in scene.bands:
        return
    near, blue = (read_reflectance([scene.bands[name]], seen, "nearest")[0] for name in (infrared, BLUE))
    known = np.isfinite(near) & np.isfinite(blue)
    if scene.unusable is not None:
        known &= ~scene.unusable(seen)
    if known.any() and (share := float((near < blue)[known].mean())) > _DARK:
        yield (
            f"  warning: in {place} the near infrared ({infrared}) is darker than blue ({BLUE}) in {share:.0%} of the "
            f"area, as of water and not of land: are its bands named in the right order ({', '.join(scene.bands)})?"
        )
