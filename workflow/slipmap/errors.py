"""Errors that a user can cause, each one sentence: which file or key, what is wrong, what to do."""

import difflib
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class SlipmapError(Exception):
    """Base class of every error that slipmap raises on purpose."""


class InputError(SlipmapError):
    """A file or setting that the user gave cannot be used; the message is one sentence for that user."""


class Faults:
    """What is wrong, gathered: a check that fails does not keep the next one from being made."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def of(self, check: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> _T | None:
        """What `check` returns, or None where it raises `InputError`, whose sentences are kept."""
        try:
            return check(*args, **options)
        except InputError as error:
            self.found += [sentence for sentence in str(error).split(NEXT) if sentence not in self.found]
            return None

    def add(self, sentence: str) -> None:
        """Keep a sentence."""
        if sentence not in self.found:
            self.found.append(sentence)

    def end(self) -> None:
        """Raise one `InputError` with every sentence on a line of its own, where there is one."""
        if self.found:
            raise InputError(NEXT.join(self.found))


NEXT = "\nslipmap: "  # each line begins as the first, which whoever prints an error begins so


class SupersededError(SlipmapError):
    """The job belongs to a run that has ended; another run owns the results now."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known name nearest to `name`, or the list of known names.

    Parameters
    ----------
    name : what the user typed.
    known : the names that would have been right.
    """
    known = sorted(map(str, known))
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known are: {', '.join(known)}." if known else "."
