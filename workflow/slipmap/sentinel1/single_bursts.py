"""Single bursts as the Alaska Satellite Facility cuts them out: a TIFF, and all of the scene's annotation in one XML.

The XML holds ``manifest`` and ``metadata``; in ``metadata`` stand ``product``, ``calibration`` and ``noise`` of every
swath and polarisation, each with ``swath``, ``polarisation`` and ``content``, the file of the SAFE product.
"""

import dataclasses
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slipmap.errors import InputError
from slipmap.sentinel1.annotation import Burst, Swath
from slipmap.sentinel1.safe import Product, start_time

# "S1_136231_IW2_20200604T022312_VV_7C85-BURST.tiff"
_NAME = re.compile(r"S1_(\d{6})_(IW[123])_(\d{8}T\d{6})_(VV|HH|VH|HV)_\w{4}-BURST\.tiff?", re.IGNORECASE)

_SLACK = 1.6  # s between a burst's first line and the time in its name; the next burst is 2.76 s away


@dataclass(frozen=True)
class SingleBurst(Product):
    """One burst; `path` is its TIFF, beside which the XML of the same name lies.

    Parameters
    ----------
    burst, swath, polarisation : from the name of the file.
    """

    burst: int
    swath: str
    polarisation: str

    def text(self, member: str) -> bytes:
        """The annotation, calibration or manifest in the XML."""
        path = self.path.with_suffix(".xml")
        try:
            root = ET.parse(path).getroot()
        except (OSError, ET.ParseError) as error:
            raise InputError(
                f"{path}: the annotation of {self.path.name} cannot be read ({error}); fetch it again."
            ) from error
        if member == "manifest":
            found = root.find("manifest")
        else:
            found = next(
                (
                    part.find("content")
                    for part in root.findall(f"metadata/{member}")
                    if (part.findtext("swath"), part.findtext("polarisation")) == (self.swath, self.polarisation)
                ),
                None,
            )
        if found is None:
            raise InputError(f"{path}: there is no {member} of {self.swath} {self.polarisation} in it; fetch it again.")
        return ET.tostring(found)

    def swaths(self, polarisation: str, epoch: np.datetime64 | None = None) -> list[Swath]:
        """The swath, with this burst alone."""
        found = []
        for swath in super().swaths(polarisation, epoch):
            burst = dataclasses.replace(self._own(swath), first_row=0)
            found.append(dataclasses.replace(swath, bursts=(burst,), listed=1))
        if not found:
            raise InputError(f"{self.path}: by its annotation no burst of its swath holds data; remove it.")
        return found

    def _own(self, swath: Swath) -> Burst:
        """The burst among those of the scene.

        Its time tells it: where the annotation has no numbers, the computed one may differ by one from the name's.
        """
        noted = (np.datetime64(self.start) - swath.epoch) / np.timedelta64(1, "s")
        near = [b for b in swath.bursts if abs(b.start - noted) < _SLACK and abs(b.identifier - self.burst) <= 1]
        if not near:
            raise InputError(
                f"{self.path}: burst {self.burst} of {self.start:%H:%M:%S} is not in its annotation or holds no data "
                f"(which has {', '.join(str(b.identifier) for b in swath.bursts)}); fetch it again or remove it."
            )
        return min(near, key=lambda b: abs(b.identifier - self.burst))

    def _size(self, member: str) -> int:
        return self.path.stat().st_size

    def _inside(self, member: str) -> str:
        return str(self.path)


def is_single_burst(path: Path) -> bool:
    """Whether the name of `path` is that of a single burst's TIFF."""
    return bool(_NAME.fullmatch(path.name))


def open_single_burst(path: Path) -> SingleBurst:
    """Describe the burst whose TIFF is at `path`."""
    found = _NAME.fullmatch(path.name)
    if found is None:
        raise InputError(f"{path}: not the name of a single burst's TIFF; give the file its original name.")
    burst, swath, time, polarisation = found.groups()
    key = (swath.upper(), polarisation.upper())
    members = {
        ("annotation", *key): "product",
        ("calibration", *key): "calibration",
        ("measurement", *key): path.name,
    }
    return SingleBurst(path, start_time(time, path), members, "manifest", int(burst), *key)
