import doctest
import math
from datetime import UTC, datetime, time, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from forecaster.backtest import (
    DailyWindow,
    DayAhead,
    Exporter,
    Hpa,
    Preroll,
    ReplaySettings,
    ReplaySpan,
    Schedule,
    replay_policy,
)
from forecaster.backtest.hpa import Feedback, ScaleBehavior, Signal
from forecaster.backtest.policies import EXAMPLE_BEHAVIOR
from forecaster.errors import NoUsablePlan
from forecaster.events import Event
from forecaster.models.outlook import Outlook
from forecaster.models.peak import Taught
from forecaster.planning import Held, ScalingRule, build_plan
from forecaster.planning.event_floor import Declared
from forecaster.planning.live import Live, ToldPeak
from forecaster.planning.planner import Known, ask, decide
from forecaster.traffic.history import TrafficSeries
from tests.backtest.replay_cases import MIDNIGHT, MINUTE, at_capacity, minutes, wavy

QUARTER = timedelta(minutes=15)
NAN = float("nan")


@pytest.mark.parametrize("module", ["exporter"])
def test_the_worked_examples_in_the_docstrings_hold(module):
    tested = doctest.testmod(import_module(f"forecaster.backtest.policies.{module}"))
    assert tested.attempted > 0
    assert tested.failed == 0


def served(policy, span, settings):
    source = policy.floor(span, settings).source
    assert isinstance(source, Signal)
    return source.values.tolist()


def loop_schedule(span, settings, policy):
    """Interval by interval, looking through the whole past each time."""
    series, lead = span.series, settings.lead_steps(span.series.step)
    zone = ZoneInfo(policy.timezone)
    local = [(series.start + i * series.step).astimezone(zone) for i in range(len(series))]

    def slot(at):
        return (at.hour * 60 + at.minute) // int(policy.slot.total_seconds() // 60)

    floors = []
    for i in range(span.first, len(series)):
        known = next(j for j, at in enumerate(local) if at.date() == local[i].date())
        classes = (local[i].date() - local[0].date()).days >= 14
        highest = 0.0
        for j in range(known):
            age = (local[i].date() - local[j].date()).days
            alike = (local[j].weekday() >= 5) == (local[i].weekday() >= 5)
            if age <= policy.days and slot(local[j]) == slot(local[i]) and (alike or not classes):
                window = series.rate_rps[j : min(j + lead + 1, known)]
                highest = max([highest, *(one for one in window.tolist() if not math.isnan(one))])
        floors.append(max(math.ceil(highest * policy.factor / settings.capacity_rps), 1))
    return floors


@pytest.mark.parametrize(
    ("days", "timezone"), [(16, "UTC"), (5, "UTC"), (16, "Europe/Paris")], ids=str
)
def test_the_schedule_is_the_highest_of_each_slot_of_the_days_before(days, timezone):
    span = wavy(days, 2, QUARTER)
    settings = at_capacity(lead_time=timedelta(minutes=20))
    policy = Schedule(0.9, timezone=timezone)
    assert served(policy, span, settings) == loop_schedule(span, settings, policy)


def test_the_schedule_follows_the_wall_clock_over_a_change_of_the_hour():
    start = datetime(2026, 3, 20, tzinfo=UTC)  # Paris moves on the 29th
    zone = ZoneInfo("Europe/Paris")
    local = [(start + i * QUARTER).astimezone(zone) for i in range(12 * 96)]
    rates = np.array([500.0 if at.hour == 20 else 50.0 for at in local])
    span = ReplaySpan(TrafficSeries("tv", start, QUARTER, rates), start + timedelta(days=10))
    floors = served(Schedule(timezone="Europe/Paris"), span, at_capacity())
    evening = [floors[i - span.first] for i in range(span.first, len(local)) if local[i].hour == 20]
    assert set(evening) == {50}
    # The slot before is up already, by its last interval's lead window; nothing else is.
    assert floors.count(50) == len(evening) + 2 * 2


def test_without_a_past_there_is_no_schedule():
    span = wavy(2, 2, QUARTER)
    assert served(Schedule(), span, at_capacity())[:96] == [1.0] * 96
    assert max(served(Schedule(), span, at_capacity())[96:]) > 20


def test_a_step_longer_than_a_slot_is_its_own_slot():
    span = wavy(5, 2, timedelta(hours=2))
    settings = at_capacity(lead_time=timedelta(hours=1))
    floors = served(Schedule(), span, settings)
    assert floors == loop_schedule(span, settings, Schedule(slot=timedelta(hours=2)))
    window = DailyWindow(time(2), time(11, 59, 59), 1)
    answer = Exporter().floor(span, settings).source.answer
    assert any(window.covers(i * 7200) and answer(i, 1) == 11 for i in range(12))


@pytest.mark.parametrize("days", [0, -1])
def test_a_table_of_no_days_is_refused(days):
    with pytest.raises(ValueError, match="days"):
        Schedule(days=days).floor(wavy(2, 1, QUARTER), at_capacity())


