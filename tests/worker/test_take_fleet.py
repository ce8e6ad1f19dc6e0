"""The fleet changes while the service runs: what is known of those that stay, stays."""

import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from forecaster.errors import NoUsablePlan, StoreError
from forecaster.events import Calendar, Event, Selector
from forecaster.events.uplift import UpliftModel
from forecaster.models.peak import Taught
from forecaster.models.peak.starter import load_starter
from forecaster.planning import Mode, ScalingRule, Source
from forecaster.planning.live import ToldPeak
from forecaster.planning.snapshot import ObservedTraffic, TrainingState
from forecaster.settings import EventSettings, Fleet, WorkloadSettings
from forecaster.store import (
    CalendarShelf,
    PeakShelf,
    PlanStore,
    StoredPeak,
    StoredUplift,
    TrainingRecord,
    encoded_event,
    pack,
)
from forecaster.traffic.history import TrafficSeries
from forecaster.worker.board import Board
from forecaster.worker.calendar_watch import CalendarWatch
from forecaster.worker.live_peaks import LivePeaks
from forecaster.worker.live_traffic import LiveTraffic
from forecaster.worker.loading import take_fleet
from forecaster.worker.messages import Foretold, Refreshed, Started, Trained
from forecaster.worker.programme import Programme
from forecaster.worker.served import ServedTargets
from forecaster.worker.training_desk import TrainingDesk
from tests.worker.sources import MINUTE, NOW
from tests.worker.test_board import HOUR, outlook

RULE = ScalingRule(capacity_rps=1.0, quantile=0.5, max_replicas=10_000)
NOTHING_TAUGHT = UpliftModel()
SHOW = Event(
    NOW - HOUR, NOW + HOUR, "show", floor_replicas=70, selector=Selector(labels=(("tier", "edge"),))
)


def one(name="a", labels=None, **rule):
    return WorkloadSettings("tv", name, dataclasses.replace(RULE, **rule), labels or {})


def fleet_of(*workloads):
    return Fleet(workloads, step=MINUTE)


def told(lead_steps=5, quantile=0.5, peak_rps=99.0):
    return ToldPeak(NOW, MINUTE, lead_steps, 40.0, quantile, peak_rps, Taught.OWN)


def key(workload):
    return fleet_of(workload).training_key(workload.rule)


@pytest.fixture
def store(tmp_path):
    with PlanStore(tmp_path / "preroll.sqlite") as opened:
        yield opened


@pytest.fixture
def board():
    made = Board(fleet_of(one()), {})
    made.take_outlook(outlook("tv/a", rate=42.0), [])
    made.take_foretold(Foretold({"tv/a": told()}))
    return made


def target(board, name="tv/a", now=NOW):
    return board.snapshot(now).target(name, now)


def test_a_rule_that_needs_no_training_plans_anew_and_keeps_the_lead_peak(board):
    assert (target(board).replicas, target(board).source) == (99, Source.LEAD_PEAK)
    changed = one(capacity_rps=3.0, min_replicas=20, mode=Mode.SHADOW)
    assert board.take_fleet(fleet_of(changed)) == []
    assert (target(board).replicas, target(board).planned_replicas) == (0, 33)
    assert target(board, now=NOW + HOUR).planned_replicas == 20
    assert board.plans[0].rule == changed.rule
    later = board.snapshot(NOW + HOUR).state("tv/a")
    assert later.rule == changed.rule


@pytest.mark.parametrize("rule", [{"quantile": 0.7}, {"lead_time": 9 * MINUTE}])
def test_another_quantile_or_lead_time_drops_the_lead_peak(board, rule):
    assert board.take_fleet(fleet_of(one(**rule))) == []  # the outlook reaches both
    assert target(board).source is Source.OUTLOOK
    board.take_foretold(Foretold({"tv/a": told()}))  # of a refresher that has not heard yet
    assert target(board).source is Source.OUTLOOK
    steps = one(**rule).rule.lead_steps(MINUTE)
    board.take_foretold(Foretold({"tv/a": told(steps, rule.get("quantile", 0.5))}))
    assert target(board).source is Source.LEAD_PEAK


def test_a_quantile_that_the_outlook_does_not_reach_takes_the_plan_away(board):
    assert board.take_fleet(fleet_of(one(quantile=0.999))) == ["tv/a"]
    with pytest.raises(NoUsablePlan):
        target(board)


def test_who_is_off_or_gone_has_no_plan_and_comes_back_by_the_store(board, store):
    board.records["tv/a"] = TrainingRecord(TrainingState(NOW, 1.0, 1), NOW, 0, key(one()))
    for fleet in (fleet_of(one(mode=Mode.OFF)), fleet_of()):
        board.take_fleet(fleet)
        assert board.plans == () and board.records == {}
    assert board.snapshot(NOW).workloads == {}
    keep(store, one(), rate=11.0)
    served = ServedTargets()
    take_fleet(fleet_of(one()), board, served, store, NOW)
    assert target(board).replicas == 11
    assert target(board).source is Source.OUTLOOK  # the lead peak of before is not told again
    assert board.records["tv/a"].training_key == key(one())


