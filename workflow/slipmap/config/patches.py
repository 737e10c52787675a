"""Settings of the patch stage: the spatial split of an area, and the patch data sets."""

from pydantic import Field

from slipmap.config.base import Settings


class SplitSettings(Settings):
    """How an area is divided into training, validation and test blocks."""

    block: int = Field(96, ge=1, description="Side of a spatial block, pixels.")
    ratios: tuple[float, float, float] = Field(
        (0.6, 0.2, 0.2), description="Training, validation and test shares."
    )
    buffer: int = Field(0, ge=0, description="Pixels left out between blocks of different splits.")
    seed: int = Field(0, ge=0, description="Seed of the draw.")


class PatchSettings(Settings):
    """A patch data set."""

    size: int = Field(64, ge=8, description="Side of a patch, pixels.")
    stride: int = Field(32, ge=1, description="Step between patches, pixels.")
    min_valid: float = Field(0.5, ge=0, le=1, description="Smallest share of valid pixels in a patch.")
