"""Settings of the event map."""

import datetime

from pydantic import Field, model_validator

from slipmap.config.base import Settings

FROM_PRODUCTS = "products"


class EventImageSettings(Settings):
    """Which images tell of the event, and how they are compared."""

    date: datetime.date = Field(description="Day of the event: images of other days are before or after it.")
    vh: str | None = Field(
        None,
        description="Folder of the geocoded VH images of the same track, as `inputs.sentinel1` has those of VV; "
        "products: those of the raw SAFE products; null: VV alone.",
    )
    before: int = Field(8, ge=1, description="Images before the event from which each pixel's own scatter is taken.")
    after: int = Field(
        2, ge=1, description="Images after the event that count, as soon as they are there; one is enough for a map."
    )
    window: int = Field(
        5, ge=1, description="Side of the window over which coherence and backscatter are averaged, pixels (odd)."
    )

    @model_validator(mode="after")
    def _has_a_middle(self) -> "EventImageSettings":
        if self.window % 2 == 0:
            raise ValueError(f"window has a pixel in its middle; give an odd number, {self.window - 1} say")
        return self


class EventMapSettings(Settings):
    """Which pixels make a landslide of the event."""

    significance: float = Field(
        4.0, ge=1, description="Standard deviations by which the change of a landslide's pixels stands out."
    )
    edge: float = Field(2.5, ge=1, description="Standard deviations down to which a landslide grows around them.")
    min_pixels: int = Field(4, ge=1, description="Least number of such pixels in a landslide.")
    gap: int = Field(1, ge=0, le=20, description="Pixels by which landslides are widened to close gaps between them.")
    min_slope: float = Field(
        8.0, ge=0, lt=90, description="Gentler ground is left out, degrees: fields change without sliding; 0: none is."
    )
    background: float = Field(
        1500.0,
        gt=0,
        description="Side of the cells whose median change is taken for that of rain and season, and whose scatter for "
        "the noise, m.",
    )
    optical: bool = Field(True, description="Combine with the change of the NDVI, where the area has it.")

    @model_validator(mode="after")
    def _edge_below(self) -> "EventMapSettings":
        if self.edge > self.significance:
            raise ValueError(
                "edge must not exceed significance: a landslide grows from its significant pixels outwards"
            )
        return self


# Keys come in the order of the bases from the last to the first.
class EventSettings(EventMapSettings, EventImageSettings):
    """What failed in a storm or an earthquake: coherence and backscatter before and after it, without unwrapping."""
