"""Plans go by the events that are known now, whatever was known when a workload was trained."""

import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from forecaster.errors import NoUsablePlan
from forecaster.events import EMPTY_CALENDAR, Calendar, Event, Selector
from forecaster.events.uplift import UpliftModel
from forecaster.models import OutlookConfig
from forecaster.models.event_outlook import outlook_with_events
from forecaster.models.event_training import train_with_events
from forecaster.planning import ScalingRule, Source
from forecaster.planning.snapshot import ObservedTraffic, TrainingState
from forecaster.programme.reading import read_calendar
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import PlanStore, StoredUplift, TrainingRecord, pack
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.sample import sample_matches_path
from forecaster.worker.board import Board
from forecaster.worker.loading import load_board
from forecaster.worker.messages import Refreshed
from tests.worker.sources import MINUTE, NOW, fleet
from tests.worker.test_board import HOUR, outlook

SECOND = timedelta(seconds=1)
TV = fleet("tv/a", "tv/b", step=MINUTE, quantile=0.5)
NOTHING_TAUGHT = StoredUplift.of("tv/a", NOW, UpliftModel())
FINAL = Event(
    NOW + HOUR, NOW + 2 * HOUR, "football", selector=Selector(("tv",), ("a",)), uplift=3.0
)


def rates_of(board, minutes):
    (plan,) = [one for one in board.plans if one.outlook.series_id == "tv/a"]
    return plan.outlook.at(0.5)[minutes].tolist(), plan.needed[minutes].tolist()


def test_an_event_lifts_the_plan_at_once_goes_on_when_it_is_extended_and_falls_when_it_is_gone():
    board = Board(TV, {})
    board.take_outlook(outlook(rate=10.0), [], NOTHING_TAUGHT)
    inside, after = 90, 150
    seen = []
    for end in (None, 2, 3, None):
        known = () if end is None else (dataclasses.replace(FINAL, end=NOW + end * HOUR),)
        board.take_calendar(Calendar(known), NOW)
        seen.append(rates_of(board, [inside, after]))
    assert seen[0] == seen[3] == ([10.0, 10.0], [10, 10])
    assert seen[1] == (pytest.approx([30.0, 10.0], rel=0.01), [31, 10])
    assert seen[2] == (pytest.approx([30.0, 30.0], rel=0.01), [31, 31])
    assert board.plans[0].outlook.reasons == ()


def test_a_plan_that_breaks_takes_no_floor_along(monkeypatch):
    from forecaster.worker import plans

    def broken(*_):
        raise IndexError("a model broke")

    board = Board(TV, {})
    board.take_outlook(outlook(rate=10.0), [], NOTHING_TAUGHT)
    monkeypatch.setattr(plans, "outlook_with_events", broken)
    with pytest.raises(IndexError):
        board.take_calendar(Calendar((dataclasses.replace(FINAL, floor_replicas=40),)), NOW)
    assert board.snapshot(NOW).target("tv/a", NOW + 61 * MINUTE).replicas == 40


def test_a_retraining_keeps_the_event_and_does_not_lift_twice():
    board = Board(TV, {})
    board.take_calendar(Calendar((FINAL,)), NOW)
    for _ in range(2):
        board.take_outlook(outlook(rate=10.0), [], NOTHING_TAUGHT)
        board.take_calendar(Calendar((FINAL, dataclasses.replace(FINAL, name="other"))), NOW)
        assert rates_of(board, [90])[0] == pytest.approx([30.0], rel=0.01)


def test_an_outlook_of_an_older_preroll_is_taken_as_it_is():
    board = Board(TV, {})
    board.take_outlook(outlook(rate=10.0), [])
    board.take_calendar(Calendar((FINAL,)), NOW)
    assert rates_of(board, [90]) == ([10.0], [10])


