"""Settings of the factor stage."""

from pydantic import Field

from slipmap.config.base import Settings


class FactorSettings(Settings):
    """Which factors are made, and how."""

    include: list[str] | None = Field(
        None, description="Factors to make; none: every one that the inputs allow."
    )
