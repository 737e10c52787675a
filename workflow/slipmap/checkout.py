"""Where the workflow's own files are: Snakefile, rules, profiles, schema, example configs."""

from pathlib import Path

_SOURCE = Path(__file__).parents[2]  # of an editable installation: the checkout itself
_PACKED = Path(__file__).parent / "workflow_files"  # of a wheel: copies, put there as it is built (setup.py)

CHECKOUT = _SOURCE if (_SOURCE / "Snakefile").is_file() else _PACKED
SNAKEFILE = CHECKOUT / "Snakefile"
CONFIG = CHECKOUT / "config"
SCHEMA = CHECKOUT / "workflow" / "schemas" / "config.schema.json"
BENCHMARKS = CHECKOUT / "benchmarks"  # in a checkout only
