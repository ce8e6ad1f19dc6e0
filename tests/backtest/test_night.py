from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.backtest import ReplaySettings
from forecaster.backtest.named import choose_policies, named_policy
from forecaster.backtest.night import (
    Night,
    night_bounds,
    night_tasks,
    replay_night,
    run_in_time,
)
from forecaster.backtest.peak_decisions import decide
from forecaster.backtest.peak_origins import work_origin
from forecaster.backtest.replay import POLICY_NAMES, simulate_floor
from forecaster.backtest.span import ReplaySpan
from forecaster.cli.replay_words import notes
from forecaster.events import Calendar, Event
from forecaster.models.peak import Taught
from forecaster.traffic.history import TrafficSeries

START = datetime(2026, 6, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
EVENING = START + timedelta(days=9, hours=19)
SETTINGS = ReplaySettings(20.0, timedelta(minutes=10), max_replicas=60, price_per_replica_hour=0.1)
HOLD = timedelta(minutes=10)
POLICIES = ("oracle", "hpa", "schedule", "exporter", "outlook", "preroll")


@pytest.fixture(scope="module")
def series():
    """Ten days with a peak every evening, noise, and a gap in the last evening."""
    rng = np.random.default_rng(5)
    hours = np.arange(10 * 288) / 12 % 24
    rates = 100 + 500 * np.exp(-(((hours - 20.5) / 0.7) ** 2))
    rates *= np.exp(rng.normal(0, 0.06, len(hours)))
    gap = (EVENING - START) // STEP + 30
    rates[gap : gap + 3] = np.nan
    return TrafficSeries("tv/web", START, STEP, rates)


@pytest.fixture(scope="module")
def night(series):
    window = timedelta(hours=3)
    return Night(series, EVENING, EVENING + window, SETTINGS, 0.95, HOLD, "Europe/Paris")


@pytest.fixture(scope="module")
def replay(night):
    return replay_night(night, [work_origin(one) for one in night_tasks(night)], POLICIES)


def test_the_models_are_trained_a_while_before_the_window_on_what_had_ended(night, replay):
    assert night.start - night.begin == timedelta(hours=1)
    assert replay.trained == (night.begin,)
    assert replay.taught == (Taught.OWN,)
    assert [task.cutoff for task in night_tasks(night)] == [night.begin]
    long = replace(night, start=EVENING - timedelta(hours=9))
    cutoffs = [task.cutoff for task in night_tasks(long)]
    assert cutoffs == [
        long.begin,
        long.begin + timedelta(hours=6),
        long.begin + timedelta(hours=12),
    ]


@pytest.mark.parametrize(
    ("lead", "hold", "expected"),
    [
        (timedelta(minutes=5), timedelta(0), timedelta(hours=1)),
        (timedelta(minutes=40), timedelta(0), timedelta(minutes=80)),
        (timedelta(minutes=41), timedelta(minutes=7), timedelta(minutes=100)),
    ],
    ids=["an hour at least", "pods come and go", "in whole steps"],
)
def test_the_run_in_is_long_enough_for_pods_to_come_and_go(lead, hold, expected):
    assert run_in_time(ReplaySettings(1.0, lead), hold, STEP) == expected


def test_only_the_window_is_shown_and_counted(night, replay):
    assert replay.span.start == EVENING
    assert len(replay.span) == 36
    assert night.series.end == night.end
    for one in (*replay.policies, replay.oracle):
        assert one.asked.shape == one.ready.shape == one.short.shape == (36,)
        assert np.isnan(one.short).sum() == 3
        assert all(night.start <= short.start < short.end <= night.end for short in one.shortages)
    assert replay.lead_peak_rps.shape == replay.live.shape == replay.needed.shape == (36,)
    assert [one.name for one in replay.policies] == list(POLICIES)


def test_a_declared_floor_is_prerolls_alone_and_as_early_as_it_would_have_been_served(night):
    final = Event(EVENING + timedelta(hours=1), None, "final", floor_replicas=55, ceiling=HOLD)
    known = replace(night, calendar=Calendar((final,)))
    tasks = night_tasks(known)
    assert [one.calendar for one in tasks] == [known.calendar]
    found = replay_night(known, [work_origin(one) for one in tasks], ("hpa", "preroll"))
    asked = found.policy("preroll").asked
    first = 12 - 2  # an hour into the window, less the lead time
    assert asked[first - 1] < 50
    assert asked[first : first + 4].min() > 54  # 15 s pass until the HPA looks
    origins = [work_origin(one) for one in night_tasks(night)]
    without = replay_night(night, origins, ("hpa", "preroll"))
    assert without.policy("preroll").asked.max() < 50
    assert without.policy("hpa").asked.tolist() == found.policy("hpa").asked.tolist()
    told = notes(found)[-1]
    assert told.startswith("Events declare floors; the highest, at 21:50: event floor 55 replicas")
    assert not [one for one in notes(without) if "Events" in one]


def test_what_is_shown_is_the_window_of_a_run_that_began_before(night, replay):
    whole = ReplaySpan(night.series, night.begin)
    simulation = simulate_floor(whole, None, 0.7, SETTINGS)
    hpa = replay.policy("hpa")
    assert hpa.ready.tolist() == simulation.ready.mean()[12:].tolist()
    assert hpa.asked.tolist() == simulation.asked.mean()[12:].tolist()


def test_the_measures_are_those_of_the_window_counted_second_by_second(night, replay):
    """A slow loop over the HPA's timeline, from the run-in on."""
    whole = ReplaySpan(night.series, night.begin)
    ready = simulate_floor(whole, None, 0.7, SETTINGS).ready
    unserved = total = replica_seconds = short_seconds = 0.0
    longest = stretch = 0
    for second in range(3600, 3600 + 3 * 3600):
        rate = whole.rate_rps[second // 300]
        if np.isnan(rate):
            stretch = 0
            continue
        replicas = int(ready.at(np.array([float(second)]))[0])
        missing = max(rate / 20.0 - replicas, 0.0)
        unserved += missing * 20.0
        total += rate
        replica_seconds += replicas
        short_seconds += missing > 1e-6
        stretch = stretch + 1 if missing > 1e-6 else 0
        longest = max(longest, stretch)
    measures = replay.policy("hpa").measures
    assert measures.unserved_ratio == pytest.approx(unserved / total, rel=1e-6)
    assert measures.underprovisioned_seconds == pytest.approx(short_seconds)
    assert measures.longest_shortage_seconds == pytest.approx(longest)
    assert measures.replica_hours == pytest.approx(replica_seconds / 3600)
    assert short_seconds > 300, "the HPA alone is late in such an evening"


def test_the_oracle_has_what_is_needed_and_no_one_needs_less(replay):
    seen = replay.span.observed
    by_hand = [max(1, int(-(-rate // 20.0))) for rate in replay.span.rate_rps[seen].tolist()]
    assert replay.needed[seen].tolist() == by_hand
    assert replay.oracle.ready.tolist() == replay.needed.tolist()
    assert replay.policy("oracle") is replay.oracle


def test_preroll_foresees_more_of_the_evening_than_the_hpa_does(replay):
    preroll, hpa = replay.policy("preroll").measures, replay.policy("hpa").measures
    assert preroll.unserved_ratio < hpa.unserved_ratio


def test_the_outlook_speaks_where_live_traffic_is_missing_and_the_reader_is_told(night):
    rates = night.series.rate_rps.copy()
    gap = (EVENING - START) // STEP + 10
    rates[gap : gap + 8] = np.nan
    silent = replace(night, series=TrafficSeries("tv/web", START, STEP, rates))
    replay = replay_night(silent, [work_origin(one) for one in night_tasks(silent)], ("preroll",))
    assert replay.live[:11].all()
    assert not replay.live[15:18].any()
    assert np.isfinite(replay.lead_peak_rps).all()


def test_changing_the_future_changes_nothing_before(series, night, replay):
    moment = EVENING + timedelta(hours=1)
    rates = series.rate_rps.copy()
    rates[series.index_of(moment) :] *= 4
    other = replace(night, series=TrafficSeries("tv/web", START, STEP, rates))
    changed = replay_night(other, [work_origin(one) for one in night_tasks(other)], POLICIES)
    steps = 12
    for name in POLICIES[1:]:
        before, after = replay.policy(name), changed.policy(name)
        assert before.asked[:steps].tolist() == after.asked[:steps].tolist(), name
        assert before.ready[:steps].tolist() == after.ready[:steps].tolist(), name
    assert replay.lead_peak_rps[: steps + 1].tolist() == changed.lead_peak_rps[: steps + 1].tolist()
    assert replay.lead_peak_rps[steps + 2] < changed.lead_peak_rps[steps + 2]


def test_only_so_much_past_as_the_service_has_is_learnt_from(night):
    brief = replace(night, history=timedelta(days=3))
    assert brief.series.start == brief.begin - timedelta(days=3)
    assert brief.series.end == night.end


def test_the_ends_are_moved_back_to_where_a_step_begins(night):
    odd = replace(
        night,
        start=EVENING + timedelta(seconds=299),
        end=night.end + timedelta(seconds=299),
    )
    assert (odd.start, odd.end) == (EVENING, night.end)


def test_the_bounds_leave_a_day_to_learn_from_and_the_whole_window(series):
    window = timedelta(hours=3)
    earliest, latest = night_bounds(series, window, SETTINGS, HOLD)
    assert earliest == START + timedelta(hours=25)
    assert latest == series.end - window
    for start in (earliest, latest):
        assert Night(series, start, start + window, SETTINGS, 0.9, HOLD).start == start
    for start in (earliest - STEP, latest + STEP):
        with pytest.raises(ValueError, match="cannot be replayed"):
            Night(series, start, start + window, SETTINGS, 0.9, HOLD)
    assert night_bounds(series, timedelta(days=9), SETTINGS, HOLD) is None


def test_a_day_of_history_is_enough(series):
    start, _ = night_bounds(series, timedelta(hours=2), SETTINGS, HOLD)
    first = Night(series, start, start + timedelta(hours=2), SETTINGS, 0.95, HOLD)
    (task,) = night_tasks(first)
    replay = replay_night(first, [work_origin(task)], ("preroll",))
    assert np.isfinite(replay.lead_peak_rps).all()


def test_names_of_policies_come_in_the_order_in_which_they_are_shown():
    assert choose_policies(" preroll,hpa,hpa ") == ("hpa", "preroll")
    assert choose_policies("all") == POLICY_NAMES
    with pytest.raises(ValueError, match="'keda' is not a policy; there are oracle, hpa"):
        choose_policies("hpa,keda")


def test_every_name_but_the_oracle_is_a_policy_of_that_name(night):
    whole = ReplaySpan(night.series, night.begin)
    told = decide(night.series, [work_origin(one) for one in night_tasks(night)], 2, (0.95,))
    for name in ("hpa", "schedule", "exporter", "outlook", "holt_winters", "preroll"):
        policy = named_policy(name, whole, told, 0.95)
        assert policy.name == name
        floor = policy.floor(whole, SETTINGS)
        assert floor is None or floor.behavior is None, "all run behind the same HPA"
        eased = named_policy(name, whole, told, 0.95, utilisation=0.5)
        own = name == "preroll"
        assert eased.utilisation == (policy.utilisation if own else 0.5)
        assert eased.setting.get("factor", 1) in (1, 2), "forecasts go through the same target"
    with pytest.raises(ValueError, match="'oracle' is not a policy that decides"):
        named_policy("oracle", whole, told, 0.95)
