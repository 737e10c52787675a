"""Training recipes of the papers: what each states, and what is assumed where it states nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Inputs:
    """What a paper trains on; None where it does not say.

    Attributes
    ----------
    bands : in the paper's order, by our names where we have the factor.
    size : side of its images, pixels.
    normalisation : as `datasets.normalisation`.
    ratios : training, validation and test shares, as `split.ratios`.
    classes : output channels.
    dropout : rate.
    """

    bands: tuple[str, ...]
    size: int | None
    normalisation: str | None
    ratios: str | None
    classes: int | None
    dropout: float | None


@dataclass(frozen=True)
class Recipe:
    """Values for keys of `TrainingSettings`, with their source.

    Attributes
    ----------
    settings : keys and values.
    inputs : what the paper trains on, for the tables.
    paper : citation.
    assumed : what the paper leaves open and was chosen here.
    """

    settings: Mapping[str, Any]
    inputs: Inputs
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
        # Section 2.1: Landslide4Sense, 128 x 128, Sentinel-2 bands 1 to 12, slope, DEM; no test set is named.
        Inputs((*(f"B{number}" for number in range(1, 13)), "slope", "elevation"), 128, None, None, 2, None),
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
        # Sections 3.1 and 4.2.
        Inputs(
            ("velocity", "elevation", "slope", "aspect", "curvature", "lithology", "B2", "B3", "B4", "B8"),
            128,
            "zscore",
            "7:3",
            1,
            0.2,
        ),
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
        # Section 3.1; two classes are counted in its Table 2 (scores are means over both).
        Inputs(("red", "green", "blue"), 512, None, "6:2:2", 2, 0.5),
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
        # Section 2.1; the operations of Table 4 are those of one output channel.
        Inputs(("red", "green", "blue"), 512, None, "8:1:1", 1, None),
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
        # Section 2.4, Table 1; Min Max Scaler in section 2.3.
        Inputs(("smi", "ndbi", "ndvi", "ndwi", "slope", "elevation", "lsi"), None, "minmax", "6:2:2", 2, None),
        "Enhanced U-Net, J. Comput. Commun. 2025, 13, 80-107",
        "Optimiser and loss are not stated: AdamW, and binary cross-entropy plus Dice.",
    ),
}
