"""Settings of the patch stage: the spatial split of an area, and the patch data sets."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from slipmap.config.base import Settings

_LENGTH = re.compile(r"\d+(\.\d+)? ?(m|pixels?)")
Ratios = Annotated[str, Field(pattern=r"^\d+(\.\d+)?(:\d+(\.\d+)?){1,2}$")]


class SplitSettings(Settings):
    """How an area is divided into training, validation and test blocks."""

    method: Literal["blocks", "kfold", "area", "random"] = Field(
        "blocks",
        description="blocks: spatial blocks drawn by `ratios`. kfold: block `fold` of `folds` tests, the next one "
        "validates. area: the whole area has one `role` (leave-one-area-out). random: single patches drawn without "
        "buffer, for comparison with papers only; every table that it reaches says so.",
    )
    block: int = Field(
        96,
        ge=1,
        description="Side of a spatial block, pixels (random: of a patch); multiples of the patch size plus the buffer "
        "waste least ground.",
    )
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
    buffer: str = Field(
        "100 m",
        description="Ground left out between blocks of different splits, with its unit: 100 m (rounded up to pixels), "
        "8 pixels, or 0 (random: none).",
    )
    folds: int = Field(5, ge=3, description="Number of folds of kfold.")
    fold: int = Field(0, ge=0, description="The fold that tests (from 0).")
    role: Literal["training", "test"] = Field(
        "training",
        description="With method area: training (its blocks train and validate) or test (the area left out).",
    )
    seed: int = Field(0, ge=0, description="Seed of the draw.")

    @field_validator("buffer", mode="before")
    @classmethod
    def _with_unit(cls, value: object) -> object:
        """A bare number was pixels once, then metres: its unit is not known for certain."""
        if isinstance(value, int | float) and not isinstance(value, bool) and value == 0:
            return "0 m"
        if isinstance(value, int | float) or not (isinstance(value, str) and _LENGTH.fullmatch(value.strip())):
            raise ValueError("a buffer is written with its unit, 100 m or 8 pixels, or is 0")
        return value

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

    def buffer_of(self, pixel: float) -> float:
        """Metres of the buffer on a grid whose pixels have the side `pixel`, m."""
        number, unit = self.buffer.split("p")[0].rstrip(" m"), self.buffer.rstrip()[-1]
        return float(number) * (1.0 if unit == "m" else pixel)

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


class ImportSettings(Settings):
    """A published or own data set of images and masks, read instead of a study area."""

    format: str = Field(
        description="Format of the data set, by the name of its importer (docs/input_formats.md); folder: any images "
        "and masks, GeoTIFF or PNG."
    )
    path: str = Field(description="Folder of the data set.")
    corrupt: Literal["stop", "leave_out"] = Field(
        "stop",
        description="What a file that is not whole, or not as the format says, does; it is named in any case.",
    )
    counts: Literal["published", "any"] = Field(
        "published", description="published: the number of files must be that of the publication. any: a part will do."
    )
    ratios: Ratios = Field(
        "6:2:2",
        description="Shares of a data set that has no split of its own, as for split.ratios; drawn by image.",
    )
    validation_share: float = Field(
        0.2, gt=0, lt=1, description="Share of training that validates where ratios has two parts."
    )
    near_duplicate: float = Field(
        0.985,
        gt=0,
        le=1,
        description="Images whose 16 x 16 thumbnails correlate so (mirrored and turned too) count as one: they stay "
        "in one split.",
    )
    duplicates: Literal["stop", "leave_out"] = Field(
        "stop",
        description="Where the data set's own split has an image twice, in two splits: stop, or leave out the copy "
        "that trains (or validates, where the other tests).",
    )
    resize: int | None = Field(
        None,
        ge=8,
        description="Side of the patches, pixels: larger images are shrunk to it, keeping their shape, smaller ones "
        "keep their size; what is left around them is unknown (512 is the papers').",
    )
    images: str = Field("images", description="folder: name of the subfolder of images.")
    masks: str = Field("masks", description="folder: name of the subfolder of masks, of the images' names.")
    bands: list[str] = Field(
        default_factory=list, description="folder: names of the bands in order; none: the files' band descriptions."
    )
    landslide_value: int | None = Field(
        None,
        ge=0,
        description="folder: the value in masks that means landslide; none: 1 in masks of 0 and 1, 255 in masks of 0 "
        "and 255 alone, others are asked about.",
    )
    background_value: int | None = Field(
        None, ge=0, description="folder: the value in masks that means no landslide; none: 0."
    )
    ignore_value: int | None = Field(
        None, description="folder: the value in masks that means unknown; none: 255 where it means nothing else."
    )
    elevation: bool = Field(True, description="bijie: read the DEM as a fourth band.")
    periods: list[Literal["before", "after", "change"]] = Field(
        ["after", "change"],
        min_length=1,
        description="sen12landslides: which of the last clear image before the event, the first after it, and their "
        "difference become bands.",
    )
    clear: float = Field(
        0.9, ge=0, le=1, description="sen12landslides: share of clear pixels (SCL) that makes an image clear."
    )
    cell: float = Field(
        10_000.0,
        gt=0,
        description="sen12landslides: side of the spatial cells that are split, m; overlapping ones join.",
    )

    def shares(self) -> tuple[float, float, float]:
        """(training, validation, test) shares; they add up to 1."""
        return SplitSettings(ratios=self.ratios, validation_share=self.validation_share).shares()


class PatchSettings(Settings):
    """A patch data set."""

    size: int = Field(64, ge=8, description="Side of a patch, pixels (128 is the papers').")
    stride: int = Field(
        32, ge=1, description="Step between patches, pixels at most; equal to size: patches do not overlap."
    )
    min_valid: float = Field(
        0.5, ge=0, le=1, description="Smallest share of a patch's pixels that can be learnt from (known, not nodata)."
    )
    optional_bands: list[str] | None = Field(
        None,
        description="Bands that may be missing at a pixel (filled with their training mean); where any other band is "
        "missing the pixel is ignored. null: what is measured only where the radar is reliable (velocity, "
        "acceleration and so on).",
    )
    normalisation: Literal["zscore", "minmax"] = Field(
        "zscore", description="zscore: mean 0, standard deviation 1. minmax: training's range becomes 0 to 1."
    )
    landslide_share: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of training patches that have landslides (0.7 is the papers' 7:3), reached by leaving "
        "out others; null: all patches. Validation and test always keep theirs.",
    )
    compression: Literal["none", "zstd"] = Field(
        "none",
        description="none: read at the speed of the disk. zstd: about half the space, read several times slower.",
    )
    seed: int = Field(0, ge=0, description="Seed of sampling and offline augmentation.")
    augmentation_factor: float = Field(
        1.0,
        ge=1,
        description="Training patches after offline augmentation relative to before (7.43 is EMR-HRNet's 770 to 5720, "
        "there before the split, here after it); 1: none is written, augmentation is on the fly.",
    )
    augmentation: AugmentSettings = Field(
        default_factory=AugmentSettings, description="How offline copies are changed."
    )
    source: ImportSettings | None = Field(
        None, description="A data set of images and masks to import; null: cut the areas that experiments name."
    )

    @model_validator(mode="after")
    def _changes(self) -> "PatchSettings":
        if "stride" in self.model_fields_set and self.stride > self.size:
            raise ValueError(f"stride ({self.stride}) beyond size ({self.size}) leaves ground between patches unused")
        wanted = self.augmentation
        if self.augmentation_factor > 1 and not (
            wanted.flips or wanted.rotations or wanted.brightness or wanted.centerrep
        ):
            raise ValueError("augmentation_factor above 1 needs an augmentation that changes something")
        return self
