"""Models from the store at work: real ones, on real traffic."""

import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from forecaster.events import Event
from forecaster.events.calendar import Overlap
from forecaster.models.event_training import train_with_events
from forecaster.models.peak import LivePeak, Taught, train_lead_peak
from forecaster.models.peak.starter import load_starter
from forecaster.planning import Mode, ScalingRule
from forecaster.planning.live import Live
from forecaster.planning.planner import Known, decide
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import CalendarShelf, PeakShelf, PlanStore, StoredPeak
from forecaster.store.calendar import encoded_event
from forecaster.traffic.history import TrafficHistory, TrafficSeries
from forecaster.traffic.prometheus import FetchedTraffic
from forecaster.worker.loading import load_board
from forecaster.worker.mailbox import Outbox
from forecaster.worker.messages import RefreshFailed
from forecaster.worker.orders import RefreshOrder
from forecaster.worker.refresher import run_refreshing
from forecaster.worker.refreshing import Watch, foretell_changed, refresh
from tests.worker.sources import NOW, STEP, failing, fetch_from, fleet, moved_trace

LEAD = 1  # five minutes by five
SETTLED = timedelta(seconds=15)


@pytest.fixture(scope="module")
def trace():
    """Four days of five-minute traffic that go on for two hours after NOW."""
    return moved_trace("tv/a", NOW + timedelta(hours=2), 4)


@pytest.fixture(scope="module")
def model(trace):
    return train_lead_peak(trace, NOW, None, LEAD)


@pytest.fixture
def store(tmp_path):
    with PlanStore(tmp_path / "preroll.sqlite") as opened:
        yield opened


@pytest.fixture
def watch(store):
    return Watch.of(fleet("tv/a"), PeakShelf(store.path))


def stored(model, workload="tv/a", why=""):
    return StoredPeak(workload, model.cutoff, model.taught.value, why, model.to_bytes())


def source(series):
    return fetch_from(TrafficHistory([series]))


def foretold(watch, now, fetch):
    return refresh(now + SETTLED, watch, fetch).foretold


def test_each_step_says_what_the_model_says_of_the_traffic_so_far(watch, store, trace, model):
    """The oracle is a LivePeak over all that is known at each instant."""
    store.save_records({}, [stored(model)])
    oracle = LivePeak(model, (0.98,))
    for step in range(20):
        now = NOW + step * STEP
        (said,) = foretold(watch, now, source(trace)).lead_peaks.values()
        wanted = oracle.decide(trace.before(now).since(now - timedelta(hours=5)))
        assert said.at == now
        assert said.now_rps == wanted.now_rps
        assert said.peak_rps == pytest.approx(wanted.quantile(0.98))
        assert (said.quantile, said.taught, said.why_taught) == (0.98, Taught.OWN, "")


def test_an_event_that_is_declared_meanwhile_is_told_before_it_begins_and_by_its_name(
    watch, store, trace
):
    trained = train_with_events(trace.before(NOW), NOW)
    model = train_lead_peak(trace, NOW, trained.path, LEAD, track=trained.track)
    assert model.uplift is not None and not model.knows_events
    store.save_records({}, [stored(model)])
    (plain,) = foretold(watch, NOW, source(trace)).lead_peaks.values()
    begins = NOW + 2 * STEP
    event = Event(begins, begins + timedelta(hours=1), "final", 4.0, "the last one", uplift=5.0)
    CalendarShelf(store.path).save([encoded_event(event)], Overlap.ADD)
    (said,) = foretold(watch, NOW + STEP, source(trace)).lead_peaks.values()
    assert said.onset == 'final "the last one", importance 4: ×8.27 at 0.98, declared'
    assert plain.onset == ""
    assert 6 < said.peak_rps / plain.now_rps < 12
    live = Live(said, timedelta(hours=1))
    target = decide(Known("tv/a", ScalingRule(10.0), live=live), NOW + STEP)
    assert target.reasons[0].startswith('final "the last one", importance 4: ×8.27 at 0.98, dec')


