"""What every settings model shares: closed, described, immutable."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A closed section of the config: a key that it does not have is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=False)
