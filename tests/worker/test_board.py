"""What is published: plans, reasons and notices, in words that say since when and why."""

import dataclasses
import time
from datetime import timedelta

import numpy as np
import pytest

from forecaster.errors import ForecastError, NoUsablePlan
from forecaster.events import EMPTY_CALENDAR, Calendar, Event, Overlap, Selector
from forecaster.models.outlook import Outlook
from forecaster.models.peak import Taught
from forecaster.planning import Held, Mode, ScalingRule, Source
from forecaster.planning.live import ToldPeak
from forecaster.planning.snapshot import ObservedTraffic, TrainingState
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import TrainingRecord
from forecaster.worker.board import Board
from forecaster.worker.messages import Foretold, Refreshed, RefreshFailed
from forecaster.worker.served import ServedTargets
from tests.worker.sources import MINUTE, NOW, fleet

HOUR = timedelta(hours=1)
QUANTILES = (0.5, 0.99)


def outlook(workload="tv/a", rate=42.0, start=NOW, hours=48):
    rates = np.vstack([np.full(int(hours * 60) + 5, rate), np.full(int(hours * 60) + 5, 2 * rate)])
    return Outlook(workload, start, start, MINUTE, QUANTILES, rates, "given")


def board(*workloads, records=None, **rule):
    rule = {"quantile": 0.5, **rule}
    return Board(fleet(*(workloads or ["tv/a"]), step=MINUTE, **rule), records or {})


def seen(at, *workloads):
    return Refreshed(at, {name: ObservedTraffic(at - MINUTE, 7.0) for name in workloads})


def test_before_the_first_training_there_is_no_plan_and_no_reason_yet():
    snapshot = board("tv/a", "tv/b").snapshot(NOW)
    assert not snapshot.ready
    with pytest.raises(NoUsablePlan, match="not trained yet"):
        snapshot.target("tv/a", NOW)


def test_an_outlook_is_planned_under_the_present_rule():
    one = board("tv/a", capacity_rps=2.0, min_replicas=3)
    one.take_outlook(outlook(rate=42.0), [])
    assert one.snapshot(NOW).target("tv/a", NOW).replicas == 21


def test_the_hold_down_is_passed_on():
    one = board("tv/a", hold_down=5 * MINUTE)
    one.take_outlook(outlook(rate=42.0), [Held(NOW, 99)])
    snapshot = one.snapshot(NOW)
    assert snapshot.target("tv/a", NOW).replicas == 99
    assert snapshot.target("tv/a", NOW + 6 * MINUTE).replicas == 42


def test_an_outlook_that_does_not_reach_the_quantile_is_refused_with_the_reason():
    one = board("tv/a", quantile=0.999)
    with pytest.raises(ForecastError, match=r"tv/a: quantile 0\.999 is outside"):
        one.take_outlook(outlook(), [])
    assert not one.snapshot(NOW).ready


def test_outlooks_of_workloads_that_are_off_or_gone_are_passed_over():
    off = Fleet(
        (WorkloadSettings("tv", "a", ScalingRule(capacity_rps=1, mode=Mode.OFF)),), step=MINUTE
    )
    one = Board(off, {})
    assert one.take_outlook(outlook("tv/a"), []) is None
    assert one.take_outlook(outlook("tv/gone"), []) is None
    assert one.plans == ()
    assert one.snapshot(NOW).ready
    assert one.snapshot(NOW).target("tv/a", NOW).replicas == 0


def test_a_failed_first_training_is_the_reason():
    one = board("tv/a")
    one.take_record("tv/a", TrainingRecord().failed(NOW, "tv/a: at least 24 h are needed"))
    snapshot = one.snapshot(NOW)
    assert snapshot.ready
    with pytest.raises(NoUsablePlan, match="at least 24 h are needed"):
        snapshot.target("tv/a", NOW)


