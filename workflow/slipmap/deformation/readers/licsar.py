"""LiCSAR's frames: GeoTIFFs of the LiCSAR portal (comet.nerc.ac.uk), as LiCSBAS reads them.

Layout: Lazecky et al. 2020 (Remote Sensing 12, 2430); LiCSBAS' documentation of `baselines` and `metadata.txt`.
"""

import re
from collections.abc import Mapping
from datetime import date

from slipmap.deformation.baselines import Baselines
from slipmap.deformation.layer import Layer
from slipmap.deformation.pair_reader import PairReader
from slipmap.deformation.reader import BOUNDS, Facts, Listing, PairFacts, number
from slipmap.deformation.stack import parse_date
from slipmap.errors import Faults

_FRAME = re.compile(r"(?<!\d)(\d{3}[AD])_\d{5}_\d{6}(?!\d)")  # track and direction, then the frame on it
_KEYS = {"centre_range_m": "slant_range", "heading": "heading", "avg_incidence_angle": "incidence"}
_DIRECTIONS = {"A": "ASCENDING", "D": "DESCENDING"}


class LiCSAR(PairReader):
    """One folder for each pair, and the frame's metadata beside them."""

    title = "LiCSAR"
    source = "Lazecky et al. 2020, Remote Sensing 12, 2430; LiCSBAS"
    files = {
        "unwrapped": ("*.geo.unw.tif",),
        "interferogram": ("*.geo.diff_pha.tif", "*.geo.diff.tif"),
        "coherence": ("*.geo.cc.tif",),
    }
    geometry = {
        "dem": ("*.geo.hgt.tif",),
        "los": ("geometry.tif",),
        "los_east": ("*.geo.E.tif",),
        "los_north": ("*.geo.N.tif",),
        "los_up": ("*.geo.U.tif",),
    }
    byte_coherence = True
    geocode = "LiCSAR's portal delivers geocoded files (*.geo.*); fetch those"
    units = "phase in radians, coherence 0 to 1 (bytes: 0 to 255)"
    sign = "phase grows with the distance to the satellite from the first date to the second"
    beside = (
        "`baselines` (primary, date, baseline in m, days; a line without all four columns is unknown), `metadata.txt` "
        "(centre_range_m, heading, avg_incidence_angle; blank is unknown), `*.geo.E/N/U.tif`"
    )
    checks = "one frame's track for all pairs"

    def facts(self, listing: Listing) -> Facts:
        """The frame's metadata."""
        return _Frame(listing)


class _Frame(Facts):
    def __init__(self, listing: Listing) -> None:
        faults = Faults()
        self._baselines = Baselines(faults.of(_baselines, listing) or {})
        self._radar: dict[str, object] = {}
        for path in listing.named("metadata.txt")[:1]:
            words = dict(line.split("=", 1) for line in path.read_text(errors="replace").splitlines() if "=" in line)
            values = {
                name: faults.of(number, path, key, words.get(key, ""), *BOUNDS[name]) for key, name in _KEYS.items()
            }
            self._radar = {name: value for name, value in values.items() if value is not None}
        self._source = listing.source
        faults.end()

    def pair(self, first: date, second: date, layers: Mapping[str, Layer]) -> PairFacts:
        path = next(iter(layers.values())).path
        frame = _FRAME.search(path.relative_to(self._source).as_posix())
        found: PairFacts = {"perpendicular_baseline": self._baselines.between(first, second)}
        if frame:
            self._radar.setdefault("orbit_direction", _DIRECTIONS[frame[1][-1]])
        return found | ({"track": frame[1]} if frame else {})

    def radar(self) -> dict[str, object]:
        return dict(self._radar)


def _baselines(listing: Listing) -> dict[tuple[date, date], float]:
    """Lines "primary date bperp days"; the primary itself need not have one.

    A line that lacks a column does not tell its baseline: which column is missing cannot be known.
    """
    found = {}
    for path in listing.named("baselines", "baselines.txt")[:1]:
        for line in path.read_text(errors="replace").splitlines():
            words = line.split()
            if len(words) != 4:
                continue
            first, second = (parse_date(word, str(path)) for word in words[:2])
            value = number(path, line, words[2], *BOUNDS["perpendicular_baseline"])
            if value is not None and first != second:
                found[first, second] = value
    return found


READER = LiCSAR()
