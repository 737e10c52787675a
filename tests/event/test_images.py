"""Which images and pairs tell of an event, and one sentence where none can."""

from datetime import date, timedelta

import pytest

from slipmap.config.event import EventImageSettings, EventSettings
from slipmap.deformation.stack import Acquisition
from slipmap.errors import InputError
from slipmap.event.images import choose, dates_that_count

START = date(2023, 1, 1)


def images(*days):
    return [Acquisition(START + timedelta(days=day), f"{day}.tif", 0.0) for day in days]


def settings(day, **more):
    return EventImageSettings(date=START + timedelta(days=day), **more)


def test_the_pair_about_the_event_is_of_the_last_image_before_and_the_first_after():
    found = choose(images(*range(0, 120, 12)), settings(65), "there")
    across = [found.all[k].date for k in found.across]
    assert across == [START + timedelta(days=60), START + timedelta(days=72)]
    assert len(found.before) == 6 and len(found.after) == 2 and not found.reduced
    assert found.earlier == [(k, k + 1) for k in range(5)]
    assert [found.all[k].date.isoformat() for k in found.later] == found.record()["pair_after"]


def test_pairs_before_span_as_long_as_the_pair_about_the_event():
    """An image is missing: 24 days about the event, so pairs of 24 days before it, though those of 12 are there."""
    found = choose(images(0, 12, 24, 36, 48, 72), settings(60), "there")
    spans = {(found.all[j].date - found.all[i].date).days for i, j in found.earlier}
    assert spans == {24} and not found.reduced
    odd = choose(images(0, 48, 96, 144, 156), settings(150), "there")
    assert "spans 12 days, those before 48 to 48" in odd.reduced[0]


def test_the_image_of_the_day_itself_counts_on_neither_side():
    found = choose(images(0, 12, 24, 36, 48, 60), settings(48), "there")
    assert [image.file for image in found.all] == ["0.tif", "12.tif", "24.tif", "36.tif", "60.tif"]
    assert "2023-02-18 is left out: it may be of before or after" in found.reduced[0]


def test_few_images_are_a_stated_reduction_and_none_is_one_sentence():
    assert "one image before the event" in choose(images(0, 12), settings(6), "there").reduced[0]
    assert "the scatter is that of the whole scene" in choose(images(0, 12, 24), settings(18), "there").reduced[0]
    with pytest.raises(InputError, match=r"no image after 2023-01-31 in there \(the last is of 2023-01-13\); wait"):
        choose(images(0, 12), settings(30), "there")
    with pytest.raises(InputError, match=r"no image before 2022-12-22 in there \(the first is of 2023-01-01\)"):
        choose(images(0, 12), settings(-10), "there")
    assert dates_that_count(["20230113", "20230101"], settings(6), "x") == ["20230101", "20230113"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"window": 4}, "give an odd number, 3"), ({"edge": 5, "significance": 4}, "edge must not exceed")],
)
def test_settings_that_cannot_be_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        EventSettings(date=START, **wrong)