def test_a_failed_retraining_is_a_notice_while_the_plan_is_served():
    one = board("tv/a")
    one.take_outlook(outlook(), [])
    good = TrainingRecord(TrainingState(NOW, 1.0, 1), NOW)
    one.take_record("tv/a", good.failed(NOW + 6 * HOUR, "no luck").failed(NOW + 7 * HOUR, "none"))
    state = one.snapshot(NOW + 7 * HOUR).state("tv/a")
    assert state.target(NOW + 7 * HOUR).replicas == 42
    assert state.notices == (
        "training failed 2× since: none; serving the plan made at 2026-05-04 18:00 UTC",
    )
    assert (state.training.runs, state.training.failures) == (3, 2)


def test_what_was_observed_is_shown():
    one = board("tv/a", "tv/b")
    one.take_refresh(seen(NOW, "tv/a"))
    snapshot = one.snapshot(NOW)
    assert snapshot.state("tv/a").observed == ObservedTraffic(NOW - MINUTE, 7.0)
    assert snapshot.state("tv/b").observed is None
    assert snapshot.notices == ()


def test_a_source_that_fails_is_told_since_when_and_why_and_what_is_served():
    one = board("tv/a")
    one.take_outlook(outlook(), [])
    one.take_refresh(seen(NOW, "tv/a"))
    one.take_refresh(RefreshFailed(NOW + MINUTE, "connection refused"))
    assert one.snapshot(NOW + HOUR).notices == (
        "no traffic from the source since 2026-05-04 18:00 UTC (connection refused): "
        "serving the plan made at 2026-05-04 18:00 UTC",
    )
    one.take_refresh(seen(NOW + HOUR, "tv/a"))
    assert one.snapshot(NOW + HOUR).notices == ()


def test_a_source_that_answers_without_news_is_told_after_three_steps():
    one = board("tv/a")
    one.take_refresh(seen(NOW, "tv/a"))
    assert one.snapshot(NOW + 3 * MINUTE).notices == ()
    (told,) = one.snapshot(NOW + 3 * MINUTE + timedelta(seconds=1)).notices
    assert told == "no traffic from the source since 2026-05-04 18:00 UTC"


def test_a_source_that_never_gave_anything_is_told_since_the_first_question():
    one = board("tv/a")
    one.take_refresh(Refreshed(NOW, {}))
    one.take_refresh(Refreshed(NOW + MINUTE, {}))
    assert one.snapshot(NOW + HOUR).notices == (
        "no traffic from the source since 2026-05-04 18:00 UTC",
    )


def test_one_silent_workload_is_its_own_notice_not_everybodys():
    one = board("tv/a", "tv/b")
    for name in ("tv/a", "tv/b"):
        one.take_outlook(outlook(name), [])
    one.take_refresh(seen(NOW, "tv/a", "tv/b"))
    one.take_refresh(seen(NOW + HOUR, "tv/a"))
    snapshot = one.snapshot(NOW + HOUR)
    assert snapshot.notices == ()
    assert snapshot.state("tv/a").notices == ()
    assert snapshot.state("tv/b").notices == ("no traffic for tv/b since 2026-05-04 18:00 UTC",)


def test_a_day_without_the_source_serves_the_plan_to_its_end_and_then_says_why_not():
    one = board("tv/a")
    one.take_outlook(outlook(rate=42.0, hours=48), [])
    one.take_refresh(seen(NOW, "tv/a"))
    one.take_refresh(RefreshFailed(NOW + MINUTE, "connection refused"))
    for hours in (1, 24, 47.9):
        at = NOW + hours * HOUR
        assert one.snapshot(at).target("tv/a", at).replicas == 42
        assert "connection refused" in one.snapshot(at).notices[0]
    at = NOW + 48 * HOUR
    assert one.snapshot(at).ready
    with pytest.raises(NoUsablePlan) as caught:
        one.snapshot(at).target("tv/a", at)
    assert str(caught.value) == (
        "tv/a: the plan made at 2026-05-04 18:00 UTC covers 2026-05-04 18:00 UTC to "
        "2026-05-06 18:00 UTC; no traffic from the source since 2026-05-04 18:00 UTC "
        "(connection refused)"
    )