@pytest.mark.parametrize("fails", [False, True], ids=["late", "failing"])
def test_an_announced_event_comes_no_later_for_traffic_that_is_late(watch, store, trace, fails):
    """At 18:15 the last traffic ended at 18:00; a lead window after 18:15 the final begins."""
    trained = train_with_events(trace.before(NOW), NOW)
    model = train_lead_peak(trace, NOW, trained.path, LEAD, track=trained.track)
    store.save_records({}, [stored(model)])
    begins = NOW + 4 * STEP
    event = Event(begins, begins + timedelta(hours=1), "final", 4.0, "the last one", uplift=5.0)
    CalendarShelf(store.path).save([encoded_event(event)], Overlap.ADD)
    of = "tv/a"
    first = foretold(watch, NOW, source(trace)).lead_peaks[of]
    assert first.onset == ""
    for late in (1, 2, 3):
        now = NOW + late * STEP + SETTLED
        if fails:
            assert isinstance(refresh(now, watch, failing), RefreshFailed)
            said = foretell_changed(watch, now)
            assert foretell_changed(watch, now + STEP / 2) is None  # once a step
        else:
            said = foretold(watch, NOW + late * STEP, source(trace.before(NOW)))
        (told,) = said.lead_peaks.values()
        assert told.at == NOW and told.now_rps == first.now_rps
        expected = late + LEAD + 1 >= 4  # the window of the announcement has begun
        assert (told.onset != "") is expected
        assert (told.peak_rps > 3 * first.now_rps) is expected


def test_gaps_at_the_end_leave_the_lead_peak_where_traffic_ended(watch, store, trace, model):
    store.save_records({}, [stored(model)])
    rates = trace.rate_rps.copy()
    rates[trace.index_of(NOW - 2 * STEP) :] = np.nan
    holed = TrafficSeries("tv/a", trace.start, STEP, rates)
    assert foretold(watch, NOW, source(holed)).lead_peaks["tv/a"].at == NOW - 2 * STEP
    assert foretold(watch, NOW + STEP, source(trace)).lead_peaks["tv/a"].at == NOW + STEP


def test_a_source_that_is_down_foretells_nothing_and_afterwards_nothing_is_missing(
    watch, store, trace, model
):
    store.save_records({}, [stored(model)])
    foretold(watch, NOW, source(trace))
    for step in range(1, 12):
        assert isinstance(refresh(NOW + step * STEP + SETTLED, watch, failing), RefreshFailed)
    foretold(watch, NOW + 12 * STEP, source(trace))
    assert not np.isnan(watch.traffic.recent("tv/a").rate_rps).any()
    assert watch.traffic.recent("tv/a").end == NOW + 12 * STEP


def test_without_a_model_or_without_traffic_the_reason_is_told(watch, store, trace, model):
    assert foretold(watch, NOW, source(trace)).silent == {"tv/a": "there is no lead-peak model yet"}
    fresh = Watch.of(fleet("tv/a"), PeakShelf(store.path))
    store.save_records({}, [stored(model)])
    nothing = foretold(fresh, NOW, lambda *_: FetchedTraffic(None, ()))
    assert (nothing.lead_peaks, nothing.silent) == ({}, {"tv/a": "no live traffic yet"})


def test_a_new_model_speaks_before_the_next_step_and_only_for_its_workload(store, trace, model):
    of = Watch.of(fleet("tv/a", "tv/b"), PeakShelf(store.path))
    foretold(of, NOW, source(trace))
    assert foretell_changed(of, NOW + SETTLED) is None
    store.save_records({}, [stored(model)])
    assert set(foretell_changed(of, NOW + SETTLED).lead_peaks) == {"tv/a"}
    assert foretell_changed(of, NOW + SETTLED) is None


def test_a_retrained_model_takes_over_what_was_learnt_live(watch, store, trace, model):
    store.save_records({}, [stored(model)])
    for step in range(30):
        foretold(watch, NOW - timedelta(hours=1) + step * STEP, source(trace))
    live = watch.peaks._at_work["tv/a"].live
    learnt = live._calibration.offset.copy()
    assert learnt != model.calibration((0.98,)).offset
    newer = dataclasses.replace(model, cutoff=NOW + STEP, highest_rps=model.highest_rps * 2)
    store.save_records({}, [stored(newer)])
    assert watch.peaks.look() == ["tv/a"]
    again = watch.peaks._at_work["tv/a"].live
    assert again is live
    assert again.model.highest_rps == newer.highest_rps
    np.testing.assert_array_equal(again._calibration.offset, learnt)