def keep(store, workload, rate):
    record = TrainingRecord(TrainingState(NOW, 1.0, 1), NOW, 0, key(workload))
    name = workload.workload
    uplift = StoredUplift.of(name, NOW, NOTHING_TAUGHT)
    store.save_outlook(pack(outlook(name, rate=rate)), record, None, uplift)


def test_a_workload_of_which_the_store_knows_nothing_is_due_at_once(board, store):
    served, both = ServedTargets(), fleet_of(one(), one("new"))
    desk = TrainingDesk(board.fleet, board, served, store)
    board.records["tv/a"] = TrainingRecord(TrainingState(NOW, 1.0, 1), NOW, 0, key(one()))
    assert desk.due(NOW) == ()
    desk.take_fleet(both)
    take_fleet(both, board, served, store, NOW)
    assert [w.name for w in desk.due(NOW)] == ["new"]
    assert target(board).replicas == 99  # the others go on


def test_a_rule_that_asks_for_more_than_was_trained_is_due_at_once(board, store):
    keep(store, one(), rate=11.0)
    wide = fleet_of(one(quantile=0.999))
    desk = TrainingDesk(board.fleet, board, ServedTargets(), store)
    desk.take_fleet(wide)
    take_fleet(wide, board, ServedTargets(), store, NOW)
    assert board.records["tv/a"].training_key is None
    assert [w.name for w in desk.due(NOW)] == ["a"]


def test_a_store_that_cannot_be_read_leaves_the_fleet_planned_for(board):
    both = fleet_of(one(capacity_rps=2.0), one("new"))
    with pytest.raises(StoreError):
        take_fleet(both, board, ServedTargets(), FailingStore(), NOW)
    assert list(board.snapshot(NOW).workloads) == ["tv/a", "tv/new"]
    assert target(board).planned_replicas == 50
    with pytest.raises(NoUsablePlan, match="not trained yet"):
        target(board, "tv/new")


class FailingStore:
    def records(self):
        raise StoreError("store preroll.sqlite cannot be read: disk I/O error")


def test_a_training_that_ran_during_the_change_is_planned_by_the_rule_of_now(board, store):
    desk = TrainingDesk(board.fleet, board, ServedTargets(), store)
    old, new = one(), one(capacity_rps=2.0, lead_time=20 * MINUTE)
    desk.begin()
    desk.take(Started("tv/a"), NOW)
    desk.take_fleet(fleet_of(new))
    board.take_fleet(fleet_of(new))
    desk.take(trained(old), NOW)
    assert (target(board).replicas, board.plans[0].rule) == (21, new.rule)
    assert [w.name for w in desk.due(NOW)] == ["a"]  # it was trained for another lead time


def test_a_training_of_who_is_gone_meanwhile_brings_nothing_and_no_trouble(board, store):
    desk = TrainingDesk(board.fleet, board, ServedTargets(), store)
    desk.begin()
    desk.take(Started("tv/a"), NOW)
    desk.take_fleet(fleet_of())
    board.take_fleet(fleet_of())
    desk.take(trained(one()), NOW)
    desk.ended("killed by SIGKILL", NOW)
    assert board.plans == () and board.records == {} and desk.due(NOW + HOUR) == ()


def trained(workload):
    record = TrainingRecord(TrainingState(NOW, 1.0, 1), NOW, 0, key(workload))
    name = workload.workload
    return Trained(pack(outlook(name)), StoredUplift.of(name, NOW, NOTHING_TAUGHT), record)


def test_a_workload_that_was_just_declared_has_the_floors_of_events(board):
    board.take_calendar(Calendar((SHOW,)), NOW)
    new = one("new", {"tier": "edge"})
    assert board.take_fleet(fleet_of(one(), new)) == ["tv/new"]
    found = target(board, "tv/new")
    assert (found.replicas, found.source) == (70, Source.EVENT)
    assert target(board).replicas == 99


def test_other_labels_select_other_events(board):
    board.take_fleet(fleet_of(one(min_replicas=0)))
    board.take_calendar(Calendar((dataclasses.replace(SHOW, floor_replicas=170),)), NOW)
    assert target(board).replicas == 99
    board.take_fleet(fleet_of(one(labels={"tier": "edge"})))
    assert target(board).replicas == 170
    board.take_fleet(fleet_of(one(labels={"tier": "core"})))
    assert target(board).replicas == 99