def test_plans_of_several_trainings_are_told_by_their_span():
    one = board("tv/a", "tv/b")
    one.take_outlook(outlook("tv/a"), [])
    one.take_outlook(outlook("tv/b", start=NOW + HOUR), [])
    one.take_refresh(RefreshFailed(NOW, "down"))
    (told,) = one.snapshot(NOW + HOUR).notices
    assert "serving the plans made 2026-05-04 18:00 UTC to 2026-05-04 19:00 UTC" in told


def test_a_run_that_brought_nothing_is_told_with_the_next_try_and_counted_for_all():
    one = board("tv/a", "tv/b")
    one.take_outlook(outlook("tv/a"), [])
    one.take_trouble(NOW, "the trainer died (killed by SIGKILL)", NOW + MINUTE)
    one.take_trouble(NOW + MINUTE, "the trainer died (killed by SIGKILL)", NOW + 2 * MINUTE)
    snapshot = one.snapshot(NOW + MINUTE)
    assert snapshot.notices == (
        "training failed at 2026-05-04 18:01 UTC: the trainer died (killed by SIGKILL); "
        "next try at 2026-05-04 18:02 UTC",
    )
    assert snapshot.state("tv/a").training.failures == 2
    assert "SIGKILL" in snapshot.state("tv/a").training.last_error
    with pytest.raises(NoUsablePlan, match="the trainer died"):
        snapshot.target("tv/b", NOW)


def test_the_next_good_training_ends_that_notice_and_keeps_the_count():
    one = board("tv/a")
    one.take_trouble(NOW, "the trainer died", NOW + MINUTE)
    one.take_record("tv/a", TrainingRecord(TrainingState(NOW, 1.0, 1), NOW))
    snapshot = one.snapshot(NOW)
    assert snapshot.notices == ()
    assert snapshot.state("tv/a").training == TrainingState(NOW, 1.0, 2, 1, None)


def test_a_store_that_cannot_be_written_is_told_until_it_can():
    one = board("tv/a")
    one.take_store_error("plans", "disk is full")
    assert one.snapshot(NOW).notices == (
        "plans cannot be stored, a restart would lose them: disk is full",
    )
    one.take_store_error("plans", None)
    assert one.snapshot(NOW).notices == ()


def test_warnings_of_the_source_are_told():
    one = board("tv/a")
    one.take_refresh(Refreshed(NOW, seen(NOW, "tv/a").observed, ("partial response",)))
    assert one.snapshot(NOW).notices == ("the source says: partial response",)


def test_a_source_that_answers_with_nothing_is_no_reason_before_the_first_training():
    one = board("tv/a")
    one.take_refresh(Refreshed(NOW, {}))
    assert not one.snapshot(NOW).ready


def test_a_source_that_fails_is_the_reason_before_the_first_training_until_it_answers():
    one = board("tv/a")
    one.take_refresh(RefreshFailed(NOW, "cannot reach http://prometheus:9090"))
    with pytest.raises(NoUsablePlan) as caught:
        one.snapshot(NOW).target("tv/a", NOW)
    assert str(caught.value) == (
        "tv/a: not trained yet: no traffic from the source since 2026-05-04 18:00 UTC "
        "(cannot reach http://prometheus:9090)"
    )
    one.take_refresh(seen(NOW, "tv/a"))
    assert one.snapshot(NOW).state("tv/a").reason is None


@pytest.mark.parametrize(
    ("heard", "tried"),
    [
        pytest.param("refused", "refused", id="the same"),
        pytest.param("refused", "refused (after 4 attempts)", id="trainer tried longer"),
        pytest.param("refused (after 4 attempts)", "refused", id="refresher tried longer"),
    ],
)
def test_what_trainer_and_refresher_both_heard_is_said_once(heard, tried):
    one = board("tv/a")
    one.take_trouble(NOW, tried, NOW + MINUTE)
    one.take_refresh(RefreshFailed(NOW, heard))
    assert one.snapshot(NOW).state("tv/a").reason == (
        f"not trained yet: no traffic from the source since 2026-05-04 18:00 UTC ({heard})"
    )


