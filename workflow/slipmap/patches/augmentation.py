"""Augmentation of training patches: mirror, turn, brightness, CenterRep. Raw bands in, raw bands out."""

import re
from collections.abc import Sequence

import numpy as np

from slipmap.codes import LANDSLIDE
from slipmap.config.patches import AugmentSettings
from slipmap.patches.centerrep import center_rep

# Directions turn with the ground: the sine of the aspect is its eastward part, the cosine its northward part.
EAST, NORTH, AZIMUTH = "aspect_sin", "aspect_cos", "aspect"
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
    image : (bands, rows, cols) raw values.
    mask : (rows, cols).
    bands : names. ``aspect_sin`` and ``aspect_cos`` turn as the vector (east, north) that they are, ``aspect`` as the
        azimuth in degrees; a slope that faced east faces west after the mirror.

    Raises
    ------
    ValueError : an odd number of quarters while only one part of the aspect vector is there (see `turns`).
    """
    if mirror:
        image, mask = image[..., ::-1], mask[..., ::-1]
    image, mask = (np.rot90(a, quarters, axes=(-2, -1)) for a in (image, mask))
    if {EAST, NORTH, AZIMUTH}.isdisjoint(bands) or not (mirror or quarters % 4):
        return image, mask
    image = image.copy()
    number = {name: i for i, name in enumerate(bands)}
    if AZIMUTH in number:
        azimuth = image[number[AZIMUTH]]
        turned = ((-azimuth if mirror else azimuth) - 90 * quarters) % 360
        image[number[AZIMUTH]] = np.where(azimuth < 0, azimuth, turned)  # flat ground is -1
    if mirror and EAST in number:
        image[number[EAST]] *= -1
    quarters %= 4
    if quarters == 2:
        for name in {EAST, NORTH} & number.keys():
            image[number[name]] *= -1
    elif quarters:
        if (EAST in number) != (NORTH in number):
            raise ValueError("half of the aspect vector cannot be turned by 90 degrees")
        if EAST in number:
            east, north = image[number[EAST]].copy(), image[number[NORTH]].copy()
            sign = 1 if quarters == 1 else -1
            image[number[EAST]], image[number[NORTH]] = -sign * north, sign * east
    return image, mask


def turns(bands: Sequence[str]) -> tuple[int, ...]:
    """Quarter turns that `bands` allow: all, or only 0 and 180° where one half of the aspect vector is missing."""
    return (0, 2) if (EAST in bands) != (NORTH in bands) else (0, 1, 2, 3)


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
    quarters, mirror = 0, False
    if settings.flips:
        mirror, upside_down = rng.random(2) < 0.5
        if upside_down:  # mirrored up-down is mirrored left-right and turned by 180 degrees
            mirror, quarters = not mirror, 2
    if settings.rotations:
        allowed = turns(bands) if mask.shape[0] == mask.shape[1] else (0, 2)
        quarters = (quarters + int(rng.choice(allowed))) % 4
    if mirror or quarters:
        image, mask = turn(image, mask, bands, quarters, bool(mirror))
        done += ["mirror"] * bool(mirror) + [f"turn{90 * quarters}"] * bool(quarters)
    if settings.brightness and optical_bands(bands):
        factor = 1 + settings.brightness * rng.uniform(-1, 1)
        image = brighten(image, bands, factor)
        done.append(f"brightness{factor:.3f}")
    return image, mask, done
