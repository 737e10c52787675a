"""Settings of the report."""

from pydantic import Field

from slipmap.config.base import Settings


class ReportSettings(Settings):
    """What the report shows."""

    max_pixels: int = Field(1024, ge=128, description="Longest side of a map picture in the report, pixels.")
    max_megabytes: float = Field(
        18.0,
        gt=0,
        description="Size of map pictures, outlines and displacement histories together, MB at most; pictures are made "
        "coarser to stay below it.",
    )
    max_landslides: int = Field(
        5000,
        ge=1,
        description="Landslides drawn on the report's map and listed in its table, the largest first; all are in "
        "landslides.gpkg.",
    )
    checksum_megabytes: float = Field(
        2048.0,
        ge=0,
        description="Input files up to this size get a SHA-256 in the report; larger ones only their size.",
    )