def test_what_only_the_trainer_heard_is_said_beside_the_silence():
    one = board("tv/a")
    one.take_trouble(NOW, "the trainer died", NOW + MINUTE)
    one.take_refresh(RefreshFailed(NOW, "refused"))
    assert one.snapshot(NOW).state("tv/a").reason == (
        "not trained yet: the trainer died; "
        "no traffic from the source since 2026-05-04 18:00 UTC (refused)"
    )


def test_traffic_that_cannot_be_used_is_a_notice_of_its_workload_while_it_lasts():
    one = board("tv/a", "tv/b")
    for name in ("tv/a", "tv/b"):
        one.take_outlook(outlook(name), [])
    refused = {"tv/a": "at noon: the query gives inf"}
    one.take_refresh(Refreshed(NOW, seen(NOW, "tv/b").observed, (), refused))
    snapshot = one.snapshot(NOW)
    assert snapshot.notices == ()
    assert snapshot.state("tv/b").notices == ()
    assert snapshot.state("tv/a").notices == (
        "the latest traffic of tv/a cannot be used: at noon: the query gives inf",
    )
    one.take_refresh(seen(NOW, "tv/a", "tv/b"))
    assert one.snapshot(NOW).state("tv/a").notices == ()


def test_a_workload_that_is_off_has_no_reason_whatever_the_source_does():
    off = Fleet(
        (WorkloadSettings("tv", "a", ScalingRule(capacity_rps=1, mode=Mode.OFF)),), step=MINUTE
    )
    one = Board(off, {})
    one.take_refresh(RefreshFailed(NOW, "down"))
    assert one.snapshot(NOW).state("tv/a").reason is None


def peak(at, rate, taught=Taught.OWN, why=""):
    return ToldPeak(at, MINUTE, 5, 7.0, 0.5, rate, taught, why)


def foretelling(at, rate, *workloads, silent=None):
    foretold = Foretold({name: peak(at, rate) for name in workloads}, silent or {})
    return Refreshed(at, seen(at, *workloads).observed, (), {}, foretold)


def test_a_lead_peak_speaks_until_live_traffic_is_too_old_and_then_the_outlook_does():
    """20:00 traffic stops; at 20:04 the outlook takes over; at 20:30 traffic is back."""
    one = board("tv/a")
    one.take_outlook(outlook(rate=42.0), [])
    assert one.snapshot(NOW).target("tv/a", NOW).source is Source.OUTLOOK
    one.take_refresh(foretelling(NOW, 5.0, "tv/a"))
    spoke = {}
    for minute in (0, 3, 4, 29, 30):
        at = NOW + minute * MINUTE
        if minute == 1:
            one.take_refresh(RefreshFailed(at, "connection refused"))
        if minute == 30:
            one.take_refresh(foretelling(at, 6.0, "tv/a"))
        target = one.snapshot(at).target("tv/a", at)
        spoke[minute] = (target.source.value, target.replicas)
    assert spoke == {
        0: ("lead_peak", 5),
        3: ("lead_peak", 5),
        4: ("outlook", 42),
        29: ("outlook", 42),
        30: ("lead_peak", 6),
    }


def test_a_snapshot_that_nobody_replaces_lets_the_lead_peak_go_by_itself():
    one = board("tv/a")
    one.take_outlook(outlook(rate=42.0), [])
    one.take_refresh(foretelling(NOW, 5.0, "tv/a"))
    left_behind = one.snapshot(NOW)
    assert left_behind.target("tv/a", NOW + 4 * MINUTE).replicas == 42


def test_the_age_at_which_the_outlook_takes_over_can_be_set():
    of = fleet("tv/a", step=MINUTE, quantile=0.5)
    patient = dataclasses.replace(of, stale_after=10 * MINUTE)
    one = Board(patient, {})
    one.take_outlook(outlook(rate=42.0), [])
    one.take_refresh(foretelling(NOW, 5.0, "tv/a"))
    at = NOW + 9 * MINUTE
    assert one.snapshot(at).target("tv/a", at).source is Source.LEAD_PEAK
    at = NOW + 10 * MINUTE
    assert one.snapshot(at).target("tv/a", at).source is Source.OUTLOOK


