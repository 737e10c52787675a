"""A recurrent or convolutional classifier of rainfall history: "Model [54]" of Zheng et al. (2025), read.

Their reference 54, Mondini, Guzzetti and Melillo (2023, Nature Communications 14, 2466), is a network on rainfall time
series at gauges, not an image segmenter, and the paper does not say how it was made to segment. What is offered here
carries no other claim: a small network that takes the days of rain before a date at one place (a pixel, a slope unit, a
gauge), and what is known of the place if wished, and gives the probability of a landslide there on that date.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class HistorySettings:
    """How the classifier is built and trained."""

    kind: Literal["gru", "conv"] = "gru"
    hidden: int = 16
    epochs: int = 60
    batch: int = 64
    learning_rate: float = 1e-2
    weight_decay: float = 1e-3
    seed: int = 0


def antecedent(rain: np.ndarray, day: np.ndarray, place: np.ndarray, window: int) -> np.ndarray:
    """Rain of the `window` days up to and with each event's day, none after it.

    Parameters
    ----------
    rain : (days, places) daily rain, mm.
    day : (events,) index of the event's day.
    place : (events,) index of the event's place.

    Returns
    -------
    (events, window) mm, the event's own day last.

    Raises
    ------
    ValueError : an event whose window begins before the series, or ends after it.
    """
    day = np.asarray(day)
    if (day < window - 1).any() or (day >= len(rain)).any():
        raise ValueError(f"the rain series must hold the {window} days up to every event")
    days = day[:, None] + np.arange(1 - window, 1)
    before: np.ndarray = rain[days, np.asarray(place)[:, None]]
    return before


class RainfallHistoryClassifier(nn.Module):
    """Logit of a landslide from a rainfall history.

    Parameters
    ----------
    kind : "gru" reads the days in order and keeps a state; "conv" looks for patterns of two convolutions over days.
    hidden : width.
    static : number of properties of the place given beside the rain.
    """

    def __init__(self, kind: Literal["gru", "conv"] = "gru", hidden: int = 16, static: int = 0) -> None:
        super().__init__()
        self.kind = kind
        if kind == "gru":
            self.encoder: nn.Module = nn.GRU(1, hidden, batch_first=True)
        elif kind == "conv":
            self.encoder = nn.Sequential(
                nn.Conv1d(1, hidden, 5, padding=2), nn.ReLU(), nn.Conv1d(hidden, hidden, 5, padding=2), nn.ReLU()
            )
        else:
            raise ValueError(f"kind '{kind}': known are gru and conv")
        summary = hidden if kind == "gru" else 3 * hidden
        self.head = nn.Sequential(nn.Linear(summary + static, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, rain: torch.Tensor, static: torch.Tensor | None = None) -> torch.Tensor:
        """(events,) logits of (events, days) scaled rain and (events, static) properties."""
        if self.kind == "gru":
            summary = self.encoder(rain[..., None])[1][-1]
        else:
            features = self.encoder(rain[:, None])
            # when it rained matters: the last day stands beside the mean and the strongest
            summary = torch.cat([features.mean(-1), features.amax(-1), features[..., -1]], dim=1)
        if static is not None:
            summary = torch.cat([summary, static], dim=1)
        logits: torch.Tensor = self.head(summary)[:, 0]
        return logits


class RainfallHistoryModel:
    """`RainfallHistoryClassifier` with its scaling and training.

    Rain enters as ln(1 + mm), divided by the standard deviation of that in training; properties of the place as
    z-scores of training. Both classes weigh the same. Deterministic from the seed.
    """

    def __init__(self, settings: HistorySettings | Mapping[str, Any] | None = None) -> None:
        given = settings if isinstance(settings, HistorySettings) else HistorySettings(**(settings or {}))
        self.settings = given

    def fit(self, rain: np.ndarray, labels: np.ndarray, static: np.ndarray | None = None) -> "RainfallHistoryModel":
        """Learn from (events, days) mm, (events,) labels and (events, k) properties of the place."""
        s = self.settings
        self.spread = float(np.log1p(rain).std()) or 1.0
        if static is not None:
            self.centre, self.scale = static.mean(axis=0), np.where(static.std(axis=0) > 0, static.std(axis=0), 1)
        x, z = self._tensors(rain, static)
        y = torch.as_tensor(np.asarray(labels), dtype=torch.float32)
        weight = (y == 0).sum() / (y == 1).sum().clamp(min=1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(s.seed)
            self.network = RainfallHistoryClassifier(s.kind, s.hidden, 0 if static is None else static.shape[1])
            optimiser = torch.optim.AdamW(self.network.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay)
            loss_of = nn.BCEWithLogitsLoss(pos_weight=weight)
            for _ in range(s.epochs):
                for part in torch.split(torch.randperm(len(y)), s.batch):
                    optimiser.zero_grad()
                    loss_of(self.network(x[part], None if z is None else z[part]), y[part]).backward()
                    optimiser.step()
        self.network.eval()
        return self

    @torch.inference_mode()
    def predict(self, rain: np.ndarray, static: np.ndarray | None = None) -> np.ndarray:
        """(events,) probability of a landslide, both classes taken as equally frequent."""
        x, z = self._tensors(rain, static)
        return torch.sigmoid(self.network(x, z)).numpy()

    def _tensors(self, rain: np.ndarray, static: np.ndarray | None) -> tuple[torch.Tensor, torch.Tensor | None]:
        x = torch.as_tensor(np.log1p(rain) / self.spread, dtype=torch.float32)
        if static is None:
            return x, None
        return x, torch.as_tensor((static - self.centre) / self.scale, dtype=torch.float32)
