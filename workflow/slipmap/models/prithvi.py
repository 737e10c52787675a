"""Prithvi-EO-2.0, a foundation model of optical satellite images, with a decoder that segments."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from slipmap.models.backbones.prithvi import PrithviEncoder
from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.conv_norm import ConvNormReLU
from slipmap.models.blocks.resize import resize_like
from slipmap.models.blocks.upernet import Pyramid, UNetDecoder, UPerNet

ARCHITECTURES = {
    "Prithvi": {
        "title": "Prithvi-EO-2.0",
        "paper": "Szwarcman et al. (Prithvi-EO-2.0) 2024, arXiv:2412.02732",
        "names": {
            "prithvi_eo_v2_tiny": {
                "fixed": {"dim": 192, "heads": 3, "patch": 16},
                "options_of": "prithvi_eo_v2_300",
                "options": {"depth": {"default": 12, "minimum": 4}},
                "parameters": 13_505_857,
                "advice": "smallest foundation model; for its published weights (training.encoder_weights)",
            },
            "prithvi_eo_v2_100": {
                "fixed": {"dim": 768, "heads": 12, "patch": 16},
                "options_of": "prithvi_eo_v2_300",
                "options": {"depth": {"default": 12, "minimum": 4}},
                "parameters": 102_664_321,
                "advice": "foundation model that a small GPU can fine-tune; for its published weights",
            },
            "prithvi_eo_v2_300": {
                "fixed": {"dim": 1024, "heads": 16, "patch": 16},
                "options": {
                    "depth": {"default": 24, "minimum": 4},
                    "decoder": {"default": "upernet", "choices": ("upernet", "unet")},
                    "features": {"default": 256, "minimum": 8},
                    "dropout": {"default": 0.1, "minimum": 0, "maximum": 1},
                    "drop_path": {"default": 0.0, "minimum": 0, "maximum": 0.99},
                },
                "parameters": 326_671_745,
                "advice": "foundation model, few labels and bands B2 B3 B4 B8A B11 B12; for its published weights",
            },
            "prithvi_eo_v2_600": {
                "fixed": {"dim": 1280, "heads": 16, "patch": 14},
                "options_of": "prithvi_eo_v2_300",
                "options": {"depth": {"default": 32, "minimum": 4}},
                "parameters": 662_135_425,
                "advice": "largest foundation model; a large GPU and its published weights",
            },
        },
    },
}


class Prithvi(SegmentationModel):
    """The encoder of Prithvi-EO-2.0 on one date, four of its depths as a pyramid, and a decoder.

    Szwarcman et al. 2024, arXiv:2412.02732. The parameters below ``encoder.`` have the names and shapes of the
    published weights, which ``training.encoder_weights`` loads from a file.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    dim, heads, patch
        Channels, attention heads and side of a patch, as published.
    width
        Multiplier of the channels of a head and of the decoder; weights are published for 1.
    depth
        Blocks; weights are published for the default.
    decoder
        ``"upernet"`` (Xiao et al. 2018; the published fine-tunings) or ``"unet"``.
    features
        Channels of the decoder.
    dropout
        Probability of dropping a channel before the last convolution.
    drop_path
        Probability of dropping a residual branch of the last block, growing linearly from 0 in the first.
    """

    readings = (
        "One date: the composite. The embeddings of date and place of the TL weights are left out, as upstream allows; "
        "their two scales, and the decoder of pretraining, are the tensors of a published file that are not loaded. "
        "Positions are fixed by formula and made again. Bands of ours that pretraining had not begin with kernels of 0."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        dim: int,
        heads: int,
        patch: int,
        width: float,
        depth: int,
        decoder: Literal["upernet", "unet"],
        features: int,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__(in_channels, classes)
        self.stride = patch
        dim = heads * scale_channels((dim // heads,), width, divisor=16)[0]  # positions take sixteenths of it
        features = scale_channels((features,), width)[0]
        self.encoder = PrithviEncoder(in_channels, dim, depth, heads, patch, drop_path)
        self.pyramid = Pyramid(dim)
        self.decoder = (UPerNet if decoder == "upernet" else UNetDecoder)(dim, features)
        self.head = nn.Sequential(
            ConvNormReLU(features, features // 2), nn.Dropout2d(dropout), nn.Conv2d(features // 2, classes, 1)
        )

    def _forward(self, x: Tensor) -> Tensor:
        return resize_like(self.head(self.decoder(self.pyramid(self.encoder(x)))), x)