def exporter_metric(policy, span, settings):
    source = policy.floor(span, settings).source
    assert isinstance(source, Feedback)
    return source.answer


def replicas_wanted(policy, span, settings):
    """0 where the exporter is off, else the number of replicas at which it says "stay"."""
    answer = exporter_metric(policy, span, settings)
    return [
        0 if answer(i, 1) == 0 else next(n for n in range(1, 999) if answer(i, n) != 11)
        for i in range(len(span))
    ]


def test_a_window_that_crosses_midnight_ends_at_midnight():
    """Fault 1 of the exporter."""
    window = DailyWindow(time(22), time(2), 40)
    wanted = replicas_wanted(Exporter(window=window), wavy(3, 1, QUARTER), at_capacity())
    assert [i for i, one in enumerate(wanted) if one == 40] == list(range(88, 96))


def test_both_ends_of_a_window_belong_to_it():
    window = DailyWindow(time(20), time(21), 40)
    assert [window.covers(3600 * 20 + s) for s in (-1, 0, 3600, 3601)] == [False, True, True, False]


@pytest.mark.parametrize(("multiplier", "wanted"), [(0, 40), (1, 40), (2, 80)])
def test_a_multiplier_of_zero_counts_as_one(multiplier, wanted):
    """Fault 4 of the exporter."""
    policy = Exporter(multiplier, window=DailyWindow(time(0), time(23, 59, 59), 40))
    assert set(replicas_wanted(policy, wavy(3, 1, QUARTER), at_capacity())) == {wanted}


@pytest.mark.parametrize("multiplier", [1.5, -1])
def test_a_multiplier_is_a_whole_number(multiplier):
    """Fault 4 of the exporter."""
    with pytest.raises(ValueError, match="whole number"):
        Exporter(multiplier)


@pytest.mark.parametrize(
    "behavior", [None, ScaleBehavior(), EXAMPLE_BEHAVIOR], ids=["none", "default", "example"]
)
def test_from_10_to_100_pods_takes_the_exporter_21_syncs(behavior):
    """Fault 7 of the exporter."""
    span = minutes(*[100.0] * 8)
    window = DailyWindow(time(0), time(23, 59, 59), 100)
    policy = Exporter(window=window, utilisation=1.0)
    settings = at_capacity(lead_time=timedelta(seconds=1), behavior=behavior)
    syncs = 1
    pods = 10
    while pods < 100:
        pods = math.ceil(pods * 11 / 10)
        syncs += pods < 100
    replay = replay_policy(span, policy, settings)
    assert syncs == 21
    assert replay.measures.scaling_actions == syncs
    assert replay.asked[5] == replay.asked[-1], "5¼ minutes are over after the sixth"
    assert 100 <= replay.asked[-1] < 110
    assert replay.asked[4] < 100


def test_the_typed_window_is_the_busy_part_of_the_day():
    clock = np.arange(4 * 96) % 96
    rates = np.select([(clock >= 76) & (clock < 88), clock == 0], [400.0, 80.0], 30.0)
    span = ReplaySpan(TrafficSeries("tv", MIDNIGHT, QUARTER, rates), MIDNIGHT + timedelta(days=3))
    policy = Exporter(factor=0.5)
    wanted = replicas_wanted(policy, span, at_capacity(lead_time=QUARTER))
    # From the slot that holds the interval before 19:00, a lead time early, to 22:00.
    assert [i for i, one in enumerate(wanted) if one] == list(range(74, 88))
    assert set(wanted) == {0, 20}


def test_a_busy_part_around_midnight_is_typed_as_it_is_and_cut_by_the_exporter():
    clock = np.arange(4 * 96) % 96
    rates = np.where((clock >= 88) | (clock < 8), 400.0, 30.0)
    span = ReplaySpan(TrafficSeries("tv", MIDNIGHT, QUARTER, rates), MIDNIGHT + timedelta(days=3))
    wanted = replicas_wanted(Exporter(), span, at_capacity(lead_time=QUARTER))
    assert [i for i, one in enumerate(wanted) if one] == list(range(86, 96))


def test_flat_traffic_is_busy_all_day_and_none_is_never():
    span = wavy(3, 1, QUARTER)
    for rate, wanted in ((50.0, {5}), (0.0, {0})):
        flat = TrafficSeries("web", MIDNIGHT, QUARTER, np.full(3 * 96, rate))
        assert (
            set(replicas_wanted(Exporter(), ReplaySpan(flat, span.start), at_capacity())) == wanted
        )


def test_a_day_ahead_floor_is_the_highest_of_the_lead_window():
    path = np.array([10.0, 20.0, 40.0, 10.0, NAN, NAN, NAN, NAN])
    policy = DayAhead("outlook", path, factor=1.5)
    values = policy.floor(minutes(*[1.0] * 8), at_capacity()).source.values
    assert values[:4].tolist() == [6, 6, 6, 2]
    assert np.isnan(values[4:]).all()


