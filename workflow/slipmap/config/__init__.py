"""Typed, closed, described settings: one module for each stage, `run` for the whole, `load` to read them."""

from slipmap.config.load import load, parse
from slipmap.config.run import AreaSettings, ExperimentSettings, RunSettings

__all__ = ["AreaSettings", "ExperimentSettings", "RunSettings", "load", "parse"]