@pytest.fixture
def stored(tmp_path):
    with PlanStore(tmp_path / "preroll.sqlite") as store:
        record = TrainingRecord(TrainingState(NOW, 1.0, 1), NOW, 0, "key")
        store.save_outlook(pack(outlook("tv/a", rate=10.0)), record, None, NOTHING_TAUGHT)
        store.save_outlook(pack(outlook("tv/b", rate=10.0)), record)
        yield store


def test_a_restart_lifts_what_was_stored_without_events(stored):
    board, _ = load_board(TV, stored, NOW)
    board.take_calendar(Calendar((FINAL,)), NOW)
    assert rates_of(board, [90, 150])[0] == pytest.approx([30.0, 10.0], rel=0.01)


def test_an_uplift_that_cannot_be_read_stops_nothing_and_is_said_until_it_is_trained_anew(
    stored, caplog
):
    record = stored.records()["tv/a"]
    damaged = dataclasses.replace(NOTHING_TAUGHT, model=b"junk")
    stored.save_outlook(pack(outlook("tv/a", rate=10.0)), record, None, damaged)
    board, _ = load_board(TV, stored, NOW)
    assert board.records["tv/a"].training_key is None  # due at once
    assert board.records["tv/b"].training_key == "key"
    board.take_calendar(Calendar((FINAL,)), NOW)
    assert rates_of(board, [90])[0] == pytest.approx([30.0], rel=0.01)  # it is declared
    (notice,) = board.snapshot(NOW).state("tv/a").notices
    assert notice.startswith("the stored uplift of events cannot be read: ")
    assert notice.endswith("; events lift by what is declared alone")
    assert [one.message for one in caplog.records] == ["uplift unusable"]
    board.take_outlook(outlook("tv/a"), [], NOTHING_TAUGHT)
    assert board.snapshot(NOW).state("tv/a").notices == ()


def test_serving_lifts_as_training_does_on_the_tournament_with_its_matches(tournament):
    """Among events of others, and hourly news that are always on and say that they treble it."""
    count = len(tournament) // 5
    rates = np.nanmean(tournament.rate_rps[: count * 5].reshape(count, 5), axis=1)
    series = TrafficSeries("tv/a", tournament.start, 5 * MINUTE, rates)
    cutoff = series.end - timedelta(days=6)
    matches = read_calendar(sample_matches_path()).calendar
    hours = [cutoff + HOUR * hour for hour in range(-40 * 24, 60)]
    news = tuple(Event(at, at + HOUR, "news", uplift=3.0) for at in hours)
    theirs = dataclasses.replace(FINAL, start=cutoff + HOUR, end=cutoff + 40 * HOUR)
    theirs = dataclasses.replace(theirs, selector=Selector(workloads=("other",)))
    everything = Calendar((*matches.events, *news, theirs))
    mine = everything.selecting("tv", "a")
    config = OutlookConfig((0.02, 0.5, 0.98), horizon=48 * HOUR, zoo=False)
    trained = train_with_events(series.before(cutoff), cutoff, config, mine)
    assert trained.uplift.ordinary == {"news"}
    then = outlook_with_events(trained.outlook, trained.uplift, trained.calendar)
    lifted = then.rate_rps / trained.outlook.rate_rps
    assert lifted[1].max() > 1.5
    assert (lifted == 1).any()
    of = Fleet((WorkloadSettings("tv", "a", ScalingRule(1.0, quantile=0.98)),), step=5 * MINUTE)
    board = Board(of, {})
    packed = pack(trained.outlook)
    uplift = StoredUplift.of("tv/a", packed.cutoff, trained.uplift)
    for calendar in (everything, EMPTY_CALENDAR, everything):
        board.take_calendar(calendar, cutoff)
        board.take_outlook(packed.unpack(), [], uplift)
    served = board.plans[0].outlook
    # The same, but for the rounding in the store: the numbers of both are the same without it.
    np.testing.assert_allclose(served.rate_rps, then.rate_rps, rtol=1e-3)
    exactly = outlook_with_events(trained.outlook, trained.uplift, everything.selecting("tv", "a"))
    np.testing.assert_array_equal(exactly.rate_rps, then.rate_rps)
    assert served.reasons == then.reasons


