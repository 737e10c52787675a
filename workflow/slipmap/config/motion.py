"""Settings of motion: what of the ground moves, told from the radar alone."""

from typing import Literal

from pydantic import Field, model_validator

from slipmap.config.base import Settings

# East and north component of the downslope direction, as factors.
ASPECT_VECTOR = ("aspect_sin", "aspect_cos")
# Factors by which active areas are described, where an area has them.
DESCRIBED_BY = ("slope", *ASPECT_VECTOR, "elevation", "lithology")
LEAST_PIXELS = 5  # of an active area, where nothing is averaged


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
    min_pixels: int = Field(
        0,
        ge=0,
        description="Least number of such pixels in an active area; 0: as many as share at least half of the average "
        "of their phases with one pixel, whose error alone could make them stand out: 5 for sbas, 13 for linked phases "
        "by their default windows.",
    )
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

    def for_average(self, window: int, *, falling: bool = True) -> "ActiveAreaSettings":
        """These settings with `min_pixels` decided, for phases averaged over `window` pixels in rows and columns.

        Two averages at a distance d share the part (K ⋆ K)(d) / ΣK² of their variance, K the weights.

        Parameters
        ----------
        falling : the weights fall linearly from the middle, or all are alike.
        """
        if self.min_pixels:
            return self
        half = window // 2
        weights = [half + 1 - abs(k) if falling else 1 for k in range(-half, half + 1)]
        shared = [sum(a * b for a, b in zip(weights, weights[d:], strict=False)) for d in range(window)]
        part = {d: shared[abs(d)] / shared[0] for d in range(1 - window, window)}
        count = sum(a * b >= 0.5 for a in part.values() for b in part.values())
        return self.model_copy(update={"min_pixels": max(LEAST_PIXELS, count)})

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