def learnt_over_a_restart(store, trace, model, quantile=0.98):
    """What was learnt in 30 steps, what another refresher begins with, and the training's own."""
    store.save_records({}, [stored(model)])
    shelf = PeakShelf(store.path)
    before = Watch.of(fleet("tv/a"), shelf)
    for step in range(30):
        told = foretold(before, NOW - timedelta(hours=1) + step * STEP, source(trace))
        shelf.keep(told.lead_peaks, before.peaks.learnt(told.lead_peaks))
    again = Watch.of(fleet("tv/a", quantile=quantile), shelf)
    assert again.peaks.look() == ["tv/a"]
    offsets = [one.peaks.learnt(["tv/a"])["tv/a"].offsets for one in (before, again)]
    return *offsets, tuple(model.calibration((quantile,)).offset)


def test_what_was_learnt_live_outlives_a_restart_of_the_refresher(store, trace, model):
    learnt, resumed, trained = learnt_over_a_restart(store, trace, model)
    assert resumed == learnt != trained


def test_what_was_learnt_of_another_quantile_or_window_is_not_taken_over(store, trace, model):
    learnt, resumed, trained = learnt_over_a_restart(store, trace, model, quantile=0.9)
    assert resumed == trained != learnt
    shelf = PeakShelf(store.path)
    (kept,) = shelf.learnt(["tv/a"]).values()
    shelf.keep({}, {"tv/a": dataclasses.replace(kept, lead_steps=LEAD + 1)})
    of = Watch.of(fleet("tv/a"), shelf)
    of.peaks.look()
    fresh = tuple(model.calibration((0.98,)).offset)
    assert of.peaks.learnt(["tv/a"])["tv/a"].offsets == fresh != kept.offsets


def test_the_loop_keeps_what_was_learnt_with_the_lead_peaks(store, trace, model):
    store.save_records({}, [stored(model)])

    class EnoughError(Exception):
        pass

    told = []

    def tell(message):
        told.append(message)
        if len(told) == 2:
            raise EnoughError

    looks = iter(NOW + n * timedelta(seconds=16) for n in range(1000))
    order = RefreshOrder(
        fleet("tv/a"),
        lambda: source(trace),
        store.path,
        lambda: next(looks),
        0.0,
        Outbox().inbox,
    )
    with pytest.raises(EnoughError):
        run_refreshing(tell, order)
    assert set(told[0].foretold.lead_peaks) == set(PeakShelf(store.path).learnt(["tv/a"]))


def test_a_borrowed_model_is_told_as_such_with_the_reason(watch, store, trace):
    borrowed = load_starter(STEP, LEAD).for_workload("tv/a", None)
    store.save_records({}, [stored(borrowed, why="5h of own history")])
    said = foretold(watch, NOW, source(trace.since(NOW - timedelta(hours=5)))).lead_peaks["tv/a"]
    assert (said.taught, said.why_taught) == (Taught.STARTER, "5h of own history")
    assert said.peak_rps > 0


def test_a_model_that_cannot_be_read_is_said_and_does_not_stop_the_others(store, trace, model):
    of = Watch.of(fleet("tv/a", "tv/b"), PeakShelf(store.path))
    damaged = dataclasses.replace(stored(model, "tv/b"), model=b"PK rubbish")
    store.save_records({}, [stored(model), damaged])
    both = TrafficHistory([trace, TrafficSeries("tv/b", trace.start, STEP, trace.rate_rps)])
    said = foretold(of, NOW, fetch_from(both))
    assert set(said.lead_peaks) == {"tv/a"}
    assert said.silent["tv/b"].startswith("a lead-peak model that cannot be read")
    assert foretell_changed(of, NOW + STEP) is None  # it is not tried again and again


