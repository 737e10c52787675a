"""From logits to calibrated probabilities, fitted on validation ground alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from slipmap.errors import InputError
from slipmap.training.metrics import BINS, LOGIT_LIMIT, ScoreHistogram, temperature

SCORES = "validation_scores.csv"
METHODS = ("none", "temperature", "platt", "isotonic")  # the simpler first: it wins where others are no better
_ROWS = 512  # equal steps of the logit on which isotonic regression is fitted
_SLOPE = 1e-3  # share of the plain sigmoid mixed into the isotonic steps, so that the order of pixels is kept


@dataclass(frozen=True)
class Calibration:
    """A rising function from the logit of landslide to its probability.

    Parameters
    ----------
    temperature : the logit is divided by it (Guo et al., ICML 2017, section 4.2).
    bias : is added then (Platt 1999, Advances in Large Margin Classifiers, p. 61: sigmoid(A f + B)).
    knots : isotonic regression (Zadrozny & Elkan, KDD 2002) as (logits, probabilities), both rising; takes the place
        of the temperature. Between knots the probability is linear in the logit.
    """

    temperature: float = 1.0
    bias: float = 0.0
    knots: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, logit: Tensor) -> Tensor:
        """Probability of landslide, of the logits' shape, float32."""
        if self.knots is None:
            return torch.sigmoid(logit / self.temperature + self.bias)
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
            "prediction.calibration is isotonic, but validation ground lacks landslide pixels or others; use "
            "temperature or none."
        )
    held = pixels > 0
    middle = (logit_from + logit_to)[held] / 2
    share = landslide[held] / pixels[held]
    fitted = IsotonicRegression(y_min=0, y_max=1).fit_transform(middle, share, sample_weight=pixels[held])
    if len(middle) == 1:
        middle, fitted = np.append(middle, middle + 1), np.append(fitted, fitted)
    return Calibration(knots=(middle, fitted))


def platt(histogram: ScoreHistogram) -> Calibration:
    """Scale and bias of the logit with the least log loss; a scale that would turn the order round becomes small.

    Returns the plain sigmoid where there are not both classes.
    """
    from scipy.optimize import minimize

    if not (histogram.positive.any() and histogram.negative.any()):
        return Calibration()
    held = np.flatnonzero(histogram.positive + histogram.negative)
    positive, negative = histogram.positive[held].astype(float), histogram.negative[held].astype(float)
    logit, pixels = _middles(BINS)[held], positive.sum() + negative.sum()

    def log_loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        scale = np.exp(parameters[0])
        z = scale * logit + parameters[1]
        loss = (positive * np.logaddexp(0, -z) + negative * np.logaddexp(0, z)).sum() / pixels
        slope = ((positive + negative) * _sigmoid(z) - positive) / pixels
        return loss, np.array([(slope * logit).sum() * scale, slope.sum()])

    start = np.array([0.0, 0.0])
    found = minimize(log_loss, start, jac=True, method="L-BFGS-B", bounds=[(-4, 4), (-20, 20)]).x
    return Calibration(temperature=float(np.exp(-found[0])), bias=float(found[1]))


def choose(parts: Sequence[ScoreHistogram]) -> dict[str, Any]:
    """Which of `METHODS` is best on validation ground that it was not fitted on, by Brier score.

    Parameters
    ----------
    parts : validation pixels by logit and truth, in parts that share no image (`slipmap.training.train.score`).

    Returns
    -------
    ``chosen``; ``brier`` of each method over the parts, each judged with a fit on the others; ``parts``, their number;
    ``platt``: scale and bias fitted on all. With one part, or where the rest of a part has one class alone, isotonic
    regression is not among them and the others are judged on what they were fitted on.
    """
    whole = summed(parts)
    scaled = platt(whole)
    record = {"platt": {"scale": 1 / scaled.temperature, "bias": scaled.bias}, "parts": len(parts)}
    if not (whole.positive.any() and whole.negative.any()):
        return {"chosen": "none", "brier": {}, **record}
    rests = [summed([part for other, part in enumerate(parts) if other != k]) for k in range(len(parts))]
    crossed = len(parts) > 1 and all(rest.positive.any() and rest.negative.any() for rest in rests)
    pairs = list(zip(rests, parts, strict=True)) if crossed else [(whole, whole)]
    brier = {}
    for method in METHODS if crossed else METHODS[:-1]:
        squares = 0.0
        for fitted_on, judged in pairs:
            pixels = int((judged.positive + judged.negative).sum())
            if pixels:
                squares += pixels * judged.brier(_of_bins(fitted(fitted_on, method)))
        brier[method] = squares / sum(int((judged.positive + judged.negative).sum()) for _, judged in pairs)
    return {"chosen": min(brier, key=brier.__getitem__), "brier": brier, **record}


