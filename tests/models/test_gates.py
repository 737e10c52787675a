"""No attention is dead from the start, however narrow the model: every weight gets a gradient, whatever the seed."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from slipmap.models import create_model, list_models
from slipmap.models.blocks.cbam import CBAM
from slipmap.models.blocks.ema import EMA, fitting_factor
from slipmap.models.blocks.squeeze import squeeze_layer

NAMES = ("attention", "cbam", "channel", "gam", "parneta", "dema", "rma", "emr", "se_", "drs", "sru", "bru", "sbconv")
ATTENTIVE = [
    *(name for name in list_models() if any(part in name for part in NAMES)),
    "enhanced_unet",
    "fcadensenet",
    "msasnet",
    "segformer_b0",
    "shapeformer_pvtv2b0",
]


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", ATTENTIVE)
def test_every_weight_of_a_narrow_attention_network_is_trained(name):
    side = 64 if "former" in name else 32  # attention among tokens needs more than one at stride 32
    for seed in range(6):
        torch.manual_seed(seed)
        model = create_model(name, 14, 1, width=1 / 8, **({"blocks": 1} if "hrnet" in name else {})).train()
        logits = model(torch.randn(4, 14, side, side))
        binary_cross_entropy_with_logits(logits, (torch.rand_like(logits) > 0.9).float()).backward()
        dead = [key for key, weight in model.named_parameters() if weight.grad is None or not weight.grad.abs().any()]
        assert dead == [], f"seed {seed}"


@pytest.mark.parametrize("channels", [4, 5, 8, 64])
def test_some_hidden_unit_is_on_whatever_the_input(channels):
    layer = squeeze_layer(channels, 5)
    x = 10 * torch.randn(500, channels, 1, 1)
    assert ((layer(x) > 0).sum(dim=1) >= 2).all()  # of two pairs, one each


def test_published_widths_are_as_published():
    """The floor is below what the reductions of the papers leave: 64 / 16 channels."""
    assert CBAM(64)[0].mlp[0].out_channels == 4
    assert CBAM(512)[0].mlp[0].out_channels == 32


@pytest.mark.parametrize(
    ("channels", "factor", "expected"), [(32, 8, 8), (32, 32, 16), (4, 8, 2), (6, 8, 3), (3, 8, 1)]
)
def test_groups_of_attention_fit_a_narrow_branch(channels, factor, expected):
    assert fitting_factor(channels, factor) == expected
    EMA(channels, expected)
