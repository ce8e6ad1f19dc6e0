"""From start-ups to a lead time: quantiles by hand, and a lead time that keeps still."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.cluster.lead_time import (
    MeasuredLead,
    announced_late,
    measured_lead_time,
    scaling_delay,
)
from forecaster.cluster.start_up_summary import StartUpSummary
from forecaster.cluster.start_ups import StartUps
from tests.cluster.pod_timelines import DAY, EIGHT, coming_up, play

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def summary_of(
    totals: list[float], *, apart: float = 60.0, now: float | None = None
) -> StartUpSummary:
    """Start-ups that end so far apart, with these totals, oldest first."""
    book = StartUps()
    for i, total in enumerate(totals):
        ready = EIGHT + apart * i
        play(book, coming_up(f"u{i}", ready - total, 0.0, 0.0, total))
    return book.summary(EIGHT + apart * len(totals) if now is None else now)


def p95(totals: list[float], **more: float) -> float:
    total = summary_of(totals, **more).total
    assert total is not None
    return total.p95


# Quantiles


def test_of_twenty_start_ups_the_nineteenth_is_p95_and_the_tenth_p50() -> None:
    total = summary_of([float(one) for one in range(20, 0, -1)]).total
    assert total is not None
    assert (total.p50, total.p95) == (10.0, 19.0)


def test_of_a_few_the_slowest_is_p95() -> None:
    assert p95([10, 50, 20, 30, 40]) == 50


def test_a_week_counts_half() -> None:
    """Five slow ones a week ago weigh 2.5, five fast ones 5: p50 is fast, p95 still slow."""
    book = StartUps()
    for i in range(5):
        play(book, coming_up(f"old{i}", EIGHT - 7 * DAY - 100, 0.0, 0.0, 100.0))
        play(book, coming_up(f"new{i}", EIGHT - 20, 0.0, 0.0, 20.0))
    total = book.summary(EIGHT).total
    assert total is not None
    assert (total.p50, total.p95) == (20.0, 100.0)
    # 29 fast ones and 3 slow ones of a week ago: 1.5 of 30.5, below a twentieth
    book = StartUps()
    for i in range(3):
        play(book, coming_up(f"old{i}", EIGHT - 7 * DAY - 100, 0.0, 0.0, 100.0))
    for i in range(29):
        play(book, coming_up(f"new{i}", EIGHT - 20, 0.0, 0.0, 20.0))
    total = book.summary(EIGHT).total
    assert total is not None
    assert total.p95 == 20.0


def test_fewer_than_five_say_how_many_there_are() -> None:
    summary = summary_of([10, 20, 30, 40])
    assert not summary.enough
    assert (summary.count, summary.total, summary.node) == (4, None, None)
    assert summary.text() == "not enough yet: 4 of 5 start-ups"


def test_a_summary_says_of_what_it_speaks() -> None:
    assert summary_of([95.0] * 6).text() == "p95 1m35s of 6 start-ups since 2026-06-14"


# The lead time


def test_the_way_there_is_one_sync_and_one_question() -> None:
    assert scaling_delay() == 18 * SECOND
    assert scaling_delay(30 * SECOND) == 48 * SECOND


def test_p95_and_the_delay_make_the_lead_time_and_the_reason_says_so() -> None:
    lead = measured_lead_time(EIGHT, summary_of([95.0] * 6))
    assert lead.lead_time == 2 * MINUTE
    assert lead.measured == 113 * SECOND
    assert lead.reason == (
        "p95 1m35s of 6 start-ups since 2026-06-14 + 18s for HPA and KEDA = 1m53s; "
        "2m in whole 15 s steps"
    )


def test_whole_syncs_are_not_raised_further() -> None:
    lead = measured_lead_time(EIGHT, summary_of([102.0] * 6))
    assert lead.lead_time == 2 * MINUTE
    assert lead.reason.endswith(" = 2m")


def after(seconds: float, *lately: float, later: float = 60.0) -> MeasuredLead:
    """The lead time after start-ups of ``seconds``, when p95 has then been ``lately``."""
    before = measured_lead_time(EIGHT, summary_of([seconds] * 6))
    summary = replace(summary_of([lately[-1]] * 6), p95_lately=lately)
    return measured_lead_time(EIGHT + later, summary, before)


@pytest.mark.parametrize(
    ("made", "lead", "words"),
    [
        pytest.param(
            after(87.0, 87.0, 87.0, 90.0),
            105 * SECOND,
            " = 1m48s; 1m45s is kept until three in a row call for more",
            id="once more",
        ),
        pytest.param(
            after(87.0, 100.0, 90.0, 130.0),
            2 * MINUTE,
            " = 2m28s; 2m was called for three times in a row",
            id="what three have in common",
        ),
        pytest.param(
            after(87.0, 90.0, 90.0, 90.0),
            2 * MINUTE,
            " = 1m48s; 2m in whole 15 s steps",
            id="three times the same",
        ),
        pytest.param(
            after(102.0, 87.0, 87.0, 85.0),
            2 * MINUTE,
            " = 1m43s; 2m is kept until below 80 % of it will do for a day",
            id="a little less",
        ),
        pytest.param(
            after(102.0, 102.0, 87.0, 85.0),
            2 * MINUTE,
            " = 1m43s; 2m is kept until below 80 % of it will do for a day",
            id="less, and not thrice",
        ),
        pytest.param(
            after(102.0, 100.0, 100.0, 100.0),
            2 * MINUTE,
            " = 1m58s; 2m in whole 15 s steps",
            id="as it was",
        ),
        pytest.param(
            after(582.0, 42.0, 42.0, 42.0, later=DAY),
            5 * MINUTE,
            " = 1m; lowered from 10m to 5m, half at the most in a day",
            id="half of the way down",
        ),
        pytest.param(
            after(582.0, 402.0, 402.0, 402.0, later=DAY),
            7 * MINUTE,
            " = 7m; lowered from 10m to 7m",
            id="all of the way down",
        ),
    ],
)
def test_why_another_one_is_in_force_than_is_measured(
    made: MeasuredLead, lead: timedelta, words: str
) -> None:
    assert made.lead_time == lead
    assert made.reason.endswith(f"for HPA and KEDA{words}")


@pytest.mark.parametrize(
    ("seconds", "lead", "words"),
    [
        pytest.param(3.0, 30 * SECOND, "= 21s; raised", id="floor"),
        pytest.param(1322.0, 15 * MINUTE, "= 22m20s; limited to the ceiling of 15m", id="ceiling"),
    ],
)
def test_bounds_cut_and_say_so(seconds: float, lead: timedelta, words: str) -> None:
    summary = summary_of([seconds] * 6)
    made = measured_lead_time(EIGHT, summary, floor=30 * SECOND)
    if seconds == 3.0:
        assert made.lead_time == lead and "raised" not in made.reason  # 21 s are two syncs
        made = measured_lead_time(EIGHT, summary, floor=31 * SECOND)
        assert made.lead_time == 31 * SECOND
        assert made.reason.endswith("= 21s; raised to the floor of 31s")
        return
    assert made.lead_time == lead
    assert words in made.reason


def test_bounds_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="floor must not be above ceiling, not 20m and 15m"):
        measured_lead_time(EIGHT, StartUpSummary(), floor=20 * MINUTE)


def test_while_nothing_is_measured_the_default_holds_and_says_so() -> None:
    lead = measured_lead_time(EIGHT, summary_of([10.0] * 3))
    assert (lead.lead_time, lead.measured) == (5 * MINUTE, None)
    assert lead.reason == "not enough yet: 3 of 5 start-ups; 5m until then"
    after = measured_lead_time(EIGHT, summary_of([10.0] * 5), lead)
    assert after.lead_time == 30 * SECOND


def test_what_was_measured_outlives_a_quiet_fortnight() -> None:
    before = measured_lead_time(EIGHT, summary_of([95.0] * 6))
    lead = measured_lead_time(EIGHT + 20 * DAY, StartUpSummary(), before)
    assert lead.lead_time == before.lead_time
    assert lead.reason == "not enough yet: 0 of 5 start-ups; 2m is kept from before"


def test_it_rises_at_the_third_start_up_in_a_row() -> None:
    totals = [20.0] * 21
    lead = measured_lead_time(EIGHT, summary_of(totals))
    assert lead.lead_time == 45 * SECOND
    seen = []
    for _ in range(4):
        totals.append(200.0)
        lead = measured_lead_time(EIGHT, summary_of(totals), lead)
        seen.append(lead.lead_time)
    # one of 22 is not p95 yet; two of 23 are, and must be so three times
    assert p95(totals[:22]) == 20.0 and p95(totals[:23]) == 200.0
    assert seen == [45 * SECOND, 45 * SECOND, 45 * SECOND, 225 * SECOND]


def test_it_falls_to_half_after_a_day_and_then_again() -> None:
    high = measured_lead_time(EIGHT, summary_of([582.0] * 6))
    assert high.lead_time == 10 * MINUTE
    low = summary_of([42.0] * 200)
    lead, seen = high, []
    for hour in range(1, 24 * 5):
        lead = measured_lead_time(EIGHT + 3600 * hour, low, lead)
        seen.append((hour, lead.lead_time))
    changed = [(hour, now) for (_, before), (hour, now) in pairwise(seen) if now != before]
    assert changed == [
        (24, 5 * MINUTE),
        (48, 150 * SECOND),
        (72, 75 * SECOND),
        (96, MINUTE),
    ]
    assert seen[0][1] == 10 * MINUTE


@pytest.mark.parametrize(
    ("seconds", "lead"),
    [
        pytest.param(477.0, 10 * MINUTE, id="495 s are more than 80 % of 600 s"),
        pytest.param(462.0, 8 * MINUTE, id="480 s are 80 %"),
    ],
)
def test_a_little_less_changes_nothing(seconds: float, lead: timedelta) -> None:
    made = measured_lead_time(EIGHT, summary_of([582.0] * 6))
    for day in (1, 2, 3):
        made = measured_lead_time(EIGHT + DAY * day, summary_of([seconds] * 6), made)
        assert made.lead_time == lead


def test_it_falls_to_the_highest_of_the_last_three() -> None:
    high = measured_lead_time(EIGHT, summary_of([582.0] * 6))
    low = replace(summary_of([42.0] * 6), p95_lately=(342.0, 42.0, 42.0))
    assert measured_lead_time(EIGHT + DAY, low, high).lead_time == 6 * MINUTE


def test_a_high_start_up_within_the_day_keeps_it() -> None:
    high = measured_lead_time(EIGHT, summary_of([100.0] * 6))
    low, again = summary_of([20.0] * 6), summary_of([95.0] * 6)
    lead = measured_lead_time(EIGHT + 0.9 * DAY, low, high)
    assert "is kept until 2026-06-15 20:00 UTC" in lead.reason
    lead = measured_lead_time(EIGHT + 0.95 * DAY, again, lead)
    lead = measured_lead_time(EIGHT + 1.5 * DAY, low, lead)
    assert lead.lead_time == high.lead_time
    assert measured_lead_time(EIGHT + 1.96 * DAY, low, lead).lead_time < high.lead_time


def test_noise_around_a_step_changes_nothing() -> None:
    """p95 swings across a minute's edge at each start-up; a model of 2 steps is not taught anew."""
    lead = measured_lead_time(EIGHT, summary_of([44.0] * 5))
    changes, now = [lead.lead_time], EIGHT
    for i in range(200):
        now += 1800
        lead = measured_lead_time(now, summary_of([44.0 if i % 2 else 40.0] * 6), lead)
        if lead.lead_time != changes[-1]:
            changes.append(lead.lead_time)
    assert changes == [75 * SECOND]


