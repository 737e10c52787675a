"""What a user may set of an architecture: a default, and which other values are allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes
    ----------
    default : the value when it is not given; others must be of its type (whole numbers pass for numbers).
    choices : the values allowed; None: not a matter of choice.
    minimum, maximum, above : bounds of a number, or of each number of a list; `above` is not allowed itself.
    length : number of items of a list; None: one or more.
    """

    default: Any
    choices: tuple[Any, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    length: int | None = None

    @classmethod
    def of(cls, given: object) -> Option:
        """The option that a literal stands for: ``{"default": 0.2, "minimum": 0}``, or the default alone."""
        return cls(**given) if isinstance(given, dict) else cls(given)

    def wrong(self, value: object) -> str:
        """Return what to give instead of `value`, empty if it is allowed."""
        if self.choices is not None:
            allowed = any(value == choice and type(value) is type(choice) for choice in self.choices)
            return "" if allowed else f"choose one of: {', '.join(map(repr, self.choices))}"
        if not isinstance(self.default, tuple):
            return "" if self._fits(value, self.default) else f"give {self._wanted(self.default)}"
        right = isinstance(value, list | tuple) and len(value) == (self.length or max(1, len(value)))
        if right and isinstance(value, list | tuple) and all(self._fits(item, self.default[0]) for item in value):
            return ""
        return f"give {self.length or 'one or more'} items in a list, each {self._wanted(self.default[0])}"

    def _fits(self, value: object, like: object) -> bool:
        if isinstance(like, bool) or isinstance(value, bool) or not isinstance(like, int | float):
            return type(value) is type(like)
        if not isinstance(value, int if isinstance(like, int) else (int, float)):
            return False
        return (  # not a number (NaN) compares false with every bound
            (self.minimum is None or value >= self.minimum)
            and (self.maximum is None or value <= self.maximum)
            and (self.above is None or self.above < value < float("inf"))
        )

    def allowed(self) -> str:
        """Return which values are allowed, to stand behind the default; empty where any of its type is."""
        if self.choices is not None:
            return f" (one of {', '.join(map(repr, self.choices))})"
        like = self.default[0] if isinstance(self.default, tuple) else self.default
        return "" if isinstance(like, bool | str) else f" ({self._wanted(like)})"

    def _wanted(self, like: object) -> str:
        if isinstance(like, bool):
            return "true or false"
        if not isinstance(like, int | float):
            return "text"
        bounds = {"at least": self.minimum, "at most": self.maximum, "greater than": self.above}
        said = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)
        return f"{'a whole number' if isinstance(like, int) else 'a number'} {said}".strip()


#: Every architecture has it: the multiplier of all channel numbers.
WIDTH = Option(1.0, above=0)
