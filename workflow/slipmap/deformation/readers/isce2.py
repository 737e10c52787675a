"""ISCE2's geocoded interferograms: topsApp and topsStack folders as they are on the disk.

Layout: ISCE2 (isce-framework/isce2), contrib/stack/topsStack and components' topsApp: each raster with a ``.xml`` and a
``.vrt`` beside it; ``baselines/first_second/first_second.txt``; ``los.rdr.geo``: band 1 the incidence angle, band 2 the
azimuth from north, anti-clockwise, of the way from the ground to the satellite, degrees.
"""

import re
from collections.abc import Mapping
from datetime import date

import numpy as np

from slipmap.deformation.baselines import Baselines
from slipmap.deformation.layer import Layer
from slipmap.deformation.pair_reader import PairReader
from slipmap.deformation.reader import BOUNDS, Facts, Listing, PairFacts, number
from slipmap.deformation.stack import parse_date

_BPERP = re.compile(r"Bperp \(average\):\s*(\S+)")


def _twins(*stems: str) -> tuple[str, ...]:
    """Names of geocoded rasters, the georeferenced twin of each first."""
    return tuple(f"{stem}{end}" for stem in stems for end in (".geo.tif", ".geo.vrt", ".geo", ".tif", ".vrt"))


class ISCE2(PairReader):
    """Folders of pairs with rasters of fixed names."""

    title = "ISCE2 (topsApp, topsStack), geocoded"
    source = "isce-framework/isce2, topsApp and contrib/stack/topsStack"
    files = {
        "components": _twins("filt_fine.unw.conncomp", "filt_topophase.unw.conncomp", "filt_*.unw.conncomp"),
        "coherence": _twins(
            "filt_fine.cor", "phsig.cor", "filt_topophase.cor", "fine.cor", "topophase.cor", "filt_*.cor"
        ),
        "unwrapped": _twins("filt_fine.unw", "filt_topophase.unw", "filt_fine*.unw", "filt_topophase*.unw", "fine.unw",
                            "topophase.unw"),
        "interferogram": _twins(
            "filt_fine.int", "filt_topophase.flat", "filt_fine*.int", "filt_topophase*.flat", "fine.int",
            "topophase.flat", "filt_topophase*.int", "topophase.int"
        ),
    }  # fmt: skip
    geometry = {
        "dem": ("hgt.rdr.geo.vrt", "hgt.rdr.geo", "hgt.geo.vrt", "hgt.geo", "dem.tif", "*_dem.tif"),
        "los": ("geometry.tif",),
        "sight": ("los.rdr.geo.vrt", "los.rdr.geo"),
    }
    radar_coded = ("filt_fine.unw", "filt_topophase.unw", "filt_fine.int", "filt_topophase.flat")
    geocode = "geocode it (geocodeGdal.py, or topsApp's step geocode) and give the *.geo files"
    units = "phase in radians (band 2, after the amplitude), coherence 0 to 1"
    sign = "phase grows with the distance to the satellite from the first date to the second"
    beside = (
        "`baselines/*/first_second.txt` (mean of Bperp over the swaths; other pairs as differences), `los.rdr.geo` "
        "(incidence, azimuth)"
    )
    checks = "dates from the raster's name or a folder above it; of `.geo`, `.geo.vrt` and `.geo.tif` one is read"

    def facts(self, listing: Listing) -> Facts:
        """Baselines between dates."""
        return _Baselines(listing)

    def views(self, listing: Listing) -> dict[str, Layer]:
        """Line of sight as HyP3 has it: elevation, and direction anti-clockwise from east, radians."""
        found = super().views(listing)
        if "sight" in found:
            path, degree = found.pop("sight").path, np.pi / 180
            found["look_theta"] = Layer(path, band=1, factor=-degree, offset=np.pi / 2, nodata=0.0)
            found["look_phi"] = Layer(path, band=2, factor=degree, offset=np.pi / 2, nodata=0.0)
        return found


class _Baselines(Facts):
    def __init__(self, listing: Listing) -> None:
        found = {}
        for path in listing.named("*.txt"):
            if not re.fullmatch(r"\d{8}_\d{8}", path.stem):
                continue
            words = _BPERP.findall(path.read_text(errors="replace"))
            values = [number(path, "Bperp (average)", word, *BOUNDS["perpendicular_baseline"]) for word in words]
            known = [value for value in values if value is not None]
            first, second = (parse_date(text, str(path)) for text in path.stem.split("_"))
            if known and first != second:
                found[first, second] = sum(known) / len(known)
        self._baselines = Baselines(found)

    def pair(self, first: date, second: date, layers: Mapping[str, Layer]) -> PairFacts:
        return {"perpendicular_baseline": self._baselines.between(first, second)}


READER = ISCE2()
