"""Settings of an experiment: model, recipe, augmentation."""

from typing import Any

from pydantic import Field

from slipmap.config.base import Settings


class ModelSettings(Settings):
    """An architecture of the registry and its options."""

    name: str = Field("unet", description="Name in the registry (`slipmap models` lists them).")
    options: dict[str, Any] = Field(default_factory=dict, description="Options of that architecture.")


class TrainingSettings(Settings):
    """The training recipe."""

    epochs: int = Field(30, ge=1, description="Passes over the training patches at most.")
    batch_size: int = Field(16, ge=1, description="Patches in a batch.")
    learning_rate: float = Field(1e-3, gt=0, description="Learning rate of AdamW.")
    seed: int = Field(0, ge=0, description="Seed of weights, shuffling and augmentation.")
