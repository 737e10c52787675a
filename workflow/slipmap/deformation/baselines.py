"""Perpendicular baselines of a stack, from those that files give between some of its dates."""

from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import date


class Baselines:
    """Baselines between any two dates that are linked by given ones; found once, in a time linear in their number.

    Parameters
    ----------
    given : (first, second) → perpendicular baseline of the second relative to the first, m.
    """

    def __init__(self, given: Mapping[tuple[date, date], float]) -> None:
        self._given = dict(given)
        links: dict[date, list[tuple[date, float]]] = defaultdict(list)
        for (first, second), value in given.items():
            links[first].append((second, value))
            links[second].append((first, -value))
        self._place: dict[date, tuple[int, float]] = {}  # set of linked dates, baseline to one of them
        for number, start in enumerate(links):
            if start in self._place:
                continue
            self._place[start] = number, 0.0
            waiting = deque([start])
            while waiting:
                here = waiting.popleft()
                for there, value in links[here]:
                    if there not in self._place:
                        self._place[there] = number, self._place[here][1] + value
                        waiting.append(there)

    def between(self, first: date, second: date) -> float | None:
        """Baseline of `second` relative to `first` (m): as given, else by way of other dates; None: not known."""
        if (first, second) in self._given:
            return self._given[first, second]
        if first not in self._place or second not in self._place:
            return None
        (group, start), (other, end) = self._place[first], self._place[second]
        return end - start if group == other else None
