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
    before.save()
    after = restarted(shelf)
    assert after.fleet() == before.fleet()
    assert rules(after)["tv/b"].lead_time == timedelta(minutes=2)
    assert after.capacity_of("gone/x") is None
    same = after.fleet()
    after.take_declared([dataclasses.replace(UNKNOWN)])  # the cluster says the same again
    assert after.fleet() is same


def restarted(shelf, settings=Fleet((WRITTEN,))):
    after = Roster(settings, shelf)
    after.load()
    return after


def test_a_change_writes_the_workload_that_it_concerns_and_no_other(shelf):
    roster = Roster(Fleet(()), shelf)
    many = [dataclasses.replace(UNKNOWN, name=f"w{place:02}") for place in range(30)]
    roster.take_declared(many)
    kept = []
    while roster.save(most=10):
        kept.append(len(shelf.load_below("roster/")))
    assert kept == [10, 20] and len(restarted(shelf, Fleet(())).fleet().workloads) == 30

    class Counting:
        def save_all(self, documents):
            kept.append(list(documents))

    roster._shelf = Counting()
    roster.take_lead_times({"tv/w07": MeasuredLeadTime(LEAD, "13 start-ups")})
    roster.take_lead_times({"tv/w07": MeasuredLeadTime(LEAD, "14 start-ups")})
    assert roster.save() is False
    assert kept[-1] == ["roster/tv/w07"]
    roster.save()
    assert len(kept) == 3  # nothing to write


def test_what_is_declared_no_more_goes_from_the_store_with_what_was_measured(shelf):
    roster = Roster(Fleet((WRITTEN,)), shelf)
    roster.take_declared([UNKNOWN])
    roster.take_lead_times({"tv/b": MeasuredLeadTime(timedelta(minutes=2), "12 start-ups")})
    roster.save()
    roster.take_declared([])
    roster.save()
    assert shelf.load_below("roster/") == {}
    roster.take_declared([UNKNOWN])
    assert rules(roster)["tv/b"].lead_time == LEAD  # it is a new one


def test_what_unread_namespaces_declared_stays(shelf):
    other = dataclasses.replace(UNKNOWN, namespace="ads")
    Roster(Fleet((WRITTEN,)), shelf).take_declared([])
    before = Roster(Fleet((WRITTEN,)), shelf)
    before.take_declared([UNKNOWN, other])
    before.save()
    after = restarted(shelf)
    after.take_declared([], unread=("ads",))
    assert list(rules(after)) == ["tv/a", "ads/b"]
    after.take_declared([])
    assert list(rules(after)) == ["tv/a"]


def test_a_workload_that_left_settings_and_cluster_leaves_the_store(shelf):
    before = Roster(Fleet((WRITTEN,)), shelf)
    before.take_lead_times({"tv/a": MeasuredLeadTime(LEAD, "12 start-ups")})
    before.save()
    after = restarted(shelf, Fleet(()))
    assert after.lead_time_of("tv/a") is None
    after.save()
    assert shelf.load_below("roster/") == {}


def test_a_note_that_cannot_be_read_costs_one_workload_and_is_told(shelf):
    before = Roster(Fleet((WRITTEN,)), shelf)
    before.take_declared([UNKNOWN, dataclasses.replace(UNKNOWN, name="c")])
    before.save()
    shelf.save("roster/tv/b", "{nonsense")
    roster = restarted(shelf)
    assert list(rules(roster)) == ["tv/a", "tv/c"]
    assert "cannot be read: tv/b: " in roster.trouble
    roster.take_declared([UNKNOWN])
    assert roster.trouble is None  # the cluster has said it again


def test_a_store_that_cannot_be_written_is_told_and_tried_again(shelf, tmp_path):
    missing = NoteShelf(tmp_path / "missing.sqlite")
    roster = Roster(Fleet((WRITTEN,)), missing)
    roster.load()
    assert "cannot be read" in roster.trouble
    roster.take_declared([UNKNOWN])
    assert roster.save(most=1) is False
    assert "cannot be kept" in roster.trouble
    roster._shelf = shelf
    roster.save()
    assert roster.trouble is None
    assert restarted(shelf).fleet() == roster.fleet()
