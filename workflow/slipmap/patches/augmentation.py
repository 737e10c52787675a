"""Augmentation of training patches: mirror, turn, brightness, CenterRep.

What a turn does to directions, and what is drawn, stands here alone: `slipmap.training.augment` asks the same functions
for batches on their device.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from slipmap.codes import LANDSLIDE
from slipmap.config.patches import AugmentSettings
from slipmap.patches.centerrep import center_rep

# Directions turn with the ground: the sine of the aspect is its eastward part, the cosine its northward part.
EAST, NORTH, AZIMUTH = "aspect_sin", "aspect_cos", "aspect"
DIRECTIONS = (EAST, NORTH, AZIMUTH)
_OPTICAL = re.compile(r"^(B\d+A?|red|green|blue|nir|swir\d?)(_before|_after|_change)?$", re.IGNORECASE)


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
    bands : names; those of `DIRECTIONS` are turned as `turn_directions` has it.

    Raises
    ------
    ValueError : an odd number of quarters while only one part of the aspect vector is there (see `turns`).
    """
    if mirror:
        image, mask = image[..., ::-1], mask[..., ::-1]
    image, mask = (np.rot90(a, quarters, axes=(-2, -1)) for a in (image, mask))
    number = {name: i for i, name in enumerate(bands) if name in DIRECTIONS}
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
    raw : values of the bands of `DIRECTIONS` that there are, NaN where unknown; NumPy arrays or torch tensors.
        ``aspect_sin`` and ``aspect_cos`` turn as the vector (east, north) that they are, ``aspect`` as the azimuth in
        degrees (flat ground, -1, stays); a slope that faced east faces west after the mirror.
    quarters : × 90° counterclockwise.
    where : of the arrays' library.

    Returns
    -------
    The bands whose values change. What is unknown stays so; an unknown part of the vector is unknown in the band that
    it becomes.

    Raises
    ------
    ValueError : an odd number of quarters while only one part of the aspect vector is there.
    """
    quarters %= 4
    turned = {}
    if AZIMUTH in raw and (mirror or quarters):
        azimuth = raw[AZIMUTH]
        turned[AZIMUTH] = where(azimuth < 0, azimuth, ((-azimuth if mirror else azimuth) - 90 * quarters) % 360)
    vector = {name: raw[name] for name in (EAST, NORTH) if name in raw}
    if mirror and EAST in vector:
        vector[EAST] = -vector[EAST]
    if quarters == 2:
        vector = {name: -part for name, part in vector.items()}
    elif quarters and len(vector) == 2:
        sign = 1 if quarters == 1 else -1
        vector = {EAST: -sign * vector[NORTH], NORTH: sign * vector[EAST]}
    elif quarters and vector:
        raise ValueError("half of the aspect vector cannot be turned by 90 degrees")
    return turned | {name: part for name, part in vector.items() if part is not raw[name]}


def turns(bands: Sequence[str]) -> tuple[int, ...]:
    """Quarter turns that `bands` allow: all, or only 0 and 180° where one half of the aspect vector is missing."""
    return (0, 2) if (EAST in bands) != (NORTH in bands) else (0, 1, 2, 3)


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
