"""Settings of the prediction stage.

One section of an experiment's config, but a model for each step: a step reads the options of its model only, so that
another smallest area does not map the region again.
"""

from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from slipmap.config.base import Settings


class ObjectRules(Settings):
    """Object-based rules after Ghorbanzadeh et al. (2022): an outline that breaks one is dropped. null: no rule."""

    min_probability: float | None = Field(None, ge=0, le=1, description="Least mean probability.")
    min_slope: float | None = Field(None, ge=0, le=90, description="Least mean slope, degrees.")
    max_ndvi: float | None = Field(None, ge=-1, le=1, description="Largest mean NDVI (ndvi, or ndvi_after).")
    max_ndvi_change: float | None = Field(
        None, ge=-2, le=2, description="Largest mean change of NDVI: negative, vegetation was lost (needs ndvi_change)."
    )
    min_compactness: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Least compactness, 4 pi area / perimeter^2 (1: a disc); roads and streams have little.",
    )


class MapSettings(Settings):
    """How the rasters of a map are made."""

    tile: int = Field(256, ge=32, description="Side of a tile given to the model, pixels.")
    overlap: float = Field(0.5, ge=0, lt=1, description="Share of a tile that its neighbour covers too.")
    flips: bool = Field(
        True, description="Test-time augmentation: average over mirrored tiles; their spread is the uncertainty."
    )
    dropout_samples: int = Field(
        0,
        ge=0,
        description="Monte Carlo dropout: so many passes with dropout switched on join the ensemble; 0: none.",
    )
    calibration: Literal["best", "temperature", "platt", "isotonic", "none"] = Field(
        "best",
        description="How probabilities are calibrated, fitted on validation ground. best: what has the least Brier "
        "score on validation images that it was not fitted on. platt: temperature and bias.",
    )
    probability_breaks: list[float] = Field(
        [1 / 3, 2 / 3],
        min_length=1,
        max_length=9,
        description="Probabilities that divide the classes of probability_class.tif (two: low, medium, high).",
    )

    @model_validator(mode="after")
    def _ascending(self) -> "MapSettings":
        breaks = self.probability_breaks
        if any(not 0 < b < 1 for b in breaks) or any(a >= b for a, b in pairwise(breaks)):
            raise ValueError("probability_breaks must rise and lie between 0 and 1")
        return self


class MotionSettings(Settings):
    """When a landslide counts as moving, by velocity and standard deviation of its reliable pixels."""

    min_sensitivity: float = Field(
        0.3,
        gt=0,
        le=1,
        description="Least share of downslope motion that the radar sees; below it a landslide is not observable.",
    )
    moving_velocity: float = Field(
        10.0, gt=0, description="Downslope velocity from which a landslide counts as moving, mm/yr."
    )


class OutlineSettings(MotionSettings):
    """Which landslides are outlined, and how."""

    min_area: float = Field(1000.0, ge=0, description="Smallest landslide polygon, m2.")
    smooth: bool = Field(True, description="Cut the corners of pixels off the outlines, less than half a pixel deep.")
    rules: ObjectRules = Field(default_factory=ObjectRules, description="Object-based rules.")


# Keys come in the order of the bases from the last to the first.
class PredictionSettings(OutlineSettings, MapSettings):
    """Region-wide maps and landslide polygons."""

    coverage: float | None = Field(
        None,
        gt=0.5,
        lt=1,
        description="Stated coverage of conformal prediction sets (0.9, say): sets.tif says where landslide, other "
        "ground, either or neither holds, cut on validation ground, in areas trained in. It holds for ground "
        "exchangeable with that, not for another valley; sets.json has what test ground shows. null: not made.",
    )
    parts: int = Field(
        1, ge=1, le=500, description="Jobs that share an area, each its own rows; the map is the same to the last bit."
    )
