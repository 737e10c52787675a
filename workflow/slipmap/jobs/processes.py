"""Independent pieces of one job on several cores."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from joblib import Parallel, delayed, parallel_config

from slipmap.jobs import runs

T = TypeVar("T")


def in_processes(function: Callable[..., T], given: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[T]:
    """``function(*one)`` for each of `given`, in their order, on `jobs` processes with one thread each.

    With one job nothing is started. The processes end with the run that this one is a job of.
    """
    if jobs == 1 or len(given) == 1:
        return (function(*one) for one in given)
    with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1, initializer=runs.join):
        pool = Parallel(return_as="generator", max_nbytes=None)
    found: Iterator[T] = pool(delayed(function)(*one) for one in given)
    return found
