"""Capacities measured by the service: three questions to a server, and what becomes of them."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from forecaster.planning import Mode, ScalingRule
from forecaster.planning.measured_capacity_settle import CapacityInUse
from forecaster.settings import (
    CapacitySettings,
    Fleet,
    Measured,
    PrometheusSettings,
    WorkloadSettings,
)
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection
from forecaster.worker.capacity_messages import Gauged, GaugingFailed
from forecaster.worker.gauge_side import GaugeSide
from forecaster.worker.gauger import GaugeOrder, run_gauging
from forecaster.worker.roster import Roster
from tests.cli.test_capacity import API, simulated
from tests.traffic.stand_in import serving

STEP = timedelta(minutes=5)
END = datetime(2026, 3, 7, tzinfo=UTC)
OFF = ScalingRule(capacity_rps=1.0, mode=Mode.OFF)
AUTO = Measured(capacity=True, mode=Mode.ACTIVE)


def at_the_end():
    return END


def auto(name, target=None):
    return WorkloadSettings("tv", name, OFF, {}, AUTO, "not yet", target)


FLEET = Fleet((auto("api"), auto("idle")), STEP, timedelta(days=5))


def asked_of(url):
    query = FleetQuery("traffic")
    return PrometheusSettings(PrometheusConnection(url), query), CapacitySettings(
        0.7, FleetQuery("ready"), FleetQuery("busy")
    )


def order(url, before=None):
    source, capacity = asked_of(url)
    return GaugeOrder(
        source, capacity, FLEET.workloads, before or {}, STEP, FLEET.history, at_the_end
    )


def test_capacities_are_told_and_those_that_cannot_be_told_have_a_reason():
    told = []
    with serving() as server:
        server.answer = simulated
        run_gauging(told.append, order(server.url))
    (gauged,) = told
    assert isinstance(gauged, Gauged)
    api, idle = gauged.capacities["tv/api"], gauged.capacities["tv/idle"]
    assert 0.9 * API.capacity(0.7) < api.rps <= API.capacity(0.7)  # the lower end of the interval
    assert api.since == END and "measured" in api.reason
    assert idle.rps is None and idle.reason


def test_a_capacity_in_use_is_kept_where_nothing_contradicts_it_or_nothing_can_be_told():
    before = {
        "tv/api": CapacityInUse(API.capacity(0.7) * 0.99, END - timedelta(days=2), "measured"),
        "tv/idle": CapacityInUse(50.0, END - timedelta(days=2), "measured"),
    }
    told = []
    with serving() as server:
        server.answer = simulated
        run_gauging(told.append, order(server.url, before))
    (gauged,) = told
    for name, one in gauged.capacities.items():
        assert one.rps == before[name].capacity_rps
        assert one.since == before[name].since
        assert one.reason.startswith("kept: ")


def test_a_server_that_is_down_is_told():
    told = []
    run_gauging(told.append, order("http://127.0.0.1:1"))
    (failed,) = told
    assert isinstance(failed, GaugingFailed) and "refused" in failed.error


def rounds(side, roster, until, seconds=60):
    deadline = time.monotonic() + seconds
    now = END
    while time.monotonic() < deadline:
        side.round(roster.fleet(), now)
        if until():
            return now
        now += timedelta(seconds=0.1)
        time.sleep(0.02)
    raise AssertionError("it did not come true in time")


@pytest.mark.slow
def test_the_service_measures_new_workloads_once_and_then_in_their_turn():
    roster = Roster(FLEET)
    with serving() as server:
        server.answer = simulated
        source, capacity = asked_of(server.url)
        side = GaugeSide(source, capacity, roster, at_the_end, None)
        rounds(side, roster, lambda: roster.fleet().workloads[0].rule.mode is Mode.ACTIVE)
        api, idle = roster.fleet().workloads
        assert api.rule.capacity_rps == pytest.approx(API.capacity(0.7), rel=0.1)
        assert idle.rule.mode is Mode.OFF and "cannot be measured yet" in idle.why_off
        now = rounds(side, roster, lambda: not side.receivers)
        questions = len(server.asked)
        for minute in range(60):  # nothing is due for a day
            side.round(roster.fleet(), now + timedelta(minutes=minute))
        assert len(server.asked) == questions and not side.receivers
        side.round(roster.fleet(), now + timedelta(hours=25))
        assert side.receivers
        side.end(5)


@pytest.mark.slow
def test_a_server_that_is_down_is_a_trouble_and_asked_again_later():
    roster = Roster(FLEET)
    source, capacity = asked_of("http://127.0.0.1:1")
    side = GaugeSide(source, capacity, roster, at_the_end, None)
    now = rounds(side, roster, lambda: side.trouble is not None and not side.receivers)
    assert "capacities cannot be measured" in side.trouble
    assert "not yet" in roster.fleet().workloads[0].why_off
    side.round(roster.fleet(), now + timedelta(seconds=1))
    assert not side.receivers
    side.round(roster.fleet(), now + timedelta(minutes=1))
    assert side.receivers
    side.end(5)


@pytest.mark.parametrize("source", [None, asked_of("http://127.0.0.1:1")[0]])
def test_without_queries_the_reason_says_what_to_set(source):
    roster = Roster(FLEET)
    side = GaugeSide(source, CapacitySettings(), roster, at_the_end, None)
    side.round(FLEET, END)
    assert not side.receivers
    assert "set capacity.replicas_query" in roster.fleet().workloads[0].why_off
