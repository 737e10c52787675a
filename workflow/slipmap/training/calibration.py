"""From logits to calibrated probabilities, fitted on validation ground alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from slipmap.errors import InputError

SCORES = "validation_scores.csv"
METHODS = ("none", "temperature", "isotonic")
_SLOPE = 1e-3  # share of the plain sigmoid mixed into the isotonic steps, so that the order of pixels is kept


@dataclass(frozen=True)
class Calibration:
    """A rising function from the logit of landslide to its probability.

    Parameters
    ----------
    temperature : the logit is divided by it (Guo et al., ICML 2017, section 4.2).
    knots : isotonic regression (Zadrozny & Elkan, KDD 2002) as (logits, probabilities), both rising; takes the place
        of the temperature. Between knots the probability is linear in the logit.
    """

    temperature: float = 1.0
    knots: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, logit: Tensor) -> Tensor:
        """Probability of landslide, of the logits' shape, float32."""
        if self.knots is None:
            return torch.sigmoid(logit / self.temperature)
        x, y = (torch.as_tensor(k, dtype=torch.float32, device=logit.device) for k in self.knots)
        right = torch.bucketize(logit.contiguous(), x).clamp(1, len(x) - 1)
        share = ((logit - x[right - 1]) / (x[right] - x[right - 1])).clamp(0, 1)
        step = torch.lerp(y[right - 1], y[right], share)
        return (1 - _SLOPE) * step + _SLOPE * torch.sigmoid(logit)

    def threshold(self, probability: float) -> float:
        """Where a threshold that was chosen on uncalibrated probabilities lies after calibration."""
        p = np.clip(probability, 1e-9, 1 - 1e-9)
        return float(self(torch.tensor([np.log(p / (1 - p))], dtype=torch.float32))[0])


def isotonic(
    logit_from: np.ndarray, logit_to: np.ndarray, background: np.ndarray, landslide: np.ndarray
) -> Calibration:
    """Isotonic regression of landslide on the logit, from counts of validation pixels in bins of the logit.

    Parameters
    ----------
    logit_from, logit_to : edges of the bins. background, landslide : pixels in them.

    Raises
    ------
    InputError : there are not both classes.
    """
    from sklearn.isotonic import IsotonicRegression

    pixels = background + landslide
    if not background.any() or not landslide.any():
        raise InputError(
            "prediction.calibration is isotonic, but validation ground has not both landslide and other pixels; use "
            "temperature or none."
        )
    held = pixels > 0
    middle = (logit_from + logit_to)[held] / 2
    share = landslide[held] / pixels[held]
    fitted = IsotonicRegression(y_min=0, y_max=1).fit_transform(middle, share, sample_weight=pixels[held])
    if len(middle) == 1:
        middle, fitted = np.append(middle, middle + 1), np.append(fitted, fitted)
    return Calibration(knots=(middle, fitted))


def calibration_of(folder: str | Path, record: dict, method: Literal["temperature", "isotonic", "none"]) -> Calibration:
    """The calibration of the weights in `folder`, whose model.json is `record`.

    Raises
    ------
    InputError : isotonic is asked for and the validation scores are not beside the weights.
    """
    if method == "none":
        return Calibration()
    if method == "temperature":
        return Calibration(temperature=float(record.get("temperature") or 1.0))
    path = Path(folder) / SCORES
    if not path.is_file():
        raise InputError(
            f"{path} does not exist, and isotonic calibration is fitted on it; copy the whole folder of the weights or "
            f"set prediction.calibration: temperature."
        )
    table = pd.read_csv(path)
    return isotonic(*(table[name].to_numpy(float) for name in ("logit_from", "logit_to", "background", "landslide")))