def test_a_workload_on_its_first_day_has_a_target_and_a_notice_that_nothing_stands_behind_it():
    one = board("tv/a")
    one.take_record("tv/a", TrainingRecord().failed(NOW, "5h of traffic; 24 h are needed"))
    borrowed = Foretold({"tv/a": peak(NOW, 5.0, Taught.STARTER, "5h of own history")})
    one.take_refresh(Refreshed(NOW, seen(NOW, "tv/a").observed, (), {}, borrowed))
    snapshot = one.snapshot(NOW)
    assert snapshot.target("tv/a", NOW).replicas == 5
    assert "starter model: 5h of own history, no outlook yet" in (
        snapshot.target("tv/a", NOW).reasons
    )
    assert snapshot.state("tv/a").notices == (
        "no outlook to fall back on: 5h of traffic; 24 h are needed",
    )


def test_a_workload_that_has_no_lead_peak_any_more_says_why():
    one = board("tv/a", "tv/b")
    one.take_outlook(outlook("tv/a"), [])
    one.take_refresh(foretelling(NOW, 5.0, "tv/a", "tv/b"))
    one.take_foretold(Foretold({}, {"tv/a": "the lead-peak model broke"}))
    target = one.snapshot(NOW).target("tv/a", NOW)
    assert target.reasons[-1] == "outlook speaks: the lead-peak model broke"
    assert one.snapshot(NOW).target("tv/b", NOW).source is Source.LEAD_PEAK


@pytest.mark.parametrize(
    "other",
    [{"quantile": 0.9}, {"lead_time": 9 * MINUTE}],
    ids=["quantile", "lead time"],
)
def test_a_lead_peak_from_before_the_rule_changed_is_passed_over(other):
    one = board("tv/a", **other)
    one.take_foretold(Foretold({"tv/a": peak(NOW, 5.0)}))
    assert one.snapshot(NOW).state("tv/a").live.told is None


def test_a_state_is_replaced_when_something_has_changed_and_only_then():
    """What is made of a state, such as KEDA's answer, is kept as long as the state is."""
    one = board("tv/a", "tv/b")
    one.take_outlook(outlook("tv/a"), [])
    one.take_refresh(foretelling(NOW, 5.0, "tv/a", "tv/b"))
    first, again = one.snapshot(NOW), one.snapshot(NOW + MINUTE)
    assert again.state("tv/a") is first.state("tv/a")
    one.take_refresh(foretelling(NOW + MINUTE, 5.0, "tv/a"))
    after = one.snapshot(NOW + MINUTE)
    assert after.state("tv/a") is not first.state("tv/a")
    assert after.state("tv/b") is first.state("tv/b")
    one.take_outlook(outlook("tv/a"), [])
    assert one.snapshot(NOW + MINUTE).state("tv/a") is not after.state("tv/a")


def test_models_that_cannot_be_read_are_told_until_they_can():
    one = board("tv/a")
    one.take_foretold(Foretold(trouble="store x cannot be read: locked"))
    assert one.snapshot(NOW).notices == (
        "lead-peak models cannot be read: store x cannot be read: locked",
    )
    one.take_foretold(Foretold())
    assert one.snapshot(NOW).notices == ()


def test_what_the_lead_peak_asked_for_is_held_through_a_retrain_and_by_the_outlook():
    served = ServedTargets()
    of = fleet("tv/a", step=MINUTE, quantile=0.5, hold_down=10 * MINUTE)
    one = Board(of, {}, served.held)
    one.take_refresh(foretelling(NOW, 90.0, "tv/a"))
    served.note(NOW, one.states(["tv/a"], NOW))
    one.take_outlook(outlook(rate=42.0), served.held("tv/a"))
    one.take_refresh(foretelling(NOW + MINUTE, 5.0, "tv/a"))
    held = {}
    for minute in (1, 3, 8, 10, 11):
        at = NOW + minute * MINUTE
        held[minute] = one.snapshot(at).target("tv/a", at).replicas
    assert held == {1: 90, 3: 90, 8: 90, 10: 90, 11: 42}
    again = Board(of, {}, ServedTargets({"tv/a": served.held("tv/a")}).held)  # after a restart
    again.take_refresh(foretelling(NOW + MINUTE, 5.0, "tv/a"))
    assert again.snapshot(NOW + MINUTE).target("tv/a", NOW + MINUTE).replicas == 90


