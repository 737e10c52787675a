"""Settings of an experiment: the architecture and the training recipe."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from slipmap.config.base import Settings
from slipmap.config.patches import AugmentSettings
from slipmap.config.recipes import RECIPES
from slipmap.errors import nearest

LOSSES = ("bce", "cross_entropy", "dice", "focal", "iou", "lovasz", "tversky")


class ModelSettings(Settings):
    """An architecture and its options."""

    name: str = Field(
        "unet", description="Name of the architecture (`slipmap models` lists them, `slipmap models NAME` its options)."
    )
    classes: Literal[1, 2] = Field(
        1, description="Output channels: 1 is the logit of landslide, 2 the logits of background and landslide."
    )
    options: dict[str, Any] = Field(default_factory=dict, description="Options of that architecture.")


class EncoderWeightsSettings(Settings):
    """Pretrained weights of an encoder, from a file."""

    path: str = Field(description="A .safetensors file of the encoder's tensors.")
    prefix: str = Field("", description="What the encoder's parameter names begin with in our model, 'encoder.' say.")
    source_prefix: str = Field("", description="What they begin with in the file; taken off before matching.")
    bands: dict[str, int] = Field(
        default_factory=dict,
        description="Band of ours → input channel of the file (from 0); other bands get the file's mean kernel. Of a "
        "foundation encoder other bands begin with kernels of 0, and its own bands are known by name.",
    )
    reflectance: bool = Field(
        True,
        description="Of a foundation encoder: the bands are reflectance from 0 to 1, and its first convolution is "
        "brought to their normalisation; false: they are as in its pretraining.",
    )


class TrainingSettings(Settings):
    """The training recipe. A `recipe` gives the values of a paper; keys set beside it win."""

    recipe: str | None = Field(
        None, description=f"Preset whose values fill the keys not given: {', '.join(sorted(RECIPES))}."
    )
    seeds: list[int] = Field(
        default_factory=lambda: [0], min_length=1, description="One training run for each; means over them."
    )
    epochs: int = Field(40, ge=1, description="Passes over the training patches at most.")
    max_steps: int | None = Field(
        None, ge=1, description="Optimiser steps at most; overrides epochs (one pass may be cut short)."
    )
    batch_size: int = Field(16, ge=1, description="Patches in a batch.")
    accumulate: int = Field(1, ge=1, description="Batches whose gradients are added up before a step.")
    optimiser: Literal["adamw", "adam", "sgd", "rmsprop"] = Field("adamw", description="Optimiser.")
    learning_rate: float = Field(2e-3, gt=0, description="Highest learning rate.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD and RMSprop.")
    weight_decay: float = Field(1e-2, ge=0, description="Weight decay (decoupled in AdamW, L2 in the others).")
    schedule: Literal["constant", "cosine", "one_cycle", "polynomial", "exponential"] = Field(
        "one_cycle", description="Course of the learning rate over the steps of the whole run."
    )
    decay: float = Field(
        0.995, gt=0, le=1, description="Factor for each epoch of the exponential schedule, power of the polynomial."
    )
    gradient_clip: float | None = Field(1.0, gt=0, description="Largest norm of the gradient; null: no limit.")
    loss: dict[str, float] = Field(
        default_factory=lambda: {"bce": 1.0, "dice": 1.0},
        min_length=1,
        description=f"Losses and their weights, summed: {', '.join(LOSSES)}.",
    )
    class_weights: Annotated[float, Field(gt=0)] | Literal["balanced", "sqrt"] | None = Field(
        None,
        description="Weights of pixels in bce, cross_entropy and focal. balanced: both classes of the training patches "
        "weigh the same in all; sqrt: the square root of that; a number: of a landslide pixel for a background pixel; "
        "null: all pixels weigh the same.",
    )
    prior_bias: bool = Field(
        True,
        description="Begin with the share of landslide pixels as every pixel's probability (Lin et al. 2017, section "
        "4.1): with few landslides the first epochs are not spent on learning that they are few.",
    )
    focal_gamma: float = Field(2.0, ge=0, description="Focusing exponent of the focal loss.")
    tversky_alpha: float = Field(0.3, ge=0, le=1, description="Weight of false positives in the Tversky loss.")
    tversky_beta: float = Field(0.7, ge=0, le=1, description="Weight of false negatives in the Tversky loss.")
    label_smoothing: float = Field(0.0, ge=0, lt=0.5, description="Label smoothing of bce and cross_entropy.")
    positive_share: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Share of drawn training patches that hold a landslide (class-balanced sampling); null: each "
        "patch once an epoch.",
    )
    augment: AugmentSettings = Field(
        default_factory=AugmentSettings, description="On-the-fly augmentation of training patches."
    )
    monitor: Literal["f1", "average_precision", "iou", "loss"] = Field(
        "f1", description="Validation score that chooses the best epoch (f1 and iou at their best threshold)."
    )
    patience: int | None = Field(
        None, ge=1, description="Stop after this many epochs without a better score; null: never early."
    )
    validate_every: int = Field(1, ge=1, description="Epochs between two validations.")
    precision: Literal["auto", "float32", "tf32", "bfloat16", "float16"] = Field(
        "auto",
        description="Arithmetic; auto: bfloat16 mixed precision where the GPU has it, float32 on the CPU.",
    )
    channels_last: bool | None = Field(None, description="Memory order of activations; null: channels last on a GPU.")
    compile: bool = Field(False, description="Compile the model (torch.compile): slow to start, faster to run.")
    devices: int = Field(1, ge=1, description="GPUs (or CPU processes) that share each batch.")
    workers: int = Field(0, ge=0, description="Processes that read patches when they do not fit in `cache`.")
    cache: float = Field(
        2.0, ge=0, description="GiB of patches kept in memory (on the GPU when there is one); beyond it they stream."
    )
    initial_weights: str | None = Field(None, description="Folder of a trained experiment to start from (fine-tuning).")
    encoder_weights: EncoderWeightsSettings | None = Field(None, description="Pretrained encoder to start from.")
    freeze_epochs: int = Field(
        0, ge=0, description="First epochs in which only parameters that no file gave are trained."
    )
    tensorboard: bool = Field(False, description="Also write TensorBoard logs, in the folder {seed}.logs beside.")

    @field_validator("seeds")
    @classmethod
    def _each_once(cls, value: list[int]) -> list[int]:
        if len(set(value)) < len(value) or not all(0 <= seed < 2**32 for seed in value):
            raise ValueError("seeds are different whole numbers from 0 to 4294967295; correct them")
        return value

    @model_validator(mode="before")
    @classmethod
    def _fill_from_recipe(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("recipe") is None:
            return given
        name = given["recipe"]
        if name not in RECIPES:
            raise ValueError(f"recipe {name!r} is unknown{nearest(str(name), RECIPES)}")
        return {**RECIPES[name].settings, **given}

    @field_validator("loss")
    @classmethod
    def _known_losses(cls, loss: dict[str, float]) -> dict[str, float]:
        for name, weight in loss.items():
            if name not in LOSSES:
                raise ValueError(f"loss {name!r} is unknown{nearest(name, LOSSES)}")
            if not weight > 0:
                raise ValueError(f"the weight of loss {name!r} must be greater than 0")
        return loss
