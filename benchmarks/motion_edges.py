"""What taking motion out of the neighbours gains at the edges of slides: `python -m benchmarks.motion_edges ROOT`.

ROOT is a folder in which the workflow mapped a simulated area, with its geocoded SLCs. In blocks with many movers the
SLCs are linked in several ways; the rate of each mover is the peak of the periodogram of its linked phases against
still ground nearby, so that no unwrapping is in it.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

import numpy as np
from rasterio.windows import Window
from scipy import ndimage

from slipmap.config.deformation import PhaseLinkingSettings
from slipmap.deformation.phase_linking import driver, motion
from slipmap.deformation.phase_linking.block import Block, link_block
from slipmap.deformation.slc_file import open_slc
from slipmap.io import raster
from slipmap.sentinel1.looks import pixel_looks

BLOCK, MARGIN, BLOCKS = 64, 24, 12  # pixels, pixels, of them
MOVING, LEAST_FIT, STILL = 10.0, 0.5, 8.0  # mm/yr; goodness of fit; pixels of the mean of still ground
TRIED = np.arange(-60.0, 60.1, 1.0)  # mm/yr
LOOKS = (1, 4)


@contextmanager
def without_smoothing() -> Iterator[None]:
    """Rates as each pixel and its neighbours tell them, no more."""
    kept, motion._smooth = motion._smooth, lambda rate: rate
    try:
        yield
    finally:
        motion._smooth = kept


def rates_of(block: Block, truth: np.ndarray, years: np.ndarray, radian: float) -> np.ndarray:
    """Rate of each pixel against still ground round it, mm/yr, (rows, cols); `radian` of a millimetre."""
    phasors = block.linked.phasors.copy()
    weight = np.clip(np.nan_to_num(block.linked.fit), 0, 1) ** 2 * (truth == 0)
    for date_ in phasors:
        still = date_ * weight
        mean = ndimage.gaussian_filter(still.real, STILL) + 1j * ndimage.gaussian_filter(still.imag, STILL)
        date_ *= np.conj(mean) / np.maximum(np.abs(mean), 1e-9)
    turns = np.exp(-1j * radian * TRIED[:, None] * (years - years.mean())).astype(np.complex64)
    return TRIED[np.abs(np.tensordot(turns, phasors, 1)).argmax(axis=0)]


def ways(samples: np.ndarray, years: np.ndarray, looks: float) -> Iterator[tuple[str, Block]]:
    """A block linked in each way."""
    for name, options in (
        ("motion taken out", {}),
        ("no motion taken out", {"remove_motion": False}),
        ("motion taken out, window 3", {"window": 3}),
    ):
        yield name, link_block(samples, PhaseLinkingSettings(standard_deviation=False, **options), looks, years)
    with without_smoothing():
        yield (
            "rates not smoothed",
            link_block(samples, PhaseLinkingSettings(standard_deviation=False), looks, years),
        )


def judge(root: Path, area: str = "demo") -> dict[str, dict[str, float]]:
    """Of each way: share of movers that fit, rms error (mm/yr), regression slope."""
    record = json.loads((root / "results" / area / "deformation/stack.json").read_text())
    days = [date.fromisoformat(day) for day in record["dates"]]
    years, radian = driver.times(days), 4e-3 * np.pi / record["radar"]["wavelength"]
    truth = raster.read(root / "resources" / area / "truth/velocity_los.tif", bands=1).astype(float)
    rows, cols = (side // BLOCK for side in truth.shape)
    moving = (np.abs(truth[: rows * BLOCK, : cols * BLOCK]) > MOVING).reshape(rows, BLOCK, cols, BLOCK).sum(axis=(1, 3))
    most = np.argsort(-moving, axis=None)[:BLOCKS]
    found: dict[str, list[np.ndarray]] = {}
    with ExitStack() as opened:
        folder = root / "results" / area / "sentinel1/slc"
        slcs = [opened.enter_context(open_slc(str(folder / f"{day:%Y%m%d}.h5"))) for day in days]
        fine, cell = slcs[0].grid.resolution, slcs[0].cell
        looks = pixel_looks(LOOKS, float(np.prod(fine)) * LOOKS[0] * LOOKS[1], cell)
        for at in most:
            r, c = (int(k) * BLOCK for k in np.unravel_index(at, moving.shape))
            top, left = max(0, r - MARGIN), max(0, c - MARGIN)
            bottom, right = (min(n, k + BLOCK + MARGIN) for n, k in zip(truth.shape, (r, c), strict=True))
            window = Window(left, top, right - left, bottom - top)
            samples = driver.read_cells(slcs, window, LOOKS)
            own = truth[top:bottom, left:right]
            inner = np.zeros(own.shape, bool)
            inner[r - top : r - top + BLOCK, c - left : c - left + BLOCK] = True
            movers = inner & (np.abs(own) > MOVING)
            for name, block in ways(samples, years, looks):
                rate = rates_of(block, own, years, radian)[movers]
                fits = block.linked.fit[movers] >= LEAST_FIT
                found.setdefault(name, []).append(np.stack([own[movers], rate, fits]))
    result = {}
    for name, parts in found.items():
        true, rate, fits = np.concatenate(parts, axis=1)
        kept = fits > 0
        result[name] = {
            "movers": int(true.size),
            "fit": round(float(kept.mean()), 3),
            "rms_error": round(float(np.sqrt(np.mean((rate - true)[kept] ** 2))), 2),
            "slope": round(float(np.polyfit(true[kept], rate[kept], 1)[0]), 3),
        }
    return result


def run(root: Path = Path()) -> dict[str, object]:
    """What `judge` says of the demo that was run in the folder `root` with its SLCs kept."""
    if not any((root / "results/demo/sentinel1/slc").glob("*.h5")):
        return {"left out": "the demo has not been run here (make demo)"}
    return dict(judge(root))


if __name__ == "__main__":
    for name, row in judge(Path(sys.argv[1])).items():
        print(name, row)