SHOW = dataclasses.replace(FINAL, uplift=None, floor_replicas=40, hold=True, ceiling=3 * HOUR)


def target_of(board, name, at):
    try:
        return board.snapshot(at).target(name, at)
    except NoUsablePlan:
        return None


def test_a_floor_raises_the_plan_and_what_is_served_and_a_workload_without_a_plan_as_well():
    board = Board(TV, {})
    board.take_outlook(outlook(rate=10.0), [], NOTHING_TAUGHT)
    board.take_outlook(outlook("tv/b", rate=10.0), [], NOTHING_TAUGHT)
    theirs = dataclasses.replace(SHOW, selector=Selector(workloads=("b", "nobody")))
    assert board.take_calendar(Calendar((theirs,)), NOW) == ["tv/b"]
    early, late, after = (NOW + minutes * MINUTE for minutes in (55, 239, 240))
    for at, replicas in ((early - MINUTE, 10), (early, 40), (late, 40), (after, 10)):
        assert target_of(board, "tv/b", at).replicas == replicas
        assert target_of(board, "tv/a", at).replicas == 10
    plan = board.plans[1]  # which knows no traffic that would hold the floor beyond its end
    assert plan.needed[[54, 55, 119, 120]].tolist() == [10, 40, 40, 10]

    bare = Board(TV, {})
    assert bare.take_calendar(Calendar((SHOW,)), NOW) == ["tv/a"]
    assert target_of(bare, "tv/b", early) is None
    said = target_of(bare, "tv/a", early)
    assert (said.replicas, said.source) == (40, Source.EVENT)
    assert said.reasons[1] == "no forecast speaks: not trained yet"
    assert bare.take_calendar(Calendar((dataclasses.replace(SHOW),)), NOW) == []  # an equal one
    higher = dataclasses.replace(SHOW, floor_replicas=70)
    assert bare.take_calendar(Calendar((higher,)), NOW) == ["tv/a"]
    assert target_of(bare, "tv/a", early).replicas == 70
    assert bare.take_calendar(EMPTY_CALENDAR, NOW) == ["tv/a"]
    assert target_of(bare, "tv/a", early) is None


def test_a_floor_is_held_by_the_traffic_that_came_since_the_end():
    board = Board(TV, {})
    board.take_outlook(outlook(rate=10.0), [], NOTHING_TAUGHT)
    board.take_calendar(Calendar((SHOW,)), NOW)
    served = []
    told = ((119, 8.0), (120, None), (120, 15.0), (121, 25.0), (122, 20.0), (123, None))
    for minutes, rate in told:
        at = NOW + minutes * MINUTE
        if rate is not None:
            seen = {"tv/a": ObservedTraffic(at - MINUTE, rate)}
            board.take_refresh(Refreshed(at, seen))
        served.append(target_of(board, "tv/a", at).replicas)
    # 20 is half of what 40 replicas stand for; of the end, at 120, nothing is known at first.
    assert served == [40, 40, 10, 40, 10, 10]


def test_a_floor_of_next_week_is_served_when_its_time_comes_and_no_new_state_is_made_meanwhile():
    board = Board(TV, {})
    week = timedelta(days=7)
    later = dataclasses.replace(SHOW, start=SHOW.start + week, end=SHOW.end + week)
    board.take_calendar(Calendar((SHOW, later)), NOW)
    first, second = (board.snapshot(NOW + seconds * SECOND).state("tv/a") for seconds in (0, 5))
    assert first is second
    for at, replicas in ((54, None), (55, 40), (179, 40), (240, None)):
        said = target_of(board, "tv/a", NOW + week + at * MINUTE)
        assert (said.replicas if said else None) == replicas
