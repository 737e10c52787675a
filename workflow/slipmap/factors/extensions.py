"""Factors of other packages: records that they register under the entry point ``slipmap.factors``."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint

from slipmap import plugins
from slipmap.errors import InputError
from slipmap.factors.record import Factor

GROUP = "slipmap.factors"


def load(own: Sequence[Factor]) -> list[Factor]:
    """Return the records that installed packages register, in the order of the packages' names.

    An entry point names one `Factor` or several (any iterable of them).

    Parameters
    ----------
    own
        slipmap's factors, whose names are taken.

    Raises
    ------
    InputError
        A package cannot be imported, registers something else, a name that is taken, or a factor that would be made
        without being asked for.
    """
    found: list[Factor] = []
    for entry in plugins.points(GROUP):
        for factor in _read(entry):
            _check(factor, plugins.package(entry), [*own, *found])
            found.append(replace(factor, family="terrain", package=entry.module.partition(".")[0]))
    return found


def _read(entry: EntryPoint) -> list[Factor]:
    given = plugins.load(entry, "factors")
    factors = [given] if isinstance(given, Factor) else list(given) if isinstance(given, Iterable) else [given]
    for factor in factors:
        if not isinstance(factor, Factor):
            raise InputError(
                f"The package '{plugins.package(entry)}' registers {type(factor).__name__} under {GROUP} "
                f"({entry.value}); it must be a slipmap.factors.record.Factor, or several."
            )
    return factors


def _check(factor: Factor, package: str, known: Sequence[Factor]) -> None:
    def is_taken_by(one: Factor) -> bool:
        return one.regex == factor.regex or one.matches(factor.name) or factor.matches(one.name)

    taken = next(filter(is_taken_by, known), None)
    if taken is not None:
        raise InputError(
            f"The package '{package}' registers the factor '{factor.name}', a name that "
            f"{taken.package or 'slipmap'} has taken; rename it or uninstall the package."
        )
    if factor.default:
        raise InputError(
            f"The package '{package}' registers '{factor.name}' as a default factor; a factor of another package is "
            f"made where a config names it (factors.extra): leave `default` out."
        )
    for need in factor.needs:
        if need != "inputs.dem":
            raise InputError(
                f"The package '{package}' registers '{factor.name}', which needs {need}; a factor of another package "
                f"is computed from inputs.dem and from other factors (`uses`)."
            )
