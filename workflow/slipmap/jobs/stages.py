"""Which stage a rule belongs to: the rule file that it stands in."""

import re
from functools import cache

from slipmap.checkout import CHECKOUT

STAGES = (
    *("inputs", "fetch", "deformation", "factors", "screening", "patches", "susceptibility"),
    *("training", "prediction", "report"),
)
STAGE_OF_FILE = {"sentinel1": "deformation"}  # geocoding raw data is the first part of that stage
_NAMES = r"^(?:rule|checkpoint) (\w+):|^\s*use rule \w+ as (\w+) with:|^\s+name: f\"(\w+)_\{"


@cache
def stage_of_rule() -> dict[str, str]:
    """Rule → stage."""
    found = {}
    for path in (CHECKOUT / "workflow/rules").glob("*.smk"):
        for name in re.findall(_NAMES, path.read_text(encoding="utf-8"), re.MULTILINE):
            found["".join(name)] = STAGE_OF_FILE.get(path.stem, path.stem)
    return found
