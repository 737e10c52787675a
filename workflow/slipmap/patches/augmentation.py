"""Augmentation of training patches: mirror, turn, brightness, CenterRep.

What a turn does to directions, and what is drawn, stands here alone: `slipmap.training.augment` asks the same functions
for batches on their device.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from slipmap.codes import LANDSLIDE
from slipmap.config.patches import AugmentSettings
from slipmap.factors import catalogue
from slipmap.factors.record import Direction
from slipmap.patches.centerrep import center_rep

_OPTICAL = re.compile(r"^(B\d+A?|red|green|blue|nir|swir\d?)(_before|_after|_change)?$", re.IGNORECASE)


def directions(bands: Iterable[str]) -> dict[str, Direction]:
    """Bands that turn with the ground, as the catalogue of factors has them: the aspect, its sine and cosine."""
    factors = {name: catalogue.find(name) for name in bands}
    return {name: factor.direction for name, factor in factors.items() if factor and factor.direction}


def vectors(bands: Iterable[str]) -> list[dict[str, str]]:
    """The east and north components among `bands`, by what they are of: {"east": "aspect_sin", "north": …}."""
    found: dict[str, dict[str, str]] = {}
    for name, direction in directions(bands).items():
        if direction.part != "azimuth":
            found.setdefault(direction.of, {})[direction.part] = name
    return list(found.values())


def optical_bands(bands: Sequence[str]) -> list[int]:
    """Numbers (from 0) of the bands that are reflectances, by name (B2, B8A, B4_after, red …)."""
    return [i for i, name in enumerate(bands) if _OPTICAL.match(name)]


def turn(
    image: np.ndarray, mask: np.ndarray, bands: Sequence[str], quarters: int, mirror: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Turn a patch by `quarters` × 90° counterclockwise after mirroring it left-right, directions included.

    Parameters
    ----------
    image : (bands, rows, cols) raw values, NaN where unknown.
    mask : (rows, cols).
    bands : names; those of `directions` are turned as `turn_directions` has it.

    Raises
    ------
    ValueError : an odd number of quarters while only one part of a vector is there (see `turns`).
    """
    if mirror:
        image, mask = image[..., ::-1], mask[..., ::-1]
    image, mask = (np.rot90(a, quarters, axes=(-2, -1)) for a in (image, mask))
    number = {name: bands.index(name) for name in directions(bands)}
    if not number or not (mirror or quarters % 4):
        return image, mask
    image = image.copy()
    raw = {name: image[i].copy() for name, i in number.items()}
    for name, values in turn_directions(raw, mirror, quarters).items():
        image[number[name]] = values
    return image, mask


def turn_directions(
    raw: Mapping[str, Any], mirror: bool, quarters: int, where: Callable[..., Any] = np.where
) -> dict[str, Any]:
    """What bands that are directions hold once their ground was mirrored left-right, if `mirror`, and turned then.

    Parameters
    ----------
    raw : values of bands of `directions`, NaN where unknown; NumPy arrays or torch tensors. ``aspect_sin`` and
        ``aspect_cos`` turn as the vector (east, north) that they are, ``aspect`` as the azimuth in degrees (flat
        ground, -1, stays); a slope that faced east faces west after the mirror.
    quarters : × 90° counterclockwise.
    where : of the arrays' library.

    Returns
    -------
    The bands whose values change. What is unknown stays so; an unknown part of the vector is unknown in the band that
    it becomes.

    Raises
    ------
    ValueError : an odd number of quarters while only one part of a vector is there.
    """
    quarters %= 4
    turned = {}
    for name, direction in directions(raw).items():
        if direction.part == "azimuth" and (mirror or quarters):
            azimuth = raw[name]
            turned[name] = where(azimuth < 0, azimuth, ((-azimuth if mirror else azimuth) - 90 * quarters) % 360)
    for bands in vectors(raw):
        parts = {part: raw[name] for part, name in bands.items()}
        turned |= {bands[part]: values for part, values in _turn_vector(parts, mirror, quarters).items()}
    return turned


def _turn_vector(parts: dict[str, Any], mirror: bool, quarters: int) -> dict[str, Any]:
    """Those components ("east", "north") of a vector that change when the ground is mirrored and turned."""
    turned = dict(parts)
    if mirror and "east" in turned:
        turned["east"] = -turned["east"]
    if quarters == 2:
        turned = {part: -values for part, values in turned.items()}
    elif quarters and len(turned) == 2:
        sign = 1 if quarters == 1 else -1
        turned = {"east": -sign * turned["north"], "north": sign * turned["east"]}
    elif quarters:
        raise ValueError("one component of a vector cannot be turned by 90 degrees without the other")
    return {part: values for part, values in turned.items() if values is not parts[part]}


def turns(bands: Sequence[str]) -> tuple[int, ...]:
    """Quarter turns that `bands` allow: all, or only 0 and 180° where one half of a vector is missing."""
    return (0, 1, 2, 3) if all(len(parts) == 2 for parts in vectors(bands)) else (0, 2)


def draw_turns(
    settings: AugmentSettings, bands: Sequence[str], square: bool, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each of `count` patches is mirrored left-right, and by how many quarters it is turned then: two (count,).

    Patches that are not `square` are turned by 0 or 180° alone.
    """
    mirror, quarters = np.zeros(count, bool), np.zeros(count, int)
    if settings.flips:
        mirror, upside_down = rng.random((2, count)) < 0.5
        # mirrored up-down is mirrored left-right and turned by 180 degrees
        mirror, quarters = mirror ^ upside_down, quarters + 2 * upside_down
    if settings.rotations:
        quarters = quarters + rng.choice(turns(bands) if square else (0, 2), count)
    return mirror, quarters % 4


def brighten(image: np.ndarray, bands: Sequence[str], factor: float) -> np.ndarray:
    """Reflectances times `factor`, everything else as it was."""
    image = image.copy()
    image[optical_bands(bands)] *= np.float32(factor)
    return image


def augment(
    image: np.ndarray,
    mask: np.ndarray,
    bands: Sequence[str],
    settings: AugmentSettings,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Draw one augmentation of a patch.

    Parameters
    ----------
    image : (bands, rows, cols) raw values; not changed. Rows and cols are equal where `settings.rotations`.
    mask : (rows, cols) uint8; not changed.
    bands : names of the bands.

    Returns
    -------
    image, mask : changed, perhaps as views.
    done : what was done, for the index ("centerrep", "mirror", "turn90", "brightness1.043").
    """
    done = []
    if settings.centerrep and rng.random() < settings.centerrep and (mask == LANDSLIDE).any():
        image, mask, boxes = center_rep(image, mask, rng, settings.centerrep_size, settings.centerrep_by)
        done += ["centerrep"] * bool(boxes)
    mirrors, turned = draw_turns(settings, bands, mask.shape[0] == mask.shape[1], 1, rng)
    mirror, quarters = bool(mirrors[0]), int(turned[0])
    if mirror or quarters:
        image, mask = turn(image, mask, bands, quarters, mirror)
        done += ["mirror"] * bool(mirror) + [f"turn{90 * quarters}"] * bool(quarters)
    if settings.brightness and optical_bands(bands):
        factor = 1 + settings.brightness * rng.uniform(-1, 1)
        image = brighten(image, bands, factor)
        done.append(f"brightness{factor:.3f}")
    return image, mask, done
