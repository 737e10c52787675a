"""Settings of the report."""

from pydantic import Field

from slipmap.config.base import Settings


class ReportSettings(Settings):
    """What the report shows."""

    max_pixels: int = Field(1024, ge=128, description="Longest side of a map picture in the report, pixels.")
