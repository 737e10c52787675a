"""Which value of a folder's masks means landslide: as the settings say, or where the values leave no doubt."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slipmap.config.patches import ImportSettings
from slipmap.errors import InputError
from slipmap.patches.importing.pictures import read_mask

log = logging.getLogger(__name__)
_LOOK = 48  # masks, spread over the folder, that are looked at
_RARE = 0.5  # share of the ground above which what is called landslide is asked about


@dataclass(frozen=True)
class MaskValues:
    """What the values in masks mean; another value is an error."""

    landslide: int
    background: int
    ignore: int | None

    @property
    def said(self) -> str:
        """For a message."""
        more = f", {self.ignore} (ignore)" if self.ignore is not None else ""
        return f"{self.background} (none), {self.landslide} (landslide){more}"


def decide(masks: Sequence[Path], settings: ImportSettings) -> MaskValues:
    """The meaning of the masks' values.

    Without `landslide_value`, masks of 0 and 1 have landslides at 1 and 255 is unknown; masks of 0 and 255 alone, as
    most tools write them, have landslides at 255, for a data set without landslides is of no use. All else is asked.

    Raises
    ------
    InputError : values that may mean anything; most ground called landslide, which inverted masks look like.

    Notes
    -----
    Looks at `_LOOK` masks, and at more until one has a second value. Whoever reads a mask refuses other values.
    """
    counts: dict[int, int] = {}
    spread = np.unique(np.linspace(0, len(masks) - 1, min(_LOOK, len(masks))).astype(int))
    rest = [i for i in range(len(masks)) if i not in set(spread)]
    for looked, i in enumerate([*spread, *rest]):
        if looked >= len(spread) and len(counts) > 1:
            break
        mask = read_mask(masks[i])
        known = mask.data[~np.ma.getmaskarray(mask) | (mask.data == 0)]  # 0 declared as nodata is no gap
        for value, count in zip(*np.unique(known, return_counts=True), strict=True):
            counts[int(value)] = counts.get(int(value), 0) + int(count)
    chosen = _meaning(sorted(counts), settings, masks[0].parent)
    known = sum(count for value, count in counts.items() if value != chosen.ignore)
    share = counts.get(chosen.landslide, 0) / known if known else 0.0
    if settings.landslide_value is None and share > _RARE:
        raise InputError(
            f"source.landslide_value: {chosen.landslide} covers {share:.0%} of the masks in {masks[0].parent}, as if "
            f"they were inverted; set landslide_value (and background_value) to what they mean."
        )
    return chosen


def _meaning(found: list[int], settings: ImportSettings, folder: Path) -> MaskValues:
    if settings.landslide_value is not None:
        background = settings.background_value
        if background is None:
            background = 0
        if background == settings.landslide_value:
            raise InputError(
                f"source.landslide_value and source.background_value are both {background}; set background_value to "
                f"the value in {folder} that means no landslide."
            )
        ignore = settings.ignore_value
        if ignore is None and 255 not in (settings.landslide_value, background):
            ignore = 255
        return MaskValues(settings.landslide_value, background, ignore)
    if settings.background_value is None and set(found) <= {0, 1, 255}:
        if 1 not in found and 255 in found and settings.ignore_value is None:
            log.info("%s: the masks hold 0 and 255 alone; 255 is read as landslide", folder)
            return MaskValues(255, 0, None)
        return MaskValues(1, 0, 255 if settings.ignore_value is None else settings.ignore_value)
    if settings.background_value is None and set(found) <= {0, 1, settings.ignore_value}:
        return MaskValues(1, 0, settings.ignore_value)
    listed = ", ".join(map(str, found[:6])) + (", …" if len(found) > 6 else "")
    raise InputError(
        f"source.landslide_value: the masks in {folder} hold the values {listed}; say which means landslide "
        f"(landslide_value), which none (background_value, 0 unless set) and which unknown (ignore_value)."
    )
