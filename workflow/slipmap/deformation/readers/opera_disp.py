"""OPERA DISP-S1: displacement between a reference date and later ones, NetCDF, one file for each date.

Layout: the DISP-S1 product specification of OPERA (JPL) and opera-adt/disp-s1: root data sets ``displacement`` (m in
the line of sight, positive towards the satellite), ``temporal_coherence``, ``recommended_mask`` (0: bad), ``x``, ``y``,
``spatial_ref``; group ``identification`` with track and pass direction. File names:
``OPERA_L3_DISP-S1_IW_F11116_VV_20160705T140755Z_20160729T140756Z_v1.0_20250408T163512Z.nc``. Line of sight:
``*_line_of_sight_enu.tif`` of the DISP-S1-STATIC product (east, north, up, ground to satellite).

A displacement becomes the phase −4π d / λ of a pair, so that it runs through the same inversion as interferograms.
"""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np

from slipmap.deformation.layer import Layer
from slipmap.deformation.pair_reader import ProductReader
from slipmap.deformation.reader import SENTINEL1_WAVELENGTH, Facts, Listing, PairFacts
from slipmap.errors import InputError

_NAME = re.compile(r"OPERA_L3_DISP-S1_IW_(F\d{5})_(?:VV|HH)_(\d{8})T\d{6}Z_(\d{8})T\d{6}Z_v")
_METRES = ("m", "meter", "meters", "metre", "metres")


class OperaDisp(ProductReader):
    """One NetCDF file for each date, relative to the reference date of its batch."""

    title = "OPERA DISP-S1"
    source = "OPERA, DISP-S1 product specification; opera-adt/disp-s1"
    files = {"unwrapped": ("OPERA_L3_DISP-S1_IW_*.nc",), "coherence": ("OPERA_L3_DISP-S1_IW_*.nc",)}
    datasets = {"unwrapped": "/displacement", "coherence": "/temporal_coherence"}
    geometry = {"sight": ("*_line_of_sight_enu.tif",), "dem": ("OPERA_L3_DISP-S1-STATIC_*_dem.tif",)}
    units = "displacement in metres, temporal coherence 0 to 1"
    sign = "displacement positive towards the satellite, from the first date to the second"
    beside = "in the file: track, pass direction, units; `*_line_of_sight_enu.tif` of the static product"
    checks = "one frame and track; units; where recommended_mask is 0 there is no data; baselines are not read"

    def dates(self, path: Path, source: Path) -> tuple[str, str]:
        """Reference and secondary date of the name."""
        match = _NAME.match(path.name)
        if match is None:
            raise InputError(f"{path}: not named as OPERA DISP-S1 products are; give the file its original name.")
        return match[2], match[3]

    def layer(self, path: Path, role: str) -> Layer:
        """A data set of the file; displacement as phase."""
        factor = -4 * np.pi / SENTINEL1_WAVELENGTH if role == "unwrapped" else 1.0
        return Layer(path, self.datasets[role], factor=factor, mask="/recommended_mask")

    def views(self, listing: Listing) -> dict[str, Layer]:
        """Line of sight of the static product: a raster for each axis."""
        found = super().views(listing)
        if "sight" in found:
            path = found.pop("sight").path
            found |= {f"los_{axis}": Layer(path, band=k) for k, axis in enumerate(("east", "north", "up"), start=1)}
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
            found["frame"] = match[1]
        with h5py.File(path) as file:
            units = _text(file["displacement"].attrs.get("units", ""))
            if units.lower() not in _METRES:
                raise InputError(f"{path}: its displacement is in '{units}', not in metres; fetch the product again.")
            track = file.get("identification/track_number")
            if track is not None:
                found["track"] = str(int(np.ravel(track[()])[0]))
            direction = file.get("identification/orbit_pass_direction")
            if direction is not None:
                self._direction = _text(direction[()]).upper()
        return found

    def radar(self) -> dict[str, object]:
        return {"orbit_direction": self._direction, "wavelength": SENTINEL1_WAVELENGTH}


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


READER = OperaDisp()
