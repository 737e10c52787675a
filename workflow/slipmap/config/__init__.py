"""Typed, closed, described settings: one module for each stage, `run` for the whole, `load` to read them."""

from slipmap.config.load import parse_config, read_config
from slipmap.config.run import AreaSettings, ExperimentSettings, RunSettings

__all__ = ["AreaSettings", "ExperimentSettings", "RunSettings", "parse_config", "read_config"]