@pytest.mark.parametrize(
    "other",
    [{"lead_time": timedelta(minutes=40)}, {"step": timedelta(minutes=1)}],
    ids=["lead time", "step"],
)
def test_a_model_for_another_window_is_not_used(store, model, other):
    store.save_records({}, [stored(model)])
    of = Watch.of(fleet("tv/a", **other), PeakShelf(store.path))
    of.peaks.look()
    (why,) = of.peaks.say(of.traffic, NOW).silent.values()
    assert why == (
        "the stored lead-peak model is for another lead time or step (a window of 10m by 5m)"
    )


def test_a_store_that_cannot_be_read_is_said_and_the_models_at_hand_go_on(
    watch, store, trace, model
):
    store.save_records({}, [stored(model)])
    assert foretold(watch, NOW, source(trace)).trouble is None
    aside = store.path.with_name("aside")
    store.path.rename(aside)
    said = foretold(watch, NOW + STEP, source(trace))
    assert "cannot be read" in said.trouble
    assert said.lead_peaks["tv/a"].at == NOW + STEP
    aside.rename(store.path)
    assert foretell_changed(watch, NOW + STEP).trouble is None


def test_traffic_that_breaks_a_model_costs_its_workload_alone(store, trace, model, caplog):
    """A path on another grid than the traffic's, as after a file was exported anew."""
    from forecaster.models.day_path import DayAheadPath

    path = DayAheadPath(NOW - STEP / 2, STEP, np.ones(600, dtype=np.float32))
    crooked = dataclasses.replace(model, path=path)
    of = Watch.of(fleet("tv/a", "tv/b"), PeakShelf(store.path))
    store.save_records({}, [stored(model), stored(crooked, "tv/b")])
    both = TrafficHistory([trace, TrafficSeries("tv/b", trace.start, STEP, trace.rate_rps)])
    said = foretold(of, NOW, fetch_from(both))
    assert set(said.lead_peaks) == {"tv/a"}
    assert "is not on the grid" in said.silent["tv/b"]
    assert [one.workload for one in caplog.records if one.exc_info] == ["tv/b"]


def test_after_a_restart_in_an_outage_a_lead_peak_that_is_fresh_is_served_until_it_is_stale(
    store, trace, model
):
    of, shelf = fleet("tv/a"), PeakShelf(store.path)
    store.save_records({}, [stored(model)])
    before = Watch.of(of, shelf)
    told = foretold(before, NOW, source(trace)).lead_peaks
    shelf.keep(told)
    board, _ = load_board(of, store, NOW + STEP)

    def served(at):
        return board.snapshot(at).state("tv/a").live.fresh(at)

    for start in (NOW + STEP, NOW + 2 * STEP):  # the refresher dies, and starts again
        again = Watch.of(of, shelf)
        board.take_refresh(refresh(start, again, failing))
        board.take_foretold(foretell_changed(again, start))
        assert served(start) == told["tv/a"]
        assert board.snapshot(start).target("tv/a", start).replicas > 0
    board.take_refresh(refresh(NOW + 3 * STEP, again, lambda *_: FetchedTraffic(None, ())))
    assert served(NOW + 4 * STEP - timedelta(seconds=1)) == told["tv/a"]
    assert served(NOW + 4 * STEP) is None


def test_a_stored_lead_peak_from_after_now_is_not_loaded(store, trace, model):
    of, shelf = fleet("tv/a"), PeakShelf(store.path)
    store.save_records({}, [stored(model)])
    shelf.keep(foretold(Watch.of(of, shelf), NOW, source(trace)).lead_peaks)
    for at, known in ((NOW, True), (NOW - timedelta(minutes=40), False), (NOW - STEP / 2, False)):
        board, _ = load_board(of, store, at)
        assert (board.snapshot(at).state("tv/a").live.told is not None) is known


def test_a_workload_that_is_off_is_not_looked_at(store, model):
    rule = ScalingRule(capacity_rps=1, mode=Mode.OFF)
    of = Watch.of(Fleet((WorkloadSettings("tv", "a", rule),), step=STEP), PeakShelf(store.path))
    store.save_records({}, [stored(model)])
    assert of.peaks.look() == []
    assert of.peaks.say(of.traffic, NOW).silent == {}
