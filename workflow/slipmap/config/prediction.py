"""Settings of the prediction stage."""

from pydantic import Field

from slipmap.config.base import Settings


class PredictionSettings(Settings):
    """Region-wide maps and landslide polygons."""

    tile: int = Field(256, ge=32, description="Side of a tile given to the model, pixels.")
    overlap: float = Field(0.5, ge=0, lt=1, description="Share of a tile that its neighbour covers too.")
    flips: bool = Field(
        True, description="Test-time augmentation: average over mirrored tiles; their spread is the uncertainty."
    )
    min_area: float = Field(1000.0, ge=0, description="Smallest landslide polygon, m2.")
