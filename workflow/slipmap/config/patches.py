"""Settings of the patch stage: the spatial split of an area, and the patch data sets."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from slipmap.config.base import Settings

Ratios = Annotated[str, Field(pattern=r"^\d+(\.\d+)?(:\d+(\.\d+)?){1,2}$")]


class SplitSettings(Settings):
    """How an area is divided into training, validation and test blocks."""

    method: Literal["blocks", "kfold", "area", "random"] = Field(
        "blocks",
        description="blocks: spatial blocks drawn by `ratios`. kfold: block `fold` of `folds` tests, the next one "
        "validates. area: the whole area has one `role` (leave-one-area-out). random: single patches drawn without "
        "buffer, for comparison with papers only; every table that it reaches says so.",
    )
    block: int = Field(96, ge=1, description="Side of a spatial block, pixels (random: of a patch).")
    ratios: Ratios = Field(
        "6:2:2",
        description="Training, validation and test shares, as the papers write them (6:2:2, 8:1:1); two shares (7:3, "
        "4:1) are training and test, and validation is taken out of training.",
    )
    validation_share: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="Share of training that validates where `ratios` has two parts, or role is training.",
    )
    buffer: int = Field(8, ge=0, description="Pixels left out between blocks of different splits (random: must be 0).")
    folds: int = Field(5, ge=3, description="Number of folds of kfold.")
    fold: int = Field(0, ge=0, description="The fold that tests (from 0).")
    role: Literal["training", "test"] = Field(
        "training",
        description="With method area: training (its blocks train and validate) or test (the area left out).",
    )
    seed: int = Field(0, ge=0, description="Seed of the draw.")

    @field_validator("ratios", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        """[0.6, 0.2, 0.2] is as good as "6:2:2"."""
        if isinstance(value, list | tuple):
            return ":".join(f"{part:g}" if isinstance(part, int | float) else str(part) for part in value)
        return value

    @model_validator(mode="after")
    def _agree(self) -> "SplitSettings":
        if self.method == "kfold" and self.fold >= self.folds:
            raise ValueError(f"fold {self.fold} is not one of {self.folds} folds (they count from 0)")
        if any(share <= 0 for share in map(float, self.ratios.split(":"))):
            raise ValueError(f"ratios {self.ratios} has a share of 0; every split needs blocks")
        return self

    def shares(self) -> tuple[float, float, float]:
        """(training, validation, test) shares; they add up to 1."""
        parts = [float(part) for part in self.ratios.split(":")]
        parts = [part / sum(parts) for part in parts]
        if self.method == "area":
            held = self.validation_share
            return (0.0, 0.0, 1.0) if self.role == "test" else (1 - held, held, 0.0)
        if len(parts) == 2:
            return parts[0] * (1 - self.validation_share), parts[0] * self.validation_share, parts[1]
        return parts[0], parts[1], parts[2]


class PatchSettings(Settings):
    """A patch data set."""

    size: int = Field(64, ge=8, description="Side of a patch, pixels (128 is the papers').")
    stride: int = Field(
        32, ge=1, description="Step between patches, pixels at most; equal to size: patches do not overlap."
    )
    min_valid: float = Field(
        0.5, ge=0, le=1, description="Smallest share of a patch's pixels that can be learnt from (known, not nodata)."
    )
    optional_bands: list[str] = Field(
        ["velocity"],
        description="Bands that may be missing at a pixel (filled with their training mean); where any other band is "
        "missing the pixel is ignored.",
    )
    normalisation: Literal["zscore", "minmax"] = Field(
        "zscore", description="zscore: mean 0, standard deviation 1. minmax: training's range becomes 0 to 1."
    )
    landslide_share: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of training patches that have landslides (0.7 is the papers' 7:3), reached by leaving "
        "out others; none: all patches. Validation and test always keep theirs.",
    )
    compression: Literal["none", "zstd"] = Field(
        "none",
        description="none: read at the speed of the disk. zstd: about half the space, read several times slower.",
    )
    seed: int = Field(0, ge=0, description="Seed of sampling and offline augmentation.")


class AugmentSettings(Settings):
    """Changes of training patches; validation and test are never touched."""

    flips: bool = Field(True, description="Mirror left-right and up-down, half of the time each.")
    rotations: bool = Field(True, description="Turn by 0, 90, 180 or 270 degrees.")
    brightness: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Largest change of optical bands (reflectance times 1 - b to 1 + b, one draw for all); "
        "indices made of them stay.",
    )
    centerrep: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Probability of CenterRep (EMR-HRNet, Sensors 2024, 24, 3677, section 2.2) for a patch with "
        "landslides.",
    )
    centerrep_size: tuple[float, float] = Field(
        (0.2, 0.3), description="Size of what CenterRep lays over a landslide, relative to the landslide's box."
    )
    centerrep_by: Literal["side", "area"] = Field(
        "side", description="Whether centerrep_size is of each side of the box, or of its area."
    )

    @model_validator(mode="after")
    def _ordered(self) -> "AugmentSettings":
        low, high = self.centerrep_size
        if not 0 < low <= high < 1:
            raise ValueError("centerrep_size needs 0 < smallest <= largest < 1")
        return self
