"""Decisions over past traffic are those that the service would have made, step by step."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.backtest.peak_decisions import PeakDecisions, decide
from forecaster.backtest.peak_origins import PeakOrigin, work_origin
from forecaster.backtest.peak_scores import decision_rows, score_peaks
from forecaster.backtest.peak_tasks import PeakTask, peak_tasks
from forecaster.events import Event
from forecaster.models import train_outlook
from forecaster.models.outlook import DEFAULT_QUANTILES
from forecaster.models.peak import STALE_STEPS, LivePeak, PeakConfig, Taught, train_lead_peak
from forecaster.models.peak.boosting import BoostingConfig
from forecaster.models.selection import OutlookConfig
from forecaster.planning.capacity import ScalingRule
from forecaster.traffic.history import TrafficSeries
from forecaster.traffic.sample import sample_history

LEVELS = (0.5, 0.9, 0.98)
LEAD_STEPS = 5
QUICK = PeakConfig(
    rows=5000, location=BoostingConfig(rounds=25), scale=BoostingConfig(rounds=15), levels=LEVELS
)


@pytest.fixture(scope="module")
def series() -> TrafficSeries:
    """Ten days, the last of which has a hole of two steps and one of half an hour."""
    whole = next(iter(sample_history()))
    part = whole.since(whole.end - timedelta(days=10))
    assert part is not None
    rates = part.rate_rps.copy()
    rates[-900:-898] = np.nan
    rates[-600:-570] = np.nan
    return TrafficSeries(part.series_id, part.start, part.step, rates)


def test_in_a_hole_an_onset_speaks_as_of_the_last_interval_that_was_observed() -> None:
    """So does the service: it decides at the end of what it has seen, until that is stale."""
    minute, cutoff = timedelta(minutes=1), datetime(2026, 3, 2, tzinfo=UTC)
    rates = np.full(60, 100.0)
    rates[33:43] = np.nan  # the steps 3 to 12 after the cutoff
    series = TrafficSeries("tv/a", cutoff - 30 * minute, minute, rates)
    onset = np.full((1, 30), np.nan)
    onset[0, 2:4], onset[0, 6:20] = 400.0, 500.0
    origin = PeakOrigin(
        series_id="tv/a",
        cutoff=cutoff,
        location=np.full(30, np.log(100 + 1 / 60)),
        scale=np.ones(30),
        base=np.zeros(1),
        offsets=np.zeros(1),
        gain=0.0,
        highest_rps=500.0,
        fallback_rps=np.full((1, 30), 200.0),
        median_rps=np.full(30, 100.0),
        taught=Taught.OWN,
        onset_rps=onset,
    )
    found = decide(series, [origin], 3, (0.5,))
    expected = [100.0] * 2 + [400.0] * 2  # the last one was seen to end at step 3
    expected += [400.0] * STALE_STEPS + [200.0] * (14 - 4 - STALE_STEPS)
    expected += [500.0] * 6 + [100.0] * 10
    np.testing.assert_allclose(found.peak_rps[0], expected)
    assert found.live.tolist() == [value != 200.0 for value in expected]

    late = np.full((1, 30), np.nan)
    late[0, 4:6], late[0, 6], late[0, 20] = 350.0, 700.0, 600.0
    found = decide(series, [replace(origin, late_onset_rps=late)], 3, (0.5,))
    expected[6] = 700.0  # of what is told the larger; where nothing is late there is no such word
    expected[20] = 600.0
    np.testing.assert_allclose(found.peak_rps[0], expected)


@pytest.fixture(scope="module")
def tasks(series: TrafficSeries) -> list[PeakTask]:
    start = series.end - timedelta(days=1)
    found = peak_tasks(series, start, LEAD_STEPS, LEVELS, every=timedelta(hours=12), peak=QUICK)
    assert [task.steps for task in found] == [720, 720]
    return found


@pytest.fixture(scope="module")
def origins(tasks: list[PeakTask]) -> list[PeakOrigin]:
    return [work_origin(task) for task in tasks]


@pytest.fixture(scope="module")
def decisions(series: TrafficSeries, origins: list[PeakOrigin]) -> PeakDecisions:
    return decide(series, origins, LEAD_STEPS, LEVELS)


def test_the_service_step_by_step_says_the_same(
    series: TrafficSeries, tasks: list[PeakTask], decisions: PeakDecisions
) -> None:
    """The live path (one workload, one instant, a buffer of five hours) against the replay."""
    live: LivePeak | None = None
    said = np.full((len(LEVELS), 1440), np.nan)
    quantiles = tuple(sorted({*DEFAULT_QUANTILES, *LEVELS}))
    for number, task in enumerate(tasks):
        known = series.before(task.cutoff)
        assert known is not None
        config = OutlookConfig(quantiles=quantiles)
        path = train_outlook(known, task.cutoff, config).path
        model = train_lead_peak(known, task.cutoff, path, LEAD_STEPS, QUICK)
        live = LivePeak(model, LEVELS) if live is None else live
        live.take_model(model) if number else None
        for step in range(task.steps):
            now = task.cutoff + step * series.step
            seen = series.before(now)
            assert seen is not None
            recent = seen.since(now - timedelta(hours=5))
            assert recent is not None
            told = live.decide(recent)
            if told is not None and now - told.at <= STALE_STEPS * series.step:
                said[:, number * 720 + step] = told.peak_rps
    spoke = ~np.isnan(said[0])
    np.testing.assert_array_equal(spoke, decisions.live)
    np.testing.assert_allclose(said[:, spoke], decisions.peak_rps[:, spoke], rtol=1e-4)


def test_the_outlook_speaks_where_live_traffic_is_old(
    decisions: PeakDecisions, origins: list[PeakOrigin]
) -> None:
    silent = np.flatnonzero(~decisions.live)
    hole = 1440 - 600
    assert silent.tolist() == list(range(hole + STALE_STEPS + 1, hole + 31))
    fallback = np.concatenate([one.fallback_rps for one in origins], axis=1)
    np.testing.assert_array_equal(decisions.peak_rps[:, silent], fallback[:, silent])
    assert np.isfinite(decisions.peak_rps).all()


def test_the_future_changes_no_earlier_decision(
    series: TrafficSeries, tasks: list[PeakTask], decisions: PeakDecisions
) -> None:
    """From 300 steps into the test on the traffic is another: up to there nothing moves."""
    rates = series.rate_rps.copy()
    first = series.index_of(tasks[0].cutoff)
    rates[first + 300 :] = 1.0
    other = TrafficSeries(series.series_id, series.start, series.step, rates)
    changed = decide(
        other,
        [
            work_origin(task)
            for task in peak_tasks(
                other,
                tasks[0].cutoff,
                LEAD_STEPS,
                LEVELS,
                every=timedelta(hours=12),
                peak=QUICK,
            )
        ],
        LEAD_STEPS,
        LEVELS,
    )
    np.testing.assert_array_equal(changed.peak_rps[:, :301], decisions.peak_rps[:, :301])
    assert (changed.peak_rps[:, 301:] != decisions.peak_rps[:, 301:]).any()


def test_scores_count_whole_windows_only(decisions: PeakDecisions) -> None:
    scores = score_peaks([decisions], per_rps=60.0)
    peaks, windows, covered = [], 0, 0
    rates = decisions.series.rate_rps
    first = decisions.series.index_of(decisions.start)
    for step in range(1440):
        window = rates[first + step : first + step + LEAD_STEPS + 1]
        if len(window) == LEAD_STEPS + 1 and not np.isnan(window).any():
            windows += 1
            covered += window.max() <= decisions.at(0.98)[step]
            over = (window.max() - decisions.peak_rps[:, step]) * 60
            peaks.append(
                np.mean([max(q * e, (q - 1) * e) for q, e in zip(LEVELS, over, strict=True)])
            )
    assert scores.windows == windows
    assert scores.coverage[0.98] == pytest.approx(covered / windows)
    assert scores.pinball == pytest.approx(float(np.mean(peaks)))
    assert scores.live_ratio == pytest.approx(1 - 27 / 1440)


def test_there_is_a_row_for_every_step_and_level_gaps_included(decisions: PeakDecisions) -> None:
    rule = ScalingRule(capacity_rps=10, max_replicas=10_000, hold_down=timedelta(0))
    rows = list(decision_rows(decisions, rule, per_rps=60.0))
    assert len(rows) == 3 * 1440
    stamp, level, peak, replicas = rows[1440 + 7]
    assert stamp == (decisions.start + 7 * decisions.series.step).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert level == "0.9"
    assert float(peak) == pytest.approx(decisions.at(0.9)[7] * 60, rel=1e-5)
    assert replicas == int(np.ceil(decisions.at(0.9)[7] / 10))


def test_a_row_has_the_floor_that_an_event_declares(decisions: PeakDecisions) -> None:
    rule = ScalingRule(capacity_rps=1e6, max_replicas=10_000, hold_down=timedelta(0))
    minute = decisions.series.step
    begins = decisions.start + 60 * minute
    event = Event(begins, begins + 30 * minute, "show", floor_replicas=44)
    found = [row[3] for row in decision_rows(decisions, rule, events=(event,))]
    lead = rule.lead_time // minute
    one_level = [44 if 60 - lead <= step < 90 else 1 for step in range(1440)]
    assert found == one_level * 3


def test_without_a_day_of_history_the_starter_speaks_and_says_so() -> None:
    start = next(iter(sample_history())).start
    rates = 20 + 10 * np.sin(np.arange(400) / 40)
    series = TrafficSeries("new", start, timedelta(minutes=1), rates)
    task = peak_tasks(series, start + timedelta(hours=3), LEAD_STEPS, LEVELS, peak=QUICK)[0]
    found = work_origin(task)
    assert found.taught is Taught.STARTER
    assert "the starter model speaks" in found.reason and "no outlook" in found.reason
    said = decide(series, [found], LEAD_STEPS, LEVELS)
    assert said.live.all()
    assert np.median(said.at(0.98) / np.nan_to_num(said.observed_rps, nan=30)) < 1.5


def test_the_starter_is_not_judged_on_a_trace_that_taught_it(series: TrafficSeries) -> None:
    part = series.before(series.start + timedelta(days=3))
    assert part is not None
    task = peak_tasks(part, part.start + timedelta(hours=4), LEAD_STEPS, LEVELS, peak=QUICK)[0]
    found = work_origin(task)
    assert found.taught is None and "taught by this very trace" in found.reason


def test_a_start_outside_of_the_series_is_refused(series: TrafficSeries) -> None:
    with pytest.raises(ValueError, match="is not within"):
        peak_tasks(series, series.end, LEAD_STEPS, LEVELS)


def test_calibration_carries_on_over_a_retrain(
    series: TrafficSeries, origins: list[PeakOrigin]
) -> None:
    """A second origin that starts from other offsets changes nothing: live ones are kept."""
    other = [origins[0], replace(origins[1], offsets=origins[1].offsets + 5.0)]
    plain = decide(series, origins, LEAD_STEPS, LEVELS)
    np.testing.assert_array_equal(
        decide(series, other, LEAD_STEPS, LEVELS).peak_rps, plain.peak_rps
    )
