"""The outline of landslides as a target, and the model that is trained on it."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from slipmap.config.training import TrainingSettings
from slipmap.models import create_model
from slipmap.models.blocks.boundary import boundary_loss, boundary_of
from slipmap.training.losses import bce
from slipmap.training.module import SegmentationModule


def test_outline_of_a_square():
    mask = torch.zeros(1, 7, 8, dtype=torch.uint8)
    mask[0, 2:6, 2:] = 1  # to the right edge, which is no outline
    mask[0, 0, 0] = 255
    outline, known = boundary_of(mask)
    assert outline[0].int().tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 1, 1, 1],
        [0, 1, 1, 1, 1, 1, 1, 1],
        [0, 1, 1, 0, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 1, 1, 1],
        [0, 1, 1, 1, 1, 1, 1, 1],
    ]
    assert (known[0] == 0).nonzero().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_outline_is_the_morphological_gradient():
    mask = np.random.default_rng(0).random((3, 20, 24)) > 0.6
    square = np.ones((1, 3, 3))
    expected = ndimage.binary_dilation(mask, square) & ~ndimage.binary_erosion(mask, square, border_value=1)
    outline, known = boundary_of(torch.from_numpy(mask.astype(np.uint8)))
    assert np.array_equal(outline.numpy(), expected) and known.all()


def test_outline_and_rest_weigh_the_same():
    mask = torch.zeros(1, 12, 12, dtype=torch.uint8)
    mask[0, 4:8, 4:8] = 1
    share = boundary_of(mask)[0].mean()
    # at a logit of 0 every pixel costs ln 2; either side weighs share · (1 - share)
    expected = 2 * share * (1 - share) * np.log(2)
    assert boundary_loss(torch.zeros(1, 12, 12), mask).item() == pytest.approx(expected.item(), rel=1e-6)
    assert boundary_loss(torch.zeros(1, 12, 12), torch.zeros_like(mask)).item() == 0
    assert boundary_loss(torch.zeros(1, 12, 12), torch.full_like(mask, 255)).item() == 0


def test_shapeformer_is_trained_on_the_outline_too():
    torch.manual_seed(0)
    model = create_model("shapeformer_pvtv2b0", 3, 1, width=1 / 4, drop_path=0.0, boundary_weight=0.5)
    image, mask = torch.randn(2, 3, 40, 33), torch.zeros(2, 40, 33, dtype=torch.uint8)
    mask[:, 10:20, 10:20] = 1
    model.eval()

    def loss(logits, target):
        return bce(logits[:, 0], target)

    logits, boundary = model.forward_with_boundary(image)
    assert boundary.shape == (2, 1, 40, 33)
    torch.testing.assert_close(model(image), logits)
    expected = loss(logits, mask) + 0.5 * boundary_loss(boundary[:, 0], mask)
    torch.testing.assert_close(model.objective(model, image, mask, loss), expected)

    model.objective(model, image, mask, lambda logits, target: 0 * logits.sum()).backward()
    for name, weight in model.named_parameters():
        assert (weight.grad.abs().max() > 0) == (name.split(".")[0] not in ("mix", "classify")), name

    module = SegmentationModule(model, TrainingSettings(loss={"bce": 1.0}), 1, 1)
    module.channels_last, module._network = False, [model]
    torch.testing.assert_close(module.training_step((image, mask), 0), expected)


def test_other_models_are_trained_on_their_logits_alone():
    model = create_model("unet", 3, 1, width=1 / 8)
    seen = []
    value = model.objective(lambda x: seen.append(x) or x, torch.ones(1), torch.zeros(1), lambda a, b: a - b)
    assert value == 1 and len(seen) == 1