steps = st.lists(
    st.tuples(
        st.integers(60, 100_000),  # seconds later
        st.lists(st.integers(1, 1500).map(float), min_size=0, max_size=8),
    ),
    min_size=1,
    max_size=30,
)


@given(steps)
@settings(max_examples=80, deadline=None)
def test_it_stays_within_bounds_and_falls_no_faster_than_to_half_a_day(
    told: list[tuple[int, list[float]]],
) -> None:
    floor, ceiling = 30 * SECOND, 15 * MINUTE
    now, lead, fell_at = EIGHT, None, EIGHT - DAY
    for later, totals in told:
        now += later
        summary = summary_of(totals)
        before: MeasuredLead | None = lead
        lead = measured_lead_time(now, summary, before)
        assert floor <= lead.lead_time <= ceiling
        assert lead.reason.startswith(summary.text())
        assert measured_lead_time(now, summary, before) == lead
        if before is None or before.measured is None:
            fell_at = now
            continue
        if lead.lead_time < before.lead_time:
            assert now - fell_at >= DAY
            assert lead.lead_time >= max(floor, before.lead_time / 2)
        if lead.lead_time > before.lead_time:
            assert summary.p95_lately[-1] + 18 > before.lead_time.total_seconds()
        if lead.lead_time != before.lead_time:
            fell_at = now


