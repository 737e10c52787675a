"""One track about an event: coherence lost and backscatter changed, in values and in standard deviations.

Loss of coherence as the co-event loss compared by Burrows et al. (2020, NHESS 20, 3197–3214); with a second image
after the event the coherence that ground has again is added, as in their sum of loss and later gain. Change of
backscatter as the log-ratio of Mondini et al. (2019, Remote Sensing 11, 760) and Esposito et al. (2020, NHESS 20,
2379–2395), in VV and VH. Each against the pixel's own scatter before the event.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.config.event import EventImageSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.reading import read_stack
from slipmap.deformation.slc_file import SlcFile, open_slc
from slipmap.deformation.stack import Acquisition
from slipmap.errors import InputError
from slipmap.event import expectation
from slipmap.event.expectation import Expectation
from slipmap.event.images import Images, choose
from slipmap.event.indicators import Change, Read, coherence_and_backscatter
from slipmap.factors import catalogue
from slipmap.io import raster
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid


def described(name: str) -> tuple[str, str]:
    """Units and title of a band that can be a factor, from the catalogue."""
    factor = catalogue.by_pattern(name)
    return factor.units, factor.long_name


SIDE = 256  # pixels, of the blocks
SAMPLES = 48  # blocks from which the expectation is learnt
SCORES = ("coherence_loss_score", "vv_change_score", "vh_change_score")
BANDS = {
    "coherence_before": ("1", "mean coherence of the pairs before the event"),
    "coherence_across": ("1", "coherence of the pair about the event"),
    "coherence_loss_score": described("coherence_loss_score"),
    "vv_change": described("vv_change"),
    "vv_change_score": ("1", "that of VV in its standard deviations"),
    "vh_change": described("vh_change"),
    "vh_change_score": ("1", "that of VH in its standard deviations"),
}


@dataclass(frozen=True)
class Track:
    """The images of a track, open. `cross` reads those of VH, where there are such."""

    images: Images
    grid: Grid
    looks: tuple[int, int]
    side: int
    read: Read
    cross: Read | None

    def at(self, window: Window) -> dict[str, Change]:
        """Indicators "coherence", "vv" and, where there is VH, "vh" in a window."""
        given = (self.images, window, self.grid, self.looks, self.side)
        coherence, vv = coherence_and_backscatter(self.read, *given)
        found = {"vv": vv} if coherence is None else {"coherence": coherence, "vv": vv}
        if self.cross is not None:
            found["vh"] = coherence_and_backscatter(self.cross, *given, coherence=False)[1]
        return found

    def learn(self) -> dict[str, Expectation]:
        """What each indicator does where nothing happened, from blocks spread over the area."""
        windows = list(self.grid.blocks(SIDE))
        blocks = [self.at(window) for window in windows[:: -(-len(windows) // SAMPLES)]]
        found = {}
        for name in blocks[0]:
            learnt = expectation.learn([block[name] for block in blocks], [level(block) for block in blocks])
            if learnt is not None:
                found[name] = learnt
        return found


def level(block: Mapping[str, Change]) -> np.ndarray:
    """What pixels are told apart by: their coherence before, or their backscatter where no pair is before."""
    return block["coherence"].before if block["coherence"].count else block["vv"].before


def run(
    sentinel1: Sentinel1Settings,
    settings: EventImageSettings,
    looks: tuple[int, int],
    output: str | Path,
    record: str | Path,
    *,
    files: Sequence[str | Path] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write `BANDS` (those of VH where it is given) as a raster, and which images tell of the event as JSON.

    Parameters
    ----------
    sentinel1 : the stack of SLCs. looks : SLC pixels (rows, columns) in a pixel. files : SLCs that count, or None.
    """
    stack = read_stack(sentinel1, files)
    if not stack.acquisitions:
        raise InputError(
            f"event: {sentinel1.path} holds interferograms, and the event map needs SLCs; give inputs.sentinel1 "
            f"of level slc or safe, or leave the event out."
        )
    images = choose(stack.acquisitions, settings, sentinel1.path)
    crossed = cross_images(sentinel1, settings, images)
    about = {"TRACK": stack.radar.track, "ORBIT_DIRECTION": stack.radar.orbit_direction}
    about |= {"EVENT_DATE": settings.date.isoformat()} | dict(tags or {})
    with _opened(images, crossed, looks, settings.window) as track:
        expected = track.learn()
        if not expected:
            raise InputError(f"event: the images in {sentinel1.path} have no pixel with data in common; remove one.")
        bands = [name for name in BANDS if crossed is not None or not name.startswith("vh")]
        units, names = ([BANDS[name][k] for name in bands] for k in (0, 1))
        with raster.create(
            output, track.grid, bands=bands, units=units, long_name=names, tags=about, compress="zstd"
        ) as out:
            for window in track.grid.blocks(SIDE):
                values = _values(track.at(window), expected)
                out.write(np.stack([values[name] for name in bands]), window)
    told = images.record() | {"track": stack.radar.track, "orbit_direction": stack.radar.orbit_direction}
    told |= {"polarisations": ["VV"] + ["VH"] * (crossed is not None), "degrees_of_freedom": _freedoms(expected)}
    if crossed is None:
        told["reduced"] = [*images.reduced, "VV alone: no VH images are given"]
    write_text(record, json.dumps(told, indent=2) + "\n")


def _values(block: Mapping[str, Change], expected: Mapping[str, Expectation]) -> dict[str, np.ndarray]:
    """`BANDS` of a block."""
    told = level(block)
    scores = {name: expected[name].score(change, told) for name, change in block.items() if name in expected}
    coherence = block["coherence"]
    found = {
        "coherence_before": np.tanh(coherence.before),
        "coherence_across": np.tanh(coherence.across),
        "coherence_loss_score": -scores["coherence"],
    }
    for name in ("vv", "vh"):
        if name in block:
            found[f"{name}_change"] = block[name].difference
            found[f"{name}_change_score"] = scores[name]
    return found


def _freedoms(expected: Mapping[str, Expectation]) -> dict[str, float]:
    return {name: round(one.freedom, 2) for name, one in expected.items()}


def cross_images(
    sentinel1: Sentinel1Settings, settings: EventImageSettings, images: Images
) -> list[Acquisition] | None:
    """The VH images of the same dates; None where none are given.

    Raises
    ------
    InputError : one is missing.
    """
    if settings.vh is None:
        return None
    there = read_stack(sentinel1.model_copy(update={"path": settings.vh})).acquisitions
    by_date = {image.date: image for image in there}
    missing = [image.date for image in images.all if image.date not in by_date]
    if missing:
        raise InputError(
            f"event.vh: {settings.vh} has no image of {missing[0]}, which {sentinel1.path} has; add it, or set "
            f"event.vh to null."
        )
    return [by_date[image.date] for image in images.all]


@contextmanager
def _opened(
    images: Images, crossed: Sequence[Acquisition] | None, looks: tuple[int, int], side: int
) -> Iterator[Track]:
    with ExitStack() as stack:
        slcs = [stack.enter_context(open_slc(image.file)) for image in images.all]
        more = [stack.enter_context(open_slc(image.file)) for image in crossed or ()]
        for slc in [*slcs, *more]:
            if not slc.grid.matches(slcs[0].grid):
                raise InputError(f"{slc.path}: its grid is not that of {slcs[0].path}; resample one of them.")
        grid = slcs[0].grid.coarsened(looks[1], looks[0])

        def reader(of: Sequence[SlcFile]) -> Read:
            return lambda k, window: of[k].read(window)

        yield Track(images, grid, looks, side, reader(slcs), reader(more) if crossed else None)
