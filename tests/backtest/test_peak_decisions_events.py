"""With a calendar too, the replay decides as the service would have, onset by onset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from forecaster.backtest.cliffs import Cliff, with_cliffs
from forecaster.backtest.peak_decisions import PeakDecisions, decide
from forecaster.backtest.peak_origins import work_origin
from forecaster.backtest.peak_tasks import PeakTask, peak_tasks
from forecaster.events import Calendar, Event
from forecaster.models.event_track import Ahead, look_ahead
from forecaster.models.event_training import train_with_events
from forecaster.models.outlook import DEFAULT_QUANTILES
from forecaster.models.peak import (
    STALE_STEPS,
    LeadPeak,
    LeadPeakModel,
    LivePeak,
    PeakConfig,
    train_lead_peak,
)
from forecaster.models.peak.boosting import BoostingConfig
from forecaster.models.selection import OutlookConfig
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.sample import sample_history

LEVELS = (0.5, 0.9, 0.98)
LEAD_STEPS = 3
QUICK = PeakConfig(
    rows=5000, location=BoostingConfig(rounds=25), scale=BoostingConfig(rounds=15), levels=LEVELS
)
FIRST = datetime(1998, 5, 10, tzinfo=UTC)
DAYS = 12
HALF = 105 * timedelta(minutes=1)
KICK_OFFS = tuple(FIRST + timedelta(days=day, hours=19) for day in range(1, DAYS, 2))
JUDGED = KICK_OFFS[-1]


def quiet() -> TrafficSeries:
    """Twelve days before the tournament."""
    whole = next(iter(sample_history())).since(FIRST)
    assert whole is not None
    found = whole.before(FIRST + timedelta(days=DAYS))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def task() -> PeakTask:
    """Every other evening ×5 in two minutes; the last one is to be told."""
    series = with_cliffs(quiet(), [Cliff(at, 5.0) for at in KICK_OFFS])
    calendar = Calendar(tuple(Event(at, at + HALF, "match", 4.0) for at in KICK_OFFS))
    (found,) = peak_tasks(series, series.end - timedelta(days=1), LEAD_STEPS, LEVELS, peak=QUICK)
    return replace(found, calendar=calendar)


@pytest.fixture(scope="module")
def decisions(task: PeakTask) -> PeakDecisions:
    return decide(task.series, [work_origin(task)], LEAD_STEPS, LEVELS)


@pytest.fixture(scope="module")
def model(task: PeakTask) -> LeadPeakModel:
    """What the service trains at the cutoff, and keeps."""
    known = task.series.before(task.cutoff)
    assert known is not None
    config = OutlookConfig(quantiles=tuple(sorted({*DEFAULT_QUANTILES, *LEVELS})))
    trained = train_with_events(known, task.cutoff, config, task.calendar)
    model = train_lead_peak(known, task.cutoff, trained.path, LEAD_STEPS, QUICK, trained.track)
    return LeadPeakModel.from_bytes(model.to_bytes())


@pytest.fixture(scope="module")
def told(task: PeakTask, model: LeadPeakModel) -> list[LeadPeak]:
    """What the live path says step by step, with the calendar's part around now."""
    return list(stepped(task, model))


def stepped(task: PeakTask, model: LeadPeakModel) -> Iterator[LeadPeak]:
    live = LivePeak(model, LEVELS)
    for step in range(task.steps):
        now = task.cutoff + step * task.series.step
        seen = task.series.before(now)
        assert seen is not None
        recent = seen.since(now - timedelta(hours=5))
        assert recent is not None
        near = task.calendar.within(now - timedelta(days=2), now + timedelta(days=3))
        peak = live.decide(recent, near, now)
        assert peak is not None
        yield peak