@given(st.lists(st.integers(1, 900), min_size=5, max_size=40), st.integers(0, 300))
@settings(max_examples=60, deadline=None)
def test_slower_start_ups_never_make_it_shorter(totals: list[int], more: int) -> None:
    fast = measured_lead_time(EIGHT, summary_of([float(one) for one in totals]))
    slow = measured_lead_time(EIGHT, summary_of([float(one + more) for one in totals]))
    assert slow.lead_time >= fast.lead_time


@given(st.lists(st.integers(1, 900).map(float), min_size=5, max_size=60))
@settings(max_examples=60, deadline=None)
def test_p95_is_the_least_value_that_so_many_do_not_exceed(totals: list[float]) -> None:
    """By hand, where all are of one age: of a count n, the ceil(0.95 n)-th."""
    book = StartUps()
    for i, total in enumerate(totals):
        play(book, coming_up(f"u{i}", EIGHT - total, 0.0, 0.0, total))
    found = book.summary(EIGHT).total
    assert found is not None
    place = -(-95 * len(totals) // 100)
    assert found.p95 == sorted(totals)[place - 1]


# Events at short notice

KICK_OFF = datetime(2026, 6, 14, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("notice", "words"),
    [
        pytest.param(5 * MINUTE, None, id="just in time"),
        pytest.param(
            2 * MINUTE,
            "announced 2m before its start, but replicas take 5m: "
            "expect too few until 2026-06-14 19:03:00 UTC",
            id="late",
        ),
        pytest.param(
            0 * MINUTE,
            "announced at its start, but replicas take 5m: "
            "expect too few until 2026-06-14 19:05:00 UTC",
            id="at its start",
        ),
        pytest.param(
            -3 * MINUTE,
            "announced 3m after its start, but replicas take 5m: "
            "expect too few until 2026-06-14 19:08:00 UTC",
            id="after its start",
        ),
    ],
)
def test_an_event_that_is_announced_too_late_says_until_when(
    notice: timedelta, words: str | None
) -> None:
    assert announced_late(KICK_OFF, KICK_OFF - notice, 5 * MINUTE) == words
