"""The JSON Schema of a config, generated from the settings models (editors complete and check with it)."""

import json
from pathlib import Path

from slipmap.checkout import SCHEMA
from slipmap.config.run import RunSettings
from slipmap.io.atomic import write_text


def schema_text() -> str:
    """The schema as it should stand in ``workflow/schemas/config.schema.json``."""
    schema = RunSettings.model_json_schema()
    # an area or an experiment may also be given as the path of a config file that holds it
    for section in ("areas", "experiments"):
        value = schema["properties"][section]["additionalProperties"]
        path = {"type": "string", "description": "Config file that holds the entry of this name."}
        schema["properties"][section]["additionalProperties"] = {"anyOf": [value, path]}
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema, indent=2) + "\n"


def write_schema(path: str | Path = SCHEMA) -> None:
    """Write the schema to `path`."""
    write_text(path, schema_text())