def test_what_lies_ahead_is_looked_for_now_and_then_and_says_the_same_to_the_bit(
    task: PeakTask, model: LeadPeakModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the match is moved, cancelled and comes back, while its onset may speak."""
    looks: list[datetime] = []

    def counted(*asked: Any) -> Ahead:
        looks.append(asked[3])
        return look_ahead(*asked)

    monkeypatch.setattr("forecaster.models.peak.live.look_ahead", counted)
    as_it_was, (match,) = task.calendar, task.calendar.between(JUDGED, JUDGED + HALF)
    rest = tuple(one for one in as_it_was.events if one is not match)
    later = timedelta(minutes=20)
    moved = replace(match, start=match.start + later, end=match.planned_end + later)
    changes = {  # by minutes from the kick-off
        -90: Calendar((*rest, moved)),
        -30: replace(as_it_was),
        -3: Calendar(rest),
        -1: as_it_was,
    }
    kept, fresh = LivePeak(model, LEVELS), LivePeak(model, LEVELS)
    calendar, onsets = as_it_was, 0
    first = JUDGED - timedelta(hours=3)
    for step in range(6 * 60):
        now = first + step * task.series.step
        calendar = changes.get((now - JUDGED) // timedelta(minutes=1), calendar)
        recent = task.series.before(now).since(now - timedelta(hours=5))  # type: ignore[union-attr]
        assert recent is not None
        looks_before = len(looks)
        said = kept.decide(recent, calendar, now)
        of_kept = len(looks) - looks_before
        # Another object each time: nothing that was kept counts.
        plain = fresh.decide(recent, replace(calendar), now)
        assert said is not None and plain is not None
        np.testing.assert_array_equal(said.peak_rps, plain.peak_rps)
        assert (said.onset is None) == (plain.onset is None)
        onsets += said.onset is not None
        looks[looks_before:] = [now] * of_kept
    assert onsets > 3
    assert 1 + len(changes) < len(looks) <= 1 + len(changes) + 6 / 0.5
    assert {JUDGED + at * timedelta(minutes=1) for at in changes} <= set(looks)


def test_the_service_step_by_step_says_the_same(
    told: list[LeadPeak], decisions: PeakDecisions
) -> None:
    said = np.array([one.peak_rps for one in told]).T
    # Stored examples keep four digits.
    np.testing.assert_allclose(said, decisions.peak_rps, rtol=2e-3)


HOLES = {
    "before the lead window": (-8, -5),
    "into it": (-6, -3),
    "all of it": (-6, -1),
    "over the start": (-3, 3),
    "after it": (2, 4),
}
"""Minutes from the kick-off: from when to when no interval was observed."""


def holed(task: PeakTask, hole: tuple[int, int]) -> PeakTask:
    """The same traffic, but for the hole."""
    rates = task.series.rate_rps.copy()
    place = task.series.index_of(JUDGED)
    rates[place + hole[0] : place + hole[1]] = np.nan
    series = TrafficSeries(task.series.series_id, task.series.start, task.series.step, rates)
    return replace(task, series=series)


@pytest.mark.slow
@pytest.mark.parametrize("hole", HOLES.values(), ids=HOLES.keys())
def test_late_traffic_delays_no_onset_and_the_replay_says_what_the_service_does(
    task: PeakTask,
    model: LeadPeakModel,
    told: list[LeadPeak],
    decisions: PeakDecisions,
    hole: tuple[int, int],
) -> None:
    late = holed(task, hole)
    replayed = decide(late.series, [work_origin(late)], LEAD_STEPS, LEVELS)
    served = list(stepped(late, model))
    for step, (one, on_time) in enumerate(zip(served, told, strict=True)):
        now = task.cutoff + step * task.series.step
        if now - one.at > STALE_STEPS * task.series.step:
            assert not replayed.live[step]
            continue
        np.testing.assert_allclose(one.peak_rps, replayed.peak_rps[:, step], rtol=2e-3)
        if on_time.onset is not None:
            assert one.onset is not None
            assert one.quantile(0.98) > 0.7 * on_time.quantile(0.98)
    before = (JUDGED - task.cutoff) // task.series.step + hole[0] + 1
    np.testing.assert_array_equal(replayed.peak_rps[:, :before], decisions.peak_rps[:, :before])


def test_the_onset_speaks_from_one_lead_window_before_until_traffic_is_there(
    task: PeakTask, told: list[LeadPeak]
) -> None:
    at = [one.at for one in told if one.onset is not None]
    first, last = (at[0] - JUDGED) / timedelta(minutes=1), (at[-1] - JUDGED) / timedelta(minutes=1)
    assert -(LEAD_STEPS + 1) - 2 <= first <= -LEAD_STEPS
    assert 0 <= last <= 5
    assert len(at) == round(last - first) + 1
    onset = next(one.onset for one in told if one.onset is not None)
    assert onset.words(0.98).startswith("match, importance 4: ×")
    assert onset.words(0.98).endswith("at 0.98, from 5 past events")


def test_the_cliff_is_covered_before_it_is_there_and_not_many_times_over(
    task: PeakTask, decisions: PeakDecisions
) -> None:
    place = (JUDGED - task.cutoff) // task.series.step
    before = slice(place - LEAD_STEPS, place + 3)
    ratio = decisions.at(0.98)[before] / decisions.observed_rps[before]
    assert ratio.min() > 1.0
    reached = decisions.observed_rps[place + 2]
    assert decisions.at(0.98)[before].max() < 3 * reached


def test_an_hour_before_nothing_is_raised(task: PeakTask, decisions: PeakDecisions) -> None:
    place = (JUDGED - task.cutoff) // task.series.step
    quiet = slice(place - 60, place - 10)
    assert np.nanmax(decisions.at(0.98)[quiet]) < 2 * np.nanmax(decisions.observed_rps[quiet])


def test_a_kind_never_seen_comes_as_it_was_declared(task: PeakTask) -> None:
    series = with_cliffs(quiet(), [Cliff(JUDGED, 5.0)])
    declared = Calendar((Event(JUDGED, JUDGED + HALF, "premiere", uplift=5.0),))
    first = replace(task, series=series, calendar=declared)
    decided = decide(series, [work_origin(first)], LEAD_STEPS, LEVELS)
    place = (JUDGED - task.cutoff) // series.step
    before = slice(place - LEAD_STEPS, place)
    ratio = decided.at(0.98)[before] / decided.observed_rps[place]
    assert ratio.min() > 1.0 and ratio.max() < 2.2


def test_the_future_changes_no_earlier_decision(task: PeakTask, decisions: PeakDecisions) -> None:
    """From the kick-off on the traffic is another: up to there nothing moves."""
    rates = task.series.rate_rps.copy()
    place = (JUDGED - task.cutoff) // task.series.step
    rates[task.series.index_of(JUDGED) :] = 1.0
    other = TrafficSeries(task.series.series_id, task.series.start, task.series.step, rates)
    changed = decide(other, [work_origin(replace(task, series=other))], LEAD_STEPS, LEVELS)
    np.testing.assert_array_equal(
        changed.peak_rps[:, : place + 1], decisions.peak_rps[:, : place + 1]
    )
    assert (changed.peak_rps[:, place + 1 :] != decisions.peak_rps[:, place + 1 :]).any()
