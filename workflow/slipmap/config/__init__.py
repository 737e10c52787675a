"""Typed, closed, described settings: one module for each stage, `run` for the whole, `load` to read them.

What is named here is imported when it is asked for: a job needs the settings of its own stage alone, and building the
models of all stages takes longer than many a job.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slipmap.config.load import parse_config, read_config
    from slipmap.config.run import AreaSettings, ExperimentSettings, RunSettings

__all__ = ["AreaSettings", "ExperimentSettings", "RunSettings", "parse_config", "read_config"]
_MODULES = {"load": ("parse_config", "read_config"), "run": ("AreaSettings", "ExperimentSettings", "RunSettings")}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"slipmap.config.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
