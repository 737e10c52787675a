"""What is known of a factor: one record, light enough to be read while the workflow is planned."""

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Maker = Callable[..., Any]
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Ramp:
    """How the maps of the report colour a factor.

    Parameters
    ----------
    colours
        A matplotlib colour map.
    limits
        Values at its ends; None: percentiles of what is shown.
    centred
        The middle of the ramp is 0, for what has two signs.
    """

    colours: str = "viridis"
    limits: tuple[float, float] | None = None
    centred: bool = False


TWO_SIGNS = Ramp("PuOr", centred=True)


@dataclass(frozen=True)
class Direction:
    """A factor that turns with the ground when a patch is mirrored or turned.

    Parameters
    ----------
    part
        "east" or "north" component of a vector, or "azimuth": degrees clockwise from north.
    of
        What points there. Two components of one vector name the same.
    """

    part: Literal["east", "north", "azimuth"]
    of: str


@dataclass(frozen=True)
class Factor:
    """One factor, or a family of which there are any number.

    Parameters
    ----------
    name
        The factor's name, which is also its file's and its band's; of a family a pattern with one whole number in it,
        such as ``tpi_{metres}``.
    family
        What makes it: "terrain" (one function of a block of ground, see `slipmap.factors.block`), or "hydrology",
        "lithology", "optical", "rain", "soil", "proximity", "deformation", "motion", "event", "risk_index" (one pass
        makes several).
    needs
        Keys of an area's config without which it cannot be made: ``inputs.dem``.
    units
        Of its values; "1" where there are none, "class" for codes of classes.
    long_name
        Title, in words. ``{metres}`` stands for the number in a family's name; other braces for what is known only
        when the factor is made, such as the ``{period}`` of rain.
    compute
        The function that makes it, or ``"package.module:function"``, imported when the factor is made.
    default
        Made wherever the inputs allow it, unless the config says otherwise.
    listed
        The list in the config that must name its stem for it to be a default one: ``optical.bands``.
    uses
        Other factors that it is computed from.
    reach
        Pixels around a pixel that its function looks at, or ``"package.module:function"`` of the number in its name
        (None if it has none), the pixel size (x, y) in metres and the settings.
    least
        Smallest number in a family's name.
    limits
        Values outside of which something is wrong.
    style
        Colours in the report.
    direction
        Whether, and how, it turns with the ground.
    tags
        Tags of its raster → text, in which ``{settings.…}`` is a setting of its family.
    gaps
        Known only where a measurement is reliable, so that a network has to do without it at some pixels.
    package
        The package that registered it; "" for slipmap's own.
    """

    name: str
    family: str
    needs: tuple[str, ...]
    units: str
    long_name: str
    compute: str | Maker
    default: bool = False
    listed: str | None = None
    uses: tuple[str, ...] = ()
    reach: int | str | Maker = 0
    least: int = 1
    limits: tuple[float, float] | None = None
    style: Ramp = Ramp()
    direction: Direction | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    gaps: bool = False
    package: str = ""

    @cached_property
    def is_family(self) -> bool:
        """Whether the record stands for any number of factors."""
        return bool(_PLACE.search(self.name))

    @cached_property
    def regex(self) -> str:
        """Regular expression of the names that it stands for."""
        number = r"[1-9]\d*" if self.least else r"(?:0|[1-9]\d*)"
        head, _, tail = (re.escape(part) for part in self._around())
        return head + (number if self.is_family else "") + tail

    def matches(self, name: str) -> bool:
        """Whether `name` is this factor or one of the family."""
        return name == self.name if not self.is_family else bool(re.fullmatch(self.regex, name))

    def number(self, name: str) -> int | None:
        """Return the number in the name of a factor of the family; None if this is a single factor."""
        head, place, tail = self._around()
        return int(name[len(head) : len(name) - len(tail)]) if place else None

    def title(self, name: str, **known: object) -> str:
        """Return the long name of the factor `name`; `known` are the words for what stands in braces."""
        place = self._around()[1]
        number: dict[str, object] = {place: self.number(name)} if place else {}
        return self.long_name.format(**(number | known))

    def described(self, settings: object) -> dict[str, str]:
        """Return the tags of the raster, filled in from the `settings` of the family."""
        return {key: text.format(settings=settings) for key, text in self.tags.items()}

    def function(self) -> Maker:
        """Import and return the function that makes the factor."""
        return resolve(self.compute)

    def reach_of(self, name: str, resolution: tuple[float, float], settings: object) -> int:
        """Return the pixels around a pixel that the factor `name` looks at."""
        if isinstance(self.reach, int):
            return self.reach
        return int(resolve(self.reach)(self.number(name), resolution, settings))

    def _around(self) -> tuple[str, str, str]:
        """What stands before the placeholder of the name, its word, and what stands after it."""
        found = _PLACE.search(self.name)
        return (self.name[: found.start()], found[1], self.name[found.end() :]) if found else (self.name, "", "")


def resolve(reference: str | Maker) -> Maker:
    """Return the function that ``"package.module:function"`` names (or that is given)."""
    if callable(reference):
        return reference
    module, _, name = reference.partition(":")
    found: Maker = getattr(importlib.import_module(module), name)
    return found
