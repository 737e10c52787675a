"""The base of readers of interferograms."""

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.pairs import assemble
from slipmap.deformation.reader import Listing, PairFormat
from slipmap.deformation.stack import Stack


class PairReader(PairFormat):
    """A format of interferograms: file names and what is written beside them; all else is the same for all formats."""

    def stack(self, listing: Listing, settings: Sentinel1Settings) -> Stack:
        """Describe the pairs."""
        return assemble(self, listing, settings)
