"""Settings of motion: what of the ground moves, told from the radar alone."""

from typing import Literal

from pydantic import Field, model_validator

from slipmap.config.base import Settings

# East and north component of the downslope direction, as factors.
ASPECT_VECTOR = ("aspect_sin", "aspect_cos")
# Factors by which active areas are described, where an area has them.
DESCRIBED_BY = ("slope", *ASPECT_VECTOR, "elevation", "lithology")


class ActiveAreaSettings(Settings):
    """Where the ground moves: clusters of pixels whose velocity stands out of the noise around them."""

    significance: float = Field(
        5.0, ge=1, description="Standard deviations by which the velocity of an active area's pixels stands out."
    )
    edge: float = Field(
        3.0, ge=1, description="Standard deviations down to which an active area grows around such pixels."
    )
    min_velocity: float = Field(
        5.0, ge=0, description="Least velocity in the line of sight that such pixels have, mm/yr."
    )
    min_pixels: int = Field(5, ge=1, description="Least number of such pixels in an active area.")
    gap: int = Field(1, ge=0, le=20, description="Pixels by which areas are widened to close gaps between them.")
    smoothing: float = Field(
        20.0,
        ge=0,
        description="Standard deviation of the Gaussian weights of the local mean velocity, m; 0: single pixels.",
    )
    background: float | None = Field(
        800.0,
        gt=0,
        description="Side of the cells whose median velocity is taken for what the atmosphere left, and whose scatter "
        "for its noise, m; null: nothing is taken off and velocity_std is the noise (ground that moves as a whole).",
    )
    direction: Literal["downslope", "any"] = Field(
        "downslope",
        description="downslope: leave out motion that would be up the slope, where the radar can tell; any: keep it.",
    )

    @model_validator(mode="after")
    def _edge_below(self) -> "ActiveAreaSettings":
        if self.edge > self.significance:
            raise ValueError("edge must not exceed significance: an area grows from its significant pixels outwards")
        return self


class KinematicsSettings(Settings):
    """How a pixel moved over time, beyond its mean velocity."""

    false_alarms: float = Field(
        0.01,
        gt=0,
        le=0.2,
        description="Share of steadily moving pixels that may be told to accelerate, to step or to change velocity.",
    )
    margin_dates: int = Field(
        4, ge=2, description="Dates that are left on each side of a step or of a change of velocity."
    )


class ChangeSettings(Settings):
    """What is new since an earlier run of the area."""

    earlier: str = Field(description="Folder of an earlier run's results of this area: a copy of results/AREA.")
    significance: float = Field(
        3.0, ge=1, description="Standard deviations from which on a change of velocity counts as one."
    )
