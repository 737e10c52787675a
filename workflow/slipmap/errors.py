"""Errors that a user can cause, each one sentence: which file or key, what is wrong, what to do."""

import difflib
from collections.abc import Iterable


class SlipmapError(Exception):
    """Base class of every error that slipmap raises on purpose."""


class InputError(SlipmapError):
    """A file or setting that the user gave cannot be used; the message is one sentence for that user."""


class SupersededError(SlipmapError):
    """This job belongs to a run that has ended; another run owns the results now."""


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
