"""Which images tell of an event: those before and after it, and the pairs whose coherence is compared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from slipmap.config.event import EventImageSettings
from slipmap.deformation.stack import Acquisition, parse_date
from slipmap.errors import InputError

LIKE = 0.34  # by which the span of a pair may differ from the co-event pair's, as a share of that


@dataclass(frozen=True)
class Images:
    """The images of one track, and its pairs by their places in ``all``.

    Parameters
    ----------
    before, after : images, in order of date. across : the pair about the event. earlier : pairs before it, each as long
        as that one if there are such. later : the pair of the first two images after it. reduced : what could not be
        had, a sentence each.
    """

    before: list[Acquisition]
    after: list[Acquisition]
    earlier: list[tuple[int, int]]
    later: tuple[int, int] | None
    reduced: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[Acquisition]:
        """Every image, in order of date."""
        return [*self.before, *self.after]

    @property
    def across(self) -> tuple[int, int]:
        """The last image before the event and the first after it."""
        return len(self.before) - 1, len(self.before)

    def record(self) -> dict[str, object]:
        """As plain data: dates, pairs, reductions."""
        days = [image.date.isoformat() for image in self.all]
        return {
            "before": days[: len(self.before)],
            "after": days[len(self.before) :],
            "pair_across": [days[k] for k in self.across],
            "pairs_before": [[days[i], days[j]] for i, j in self.earlier],
            "pair_after": None if self.later is None else [days[k] for k in self.later],
            "reduced": self.reduced,
        }


def choose(images: Sequence[Acquisition], settings: EventImageSettings, where: str) -> Images:
    """The images and pairs that count for the event of `settings`.

    An image of the very day is left out: whether it was taken before or after the event is not known.

    Parameters
    ----------
    images : of one track, in order of date. where : they lie, for the sentence of an error.

    Raises
    ------
    InputError : no image before the event, or none after it.
    """
    day, reduced = settings.date, []
    if any(image.date == day for image in images):
        reduced.append(f"the image of {day} is left out: it may be of before or after the event")
    before = [image for image in images if image.date < day][-settings.before :]
    after = [image for image in images if image.date > day][: settings.after]
    if not after:
        last = images[-1].date if images else "none"
        raise InputError(
            f"event.date: no image after {day} in {where} (the last is of {last}); wait for the next acquisition, or "
            f"correct the date."
        )
    if not before:
        raise InputError(
            f"event.date: no image before {day} in {where} (the first is of {images[0].date}); add earlier images, or "
            f"correct the date."
        )
    earlier, odd = _earlier([image.date for image in before], (after[0].date - before[-1].date).days)
    reduced += [odd] if odd else []
    if len(before) == 1:
        reduced.append("one image before the event: coherence and backscatter are held against the ground around alone")
    elif len(earlier) < 3:
        reduced.append(
            f"{len(earlier)} pair{'s' * (len(earlier) > 1)} before the event: the scatter is that of the whole scene, "
            f"not each pixel's own"
        )
    return Images(before, after, earlier, (len(before), len(before) + 1) if len(after) > 1 else None, reduced)


def _earlier(days: Sequence[date], span: int) -> tuple[list[tuple[int, int]], str]:
    """For each date the later one at the distance nearest `span`, days; and what is to be said if that is far off."""
    found = []
    for k in range(len(days) - 1):
        nearest = min(range(k + 1, len(days)), key=lambda j: (abs((days[j] - days[k]).days - span), j))
        found.append((k, nearest))
    like = [(i, j) for i, j in found if abs((days[j] - days[i]).days - span) <= LIKE * span]
    if like or not found:
        return like, ""
    spans = sorted((days[j] - days[i]).days for i, j in found)
    return found, (
        f"the pair about the event spans {span} days, those before {spans[0]} to {spans[-1]}: a loss of coherence may "
        f"be that of a longer time"
    )


def dates_that_count(days: Iterable[str], settings: EventImageSettings, where: str) -> list[str]:
    """Those of the dates (YYYYMMDD) whose images tell of the event, in order; raises as `choose` does."""
    images = [Acquisition(parse_date(day, where), day, 0.0) for day in sorted(days)]
    return [image.file for image in choose(images, settings, where).all]
