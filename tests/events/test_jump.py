from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.events import Event
from forecaster.events.course import KNOTS, course_knots
from forecaster.events.jump import JumpExamples
from forecaster.events.uplift import UpliftExample

START = datetime(2026, 3, 2, 19, tzinfo=UTC)
HALF = timedelta(minutes=105)
DAY = timedelta(days=1)


def example(days_ago, jump, level=0.0, kind="match", importance=3.0):
    """A course that is ``level`` above the path all along, and ``jump`` more from the start on."""
    knots = course_knots(HALF)
    ratio = level + np.where(knots >= 0, jump, 0.0)
    return UpliftExample(START - days_ago * DAY, HALF, kind, importance, "", ratio)


def match(**others):
    return Event(START, START + HALF, "match", 3.0, **others)


def likely_jump(event, examples, now):
    return JumpExamples.of(examples, now).likely(event)


def test_the_level_of_the_day_is_no_part_of_it():
    assert example(1, 1.6).jump == pytest.approx(1.6)
    assert example(1, 1.6, level=0.7).jump == pytest.approx(1.6)
    assert example(1, 1.6, level=-0.7).jump == pytest.approx(1.6)


def test_what_comes_after_ten_minutes_is_none_of_it():
    knots = course_knots(HALF)
    later = UpliftExample(START, HALF, "match", 3.0, "", np.where(knots > 660, 3.0, 0.0))
    assert later.jump == 0.0


def test_where_the_start_or_the_time_before_is_a_gap_it_is_not_known():
    hole = UpliftExample(START, HALF, "match", 3.0, "", np.full(KNOTS, np.nan))
    assert np.isnan(hole.jump)
    assert likely_jump(match(), [hole], START) is None


def test_equal_examples_are_believed_with_little_spread_and_many_with_less():
    few = likely_jump(match(), [example(day, 1.6) for day in (1, 2)], START)
    many = likely_jump(match(), [example(day, 1.6) for day in range(1, 20)], START)
    assert few.middle == pytest.approx(1.6)
    assert many.middle == pytest.approx(1.6)
    assert (few.examples, many.examples) == (2, 19)
    assert many.log_quantile(0.5) == pytest.approx(1.6)
    assert 1.6 < many.log_quantile(0.98) < few.log_quantile(0.98)


def test_another_kind_and_what_is_not_over_yet_teach_nothing():
    others = [example(1, 1.6, kind="show"), example(-1, 1.6)]
    assert likely_jump(match(), others, START) is None


def test_like_importance_and_late_examples_weigh_more():
    found = likely_jump(
        match(), [example(1, 1.0), example(1, 2.0, importance=5.0), example(90, 2.0)], START
    )
    assert 1.0 < found.middle < 1.5


def test_what_is_declared_counts_as_two_examples():
    alone = likely_jump(match(uplift=5.0), [], START)
    assert (alone.examples, alone.middle) == (0, pytest.approx(np.log(5)))
    both = likely_jump(match(uplift=5.0), [example(0.2, 1.0)], START)
    weight = 0.5 ** (0.2 / 28) * 1.05
    assert both.middle == pytest.approx((weight * 1.0 + 2 * np.log(5)) / (weight + 2))


def test_no_more_than_twice_the_highest_is_believed():
    wild = likely_jump(match(), [example(1, 0.0), example(2, 4.0), example(3, -4.0)], START)
    assert wild.log_quantile(0.9999) == pytest.approx(4.0 + np.log(2))


def test_few_examples_are_as_wide_as_other_kinds_are_about_their_own_middle():
    shows = [example(day, 3.0 + off, kind="show") for day, off in enumerate([-0.1, 0.1] * 8, 1)]
    wide = [example(day, 3.0 + off, kind="show") for day, off in enumerate([-0.9, 0.9] * 8, 1)]
    few = [example(1, 1.5), example(2, 1.7)]
    alone = likely_jump(match(), few, START)
    drawn = likely_jump(match(), [*few, *shows], START)
    loose = likely_jump(match(), [*few, *wide], START)
    assert drawn.spread < alone.spread < loose.spread
    assert drawn.middle == pytest.approx(alone.middle)  # the other kind's own size is no part of it
    assert drawn.examples == 2


def test_what_many_examples_say_of_their_own_spread_stands():
    shows = [example(day, 3.0 + off, kind="show") for day, off in enumerate([-0.9, 0.9] * 8, 1)]
    many = [example(day, 1.6 + off) for day, off in enumerate([-0.1, 0.1] * 20, 1)]
    alone, drawn = likely_jump(match(), many, START), likely_jump(match(), [*many, *shows], START)
    assert drawn.spread < 3.5 * alone.spread


def late(days_ago, seconds, kind="match"):
    """A jump of two minutes that begins so many seconds after the start that was planned."""
    knots = course_knots(HALF)
    ratio = 1.6 * np.clip((knots - seconds) / 120, 0.0, 1.0)
    return UpliftExample(START - days_ago * DAY, HALF, kind, 3.0, "", ratio)


@pytest.mark.parametrize("seconds", [-120, 0, 60, 300])
def test_an_example_tells_when_it_began_to_jump(seconds):
    assert seconds <= late(1, seconds).begun <= seconds + 60


def test_what_never_jumped_never_began_and_one_alone_tells_nothing_of_others():
    assert np.isnan(UpliftExample(START, HALF, "match", 3.0, "", np.full(KNOTS, np.nan)).begun)
    assert np.isnan(example(1, 0.1).begun)
    assert JumpExamples.of([late(1, 0)], START).earliest("match") is None
    assert JumpExamples.of([late(1, 0), late(2, 0)], START).earliest("show") is None


def test_a_kind_begins_with_its_earliest_example():
    unpunctual = [late(day, seconds) for day, seconds in enumerate((-120, -60, 0, 60, 120), 1)]
    assert -120 <= JumpExamples.of(unpunctual, START).earliest("match") <= -90
