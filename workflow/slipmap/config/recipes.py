"""Training recipes of papers: what each states, and what is assumed where it states nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """Values for keys of `TrainingSettings`, with their source.

    Attributes
    ----------
    settings : keys and values.
    paper : citation.
    assumed : what the paper leaves open and was chosen here.
    """

    settings: Mapping[str, Any]
    paper: str
    assumed: str


NONE = {"flips": False, "rotations": False}

RECIPES: dict[str, Recipe] = {
    "sbconv": Recipe(
        {
            "max_steps": 5000,
            "batch_size": 32,
            "optimiser": "adam",
            "learning_rate": 1e-3,
            "weight_decay": 5e-4,
            "schedule": "constant",
            "gradient_clip": None,
            "prior_bias": False,
            "loss": {"cross_entropy": 1.0},
            "augment": NONE,
        },
        "SBConv, Land 2024, 13, 835",
        "The paper says 5000 epochs of 3799 patches; the Landslide4Sense baseline that it builds on runs 5000 steps, "
        "which is read here. Optimiser, rate, batch, weight decay and loss are the baseline's.",
    ),
    "fcadensenet": Recipe(
        {
            "epochs": 100,
            "batch_size": 8,
            "optimiser": "adam",
            "learning_rate": 1e-4,
            "weight_decay": 0.0,
            "schedule": "constant",
            "gradient_clip": None,
            "prior_bias": False,
            "loss": {"bce": 1.0},
            "positive_share": 0.7,
            "monitor": "loss",
        },
        "FCADenseNet, Remote Sensing 2024, 16, 992",
        "Number of epochs and augmentation are not stated. The 7:3 ratio of landslide to other samples is read as "
        "class mix of the training patches. Dropout 0.2 is an option of the model.",
    ),
    "emr_hrnet": Recipe(
        {
            "epochs": 100,
            "batch_size": 4,
            "optimiser": "sgd",
            "learning_rate": 1e-3,
            "momentum": 0.9,
            "weight_decay": 1e-4,
            "schedule": "cosine",
            "gradient_clip": None,
            "prior_bias": False,
            "loss": {"cross_entropy": 1.0},
            "patience": 20,
            "augment": {"flips": True, "rotations": True, "brightness": 0.2, "centerrep": 0.5},
        },
        "EMR-HRNet, Sensors 2024, 24, 3677",
        "Loss, momentum, value of the weight decay and patience are not stated: cross-entropy, 0.9, 1e-4, 20. "
        "Dropout 0.5 is an option of the model. Augmentation follows the split here; there it preceded it.",
    ),
    "msasnet": Recipe(
        {
            "epochs": 200,
            "batch_size": 8,
            "optimiser": "sgd",
            "learning_rate": 1e-4,
            "momentum": 0.9,
            "weight_decay": 0.0,
            "schedule": "constant",
            "gradient_clip": None,
            "prior_bias": False,
            "loss": {"bce": 1.0},
            "augment": NONE,
        },
        "MsASNet, Remote Sensing 2024, 16, 1712",
        "Loss and momentum are not stated: binary cross-entropy (implied by one output channel) and 0.9.",
    ),
    "enhanced_unet": Recipe(
        {
            "epochs": 50,
            "batch_size": 16,
            "optimiser": "adamw",
            "learning_rate": 1e-5,
            "weight_decay": 1e-2,
            "schedule": "constant",
            "gradient_clip": None,
            "prior_bias": False,
            "loss": {"bce": 1.0, "dice": 1.0},
            "augment": NONE,
        },
        "Enhanced U-Net, J. Comput. Commun. 2025, 13, 80-107",
        "Optimiser and loss are not stated: AdamW, and binary cross-entropy plus Dice.",
    ),
    "prithvi_eo_v2": Recipe(
        {
            "epochs": 50,
            "batch_size": 8,
            "optimiser": "adamw",
            "learning_rate": 5e-5,
            "weight_decay": 0.1,
            "schedule": "cosine",
            "gradient_clip": None,
            "prior_bias": False,
            "loss": {"focal": 1.0},
            "patience": 10,
            "monitor": "loss",
            "augment": {"flips": True, "rotations": False},
        },
        "Prithvi-EO-2.0, arXiv:2412.02732",
        "Of its fine-tuning on Landslide4Sense (configs/landslide.yaml of the authors' repository). Their random crops "
        "of 224 x 224 are left out: patches keep their size.",
    ),
}
