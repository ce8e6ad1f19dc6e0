"""The fleet of now: settings first, then the cluster, each with what was measured."""

import dataclasses
from datetime import timedelta

import pytest

from forecaster.planning import Mode, ScalingRule
from forecaster.settings import Fleet, Measured, WorkloadSettings
from forecaster.store import NoteShelf, PlanStore
from forecaster.worker.capacity_messages import MeasuredCapacity
from forecaster.worker.roster import MeasuredLeadTime, Roster

LEAD = timedelta(minutes=5)
AUTO = Measured(
    lead_time=True,
    capacity=True,
    mode=Mode.SHADOW,
    lead_time_floor=timedelta(minutes=1),
    lead_time_ceiling=timedelta(minutes=10),
)
WRITTEN = WorkloadSettings("tv", "a", ScalingRule(100.0, LEAD))
UNKNOWN = WorkloadSettings("tv", "b", ScalingRule(1.0, LEAD, mode=Mode.OFF), {}, AUTO, "not yet")


@pytest.fixture
def shelf(tmp_path):
    path = tmp_path / "preroll.sqlite"
    with PlanStore(path):
        yield NoteShelf(path)


def rules(roster):
    return {one.workload: one.rule for one in roster.fleet().workloads}


def test_what_the_settings_name_is_not_taken_from_the_cluster():
    roster = Roster(Fleet((WRITTEN,)))
    other = dataclasses.replace(WRITTEN, rule=ScalingRule(7.0))
    roster.take_declared([other, UNKNOWN])
    assert list(rules(roster)) == ["tv/a", "tv/b"]
    assert rules(roster)["tv/a"].capacity_rps == 100.0
    roster.take_declared([])
    assert roster.fleet() == Fleet((WRITTEN,))


def test_the_fleet_is_the_same_object_while_nothing_changes():
    roster = Roster(Fleet((WRITTEN,)))
    roster.take_declared([UNKNOWN])
    before = roster.fleet()
    roster.take_declared([dataclasses.replace(UNKNOWN)])
    roster.take_lead_times({"tv/a": MeasuredLeadTime(LEAD, "not used: it is written down")})
    assert roster.fleet() is before


def test_measured_values_take_their_place_within_bounds_and_end_the_off():
    roster = Roster(Fleet((UNKNOWN,)))
    assert roster.fleet().workloads[0].why_off == "not yet"
    roster.take_lead_times({"tv/b": MeasuredLeadTime(timedelta(minutes=30), "slow nodes")})
    roster.take_capacities({"tv/b": MeasuredCapacity(None, "never loaded enough")})
    waiting = roster.fleet().workloads[0]
    assert waiting.rule.lead_time == timedelta(minutes=10)
    assert waiting.rule.mode is Mode.OFF and "never loaded enough" in waiting.why_off
    roster.take_capacities({"tv/b": MeasuredCapacity(42.0, "11 days")})
    (known,) = roster.fleet().workloads
    assert (known.rule.capacity_rps, known.rule.mode, known.why_off) == (42.0, Mode.SHADOW, "")


def test_a_restart_goes_on_with_what_was_told(shelf):
    before = Roster(Fleet((WRITTEN,)), shelf)
    before.take_declared([UNKNOWN])
    before.take_capacities(
        {"tv/b": MeasuredCapacity(42.0, "11 days"), "gone/x": MeasuredCapacity(1.0, "")}
    )
    before.take_lead_times({"tv/b": MeasuredLeadTime(timedelta(minutes=2), "12 start-ups")})
    after = Roster(Fleet((WRITTEN,)), shelf)
    after.load()
    assert after.fleet() == before.fleet()
    assert rules(after)["tv/b"].lead_time == timedelta(minutes=2)
    assert after.capacity_of("gone/x") is None


def test_a_note_that_cannot_be_read_counts_as_never_told(shelf):
    shelf.save("roster", "{nonsense")
    roster = Roster(Fleet((WRITTEN,)), shelf)
    roster.load()
    assert roster.fleet() == Fleet((WRITTEN,))
    assert "cannot be read" in roster.trouble
