"""refresh(now), and the loop around it."""

import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from forecaster.planning.snapshot import ObservedTraffic
from forecaster.traffic.history import TrafficHistory, TrafficSeries
from forecaster.traffic.prometheus import FetchedTraffic
from forecaster.worker.messages import Refreshed, RefreshFailed
from forecaster.worker.orders import RefreshOrder
from forecaster.worker.refresher import run_refreshing
from forecaster.worker.refreshing import refresh
from tests.worker.sources import MINUTE, NOW, STEP, failing, fetch_from, fleet, history


def test_the_latest_complete_interval_of_every_workload_is_observed():
    known = history("tv/a", "tv/b", "tv/not-ours")
    result = refresh(NOW + MINUTE, fleet("tv/a", "tv/b"), fetch_from(known))
    assert result == Refreshed(
        NOW + MINUTE,
        {
            name: ObservedTraffic(NOW - STEP, float(known[name].rate_rps[-1]))
            for name in ("tv/a", "tv/b")
        },
    )


def test_the_fleet_costs_one_short_question():
    asked = []

    def fetch(start, end, step):
        asked.append((start, end, step))
        return FetchedTraffic(None, ())

    assert refresh(NOW, fleet("tv/a", "tv/b"), fetch) == Refreshed(NOW, {})
    assert asked == [(NOW - 6 * STEP, NOW, STEP)]


def test_a_gap_at_the_end_is_passed_over_for_what_was_seen():
    rates = np.array([1.0, 2.0, 3.0, np.nan, np.nan])
    late = TrafficHistory([TrafficSeries("tv/a", NOW - 5 * STEP, STEP, rates)])
    result = refresh(NOW, fleet("tv/a"), fetch_from(late))
    assert result.observed == {"tv/a": ObservedTraffic(NOW - 3 * STEP, 3.0)}


def test_nothing_but_gaps_is_nothing_observed():
    gaps = TrafficHistory([TrafficSeries("tv/a", NOW - STEP, STEP, np.array([np.nan]))])
    assert refresh(NOW, fleet("tv/a"), fetch_from(gaps)).observed == {}


def test_a_source_that_is_down_is_told_with_its_words():
    result = refresh(NOW, fleet("tv/a"), failing)
    assert result == RefreshFailed(NOW, "http://prometheus:9090: connection refused")


def test_warnings_are_passed_on():
    result = refresh(NOW, fleet("tv/a"), lambda *_: FetchedTraffic(None, ("partial",)))
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


def asked_at(fetch, count):
    """When the loop asks the source, in seconds after the start."""
    told = []

    def tell(message):
        told.append(message)
        if len(told) == count:
            raise EnoughError

    of = fleet("tv/a", step=MINUTE)
    order = RefreshOrder(of, lambda: fetch, Clock(timedelta(seconds=1)), tick_seconds=0.0)
    with pytest.raises(EnoughError):
        run_refreshing(tell, order)
    return [(one.at - NOW).total_seconds() for one in told]


def test_the_loop_asks_after_each_step_and_backs_off_while_the_source_is_down():
    def fine(start, end, step):
        return FetchedTraffic(None, ())

    for at, step in zip(asked_at(fine, 4)[1:], (15, 75, 135), strict=True):
        assert step <= at <= step + 2
    down = np.diff(asked_at(failing, 7))
    assert (down[1:] > 50).all()
    assert list(np.round(down / 60)) == [0, 2, 4, 5, 5, 5]


def test_the_loop_is_back_to_each_step_once_the_source_answers():
    answers = iter([failing, failing, failing])

    def flaky(start, end, step):
        answer = next(answers, None)
        return FetchedTraffic(None, ()) if answer is None else answer(start, end, step)

    gaps = list(np.round(np.diff(asked_at(flaky, 7)) / 60))
    assert gaps == [0, 2, 4, 1, 1, 1]


def test_traffic_that_cannot_be_used_is_told_with_the_reason_for_configured_workloads():
    refused = {"tv/a": "tv/a at noon: the query gives inf", "tv/other": "two results"}
    known = fetch_from(history("tv/b"))
    result = refresh(
        NOW,
        fleet("tv/a", "tv/b"),
        lambda *asked: dataclasses.replace(known(*asked), refused=refused),
    )
    assert set(result.observed) == {"tv/b"}
    assert result.refused == {"tv/a": "at noon: the query gives inf"}
