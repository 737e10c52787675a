"""Work on many items in a few threads, in order, with few of them in memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> list[Result]:
    """What `work` makes of each item, in order, by a few threads, as those of `in_parallel`."""
    if threads == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


def in_parallel(
    items: Iterable[Item],
    compute: Callable[..., Result],
    threads: int,
    *,
    load: Callable[[Item], object] | None = None,
    held: int | None = None,
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, result) in order; the first error of an item is raised in its place.

    Parameters
    ----------
    compute : works on an item, or on what `load` made of it, in one of `threads` threads. It must release the
        interpreter's lock (NumPy, numba with nogil, GDAL) to gain anything.
    load : runs here, one item after another: for what only one thread may do (read from an open data set).
    held : items loaded or computed at once, so that memory does not grow with their number; None: ``threads + 1``.
    """
    load = load or (lambda item: item)
    if threads == 1 and held is None:
        for item in items:
            yield item, compute(load(item))
        return
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append((item, pool.submit(compute, load(item))))
            if len(waiting) >= (held or threads + 1):
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()