def fitted(histogram: ScoreHistogram, method: str) -> Calibration:
    """One of `METHODS`, fitted on validation pixels."""
    match method:
        case "none":
            return Calibration()
        case "temperature":
            return Calibration(temperature=temperature(histogram))
        case "platt":
            return platt(histogram)
        case "isotonic":
            return isotonic(*coarse(histogram))
    raise ValueError(f"calibration {method!r} is none of {METHODS}")


def coarse(histogram: ScoreHistogram) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(logit_from, logit_to, background, landslide) of `_ROWS` equal steps: what `SCORES` holds."""
    edges = np.linspace(-LOGIT_LIMIT, LOGIT_LIMIT, _ROWS + 1)
    negative, positive = (n.reshape(_ROWS, -1).sum(1) for n in (histogram.negative, histogram.positive))
    return edges[:-1], edges[1:], negative, positive


def summed(parts: Sequence[ScoreHistogram]) -> ScoreHistogram:
    """All parts' pixels together."""
    return ScoreHistogram(
        np.sum([part.positive for part in parts], axis=0), np.sum([part.negative for part in parts], axis=0)
    )


def _of_bins(calibration: Calibration) -> np.ndarray:
    return calibration(torch.from_numpy(_middles(BINS).astype(np.float32))).numpy().astype(np.float64)


def _middles(bins: int) -> np.ndarray:
    return (np.arange(bins) + 0.5) * (2 * LOGIT_LIMIT / bins) - LOGIT_LIMIT


def _sigmoid(z: np.ndarray) -> np.ndarray:
    share: np.ndarray = np.exp(-np.logaddexp(0, -z))
    return share


def chosen_method(record: Mapping[str, Any], method: str) -> str:
    """`method`, or what "best" stands for in the weights whose model.json is `record`."""
    if method != "best":
        return method
    known = record.get("calibration") or {}
    if known.get("chosen") not in METHODS:
        raise InputError(
            "model.json of the weights does not say which calibration is best (calibration.chosen); train them again, "
            "or set prediction.calibration to temperature or none."
        )
    return str(known["chosen"])


def calibration_of(folder: str | Path, record: Mapping[str, Any], method: str) -> Calibration:
    """The calibration of the weights in `folder`, whose model.json is `record`: one of `METHODS`, or "best".

    Raises
    ------
    InputError : isotonic is asked for and the validation scores are not beside the weights; the record lacks what
        "best" or "platt" needs.
    """
    method = chosen_method(record, method)
    if method == "none":
        return Calibration()
    if method == "temperature":
        return Calibration(temperature=float(record.get("temperature") or 1.0))
    if method == "platt":
        known = (record.get("calibration") or {}).get("platt")
        if not known:
            raise InputError(
                f"{Path(folder) / 'model.json'} has no calibration.platt; train the weights again, or set "
                f"prediction.calibration: temperature."
            )
        return Calibration(temperature=1 / float(known["scale"]), bias=float(known["bias"]))
    path = Path(folder) / SCORES
    if not path.is_file():
        raise InputError(
            f"{path} does not exist, and isotonic calibration is fitted on it; copy the whole folder of the weights or "
            f"set prediction.calibration: temperature."
        )
    import pandas as pd  # here: a map needs none of it

    table = pd.read_csv(path)
    return isotonic(*(table[name].to_numpy(float) for name in ("logit_from", "logit_to", "background", "landslide")))
