"""Models of many workloads, and the one in the wheel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.errors import HistoryTooShort
from forecaster.models.day_path import DayAheadPath
from forecaster.models.peak import LeadPeakModel, Taught, lead_peaks
from forecaster.models.peak.features import FEATURES, decisions_at
from forecaster.models.peak.fleet import FleetMember, fleet_rows, train_fleet
from forecaster.models.peak.starter import day_prints, knows_starter, load_starter
from forecaster.traffic.history import TrafficSeries
from tests.models.peak.conftest import LEAD_STEPS, QUICK

_START = datetime(2026, 3, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


def _members(count: int, steps: int = 240) -> list[tuple[TrafficSeries, DayAheadPath | None]]:
    rng = np.random.default_rng(2)
    level = rng.lognormal(1, 1, count)
    return [
        (TrafficSeries(f"w{i}", _START, _MINUTE, rng.poisson(level[i] * 60, steps) / 60), None)
        for i in range(count)
    ]


def test_the_cost_does_not_grow_with_the_fleet() -> None:
    for count in (10, 400):
        members = [FleetMember(series, path, LEAD_STEPS) for series, path in _members(count)]
        rows = fleet_rows(members, QUICK)
        assert rows is not None
        assert len(rows) <= QUICK.rows
        assert len(np.unique(rows.block)) == min(count, QUICK.rows // 50)


def test_half_of_the_rows_know_no_path(trace: TrafficSeries, path: DayAheadPath) -> None:
    known = trace.before(trace.end - timedelta(days=2))
    assert known is not None
    rows = fleet_rows([FleetMember(known, path, LEAD_STEPS)], QUICK)
    assert rows is not None
    missing = np.isnan(rows.features[:, FEATURES.index("path_now")])
    assert 0.5 <= missing.mean() < 0.75  # the oldest days had no path anyway


def test_a_fleet_of_hours_serves_a_new_workload() -> None:
    *others, (new, _) = _members(60)
    cutoff = _START + timedelta(hours=4)
    model = train_fleet(others, cutoff, LEAD_STEPS, QUICK).for_workload("new", None)
    assert (model.taught, model.series_id) == (Taught.FLEET, "new")
    covered = _coverage(model, new)
    assert 0.93 < covered[1] <= 1.0 and 0.3 < covered[0] < 0.8


def test_a_fleet_without_a_past_is_refused() -> None:
    with pytest.raises(HistoryTooShort, match="needs 300 whole lead windows, its 3 workloads have"):
        train_fleet(_members(3, 20), _START + timedelta(hours=1), LEAD_STEPS, QUICK)


@pytest.mark.parametrize(
    ("step", "lead"),
    [(10, 60), (60, 300), (60, 3600), (300, 600), (900, 3600)],
    ids=["10s-1m", "1m-5m", "1m-1h", "5m-10m", "15m-1h"],
)
def test_the_starter_speaks_at_every_step_and_lead_time(step: int, lead: int) -> None:
    rng = np.random.default_rng(4)
    hours = np.arange(4000) * step / 3600
    rates = rng.poisson(50 * step * (1.2 + np.sin(hours * 2 * np.pi / 24))) / step
    series = TrafficSeries("new", _START, timedelta(seconds=step), rates)
    starter = load_starter(series.step, max(1, -(-lead // step)))
    assert starter.taught is Taught.STARTER and starter.step == series.step
    # A wave that no trace of its teaching has, and no feedback: online calibration does the rest.
    covered = _coverage(starter.for_workload("new", None), series)
    assert covered[1] > 0.8, covered


def _coverage(model: LeadPeakModel, series: TrafficSeries) -> np.ndarray:
    rows = np.arange(30, len(series) - model.lead_steps)
    decisions = decisions_at(series, None, model.lead_steps, rows)
    highest = np.nanmax(decisions.recent, axis=1)
    said = model.peaks(model.tell(decisions), model.score_at((0.5, 0.98)), highest)
    came = lead_peaks(series.rate_rps, model.lead_steps)[rows]
    covered: np.ndarray = (came[:, None] <= said + 1e-12).mean(axis=0)
    return covered


def test_the_starter_knows_who_taught_it_in_any_unit_and_step(trace: TrafficSeries) -> None:
    assert knows_starter(trace)
    five = trace.rate_rps[: len(trace) // 5 * 5].reshape(-1, 5).mean(axis=1)
    assert knows_starter(TrafficSeries("five", trace.start, 5 * trace.step, five))
    per_minute = TrafficSeries("minutes", trace.start, trace.step, trace.rate_rps * 60)
    assert knows_starter(per_minute)
    slice_of_it = trace.since(trace.end - timedelta(hours=30))
    assert slice_of_it is not None and knows_starter(slice_of_it)
    other = np.roll(trace.rate_rps, 700)
    assert not knows_starter(TrafficSeries("other", trace.start, trace.step, other))


def test_prints_are_of_whole_quarters_of_utc_days(trace: TrafficSeries) -> None:
    later = trace.since(trace.start + timedelta(hours=7, minutes=13))
    assert later is not None
    assert set(day_prints(later)) <= set(day_prints(trace))
    assert len(day_prints(trace)) == 47
