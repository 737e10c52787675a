"""Trained models as one predictor: seeds, mirrored views, Monte Carlo dropout."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from slipmap.errors import InputError
from slipmap.training.calibration import Calibration
from slipmap.training.losses import landslide_logit

# axes that are mirrored → the same as (mirrored left–right, then turned by so many quarters)
_VIEWS = {(): (False, 0), (3,): (True, 0), (2,): (True, 2), (2, 3): (False, 2)}
_DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


class Predictor(Protocol):
    """What turns tiles into the first two moments of the landslide probability over an ensemble's members."""

    def __call__(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """Take (n, channels, tile, tile); give mean of p and mean of p², each (n, tile, tile) float32."""


class Ensemble:
    """Trained models, each seen under mirrored views and with dropout, as one `Predictor`.

    Parameters
    ----------
    models : (model, calibration).
    flips : test-time augmentation: also predict each tile mirrored (left–right, up–down, both) and mirror back.
    turn_directions : as `slipmap.training.augment.BatchAugmentation.turn_directions`: turns the channels that are
        directions (the aspect) with the mirrored ground, as training does; None where the channels hold none.
    dropout_samples : Monte Carlo dropout (Gal & Ghahramani, ICML 2016): so many members more for each model and view,
        with dropout switched on. A sample draws the same masks for every batch: it is one thinned network for the
        whole area, and the map does not depend on how the area is divided.

    Raises
    ------
    InputError : dropout is asked for and a model has none.
    """

    def __init__(
        self,
        models: Sequence[tuple[nn.Module, Callable[[Tensor], Tensor] | Calibration]],
        *,
        flips: bool,
        dropout_samples: int = 0,
        turn_directions: Callable[[Tensor, bool, int], None] | None = None,
    ) -> None:
        self.models = list(models)
        self.views = list(_VIEWS) if flips else [()]
        self.turn_directions = turn_directions
        self.dropout_samples = dropout_samples
        for model, _ in self.models:
            if dropout_samples and not any(isinstance(m, _DROPOUT) and m.p > 0 for m in model.modules()):
                name = getattr(model, "config", {}).get("name", type(model).__name__)
                raise InputError(
                    f"prediction.dropout_samples is {dropout_samples}, but {name} was trained without dropout; set it "
                    f"to 0 or train with the model's dropout option."
                )

    @property
    def members(self) -> int:
        """Number of predictions over which mean and spread are taken."""
        return len(self.models) * len(self.views) * max(1, self.dropout_samples)

    @torch.inference_mode()
    def __call__(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """See `Predictor`."""
        mean = square = torch.zeros((), device=tiles.device)
        for model, calibration in self.models:
            for view in self.views:
                for sample in range(max(1, self.dropout_samples)):
                    with _thinned(model, sample) if self.dropout_samples else _as_it_is():
                        logit = landslide_logit(model(self._seen(tiles, view)))
                    probability = calibration(logit).flip([axis - 1 for axis in view])
                    mean = mean + probability
                    square = square + probability**2
        return mean / self.members, square / self.members

    def _seen(self, tiles: Tensor, view: tuple[int, ...]) -> Tensor:
        """The tiles mirrored along the axes of `view`, directions included."""
        mirrored = tiles.flip(view)  # a copy
        if view and self.turn_directions is not None:
            self.turn_directions(mirrored, *_VIEWS[view])
        return mirrored


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


@contextmanager
def _thinned(model: nn.Module, sample: int) -> Iterator[None]:
    """Switch dropout on, with the masks of `sample`; everything else stays in evaluation mode."""
    layers = [module for module in model.modules() if isinstance(module, _DROPOUT)]
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(sample)
        for layer in layers:
            layer.train()
        try:
            yield
        finally:
            for layer in layers:
                layer.eval()