FINAL = Event(NOW + HOUR, NOW + 3 * HOUR, "football", selector=Selector(("tv",), ("a",)))


def test_a_calendar_builds_the_plans_anew_that_it_concerns_and_no_others():
    one = board("tv/a", "tv/b", "tv/c")
    one.take_calendar(Calendar((FINAL,)), NOW)
    one.take_outlook(outlook("tv/a"), [])
    one.take_outlook(outlook("tv/b"), [])
    before = {plan.outlook.series_id: plan for plan in one.plans}
    assert one.take_calendar(Calendar((dataclasses.replace(FINAL),)), NOW) == []  # an equal one
    longer = dataclasses.replace(FINAL, end=NOW + 4 * HOUR)
    assert one.take_calendar(Calendar((longer,)), NOW) == ["tv/a"]
    after = {plan.outlook.series_id: plan for plan in one.plans}
    assert after["tv/a"] is not before["tv/a"]
    assert after["tv/b"] is before["tv/b"]
    far = Event(NOW + 100 * HOUR, NOW + 101 * HOUR, "football")
    past = Event(NOW - 50 * HOUR, NOW - 40 * HOUR, "football")
    assert one.take_calendar(Calendar((past, longer, far)), NOW) == []
    assert one.take_calendar(Calendar((longer,), (), Overlap.LARGEST), NOW) == ["tv/a", "tv/b"]
    assert one.take_calendar(EMPTY_CALENDAR, NOW + 49 * HOUR) == []  # the plans have ended


def test_labels_select_as_well():
    fleet_ = Fleet(
        (
            WorkloadSettings("tv", "a", ScalingRule(1.0, quantile=0.5), {"tier": "edge"}),
            WorkloadSettings("tv", "b", ScalingRule(1.0, quantile=0.5)),
        ),
        step=MINUTE,
    )
    one = Board(fleet_, {})
    one.take_outlook(outlook("tv/a"), [])
    one.take_outlook(outlook("tv/b"), [])
    edge = dataclasses.replace(FINAL, selector=Selector(labels=(("tier", "edge"),)))
    assert one.take_calendar(Calendar((edge,)), NOW) == ["tv/a"]


def test_what_is_held_outlives_a_plan_that_is_built_anew():
    held = {"tv/a": (Held(NOW, 99),)}
    rule = {"quantile": 0.5, "hold_down": 5 * MINUTE}
    one = Board(fleet("tv/a", step=MINUTE, **rule), {}, lambda name: held[name])
    one.take_outlook(outlook(), [])
    one.take_calendar(Calendar((FINAL,)), NOW)
    assert one.snapshot(NOW).target("tv/a", NOW).replicas == 99


def test_a_thousand_workloads_and_ten_thousand_events_are_sorted_out_in_a_second_or_two():
    names = [f"tv/w{number}" for number in range(1000)]
    one = board(*names)
    shared = outlook()
    for name in names:
        one.take_outlook(dataclasses.replace(shared, series_id=name), [])
    year = tuple(
        Event(
            NOW + timedelta(minutes=52 * number),
            NOW + timedelta(minutes=52 * number + 90),
            "football",
            event_id=str(number),
            selector=Selector(workloads=(f"w{number % 1000}",)),
        )
        for number in range(-2000, 8000)
    )
    began = time.process_time()
    changed = one.take_calendar(Calendar(year), NOW)
    assert 50 < len(changed) < 150  # three days, and a day around them
    assert time.process_time() - began < 3  # half a second on a quiet machine


def test_notices_of_events_are_published_and_whether_they_are_news_is_told():
    one = board("tv/a")
    assert not one.take_notices(())
    assert one.take_notices(("the calendar matches fails",))
    assert not one.take_notices(("the calendar matches fails",))
    assert one.snapshot(NOW).notices == ("the calendar matches fails",)
