"""refresh(now) as far as traffic goes, and the loop around it."""

import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from forecaster.planning.snapshot import ObservedTraffic
from forecaster.store import PeakShelf, PlanStore
from forecaster.traffic.history import TrafficHistory, TrafficSeries
from forecaster.traffic.prometheus import FetchedTraffic
from forecaster.worker.mailbox import Outbox
from forecaster.worker.messages import RefreshFailed
from forecaster.worker.orders import RefreshOrder
from forecaster.worker.refresher import run_refreshing
from forecaster.worker.refreshing import Watch, refresh
from tests.worker.sources import MINUTE, NOW, STEP, failing, fetch_from, fleet, history


@pytest.fixture
def path(tmp_path):
    """A store without models."""
    made = tmp_path / "preroll.sqlite"
    PlanStore(made).close()
    return made


@pytest.fixture
def watch(path):
    """``watch(fleet)``: nothing is known yet."""
    return lambda of: Watch.of(of, PeakShelf(path))


def test_the_latest_complete_interval_of_every_workload_is_observed(watch):
    known = history("tv/a", "tv/b", "tv/not-ours")
    result = refresh(NOW + MINUTE, watch(fleet("tv/a", "tv/b")), fetch_from(known))
    assert result.observed == {
        name: ObservedTraffic(NOW - STEP, float(known[name].rate_rps[-1]))
        for name in ("tv/a", "tv/b")
    }


def test_an_interval_that_has_only_just_ended_is_left_to_settle(watch):
    """Its scrapes may be half there: a low last value would be taken for a fall."""
    known = history("tv/a")
    at = NOW + timedelta(seconds=14)
    result = refresh(at, watch(fleet("tv/a")), fetch_from(known))
    assert result.observed["tv/a"].start == NOW - 2 * STEP


def test_the_fleet_costs_one_question_a_step_of_hours_at_first_and_of_minutes_then(watch):
    asked = []

    def fetch(start, end, step):
        asked.append((NOW - start, NOW - end, step))
        return FetchedTraffic(None, ())

    of = watch(fleet("tv/a", "tv/b", lead_time=2 * STEP))
    later = NOW + STEP
    assert refresh(NOW, of, fetch).observed == {}
    refresh(later, of, fetch)
    settled = timedelta(seconds=15)
    whole = timedelta(hours=4) + 3 * STEP + 5 * STEP  # what is looked at, a window, what is late
    assert asked == [(whole, settled, STEP), (6 * STEP, settled - STEP, STEP)]


def test_after_an_outage_what_was_missed_is_asked_for_and_not_more_than_is_looked_at(watch):
    asked = []

    def fetch(start, end, step):
        asked.append(start)
        return FetchedTraffic(None, ())

    of = watch(fleet("tv/a"))
    refresh(NOW, of, fetch)
    assert isinstance(refresh(NOW + STEP, of, failing), RefreshFailed)
    hour, day = timedelta(hours=1), timedelta(days=1)
    refresh(NOW + hour, of, fetch)
    refresh(NOW + day, of, fetch)
    assert asked[1] == NOW - 6 * STEP
    assert NOW + day - asked[2] == NOW - asked[0] < timedelta(hours=5)


def test_a_gap_at_the_end_is_passed_over_for_what_was_seen(watch):
    rates = np.array([1.0, 2.0, 3.0, np.nan, np.nan])
    late = TrafficHistory([TrafficSeries("tv/a", NOW - 5 * STEP, STEP, rates)])
    result = refresh(NOW + MINUTE, watch(fleet("tv/a")), fetch_from(late))
    assert result.observed == {"tv/a": ObservedTraffic(NOW - 3 * STEP, 3.0)}


def test_nothing_but_gaps_is_nothing_observed(watch):
    gaps = TrafficHistory([TrafficSeries("tv/a", NOW - STEP, STEP, np.array([np.nan]))])
    assert refresh(NOW + MINUTE, watch(fleet("tv/a")), fetch_from(gaps)).observed == {}


def test_a_source_that_is_down_is_told_with_its_words(watch):
    result = refresh(NOW + MINUTE, watch(fleet("tv/a")), failing)
    assert result == RefreshFailed(NOW + MINUTE, "http://prometheus:9090: connection refused")


def test_warnings_are_passed_on(watch):
    result = refresh(
        NOW + MINUTE, watch(fleet("tv/a")), lambda *_: FetchedTraffic(None, ("partial",))
    )
    assert result.warnings == ("partial",)


class EnoughError(Exception):
    pass


class Clock:
    """Every look at it takes a while."""

    def __init__(self, per_look):
        self.now = NOW
        self.per_look = per_look

    def __call__(self):
        self.now += self.per_look
        return self.now


def asked_at(fetch, count, path):
    """When the loop asks the source, in seconds after the start."""
    told = []

    def tell(message):
        told.append(message)
        if len(told) == count:
            raise EnoughError

    of = fleet("tv/a", step=MINUTE)
    order = RefreshOrder(of, lambda: fetch, path, Clock(timedelta(seconds=1)), 0.0, Outbox().inbox)
    with pytest.raises(EnoughError):
        run_refreshing(tell, order)
    return [(one.at - NOW).total_seconds() for one in told]


def test_the_loop_asks_after_each_step_and_backs_off_while_the_source_is_down(path):
    def fine(start, end, step):
        return FetchedTraffic(None, ())

    for at, step in zip(asked_at(fine, 4, path)[1:], (15, 75, 135), strict=True):
        assert step <= at <= step + 2
    down = np.diff(asked_at(failing, 7, path))
    assert (down[1:] > 50).all()
    assert list(np.round(down / 60)) == [0, 2, 4, 5, 5, 5]


def test_the_loop_is_back_to_each_step_once_the_source_answers(path):
    answers = iter([failing, failing, failing])

    def flaky(start, end, step):
        answer = next(answers, None)
        return FetchedTraffic(None, ()) if answer is None else answer(start, end, step)

    gaps = list(np.round(np.diff(asked_at(flaky, 7, path)) / 60))
    assert gaps == [0, 2, 4, 1, 1, 1]


def test_a_clock_that_is_set_back_does_not_stop_the_loop(path):
    clock, asked = Clock(timedelta(seconds=1)), []

    def fetch(start, end, step):
        asked.append(clock.now)
        if len(asked) == 2:
            clock.now -= timedelta(minutes=40)
        if len(asked) == 4:
            raise EnoughError
        return FetchedTraffic(None, ())

    order = RefreshOrder(
        fleet("tv/a", step=MINUTE), lambda: fetch, path, clock, 0.0, Outbox().inbox
    )
    with pytest.raises(EnoughError):
        run_refreshing(lambda _: None, order)
    assert asked[2] - asked[1] < timedelta(minutes=-39)
    assert asked[3] - asked[2] <= MINUTE + timedelta(seconds=2)


def test_traffic_that_cannot_be_used_is_told_with_the_reason_for_configured_workloads(watch):
    refused = {"tv/a": "tv/a at noon: the query gives inf", "tv/other": "two results"}
    known = fetch_from(history("tv/b"))
    result = refresh(
        NOW + MINUTE,
        watch(fleet("tv/a", "tv/b")),
        lambda *asked: dataclasses.replace(known(*asked), refused=refused),
    )
    assert set(result.observed) == {"tv/b"}
    assert result.refused == {"tv/a": "at noon: the query gives inf"}
