"""Every architecture uses what it is given: each input channel of each layer tells on the output.

A skip connection that is multiplied by zero, left out or joined at the wrong place leaves the weights that should see
it without a gradient; that of the whole tensor does not show it, that of each input channel does.
"""

import pytest
import torch
from torch import nn

from slipmap.models import create_model, list_models

SMALL = {"transunet_r50_vitb16": {"depth": 1, "heads": 2}}
SEEDS = 20


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def unused_channels(model):
    """(Layer, channel) of each input channel whose weights have no gradient."""
    unused = set()
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.ConvTranspose2d):
            gradient = torch.zeros_like(layer.weight) if layer.weight.grad is None else layer.weight.grad
            by_input = gradient if isinstance(layer, nn.ConvTranspose2d) else gradient.transpose(0, 1)
            dead = by_input.abs().flatten(1).sum(dim=1) == 0
            unused |= {(name, channel) for channel in dead.nonzero().flatten().tolist()}
    return unused


def built(name, seed):
    torch.manual_seed(seed)
    options = {"width": 1 / 8} | SMALL.get(name, {}) | ({"blocks": 1} if "hrnet" in name else {})
    return create_model(name, 4, 1, **options).train()


@pytest.mark.parametrize("name", list_models())
def test_every_input_channel_of_every_layer_is_used(name):
    """Over several seeds: one hidden unit of an attention, or of a model without normalisation, may start off."""
    unused = None
    for seed in range(SEEDS):
        model = built(name, seed)
        logits = model(torch.randn(2, 4, 64, 64))
        (logits * torch.randn_like(logits)).sum().backward()
        now = unused_channels(model)
        unused = now if unused is None else unused & now
        if not unused:
            return
    assert unused == set()


def test_a_skip_that_is_multiplied_by_zero_is_found():
    model = built("unet", 0)
    skips = [8, 16, 32, 64]  # channels, finest first; in the decoder's input they come before the upsampled ones
    for unit, width in zip(model.decoder, reversed(skips), strict=True):
        unit.register_forward_pre_hook(
            lambda module, inputs, width=width: torch.cat([0 * inputs[0][:, :width], inputs[0][:, width:]], dim=1)
        )
    model(torch.randn(2, 4, 64, 64)).square().sum().backward()
    expected = {(f"decoder.{level}.0", channel) for level in range(4) for channel in range(skips[3 - level])}
    assert unused_channels(model) == expected
