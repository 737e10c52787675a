"""Where a network of interferograms is weak: pairs without which it falls apart, baselines that are not known."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from slipmap.deformation.stack import END, Pair, Radar, network_dates

_SHOWN = 4


@dataclass(frozen=True)
class Bridge:
    """A pair without which the network falls in two.

    Parameters
    ----------
    name : of the pair. dates : on each side of it. hinge : whether one side is before it and the other after it, so
        that the velocity of every pixel hangs on this one phase.
    """

    name: str
    dates: tuple[int, int]
    hinge: bool


def bridges(pairs: Sequence[Pair]) -> list[Bridge]:
    """Pairs that no loop of others checks, with `END` dates or more on either side, in order of their dates."""
    edges: dict[date, list[tuple[date, Pair]]] = defaultdict(list)
    for pair in pairs:
        edges[pair.reference].append((pair.secondary, pair))
        edges[pair.secondary].append((pair.reference, pair))
    found: list[Bridge] = []
    for root in network_dates(pairs):
        if root in edges:
            found += _of_one_part(root, edges)
    return sorted(found, key=lambda bridge: bridge.name)


def _of_one_part(root: date, edges: dict[date, list[tuple[date, Pair]]]) -> Iterator[Bridge]:
    """The bridges of the part of the network that holds `root`, whose edges are taken out of `edges`.

    A pair of a spanning tree is a bridge if no other pair leads out of the branch that hangs on it.
    """
    parent: dict[date, tuple[date, Pair]] = {}
    order, queue = [root], deque([root])
    loops: dict[date, int] = defaultdict(int)  # a bit for each pair outside the tree that leads out of the branch
    bit = 1
    outside = set()
    while queue:
        day = queue.popleft()
        for other, pair in edges[day]:
            if other != root and other not in parent:
                parent[other] = (day, pair)
                order.append(other)
                queue.append(other)
            elif parent.get(day, (None, None))[1] is not pair and parent.get(other, (None, None))[1] is not pair:
                if id(pair) not in outside:
                    outside.add(id(pair))
                    loops[day] ^= bit
                    loops[other] ^= bit
                    bit <<= 1
    branch = {day: [day] for day in order}
    for day in reversed(order[1:]):
        above, pair = parent[day]
        one, all_dates = branch[day], len(order)
        if loops[day] == 0 and min(len(one), all_dates - len(one)) >= END:
            rest = set(order) - set(one)
            hinge = max(one) < min(rest) or max(rest) < min(one)
            sizes = len(one), len(rest)
            yield Bridge(pair.name, sizes if min(one) < min(rest) else sizes[::-1], hinge)
        loops[above] ^= loops[day]
        branch[above] += one
    for day in order:
        del edges[day]


def notes(pairs: Sequence[Pair], radar: Radar, by_date: Mapping[date, float | None] | None) -> list[str]:
    """What to know of a network before it is inverted, a sentence each.

    `by_date` are its baselines as `network.baselines_by_date` has them.
    """
    return [*_of_bridges(bridges(pairs), radar), *_of_baselines(pairs, by_date)]


def _of_bridges(found: Sequence[Bridge], radar: Radar) -> Iterator[str]:
    turn = f"a whole turn in it shifts one part against the other by {radar.wavelength * 500:.0f} mm"
    for bridge in found[:_SHOWN]:
        follows = (
            "no velocity counts as reliable then, and no active area is found"
            if bridge.hinge
            else "the series of the two parts are not checked against each other"
        )
        yield (
            f"without the pair {bridge.name} the network falls in two ({bridge.dates[0]} and {bridge.dates[1]} dates), "
            f"so that no other pair checks it and {turn}: {follows}; add a pair that joins the same parts"
        )
    if len(found) > _SHOWN:
        yield f"{len(found) - _SHOWN} more pairs without which the network falls in two"


def _of_baselines(pairs: Sequence[Pair], by_date: Mapping[date, float | None] | None) -> Iterator[str]:
    unknown = [pair for pair in pairs if pair.perpendicular_baseline is None]
    if not unknown:
        return
    if len(unknown) == len(pairs):
        yield "no perpendicular baseline is known, so that no DEM error is estimated"
        return
    named = ", ".join(pair.name for pair in unknown[:_SHOWN]) + ", ..." * (len(unknown) > _SHOWN)
    start = f"no file tells the perpendicular baseline of {len(unknown)} of {len(pairs)} pairs ({named})"
    if by_date is None:
        yield f"{start}; the others do not tell those of most dates, so that no DEM error is estimated"
    elif lost := [str(day) for day, baseline in by_date.items() if baseline is None]:
        yield f"{start}; they count for the velocity, and {', '.join(lost[:_SHOWN])} say nothing of the DEM error"
    else:
        yield f"{start}; it follows from those of the other pairs of the same dates"
