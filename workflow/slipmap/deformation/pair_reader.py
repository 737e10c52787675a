"""The base of readers of interferograms."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.pairs import assemble
from slipmap.deformation.reader import Listing, PairFormat
from slipmap.deformation.stack import Stack
from slipmap.errors import InputError


class PairReader(PairFormat):
    """A format of interferograms: file names and what is written beside them; all else is the same for all formats."""

    def stack(self, listing: Listing, settings: Sentinel1Settings) -> Stack:
        """Describe the pairs."""
        return assemble(self, listing, settings)


class ProductReader(PairReader):
    """A format that has all rasters of a pair in one file; `datasets` names them by their roles."""

    levels = ("unwrapped",)
    geocode = "fetch the product again"
    datasets: Mapping[str, str]

    def rasters(self, listing: Listing) -> Iterator[tuple[tuple[str, str], str, Path]]:
        """Every role of each file."""
        for path in listing.named(*self.files["unwrapped"]):
            try:
                dates = self.dates(path, listing.source)
            except InputError as error:
                dates = "", str(error)
            for role in self.datasets:
                yield dates, role, path
