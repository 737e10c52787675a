"""HyP3's interferograms: INSAR_GAMMA, INSAR_ISCE_BURST and INSAR_ISCE_MULTI_BURST.

Layout: the product guides "InSAR" and "Burst InSAR" of ASF (hyp3-docs.asf.alaska.edu), and hyp3-isce2's product names.
"""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

from slipmap.deformation.layer import Layer
from slipmap.deformation.pair_reader import PairReader
from slipmap.deformation.reader import BOUNDS, SENTINEL1_WAVELENGTH, Facts, Listing, PairFacts, number
from slipmap.sentinel1.annotation import track_of_burst
from slipmap.sentinel1.orbit_numbers import relative_orbit

_CUTS = ("_clip", "_clipped", "")  # what HyP3's and MintPy's tutorials add when they cut products to one extent
_ROLE = re.compile(r"_(unw_phase|wrapped_phase|corr|conncomp)(_clip|_clipped)?\.tif$")
_TIME = re.compile(r"_\d{8}T(\d{2})(\d{2})(\d{2})_")  # of the day, UTC; the same for a track
_MULTI_BURST = re.compile(r"^S1[A-D]?_(\d{3})[-_][E_W\d-]")  # S1_064-000000s1n00-136231s2n02-…, S1A_064_E053_1_N27_3_…
_BURST = re.compile(r"^S1[A-D]?_(\d{6})_(IW\d)_")  # S1_136231_IW2_20200604_20200616_VV_INT80_77F1
_NUMBERS: dict[str, Literal["perpendicular_baseline", "heading", "slant_range", ""]] = {
    "Baseline": "perpendicular_baseline",
    "Heading": "heading",
    "Slant range center": "slant_range",
    "Spacecraft height": "",
    "Earth radius at nadir": "",
    "Reference Orbit Number": "",
}
_TRIANGLE = {"Slant range center", "Spacecraft height", "Earth radius at nadir"}
_BOUNDS = {"Spacecraft height": (6e5, 8e5), "Earth radius at nadir": (6.3e6, 6.4e6), "Reference Orbit Number": (1, 1e6)}


def _names(role: str) -> tuple[str, ...]:
    return tuple(f"*_{role}{cut}.tif" for cut in _CUTS)


class HyP3(PairReader):
    """Each product in GeoTIFFs with its parameters in a text file of its name."""

    title = "HyP3 (INSAR_GAMMA, INSAR_ISCE_BURST, INSAR_ISCE_MULTI_BURST)"
    source = "ASF, InSAR and Burst InSAR product guides, hyp3-docs.asf.alaska.edu"
    files = {
        "unwrapped": _names("unw_phase"),
        "interferogram": _names("wrapped_phase"),
        "coherence": _names("corr"),
        "components": _names("conncomp"),
    }
    geometry = {
        "dem": _names("dem"),
        "look_theta": _names("lv_theta"),
        "look_phi": _names("lv_phi"),
        "incidence_map": (*_names("inc_map_ell"), *_names("inc_map")),
        "los": ("geometry.tif",),
    }
    geocode = "HyP3 delivers geocoded products; order or fetch them again"
    units = "phase in radians, coherence 0 to 1, look vectors in radians"
    sign = "phase grows with the distance to the satellite from the first date to the second"
    beside = (
        "`<product>.txt`: Baseline, Heading, slant range, heights and orbit number; the incidence is that of "
        "`*_lv_theta.tif` where it is there; tracks from burst products' names"
    )
    checks = "one track, time of day, flight direction and burst for all products"

    def facts(self, listing: Listing) -> Facts:
        """Parameters of each product."""
        return _Parameters()


class _Parameters(Facts):
    def __init__(self) -> None:
        self._radar: PairFacts = {}

    def pair(self, first: date, second: date, layers: Mapping[str, Layer]) -> PairFacts:
        path = next(iter(layers.values())).path
        product = _ROLE.sub("", path.name)
        text = path.with_name(f"{product}.txt")
        found: PairFacts = _parameters(text) if text.is_file() else {}
        found |= _of_name(product)
        if time := _TIME.search(product):
            hours, minutes, seconds = (int(part) for part in time.groups())
            found["clock"] = 3600.0 * hours + 60 * minutes + seconds
        if len(found) > len(self._radar):
            self._radar = found
        return found

    def radar(self) -> dict[str, object]:
        names = ("wavelength", "heading", "slant_range", "incidence", "orbit_direction")
        return {name: value for name, value in self._radar.items() if name in names}


def _of_name(product: str) -> PairFacts:
    """Track and burst that the name of a burst product tells."""
    if match := _MULTI_BURST.match(product):
        return {"track": str(int(match[1])), "burst": product.split("_IW_")[0] if "_IW_" in product else ""}
    if match := _BURST.match(product):
        track = track_of_burst(int(match[1]))
        return {"track": str(track) if track else "", "burst": f"{match[1]}_{match[2]}"}
    return {}


def _parameters(path: Path) -> PairFacts:
    """Parameter file of a product: "Baseline: 58.3", "Slant range center: …", "Heading: …".

    The incidence is that at the scene's middle, of the triangle of satellite, ground and the Earth's centre.
    """
    words = dict(line.split(":", 1) for line in path.read_text(errors="replace").splitlines() if ":" in line)
    found: PairFacts = {"wavelength": SENTINEL1_WAVELENGTH}
    numbers: dict[str, float] = {}
    for key, name in _NUMBERS.items():
        value = number(path, key, words.get(key, ""), *_BOUNDS.get(key) or BOUNDS[name])
        if value is not None:
            numbers[key] = value
            if name != "":
                found[name] = value
    if len(numbers.keys() & _TRIANGLE) == len(_TRIANGLE):
        earth, slant = numbers["Earth radius at nadir"], numbers["Slant range center"]
        satellite = earth + numbers["Spacecraft height"]
        cosine = (satellite**2 - earth**2 - slant**2) / (2 * earth * slant)
        if abs(cosine) < 1:
            found["incidence"] = float(np.degrees(np.arccos(cosine)))
    mission, orbit = words.get("Reference Granule", "").strip()[:3], numbers.get("Reference Orbit Number")
    if orbit is not None and (track := relative_orbit(mission, int(orbit))):
        found["track"] = str(track)
    direction = (words.get("Orbit direction") or words.get("Reference Pass Direction") or "").strip().upper()
    if not direction and "heading" in found:
        direction = "DESCENDING" if 90 < float(str(found["heading"])) % 360 < 270 else "ASCENDING"
    if direction:
        found["orbit_direction"] = direction
    return found


READER = HyP3()
