"""ARIA-S1-GUNW: geocoded unwrapped interferograms of NASA/JPL, NetCDF with groups.

Layout: ASF's "ARIA Sentinel-1 GUNW product guide" and ARIA-tools: ``science/grids/data/{unwrappedPhase, coherence,
connectedComponents, longitude, latitude}``, ``science/grids/imagingGeometry/{perpendicularBaseline, incidenceAngle,
azimuthAngle}`` on a coarse grid of heights, ``science/radarMetaData/wavelength``. The later date comes first in the
name and is the reference: the phase grows with motion towards the satellite, so that it is read with its sign turned,
as MintPy's prep_aria does; the azimuth is anti-clockwise from east, of the way from the ground to the satellite.
"""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np

from slipmap.deformation.layer import Layer
from slipmap.deformation.pair_reader import ProductReader
from slipmap.deformation.reader import BOUNDS, Facts, Listing, PairFacts, number
from slipmap.errors import InputError

_NAME = re.compile(r"^S1-GUNW-([AD])-R-(\d{3})-tops-(\d{8})_(\d{8})-")
_DATA, _GEOMETRY = "/science/grids/data/", "/science/grids/imagingGeometry/"


class Aria(ProductReader):
    """One NetCDF file for each pair."""

    title = "ARIA-S1-GUNW"
    source = "ASF, ARIA Sentinel-1 GUNW product guide; aria-tools/ARIA-tools"
    files = {"unwrapped": ("S1-GUNW-*.nc",), "coherence": ("S1-GUNW-*.nc",)}
    datasets = {"unwrapped": f"{_DATA}unwrappedPhase", "coherence": f"{_DATA}coherence"}
    units = "phase in radians, coherence 0 to 1, angles in degrees"
    sign = "turned on reading: the later date is the reference in the file"
    beside = "in the file: wavelength, perpendicular baseline (mean, sign turned), incidence and azimuth angles"
    twice = (
        "they are frames of one pass, whose phases have offsets of their own, or versions of one product: keep one of "
        "the two, or join frames first (ariaExtract.py of ARIA-tools)"
    )
    checks = "one track and flight direction; where connectedComponents is 0 there is no data"

    def dates(self, path: Path, source: Path) -> tuple[str, str]:
        """The earlier date first."""
        match = _NAME.match(path.name)
        if match is None:
            raise InputError(f"{path}: not named as ARIA-S1-GUNW products are (S1-GUNW-D-R-071-tops-…); rename it.")
        return min(match[3], match[4]), max(match[3], match[4])

    def layer(self, path: Path, role: str) -> Layer:
        """A data set of the file."""
        match = _NAME.match(path.name)
        turned = -1.0 if role == "unwrapped" and match and match[3] > match[4] else 1.0
        mask = f"{_DATA}connectedComponents"
        return Layer(path, self.datasets[role], factor=turned, nodata=0.0, mask=mask)

    def views(self, listing: Listing) -> dict[str, Layer]:
        """Line of sight as HyP3 has it, of the first product, at the lowest height of its grid."""
        found = super().views(listing)
        for path in listing.named(*self.files["unwrapped"])[:1]:
            degree = np.pi / 180
            found["look_theta"] = Layer(path, f"{_GEOMETRY}incidenceAngle", 1, -degree, np.pi / 2, nodata=0.0)
            found["look_phi"] = Layer(path, f"{_GEOMETRY}azimuthAngle", 1, degree, nodata=0.0)
        return found

    def facts(self, listing: Listing) -> Facts:
        """Metadata in the files."""
        return _Metadata()


class _Metadata(Facts):
    def __init__(self) -> None:
        self._direction = ""

    def pair(self, first: date, second: date, layers: Mapping[str, Layer]) -> PairFacts:
        import h5py

        path = layers["unwrapped"].path
        found: PairFacts = {}
        if match := _NAME.match(path.name):  # by which the file was chosen
            self._direction = {"A": "ASCENDING", "D": "DESCENDING"}[match[1]]
            found["track"] = f"{match[2]}{match[1]}"
        with h5py.File(path) as file:
            wavelength = file.get("science/radarMetaData/wavelength")
            if wavelength is not None:
                found["wavelength"] = float(np.ravel(wavelength[()])[0])
            baseline = file.get(f"{_GEOMETRY}perpendicularBaseline")
            if baseline is not None:
                mean = float(np.nanmean(np.where(baseline[()] == 0, np.nan, baseline[()])))
                value = number(path, "perpendicularBaseline", f"{mean}", *BOUNDS["perpendicular_baseline"])
                found["perpendicular_baseline"] = None if value is None else value * layers["unwrapped"].factor
        return found

    def radar(self) -> dict[str, object]:
        return {"orbit_direction": self._direction}


READER = Aria()
