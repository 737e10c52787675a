"""The contract for HRNetV2, EMR-HRNet and the attentions that are compared with it."""

from typing import ClassVar

from helpers.models_contract import ModelContract

PLAIN = {"width": 1 / 4, "blocks": 1}
SMALL = PLAIN | {"dropout": 0.0}


class TestHRNets(ModelContract):
    cases: ClassVar = {
        "hrnetv2_w18": SMALL,
        "hrnetv2_w32": SMALL,
        "hrnetv2_w48": SMALL | {"width": 1 / 8},
        "emr_hrnet": SMALL,
        "hrnet_dema": SMALL,
        "hrnet_rma": SMALL,
        "hrnet_gam": SMALL,
        "hrnet_parneta": SMALL,
        "hrnet_cbam": SMALL,
    }