def test_preroll_is_the_planner_itself():
    span = wavy(4, 1, QUARTER)
    settings = at_capacity(lead_time=timedelta(minutes=40), min_replicas=3, max_replicas=35)
    rates = 400 * np.maximum(np.sin(np.arange(len(span) + 3) / 10.0), 0.0)
    outlook = Outlook("web", span.start, span.start, QUARTER, (0.9,), rates[np.newaxis], "made up")
    rule = ScalingRule(10.0, timedelta(minutes=40), 0.9, 3, 35, timedelta(minutes=50))
    plan = build_plan(outlook, rule)
    policy = Preroll(0.9, plan.peak_rps, hold_down=timedelta(minutes=50))
    assert served(policy, span, settings) == plan.replicas.tolist()
    assert {3.0, 35.0} < set(served(policy, span, settings))


def test_preroll_serves_declared_floors_as_the_planner_decides_step_by_step():
    """Held after its end while traffic is high, alone where no forecast speaks, held down."""
    traffic = [50.0] * 10 + [300.0] * 20 + [20.0] * 15
    traffic[33] = NAN
    span = minutes(*traffic, before=(40.0,))
    begins = MIDNIGHT + 11 * MINUTE
    events = (
        Event(begins, begins + 12 * MINUTE, "show", floor_replicas=25, hold=True),
        Event(begins - 8 * MINUTE, begins + MINUTE, "news", floor_rps=60.0),
        Event(begins, begins + MINUTE, "cup", floor_replicas=900, cancelled=True),
    )
    told = np.full(len(traffic), 55.0)
    told[20:26], told[40:42] = 410.0, NAN
    told[4], told[15] = NAN, NAN
    settings = at_capacity(max_replicas=35)
    policy = Preroll(0.9, told, hold_down=3 * MINUTE, events=events)
    rule = settings.rule(0.9, 3 * MINUTE)
    expected, held = [], []
    for step, peak in enumerate(told):
        now = span.at(60.0 * step)
        past = span.series.rate_rps[: step + 1]
        last = np.flatnonzero(~np.isnan(past))[-1]
        seen = float(past[last]), span.series.start + int(last + 1) * MINUTE
        if not np.isnan(peak):
            said = ToldPeak(now, MINUTE, 2, 1.0, 0.9, peak, Taught.OWN)
            live = Live(said, MINUTE, held=tuple(held))
        else:
            live = Live(held=tuple(held))
        known = Known("web", rule, live=live, declared=Declared(events, MINUTE, *seen))
        try:
            target = decide(known, now)
        except NoUsablePlan:
            expected.append(NAN)
            continue
        expected.append(target.replicas)
        held.append(Held(now + MINUTE, ask(known, now).needed))
    found = served(policy, span, settings)
    np.testing.assert_array_equal(found, expected)
    assert {6.0, 25.0, 35.0} <= set(found) and np.isnan(found).sum() == 2
    plain = served(Preroll(0.9, told, hold_down=3 * MINUTE), span, settings)
    assert 25.0 not in plain and np.isnan(plain).sum() == 4


@pytest.mark.parametrize(
    "make",
    [
        lambda: Hpa(0.0),
        lambda: Schedule(utilisation=11.0),
        lambda: Exporter(utilisation=NAN),
        lambda: DayAhead("prophet", np.zeros(1), utilisation=-1.0),
        lambda: Preroll(0.5, np.zeros(1), utilisation=0.0),
    ],
)
def test_a_utilisation_out_of_range_is_refused(make):
    with pytest.raises(ValueError, match=r"utilisation .* for example 0\.7"):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Schedule(-1.0),
        lambda: Exporter(factor=NAN),
        lambda: DayAhead("outlook", np.zeros(1), 101.0),
    ],
)
def test_a_factor_out_of_range_is_refused(make):
    with pytest.raises(ValueError, match=r"factor .* for example 1\.2"):
        make()


def test_a_day_ahead_policy_has_one_of_the_names_and_a_quantile_is_between_0_and_1():
    with pytest.raises(ValueError, match="outlook, holt_winters, prophet"):
        DayAhead("oracle", np.zeros(1))
    with pytest.raises(ValueError, match="quantile"):
        Preroll(1.0, np.zeros(1))


def test_variants_move_the_own_knob_only():
    for policy in (Schedule(days=7), Exporter(multiplier=2), DayAhead("outlook", np.zeros(1))):
        variants = policy.variants()
        assert len({one.setting["factor"] for one in variants}) == len(variants) > 3
        for one in variants:
            same = {**one.setting, "factor": policy.setting["factor"]}
            assert same == policy.setting
    ours = Preroll(0.5, np.zeros(1))
    assert ours.variants() == (ours,)


def test_the_settings_are_the_production_knobs():
    assert Hpa().setting == {"utilisation": 0.7}
    assert Preroll(0.9, np.zeros(1)).setting == {
        "quantile": 0.9,
        "utilisation": 1.0,
        "hold_down_seconds": ScalingRule.hold_down.total_seconds(),
    }
    assert ReplaySettings(1.0).lead_steps(MINUTE) == 5
