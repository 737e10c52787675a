"""The contract for U-Net, SBConv's family and their relatives."""

from models_contract import ModelContract

SMALL = {"width": 1 / 8}


class TestUNets(ModelContract):
    cases = {"unet": SMALL}
