"""The tests that every architecture has to pass, written once.

A test file of a family names its models and the options that make each small::

    from models_contract import ModelContract

    class TestUNets(ModelContract):
        cases = {"unet": {"width": 1 / 16}, "segnet": {"width": 1 / 16}}

``tests/models/test_index.py`` checks that every model of the index stands in one such table.
"""

from __future__ import annotations

import copy
from fnmatch import fnmatch
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from slipmap.models import create_model
from slipmap.models.base import SegmentationModel
from slipmap.models.export import export_onnx

SIZES = ((1, 1), (5, 40), (33, 47), (64, 64))


class ModelContract:
    """Inherit and set ``cases``: registered name → options that make the model small.

    Attributes
    ----------
    cases
        Options for each name; dropout has to be 0 in them where the model has some, for the overfitting test.
    train_size
        Height and width of the patches that the backward and overfitting tests train on.
    steps, learning_rate
        Largest number of Adam steps in which four patches have to be overfitted, and their rate.
    onnx_tolerance
        Largest difference between ONNX Runtime and eager logits beyond rounding, relative to the largest logit.
    """

    cases: ClassVar[dict[str, dict[str, Any]]] = {}
    train_size: ClassVar[int] = 32
    steps: ClassVar[int] = 120
    learning_rate: ClassVar[float] = 5e-3
    onnx_tolerance: ClassVar[float] = 2e-5

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.pytestmark = [pytest.mark.parametrize(("name", "options"), list(cls.cases.items()), ids=list(cls.cases))]

    @pytest.fixture(autouse=True)
    def one_thread(self):
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        yield
        torch.set_num_threads(threads)

    @staticmethod
    def build(name: str, options: dict[str, Any], in_channels: int = 5, classes: int = 1, seed: int = 0):
        torch.manual_seed(seed)
        return create_model(name, in_channels, classes, **options)

    @pytest.mark.parametrize(("in_channels", "classes"), [(3, 1), (14, 2)])
    def test_logits_have_the_size_of_the_input(self, name, options, in_channels, classes):
        model = self.build(name, options, in_channels, classes).eval()
        for size in SIZES:
            with torch.no_grad():
                logits = model(torch.randn(2, in_channels, *size))
            assert logits.shape == (2, classes, *size)
            assert torch.isfinite(logits).all()

    def test_gradient_reaches_every_parameter(self, name, options):
        """Over several seeds: in a narrow model, the only ReLU on a path may be off for all inputs."""
        unreached = None
        for seed in range(8):
            model = self.build(name, options, seed=seed).double().train()
            x = torch.randn(2, 5, 2 * self.train_size, 2 * self.train_size, dtype=torch.float64)
            logits = model(x)
            (logits * torch.randn_like(logits)).sum().backward()
            zero = {
                key
                for key, parameter in model.named_parameters()
                if parameter.grad is None or not parameter.grad.abs().max() > 0
            }
            unreached = zero if unreached is None else unreached & zero
            by_design = {
                key for key in dict(model.named_parameters()) if any(fnmatch(key, p) for p in model.untrained_by_design)
            }
            if unreached == by_design:
                break
        assert unreached == by_design

    def test_a_batch_of_one_trains_in_mixed_precision_channels_last(self, name, options):
        """The last batch of an epoch may hold one patch."""
        model = self.build(name, options).to(memory_format=torch.channels_last).train()
        x = torch.randn(1, 5, 2 * self.train_size, 2 * self.train_size).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(x)
        logits.float().square().mean().backward()
        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        assert torch.isfinite(logits).all()
        assert all(torch.isfinite(gradient).all() for gradient in gradients)

    def test_saved_and_loaded_model_is_equal(self, name, options, tmp_path):
        model = self.build(name, options, classes=2)
        x = torch.randn(2, 5, 2 * self.train_size, 2 * self.train_size)
        with torch.no_grad():
            model.train()(x)  # so that the running statistics differ from a new model's
        model.eval()
        save_file(model.state_dict(), tmp_path / "weights.safetensors")
        torch.manual_seed(99)
        other = create_model(**model.config).eval()
        assert not equal_logits(model, other, x)
        other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
        assert equal_logits(model, other, x)

    def test_the_seed_decides_the_weights(self, name, options):
        x = torch.randn(1, 5, self.train_size, self.train_size)
        one, same, other = (self.build(name, options, seed=seed).eval() for seed in (3, 3, 4))
        assert equal_logits(one, same, x)
        assert not equal_logits(one, other, x)

    def test_onnx_equals_eager_at_two_sizes(self, name, options, tmp_path):
        pytest.importorskip("onnx", reason="onnx, which writes the file, is not installed")
        runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime, which runs the file, is not installed")
        model = self.build(name, options, classes=2)
        settle_statistics(model, torch.randn(8, 5, 2 * self.train_size, 2 * self.train_size))
        path = tmp_path / "model.onnx"
        export_onnx(model, path)
        session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for batch, height, width in ((1, 64, 96), (2, 50, 37)):
            x = torch.randn(batch, 5, height, width)
            with torch.no_grad():
                eager = model(x).numpy()
                exact = copy.deepcopy(model).double()(x.double()).numpy()
            (onnx,) = session.run(None, {"image": x.numpy()})
            # Deep or gated models amplify rounding: allow ten times what float32 itself loses.
            rounding = np.abs(eager - exact).max()
            tolerance = self.onnx_tolerance * max(1.0, np.abs(eager).max()) + 10 * rounding
            np.testing.assert_allclose(onnx, eager, rtol=0, atol=tolerance)
            assert rounding < 0.05 * max(1.0, np.abs(eager).max())

    def test_four_patches_are_overfitted(self, name, options):
        model = self.build(name, options).train()
        x, y = four_patches(self.train_size)
        optimiser = torch.optim.Adam(model.parameters(), lr=self.learning_rate)
        score = 0.0
        for _ in range(self.steps):
            logits = model(x)
            score = intersection_over_union(logits > 0, y > 0)
            if score > 0.9:
                break
            optimiser.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(logits, y).backward()
            optimiser.step()
        assert score > 0.9


def equal_logits(one: SegmentationModel, other: SegmentationModel, x: Tensor) -> bool:
    with torch.no_grad():
        return torch.equal(one(x), other(x))


def settle_statistics(model: SegmentationModel, x: Tensor) -> None:
    """Set the running statistics of every batch normalisation to those of one batch, as training would."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model.train()(x)
    model.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def four_patches(size: int) -> tuple[Tensor, Tensor]:
    """Return four simulated patches of five bands, a rectangle in one noisy band of each."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(4, 5, size, size, generator=generator)
    y = torch.zeros(4, 1, size, size)
    half, quarter = size // 2, size // 4
    for index, (row, column) in enumerate(((0, 0), (0, half), (half, 0), (quarter, quarter))):
        y[index, 0, row : row + half, column : column + half] = 1
    x[:, :1] += 2 * y
    return x, y


def intersection_over_union(predicted: Tensor, truth: Tensor) -> float:
    return ((predicted & truth).sum() / (predicted | truth).sum().clamp(min=1)).item()