def test_other_labels_lift_the_plan_by_other_events():
    made = Board(fleet_of(one()), {})
    made.take_outlook(outlook("tv/a", rate=10.0), [], StoredUplift.of("tv/a", NOW, NOTHING_TAUGHT))
    final = dataclasses.replace(
        SHOW, floor_replicas=None, uplift=3.0, start=NOW + HOUR, end=NOW + 3 * HOUR
    )
    made.take_calendar(Calendar((final,)), NOW)
    rates = [made.plans[0].outlook.at(0.5)[90]]
    for labels in ({"tier": "edge"}, {}):
        made.take_fleet(fleet_of(one(labels=labels)))
        rates.append(made.plans[0].outlook.at(0.5)[90])
    assert rates == pytest.approx([10.0, 30.0, 10.0], rel=0.01)


def test_the_programme_finds_the_events_of_labels_as_they_are_now(tmp_path):
    path = tmp_path / "preroll.sqlite"
    PlanStore(path).close()
    ahead = dataclasses.replace(SHOW, event_id="s", start=NOW, end=NOW + HOUR)
    programme = Programme(EventSettings(events=(ahead,)), fleet_of(one()), path, lambda: NOW)
    programme.load(NOW)

    def concerning():
        return len(programme.concerning("tv/a", NOW, NOW + HOUR))

    found = [concerning()]
    for labels in ({"tier": "edge"}, {"tier": "core"}):
        programme.take_fleet(fleet_of(one(labels=labels)))
        found.append(concerning())
    assert found == [0, 1, 0]
    assert programme.labels("tv/gone") == {}


def test_the_refreshers_calendar_goes_by_the_fleet_of_now(store):
    CalendarShelf(store.path).save([encoded_event(SHOW)], Calendar(()).overlap)
    watch = CalendarWatch(fleet_of(one()), CalendarShelf(store.path))
    watch.look(NOW)
    watch.take_fleet(fleet_of(one(labels={"tier": "edge"}), one("new", {"tier": "edge"})))
    assert [watch.of(name).events for name in ("tv/a", "tv/new")] == [(SHOW,), (SHOW,)]
    watch.take_fleet(fleet_of(one("new", {"tier": "edge"}, mode=Mode.OFF)))
    assert [watch.of(name).events for name in ("tv/a", "tv/new")] == [(), ()]


def test_live_traffic_is_asked_for_from_the_beginning_for_who_is_new_or_looks_further_back():
    live = LiveTraffic(fleet_of(one()))
    whole, _ = live.question(NOW)
    live.take(NOW, [TrafficSeries("tv/a", NOW - HOUR, MINUTE, np.ones(60))])
    short, _ = live.question(NOW)
    assert whole < short
    live.take_fleet(fleet_of(one(capacity_rps=9.0)))
    assert live.question(NOW)[0] == short and live.recent("tv/a") is not None
    live.take_fleet(fleet_of(one(), one("new")))
    assert live.question(NOW)[0] == whole and live.recent("tv/a") is not None
    live.take(NOW, [])
    live.take_fleet(fleet_of(one("new")))
    assert live.question(NOW)[0] == short and live.recent("tv/a") is None
    live.take_fleet(fleet_of(one("new", lead_time=60 * MINUTE)))
    assert live.question(NOW)[0] == whole - 55 * MINUTE


@pytest.fixture(scope="module")
def model():
    return load_starter(MINUTE, 5)


def test_a_lead_peak_model_goes_on_while_its_quantile_and_window_stay(store, model):
    calendar = CalendarWatch(fleet_of(one()), CalendarShelf(store.path))
    peaks = LivePeaks(fleet_of(one()), PeakShelf(store.path), calendar)
    kept = StoredPeak("tv/a", NOW, Taught.STARTER.value, "", model.to_bytes())
    store.save_records({}, [kept])
    assert peaks.look() == ["tv/a"]
    peaks.take_fleet(fleet_of(one(capacity_rps=9.0, mode=Mode.SHADOW)))
    assert peaks.look() == []
    peaks.take_fleet(fleet_of(one(quantile=0.9)))
    assert peaks.look() == ["tv/a"]  # taken anew, for it has learnt for another quantile
    peaks.take_fleet(fleet_of(one("new")))
    assert peaks.look() == []
    peaks.take_fleet(fleet_of(one(lead_time=9 * MINUTE)))
    peaks.look()
    said = peaks.say(LiveTraffic(fleet_of(one())), NOW)
    assert "another lead time" in said.silent["tv/a"]


def test_what_was_observed_stays_while_the_others_change(board):
    board.take_refresh(Refreshed(NOW, {"tv/a": ObservedTraffic(NOW - MINUTE, 7.0)}))
    board.take_fleet(fleet_of(one(), one("new")))
    states = board.snapshot(NOW).workloads
    assert states["tv/a"].observed.rate_rps == 7.0
    assert states["tv/new"].observed is None
    assert list(board.snapshot(NOW).workloads) == ["tv/a", "tv/new"]
    assert board.snapshot(NOW + timedelta(hours=3)).notices != ()
